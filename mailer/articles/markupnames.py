"""Names of elements in feeds, whatever prefix or version of a namespace they come under.

``dc:creator`` is one name, whether the document writes it ``dc:creator``, ``DC:Creator`` or binds
Dublin Core to another prefix. RSS has had namespaces of its own, and none: it goes without prefix.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

_PREFIXES = {
    "http://www.w3.org/2005/atom": "atom",
    "http://purl.org/atom/ns": "atom",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://purl.org/dc/elements/1.0": "dc",
    "http://purl.org/dc/elements/1.1": "dc",
    "http://purl.org/dc/terms": "dcterms",
    "http://purl.org/rss/1.0/modules/content": "content",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://backend.userland.com/creativecommonsrssmodule": "cc",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "cc",
    "http://web.resource.org/cc": "cc",
}
_RSS = (
    "http://purl.org/rss/1.0",
    "http://my.netscape.com/rdf",
    "http://channel.netscape.com/rdf",
    "http://backend.userland.com/rss",
    "http://blogs.law.harvard.edu/tech/rss",
    "http://cyber.law.harvard.edu/rss/rss.html",
)
_known: dict[str, str] = {}


def name_of(element: ET.Element) -> str:
    """Return an element's name in small letters, with our prefix where it has a namespace."""
    tag = element.tag
    found = _known.get(tag)
    if found is None:
        found = _plain(tag)
        if len(_known) < 5_000:
            # The names of feeds are few; a hostile one's are not worth keeping.
            _known[tag] = found
    return found


def _plain(tag: str) -> str:
    if not tag.startswith("{"):
        return tag.lower()
    space, _, local = tag[1:].lower().partition("}")
    space = space.rstrip("/#")
    prefix = _PREFIXES.get(space)
    if prefix is not None:
        return f"{prefix}:{local}"
    return local if any(space.startswith(each) for each in _RSS) else f"other:{local}"


class Children:
    """An element's own children by name, for whoever asks for many names."""

    def __init__(self, element: ET.Element) -> None:
        self._named: dict[str, list[ET.Element]] = {}
        for each in element:
            self._named.setdefault(name_of(each), []).append(each)

    def named(self, *names: str) -> list[ET.Element]:
        """Return the children of some names, by name and then in their order."""
        return [each for name in names for each in self._named.get(name, ())]

    def texts(self, *names: str) -> list[str]:
        """Return the texts of all children of some names that have one."""
        found = ["".join(each.itertext()).strip() for each in self.named(*names)]
        return [text for text in found if text]

    def said(self, *names: str) -> str:
        """Return the first text of a child of the first name that has one, or ""."""
        return next(iter(self.texts(*names)), "")


def children(element: ET.Element, name: str = "") -> list[ET.Element]:
    """Return an element's own children, all or those of one name."""
    return [each for each in element if not name or name_of(each) == name]


def first(element: ET.Element, name: str) -> ET.Element | None:
    """Return the first child of a name."""
    return next((each for each in element if name_of(each) == name), None)


def said(element: ET.Element, name: str) -> str:
    """Return the text of the first child of a name that has one, or ""."""
    found = ("".join(each.itertext()).strip() for each in children(element, name))
    return next(filter(None, found), "")
