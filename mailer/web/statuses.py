"""The one table from error to HTTP status, as the command line has its one of exit codes."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from mailer.errors import (
    ConfigurationError,
    IllegalTransition,
    InvalidInput,
    MailerError,
    NotFound,
    RenderFailed,
    StorageFailed,
)

STATUSES: dict[type[Exception], int] = {
    InvalidInput: 400,
    NotFound: 404,
    IllegalTransition: 409,
    StorageFailed: 503,
    RenderFailed: 500,
    ConfigurationError: 500,
    MailerError: 500,
}
"""The first kind that fits decides; the command line has its exit codes in the same order."""


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HTTPException):
        return error.status_code
    return next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
