"""Feeds become items: RSS 0.9 to 2.0, RDF (RSS 1.0), Atom 0.3 and 1.0, and JSON Feed.

``read_feed`` takes the bytes of a document and gives what it says of each item, HTML unsanitised.
A document that is no feed, is not well-formed after safe mending, or declares entities is refused
whole; an item that says nothing usable is counted as left out.

Standards: RSS 2.0, RSS 1.0 with Dublin Core and content, RFC 4287, Media RSS, JSON Feed 1.1.
Known limits: at most ``MAX_ITEMS`` items, the first ones; RSS titles are read as HTML when they
look like it, since RSS does not say.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import nh3

from mailer.articles.article import Picture
from mailer.articles.charset import charset_of, decode
from mailer.articles.feeddates import moment_in
from mailer.articles.feedpictures import picture_of
from mailer.articles.jsonfeed import JsonItem, read_json_feed
from mailer.articles.markupnames import Children, children, first, name_of, said
from mailer.articles.wellformed import check, mend
from mailer.errors import Fault, InvalidInput

MAX_ITEMS = 500
LONGEST_WORDS = 500
"""Titles, names and tags are cut here; a title of a megabyte is no title."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """What a feed says of one article; empty where it says nothing, HTML as it came."""

    guid: str = ""
    url: str = ""
    title: str = ""
    summary_html: str = ""
    content_html: str = ""
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    tags: tuple[str, ...] = ()
    picture: Picture | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed; ``left_out`` counts items of which nothing could be used."""

    title: str = ""
    url: str = ""
    items: tuple[FeedItem, ...] = ()
    left_out: int = 0


def read_feed(raw: bytes, *, content_type: str = "", url: str = "") -> Feed:
    """Read a feed.

    Args:
        raw: its bytes, unpacked.
        content_type: the header that came with it.
        url: where it is, which relative addresses start from.
    Raises:
        InvalidInput: one fault; the caller adds where.
    """
    text = decode(raw, declared=charset_of(content_type))
    if not text.strip():
        raise InvalidInput(Fault("is empty", remedy="ask its publisher, or remove the source"))
    if text.lstrip().startswith("{"):
        return _json(text, url)
    if "<" not in text:
        raise InvalidInput(Fault("is neither XML nor JSON", remedy="look for the feed's address"))
    mended = mend(text)
    if re.match(r"(?:<!doctype\s+html|<html\b)", mended, re.IGNORECASE):
        found = feeds_named(mended, url)
        remedy = f"its feed is {found[0]}" if found else "look for the feed's own address"
        raise InvalidInput(Fault("is a web page, not a feed", remedy=remedy))
    check(mended)
    # ``check`` has refused entities and depth; nothing outside is read.
    root = ET.fromstring(mended)  # noqa: S314
    kind = name_of(root)
    if kind == "atom:feed":
        return _atom(root, url)
    if kind in {"rss", "rdf:rdf"}:
        return _rss(root, url)
    raise InvalidInput(
        Fault(f"is XML, but no feed: it begins with <{kind[:40]}>", remedy="look for the feed")
    )


def feeds_named(page: str, base: str) -> list[str]:
    """Return the addresses of the feeds that an HTML page names in its head."""
    found = []
    for match in re.finditer(r"<link\b[^>]{0,1000}>", page[:200_000], re.IGNORECASE):
        tag = match[0]
        is_feed = re.search(
            r"type\s*=\s*[\"']?application/(?:rss|atom|feed)\+(?:xml|json)", tag, re.IGNORECASE
        )
        href = re.search(r"href\s*=\s*[\"']?([^\"'\s>]+)", tag, re.IGNORECASE)
        if is_feed and href:
            found.append(_join(base, html.unescape(href[1])))
    return found


def _rss(root: ET.Element, url: str) -> Feed:
    channel = first(root, "channel")
    head = channel if channel is not None else root
    base = _join(url, said(head, "link") or url)
    elements = [e for e in root.iter() if name_of(e) == "item"]
    items = [_rss_item(element, base) for element in elements[:MAX_ITEMS]]
    return _feed(plain_title(said(head, "title")), base, items)


