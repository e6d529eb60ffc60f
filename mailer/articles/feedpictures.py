"""The picture that a feed gives an item, with its alternative text, credit and licence.

Media RSS first, the largest that is no thumbnail; then an enclosure, then a podcast's cover. A
picture must be at an https address: what is not, is not shown, since it would break the seal of
the page and of the mail around it.

Source: Media RSS 1.5; RSS 2.0 enclosures; the Creative Commons module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from mailer.articles.article import Picture
from mailer.articles.markupnames import children, name_of, said

_PICTURE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)", re.IGNORECASE)


_TELLING = frozenset(
    {
        "media:content",
        "media:thumbnail",
        "media:group",
        "enclosure",
        "atom:link",
        "itunes:image",
    }
)
"""What a picture may be in."""


def picture_of(item: ET.Element, base: str) -> Picture | None:
    """Return an item's picture, or None."""
    if _TELLING.isdisjoint(map(name_of, item)):
        return None
    media = list(_media(item))
    contents = [e for e in media if name_of(e) == "media:content" and _is_picture(e)]
    contents.sort(key=lambda e: -_width(e))
    thumbnails = sorted(
        (e for e in media if name_of(e) == "media:thumbnail"), key=lambda e: -_width(e)
    )
    enclosures = [
        e
        for e in (*children(item, "enclosure"), *children(item, "atom:link"))
        if e.get("rel", "enclosure") == "enclosure" and e.get("type", "").startswith("image/")
    ]
    for element in (*contents, *enclosures, *thumbnails, *children(item, "itunes:image")):
        src = https_address(base, element.get("url") or element.get("href") or "")
        if src:
            return _told(src, element, item)
    return None


def _media(item: ET.Element) -> Iterable[ET.Element]:
    for element in item:
        name = name_of(element)
        if name in {"media:content", "media:thumbnail"}:
            yield element
        if name in {"media:group", "media:content"}:
            yield from (e for e in element if name_of(e) in {"media:content", "media:thumbnail"})


def _is_picture(element: ET.Element) -> bool:
    kind = element.get("medium") or element.get("type", "")
    return kind.startswith("image") if kind else bool(_PICTURE_NAME.search(element.get("url", "")))


def _width(element: ET.Element) -> int:
    text = element.get("width", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def https_address(base: str, src: str) -> str:
    """Return the absolute https address of a picture, or ""."""
    try:
        joined = urljoin(base, src.strip()) if src.strip() else ""
    except ValueError:
        return ""
    is_plain = not re.search(r"[\x00-\x20\"<>]", joined) and len(joined) <= 2_000
    return joined if is_plain and joined.startswith("https://") else ""


def _told(src: str, element: ET.Element, item: ET.Element) -> Picture:
    def tell(name: str) -> str:
        return " ".join((said(element, name) or said(item, name)).split())[:400]

    described = " ".join(said(element, "media:description").split())[:400]
    alt = element.get("alt") or described or None
    return Picture(
        src=src,
        alt=alt,
        caption=tell("media:title") if said(element, "media:title") else "",
        credit=tell("media:credit") or tell("media:copyright"),
        licence=tell("media:license") or _licence(element, item),
    )


def _licence(element: ET.Element, item: ET.Element) -> str:
    for place in (element, item):
        for child in place:
            if name_of(child) == "media:license" and child.get("href"):
                return child.get("href", "")
    return ""
