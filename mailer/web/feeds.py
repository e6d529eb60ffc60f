"""A region's past issues as feeds: RSS 2.0 and JSON Feed 1.1.

An entry's id is made of the issue's and of the region's List-Id, both of which never change; so
an entry stays the same to a feed reader when the site moves. Every address is whole. A character
that XML does not allow is left out.

Standards: RSS 2.0 (RSS Advisory Board), RFC 4287 for ``atom:link``, JSON Feed 1.1, XML 1.0
section 2.2.

A description of RSS is HTML, so a plain text is written as HTML there: a ``<script>`` in a
headline is read as words. Titles, and every field here of JSON Feed, are plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from xml.etree import ElementTree as ET

from mailer.usecases.shelf import Card

ATOM = "http://www.w3.org/2005/Atom"
RSS_TYPE = "application/rss+xml; charset=utf-8"
JSON_TYPE = "application/feed+json; charset=utf-8"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ET.register_namespace("atom", ATOM)


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed says of itself; every address is whole."""

    title: str
    description: str
    language: str
    list_id: str
    publisher: str
    page_url: str
    feed_url: str
    icon_url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One past issue in a feed."""

    card: Card
    url: str
    text: str

    def id(self, channel: Channel) -> str:
        """Return what tells this entry from all others, for ever."""
        return f"{self.card.issue_id}@{channel.list_id}"


def rss(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Return the feed as RSS 2.0."""
    root = ET.Element("rss", {"version": "2.0"})
    feed = ET.SubElement(root, "channel")
    _add(feed, "title", channel.title)
    _add(feed, "link", channel.page_url)
    _add(feed, "description", _as_html(channel.description))
    _add(feed, "language", channel.language.lower())
    if entries:
        _add(feed, "lastBuildDate", _date(max(entry.card.changed_at for entry in entries)))
    _add(feed, "ttl", "60")
    attributes = {"href": channel.feed_url, "rel": "self", "type": "application/rss+xml"}
    ET.SubElement(feed, f"{{{ATOM}}}link", attributes)
    for entry in entries:
        item = ET.SubElement(feed, "item")
        _add(item, "title", entry.card.subject)
        _add(item, "link", entry.url)
        _add(item, "guid", entry.id(channel)).set("isPermaLink", "false")
        _add(item, "pubDate", _date(entry.card.sent_at))
        if entry.card.changed_at > entry.card.sent_at:
            # RSS has no word for it; Atom's is the one that feed readers know.
            updated = entry.card.changed_at.astimezone(UTC).isoformat()
            _add(item, f"{{{ATOM}}}updated", updated)
        _add(item, "description", _as_html(entry.card.preheader or entry.card.subject))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Return the feed as JSON Feed 1.1, with each issue's whole text."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "description": channel.description,
        "home_page_url": channel.page_url,
        "feed_url": channel.feed_url,
        "icon": channel.icon_url,
        "language": channel.language,
        "authors": [{"name": channel.publisher}] if channel.publisher else [],
        "items": [
            {
                "id": entry.id(channel),
                "url": entry.url,
                "title": entry.card.subject,
                "summary": entry.card.preheader,
                "content_text": entry.text,
                "language": entry.card.language,
                "date_published": entry.card.sent_at.astimezone(UTC).isoformat(),
                **_modified(entry.card),
            }
            for entry in entries
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _modified(card: Card) -> dict[str, str]:
    if card.changed_at <= card.sent_at:
        return {}
    return {"date_modified": card.changed_at.astimezone(UTC).isoformat()}


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, name)
    child.text = _NO_XML.sub("", text)
    return child


def _as_html(text: str) -> str:
    """Return a plain text as the HTML that a description is; XML escapes it once more.

    Source: RSS 2.0, "entity-encoded HTML is allowed". Quotation marks are no markup in a text.
    """
    return escape(text, quote=False)


def _date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)
