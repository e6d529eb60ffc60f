"""Bytes of the web become text: which encoding it is, from everything that says so.

In order: a byte order mark; UTF-16 and UTF-32 that show by their NULs; UTF-8, where the header or
the document claims it and the bytes bear it out; the header's charset; the document's own
declaration; UTF-8; Windows-1252, which reads anything.

Old labels mean what browsers take them for: ISO-8859-1 is Windows-1252, GB2312 is GB18030, and so
on. Encodings that no document is written in (UTF-7, punycode, escapes) are not known.

Source: RFC 7303 section 3; the WHATWG Encoding standard for the labels.
"""

from __future__ import annotations

import codecs
import re

from mailer.errors import Fault, InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STANDS_FOR = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_KNOWN_WORDS = (
    "utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be cp866 cp874 cp932 cp949 cp1250 "
    "cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 iso8859-2 iso8859-3 iso8859-4 "
    "iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14 iso8859-15 "
    "iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic gb18030 hz big5hkscs euc_jp iso2022_jp"
)
_KNOWN = frozenset(_KNOWN_WORDS.split())
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]{1,40})"""
    rb"""|<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_DECLARATION_BYTES = 2_048


def charset_of(content_type: str) -> str:
    """Return the charset that a Content-Type header names, or ""."""
    found = re.search(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", content_type, re.IGNORECASE)
    return found[1] if found else ""


def codec_of(label: str) -> str:
    """Return the codec that a label means, or "" for one that is not known."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return ""
    name = _STANDS_FOR.get(name, name)
    return name if name in _KNOWN else ""


def decode(raw: bytes, *, declared: str = "") -> str:
    """Return the text of a document.

    Args:
        raw: the bytes.
        declared: the charset that came with them, from a header.
    Raises:
        InvalidInput: they are no text.
    """
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return _plain(raw[len(mark) :].decode(codec, errors="replace"))
    if wide := _wide(raw[:4]):
        return _plain(raw.decode(wide, errors="replace"))
    found = _DECLARED.search(raw[:_DECLARATION_BYTES])
    inner = (found[1] or found[2]).decode("ascii", "replace") if found else ""
    claims = [codec for codec in (codec_of(declared), codec_of(inner)) if codec]
    if "utf-8" in claims:
        # Bytes beyond ASCII are not UTF-8 by accident, whatever else is claimed.
        claims = ["utf-8", *(codec for codec in claims if codec != "utf-8")]
    for codec in [*claims, "utf-8", "cp1252"]:
        try:
            return _plain(raw.decode(codec))
        except (UnicodeDecodeError, ValueError):
            continue
    return _plain(raw.decode(claims[0] if claims else "latin-1", errors="replace"))


def _wide(head: bytes) -> str:
    """Return the encoding that "<" and its NULs show, or ""."""
    shapes = {
        b"<\x00\x00\x00": "utf-32-le",
        b"\x00\x00\x00<": "utf-32-be",
        b"{\x00\x00\x00": "utf-32-le",
        b"\x00\x00\x00{": "utf-32-be",
    }
    if head in shapes:
        return shapes[head]
    return {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be", b"{\x00": "utf-16-le"}.get(head[:2], "")


def _plain(text: str) -> str:
    if "\x00" in text:
        raise InvalidInput(Fault("is no text: it has NUL characters in it"))
    return text