def _rss_item(item: ET.Element, base: str) -> FeedItem:
    own = Children(item)
    guid = next(iter(own.named("guid")), None)
    guid_text = " ".join((guid.text or "").split()) if guid is not None else ""
    is_link = guid is not None and guid.get("isPermaLink", "true").lower() == "true"
    link = (
        own.said("feedburner:origlink", "link")
        or _alternate(own.named("atom:link"))
        or item.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about", "")
        or (guid_text if is_link and guid_text.startswith("http") else "")
    )
    bodies = [own.said(name) for name in ("content:encoded", "atom:content", "fulltext")]
    bodies.extend(_inner(e) for e in own.named("xhtml:body", "xhtml:div"))
    dates = "pubdate dc:date atom:published dcterms:issued dcterms:created atom:updated"
    return FeedItem(
        guid=guid_text[:2_000],
        url=_join(base, link),
        title=plain_title(own.said("title", "dc:title")),
        summary_html=own.said("description", "itunes:summary"),
        content_html=max(bodies, key=len),
        authors=_names(
            own.texts("dc:creator") or own.texts("author") or own.texts("itunes:author")
        ),
        published_at=_first_moment(own.said(name) for name in dates.split()),
        tags=_tags(own.texts("category", "dc:subject")),
        picture=picture_of(item, base),
        base=base,
    )


def _atom(root: ET.Element, url: str) -> Feed:
    base = _based(root, url)
    site = _join(base, _alternate(children(root, "atom:link")))
    authors = [said(author, "atom:name") for author in children(root, "atom:author")]
    entries = children(root, "atom:entry")
    items = [_atom_entry(entry, base, authors) for entry in entries[:MAX_ITEMS]]
    return _feed(_atom_text(first(root, "atom:title")), site or url, items)


def _atom_entry(entry: ET.Element, base: str, feed_authors: list[str]) -> FeedItem:
    base = _based(entry, base)
    content = first(entry, "atom:content")
    summary = first(entry, "atom:summary")
    authors = [said(author, "atom:name") for author in children(entry, "atom:author")]
    dates = "atom:published atom:issued atom:created dc:date atom:updated atom:modified"
    terms = [e.get("label") or e.get("term") or "" for e in children(entry, "atom:category")]
    guid = said(entry, "atom:id")
    link = said(entry, "feedburner:origlink") or _alternate(children(entry, "atom:link"))
    return FeedItem(
        guid=guid[:2_000],
        url=_join(base, link or (guid if guid.startswith("http") else "")),
        title=_atom_text(first(entry, "atom:title")),
        summary_html=_atom_html(summary),
        content_html=_atom_html(content),
        authors=_names(authors or feed_authors),
        published_at=_first_moment(said(entry, name) for name in dates.split()),
        tags=_tags(terms),
        picture=picture_of(entry, base),
        base=_based(content, base) if content is not None else base,
    )


def _atom_html(element: ET.Element | None) -> str:
    """Return a text construct as HTML. Source: RFC 4287 section 3.1; Atom 0.3's mode."""
    if element is None:
        return ""
    kind = element.get("type", "text").lower()
    if kind == "xhtml" or (len(element) and "xml" in kind):
        return _inner(element)
    text = (element.text or "").strip()
    is_html = "html" in kind or element.get("mode", "") == "escaped"
    if is_html:
        return text
    if not kind.startswith("text"):
        # A picture or another document in base64 is no text.
        return ""
    return "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n\s*\n", text) if part)


def _atom_text(element: ET.Element | None) -> str:
    if element is None:
        return ""
    if element.get("type", "text") == "text" and "mode" not in element.attrib:
        return " ".join("".join(element.itertext()).split())[:LONGEST_WORDS]
    return plain_title(_atom_html(element))


