"""JSON Feed, versions 1 and 1.1, read leniently: an item that cannot be used is left out and told.

Source: the JSON Feed specification, version 1.1. Its rule that an item has an id is not held
against an item with an address.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mailer.articles.fields import moment_of
from mailer.errors import Fault, InvalidInput


def _text(value: object) -> object:
    """Numbers are words in many feeds, and null means nothing was said."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _moment(value: object) -> datetime | None:
    found = moment_of(value.replace("Z", "+00:00") if isinstance(value, str) else value)
    return found if isinstance(found, datetime) else None


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


Text = Annotated[str, BeforeValidator(_text)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class JsonAuthor(_Lenient):
    """Who wrote it."""

    name: Text = ""


class JsonAttachment(_Lenient):
    """A file that goes with an item; pictures are of interest."""

    url: Text = ""
    mime_type: Text = ""
    title: Text = ""


class JsonItem(_Lenient):
    """One item."""

    id: Text = ""
    url: Text = ""
    external_url: Text = ""
    title: Text = ""
    content_html: Text = ""
    content_text: Text = ""
    summary: Text = ""
    image: Text = ""
    banner_image: Text = ""
    date_published: Moment = None
    date_modified: Moment = None
    author: JsonAuthor | None = None
    authors: Annotated[tuple[JsonAuthor, ...], BeforeValidator(_listed)] = ()
    tags: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    language: Text = ""
    attachments: Annotated[tuple[JsonAttachment, ...], BeforeValidator(_listed)] = ()


class JsonFeed(_Lenient):
    """The feed; ``items`` are as they came and are read one by one."""

    version: str = Field(pattern=r"jsonfeed\.org/version/1")
    title: Text = ""
    home_page_url: Text = ""
    language: Text = ""
    author: JsonAuthor | None = None
    authors: Annotated[tuple[JsonAuthor, ...], BeforeValidator(_listed)] = ()
    items: list[Any] = Field(default_factory=list)


def read_json_feed(text: str) -> tuple[JsonFeed, list[JsonItem], int]:
    """Return the feed, its items that can be used, and how many cannot.

    Raises:
        InvalidInput: it is no JSON, or no JSON Feed.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise InvalidInput(Fault("is JSON that nests too deep")) from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise InvalidInput(
            Fault("is not well-formed JSON", line=line, remedy="tell its publisher")
        ) from None
    try:
        feed = JsonFeed.model_validate(data)
    except (ValidationError, RecursionError):
        raise InvalidInput(
            Fault("is JSON, but no JSON Feed", remedy="look for the feed's own address")
        ) from None
    items = []
    for raw in feed.items:
        try:
            items.append(JsonItem.model_validate(raw))
        except (ValidationError, RecursionError):
            continue
    return feed, items, len(feed.items) - len(items)
