"""OPML in and out: lists of feeds as every feed reader writes and reads them.

Only outlines with an address of a feed count; folders become tags. A list is read as strictly as a
feed (``wellformed``), and an outline whose address cannot be a source's is told, not guessed at.

Source: OPML 2.0, section "What is a subscription list?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from pydantic import ValidationError

from mailer.articles.charset import decode
from mailer.articles.wellformed import check, mend
from mailer.errors import Fault, InvalidInput
from mailer.mistakes import said_of
from mailer.sources import Source, source_key

MAX_OUTLINES = 5_000


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What a list names: sources that can be used, and one fault for each that cannot."""

    sources: tuple[Source, ...] = ()
    faults: tuple[Fault, ...] = ()


def read_opml(raw: bytes, *, where: str = "") -> Subscriptions:
    """Read a list of feeds.

    Raises:
        InvalidInput: it is no OPML, or names no feed.
    """
    try:
        text = mend(decode(raw))
        root_name = check(text)
    except InvalidInput as error:
        fault = error.faults[0]
        raise InvalidInput(
            Fault(fault.problem, where, fault.line, remedy="export the list again")
        ) from None
    if root_name.rpartition(" ")[2].lower() != "opml":
        raise InvalidInput(Fault("is no OPML file", where, remedy="export your feeds as OPML"))
    # ``check`` has refused entities and depth; nothing outside is read.
    root = ET.fromstring(text)  # noqa: S314
    found: dict[str, Source] = {}
    names: set[str] = set()
    faults: list[Fault] = []
    for outline, folders in _outlines(root):
        url = (outline.get("xmlUrl") or outline.get("xmlurl") or "").strip()
        name = _line(outline.get("title") or outline.get("text") or "") or url[:80]
        if not url or url.rstrip("/") in found:
            continue
        tags = [_line(tag) for tag in (*folders, *_categories(outline)) if tag.strip()]
        try:
            source = Source(name=_free(name, names), url=url, tags=tuple(dict.fromkeys(tags)))
        except ValidationError as error:
            problem, _remedy = said_of(error.errors()[0])
            faults.append(Fault(f"{name!r} {problem}", where, remedy="add it by hand"))
            continue
        names.add(source_key(source.name))
        found[source.url] = source
    if not found and not faults:
        raise InvalidInput(Fault("names no feed", where, remedy="export your feeds as OPML"))
    return Subscriptions(tuple(found.values()), tuple(faults))


def _outlines(root: ET.Element) -> list[tuple[ET.Element, tuple[str, ...]]]:
    """Return the outlines in order, each with the titles of the folders around it."""
    found: list[tuple[ET.Element, tuple[str, ...]]] = []

    def walk(element: ET.Element, folders: tuple[str, ...]) -> None:
        for child in element:
            if child.tag.lower() == "outline":
                found.append((child, folders))
                is_feed = child.get("xmlUrl") or child.get("xmlurl")
                title = "" if is_feed else child.get("title") or child.get("text") or ""
                walk(child, (*folders, title) if title else folders)
            else:
                walk(child, folders)

    walk(root, ())
    if len(found) > MAX_OUTLINES:
        raise InvalidInput(Fault(f"has over {MAX_OUTLINES:,} outlines", remedy="split the list"))
    return found


def _categories(outline: ET.Element) -> list[str]:
    """Return an outline's categories: paths with slashes, of which the last part is a tag."""
    given = (outline.get("category") or "").split(",")
    return [path.rstrip("/").rpartition("/")[2].strip() for path in given if path.strip()]


def _line(text: str) -> str:
    return "".join(ch for ch in " ".join(text.split()) if ch.isprintable())[:80].strip()


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while source_key(free) in taken:
        number += 1
        free = f"{name[:70]} {number}"
    return free


def write_opml(title: str, sources: Sequence[Source]) -> str:
    """Return a list of the sources that have an address."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"  <head><title>{_text(title)}</title></head>",
        "  <body>",
    ]
    for source in sources:
        if source.url:
            category = f" category={quoteattr(','.join(source.tags))}" if source.tags else ""
            lines.append(
                f'    <outline type="rss" text={quoteattr(source.name)} '
                f"title={quoteattr(source.name)} xmlUrl={quoteattr(source.url)}{category}/>"
            )
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;")