def _inner(element: ET.Element) -> str:
    """Return what is within an XHTML element as HTML, without the names of namespaces."""
    for each in element.iter():
        each.tag = name_of(each).rpartition(":")[2]
        for attribute in [name for name in each.attrib if name.startswith("{")]:
            del each.attrib[attribute]
    inside = "".join(ET.tostring(e, encoding="unicode", method="html") for e in element)
    return html.escape(element.text or "") + inside


def _alternate(links: Sequence[ET.Element]) -> str:
    """Return the address of the page itself among Atom's links."""
    for link in links:
        if link.get("rel", "alternate") == "alternate" and link.get("href"):
            return link.get("href", "")
    return ""


def _based(element: ET.Element, base: str) -> str:
    own = element.get("{http://www.w3.org/XML/1998/namespace}base", "")
    return _join(base, own) if own else base


def _join(base: str, link: str) -> str:
    """Return an absolute http or https address, or ""."""
    link = link.strip()
    if not link or len(link) > 2_000 or re.search(r"[\x00-\x20\"<>]", link):
        return ""
    try:
        joined = urljoin(base, link)
    except ValueError:
        return ""
    return joined if re.match(r"https?://[^/]", joined) else ""


def plain_title(text: str) -> str:
    """Return a title on one line, without markup where it has any."""
    if "<" in text or "&" in text:
        text = html.unescape(nh3.clean(text, tags=set()))
    return " ".join(text.split())[:LONGEST_WORDS]


def _names(values: list[str]) -> tuple[str, ...]:
    """Return authors: "post@town.example (Ann Reed)" and "Ann Reed <post@…>" are Ann Reed."""
    found: dict[str, None] = {}
    for value in values[:20]:
        named = re.fullmatch(r"\s*\S+@\S+\s+\((.+)\)\s*", value)
        name = named[1] if named else re.sub(r"<?\S+@\S+>?", "", value)
        name = plain_title(name).strip(" ,;")
        name = re.sub(r"^(?:by|words by)\s+", "", name, flags=re.IGNORECASE)
        if name and len(name) <= 120:
            found[name] = None
    return tuple(found)


def _tags(values: list[str]) -> tuple[str, ...]:
    plain = (plain_title(value)[:80] for value in values[:50])
    return tuple(dict.fromkeys(value for value in plain if value))


def _first_moment(values: Iterator[str]) -> datetime | None:
    return next((found for value in values if (found := moment_in(value))), None)


def _json(text: str, url: str) -> Feed:
    feed, items, left_out = read_json_feed(text)
    site = _join(url, feed.home_page_url) or url
    lead = [author.name for author in (*feed.authors, *filter(None, [feed.author]))]
    found = _feed(
        plain_title(feed.title), site, [_json_item(item, site, lead) for item in items[:MAX_ITEMS]]
    )
    return Feed(found.title, found.url, found.items, found.left_out + left_out)


def _json_item(item: JsonItem, base: str, lead: list[str]) -> FeedItem:
    names = [author.name for author in (*item.authors, *filter(None, [item.author]))]
    attached = [a.url for a in item.attachments if a.mime_type.startswith("image/")]
    picture = next(
        filter(None, (_join(base, p) for p in (item.image, item.banner_image, *attached))), ""
    )
    paragraphs = [p for p in re.split(r"\n\s*\n", item.content_text) if p.strip()]
    return FeedItem(
        guid=item.id[:2_000],
        url=_join(base, item.url or (item.id if item.id.startswith("http") else ""))
        or _join(base, item.external_url),
        title=plain_title(item.title),
        summary_html=html.escape(item.summary),
        content_html=item.content_html or "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs),
        authors=_names(names or lead),
        published_at=_known(item.date_published or item.date_modified),
        tags=_tags(list(item.tags)),
        picture=Picture(src=picture) if picture else None,
        base=_join(base, item.url) or base,
    )


def _known(moment: datetime | None) -> datetime | None:
    return moment_in(moment.isoformat()) if moment else None


def _feed(title: str, url: str, items: list[FeedItem]) -> Feed:
    usable = [i for i in items if i.title or i.summary_html or i.content_html]
    return Feed(title, url, tuple(usable), len(items) - len(usable))
