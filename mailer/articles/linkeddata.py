"""What a page says of its article in JSON-LD: headline, authors, dates, picture, licence.

Source: schema.org, Article and its kinds, ImageObject; JSON-LD's ``@graph`` and lists. Only the
shape is read; no context is ever fetched. What cannot be read says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.articles.article import Picture
from mailer.articles.syndication import plain_title

_MOST_BLOCKS = 20
_MOST_NODES = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What was found; empty where nothing is said."""

    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    summary: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    url: str = ""
    site: str = ""
    text: str = ""
    picture: Picture | None = None


def read_linked_data(scripts: Sequence[tuple[str, str]]) -> Told:
    """Return what the first article in a page's JSON-LD says.

    Args:
        scripts: the page's script elements, opening tag and content each.
    """
    nodes = list(_nodes(scripts))
    article = next((node for node in nodes if _is_article(node)), None)
    if article is None:
        return Told()
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
    licence = _text(article.get("license"), by_id)
    picture = _picture(article.get("image") or article.get("thumbnailUrl"), by_id, licence)
    keywords = article.get("keywords")
    listed = keywords.split(",") if isinstance(keywords, str) else _listed(keywords)
    authors = [_text(each, by_id) for each in _listed(article.get("author"))]
    section = next(iter(_listed(article.get("articleSection"))), "")
    return Told(
        title=plain_title(_text(article.get("headline") or article.get("name"), by_id)),
        authors=tuple(dict.fromkeys(a for a in authors if a and not a.startswith("http")))[:20],
        published=_text(article.get("datePublished") or article.get("dateCreated"), by_id),
        summary=_text(article.get("description"), by_id),
        section=_text(section, by_id)[:80],
        tags=tuple(dict.fromkeys(filter(None, (_text(t, by_id)[:80] for t in listed[:50])))),
        url=_address(article.get("url") or article.get("mainEntityOfPage")),
        site=_text(article.get("publisher"), by_id)[:80],
        text=_body(article.get("articleBody")),
        picture=picture,
    )


def _nodes(scripts: Sequence[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    left = _MOST_NODES
    blocks = [content for head, content in scripts if "application/ld+json" in head.lower()]
    for content in blocks[:_MOST_BLOCKS]:
        try:
            data = json.loads(content.strip())
        except (ValueError, RecursionError):
            continue
        waiting: list[Any] = [data]
        while waiting and left:
            node = waiting.pop(0)
            left -= 1
            if isinstance(node, list):
                waiting.extend(node[:_MOST_NODES])
            elif isinstance(node, dict):
                yield node
                waiting.extend(_listed(node.get("@graph"))[:_MOST_NODES])
                waiting.extend(_listed(node.get("mainEntity"))[:_MOST_NODES])


def _is_article(node: dict[str, Any]) -> bool:
    kinds = [kind for kind in _listed(node.get("@type")) if isinstance(kind, str)]
    return any(kind.endswith(("Article", "BlogPosting", "Report")) for kind in kinds)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any, by_id: dict[str, dict[str, Any]]) -> str:
    """Return a value's words: its own, or the name of the thing that it is."""
    if isinstance(value, str):
        return plain_title(value)
    if isinstance(value, list):
        return next(filter(None, (_text(each, by_id) for each in value[:20] if each != value)), "")
    if isinstance(value, dict):
        found = value.get("name") or value.get("url")
        if not found and isinstance(value.get("@id"), str):
            found = by_id.get(value["@id"], {}).get("name")
        return plain_title(found) if isinstance(found, str) else ""
    return ""


def _address(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value if isinstance(value, str) and re.match(r"https?://|/", value) else ""


def _body(value: Any) -> str:
    return value[:300_000] if isinstance(value, str) else ""


def _picture(value: Any, by_id: dict[str, dict[str, Any]], licence: str) -> Picture | None:
    for each in _listed(value)[:20]:
        thing = each
        if isinstance(thing, dict) and "url" not in thing and isinstance(thing.get("@id"), str):
            thing = by_id.get(thing["@id"], thing)
        if isinstance(thing, str):
            return Picture(thing, licence="")
        if isinstance(thing, dict):
            src = thing.get("contentUrl") or thing.get("url") or thing.get("@id")
            if isinstance(src, str):
                return Picture(
                    src,
                    caption=_text(thing.get("caption"), by_id),
                    credit=_text(thing.get("creditText"), by_id)
                    or _text(thing.get("creator"), by_id)
                    or _text(thing.get("author"), by_id)
                    or _text(thing.get("copyrightHolder"), by_id),
                    licence=_text(thing.get("license"), by_id) or licence,
                )
    return None
