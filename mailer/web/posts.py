"""What comes in by POST: reading a form, and whether it was sent from a page of ours.

A form is small and has no files. ``is_own_page`` believes what a browser says and a page cannot
change: ``Sec-Fetch-Site`` where it is sent, else ``Origin``. An ``Origin`` of ``null`` says nothing
(our own pages send no referrer, which makes it so) and is left to the form's key.

Standards: Fetch Metadata (W3C), RFC 6454, RFC 7578 and the URL standard's forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from mailer.errors import InvalidInput

MOST_FIELDS = 100
LONGEST_FIELD_BYTES = 8 * 1024


class Form:
    """The fields of a form; a missing one is ""."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return a field's first value."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return self._fields.get(name, [])

    def has(self, name: str) -> bool:
        """Say whether a field was sent, empty or not."""
        return name in self._fields


async def read_form(request: Request) -> Form:
    """Read a form, urlencoded or multipart; any other body has no fields.

    Raises:
        InvalidInput: it has too many fields.
        HTTPException: its parts make no sense.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fields: dict[str, list[str]] = {}
    if kind == "multipart/form-data":
        async with request.form(
            max_files=0, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD_BYTES
        ) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields.setdefault(name, []).append(value)
    elif kind == "application/x-www-form-urlencoded":
        body = (await request.body()).decode("utf-8", "replace")
        try:
            pairs = parse_qsl(
                body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"
            )
        except ValueError:
            raise InvalidInput("a form has too many fields") from None
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
    return Form(fields)


def is_own_page(request: Request, web_url: str) -> bool:
    """Say whether a form may have been sent from a page of ours."""
    site = request.headers.get("sec-fetch-site", "")
    if site:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin", "")
    if origin in {"", "null"}:
        return True
    # The Host was looked at by the guards: it is one of ours.
    return urlsplit(origin).netloc in {urlsplit(web_url).netloc, request.headers.get("host", "")}


def peer_of(request: Request) -> str:
    """Return the network address that a request came from."""
    return request.client.host if request.client else ""
