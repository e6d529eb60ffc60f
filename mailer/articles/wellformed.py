"""XML of strangers, mended where that is safe and refused where it is not.

``mend`` repairs what feeds get wrong every day without changing what they mean: characters that XML
forbids, HTML's names for characters (``&nbsp;``), a bare ``&``, undeclared prefixes. ``check`` then
reads it once with expat: what is not well-formed is refused with its line, and so are documents
that declare entities of their own (a billion laughs, files drawn in), nest too deep or have too
many elements. Nothing outside the document is ever read.

Source: XML 1.0; CVE-2003-1564 and its kind.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from xml.parsers import expat

from mailer.errors import Fault, InvalidInput

MAX_DEPTH = 100
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 100

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_APART = re.compile(r"(<!\[CDATA\[.*?\]\]>|<!--.*?-->)", re.DOTALL)
_REFERENCE = re.compile(r"&(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?")
_OF_XML = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
_PREFIXED = re.compile(r"<([A-Za-z_][\w.-]{0,30}):[A-Za-z_]")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]{0,60}")
_MOST_MISSING = 20
_USUAL = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
}
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def mend(text: str) -> str:
    """Return the document without declaration, and with what is safely mended mended."""
    text = _FORBIDDEN.sub("", text)
    start = text.find("<")
    text = _DECLARATION.sub("", text[start:] if start > 0 else text).lstrip()
    text = _declared(text)
    if "&" not in text:
        return text
    parts = _APART.split(text)
    return "".join(
        part if part.startswith(("<![CDATA[", "<!--")) else _REFERENCE.sub(_reference, part)
        for part in parts
    )


def _declared(text: str) -> str:
    """Declare the prefixes that are used and declared nowhere, by the names they usually mean."""
    used = set(_PREFIXED.findall(text)) - {"xml", "xmlns"}
    missing = sorted(prefix for prefix in used if f"xmlns:{prefix}" not in text)
    root = _ROOT.search(text) if missing else None
    if root is None or len(missing) > _MOST_MISSING:
        return text
    added = "".join(
        f' xmlns:{prefix}="{_USUAL.get(prefix, f"urn:undeclared:{prefix}")}"' for prefix in missing
    )
    return f"{text[: root.end()]}{added}{text[root.end() :]}"


def _reference(match: re.Match[str]) -> str:
    name = match[1] or ""
    if not name:
        return "&amp;"
    if name in _OF_XML:
        return match[0]
    if name.startswith("#"):
        number = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
        if 0x80 <= number <= 0x9F:
            # Windows' quotation marks, written by their numbers there.
            return html.escape(html.unescape(match[0]))
        is_allowed = number < 0x110000 and not _FORBIDDEN.search(chr(number))
        return match[0] if is_allowed else ""
    value = html5.get(name, "")
    # A name that nobody knows is text, not an entity that might be declared.
    return html.escape(value) if value else f"&amp;{name}"


class _Stop(Exception):
    """Carries the reason out of expat."""


def check(text: str) -> str:
    """Return the name of the outermost element.

    Raises:
        InvalidInput: not well-formed, with the line, or more than a document needs.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = count = 0
    root = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count, root
        root = root or name
        depth += 1
        count += 1
        if depth > MAX_DEPTH:
            raise _Stop(f"nests over {MAX_DEPTH} elements deep")
        if count > MAX_ELEMENTS:
            raise _Stop(f"has over {MAX_ELEMENTS:,} elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise _Stop(f"has an element with over {MAX_ATTRIBUTES} attributes")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(_name: str, _system: str | None, _public: str | None, has_own: bool) -> None:
        if has_own:
            raise _Stop("declares entities of its own, as attacks do")

    def entity(*_declared: object) -> None:
        raise _Stop("declares entities of its own, as attacks do")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(text.encode(), True)
    except _Stop as stop:
        line = parser.CurrentLineNumber
        raise InvalidInput(Fault(str(stop), line=line, remedy="tell its publisher")) from None
    except expat.ExpatError as error:
        raise InvalidInput(
            Fault(
                f"is not well-formed XML: {expat.ErrorString(error.code)}",
                line=error.lineno,
                remedy="tell its publisher",
            )
        ) from None
    return root
