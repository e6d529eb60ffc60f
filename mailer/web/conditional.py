"""Answers that a program already has need not be sent again: ETag, Last-Modified, 304.

Standards: RFC 9110 section 13 (If-None-Match before If-Modified-Since, weak comparison) and 8.8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def conditional(
    request: Request,
    body: bytes,
    *,
    media_type: str,
    modified_at: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a body, or 304 for who has it.

    Args:
        modified_at: when it last changed, aware; None leaves Last-Modified out.
    """
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    own = {"ETag": tag, **(headers or {})}
    if modified_at is not None:
        own["Last-Modified"] = format_datetime(modified_at.astimezone(UTC), usegmt=True)
    if _has_it(request, tag, modified_at):
        return Response(status_code=304, headers=own)
    return Response(body, media_type=media_type, headers=own)


def _has_it(request: Request, tag: str, modified_at: datetime | None) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = {each.strip().removeprefix("W/") for each in known[:2000].split(",")}
        return "*" in tags or tag in tags
    since = request.headers.get("if-modified-since")
    if since is None or modified_at is None:
        return False
    try:
        instant = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return False
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return modified_at.replace(microsecond=0) <= aware
