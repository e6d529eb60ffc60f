"""Header fields as bytes, written by ourselves.

The standard library's writers turn a long ``List-Unsubscribe`` into encoded-words (illegal there,
one-click dies) and, before 3.11.10, let an encoded-word smuggle a new header line. So this
writer is small and strict:

- CR, LF and NUL in a name or value raise ``InvalidInput``; nothing is repaired at this gate;
- text outside ASCII, and ASCII that imitates an encoded-word, becomes UTF-8 encoded-words of at
  most 75 characters that never split a character;
- lines are folded at spaces only, aiming at 78 octets and never above 998; the first word stays
  on the field's first line, because some readers drop a field whose first line is empty.

Standards: RFC 5322 sections 2.1.1, 2.2.3, 3.4; RFC 2047; RFC 5890 (domains as A-labels); RFC 6532
(raw UTF-8 only in a mailbox whose local part needs it, which makes the message SMTPUTF8).
"""

from __future__ import annotations

import base64
import re

import idna

from mailer.errors import InvalidInput

AIM = 78
LIMIT = 998
"""Octets a line should and must not exceed, without CRLF (RFC 5322 section 2.1.1)."""

ENCODED_WORD_LIMIT = 75
"""RFC 2047 section 2: an encoded-word may not be more than 75 characters long."""

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_DOT_ATOM = re.compile(rf"{_ATOM.pattern}(\.{_ATOM.pattern})*")
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_UNSAFE = re.compile(r"[\r\n\x00]")
# Other controls and the two Unicode line ends mean nothing in a header; some readers act on them.
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
"""What Q may leave bare even in a display name (RFC 2047 section 5, rule 3)."""


def unstructured(name: str, value: str) -> bytes:
    """Return a field of free text, such as Subject, ending in CRLF.

    Raises:
        InvalidInput: CR, LF, NUL or a lone surrogate in the value, or a bad field name.
    """
    text = _CONTROL.sub(" ", _checked(name, value)).strip()
    if not text.isascii() or "=?" in text or _longest_word(text) > LIMIT // 2:
        return _fold(name, " ".join(_encoded_words(text, taken=len(name) + 2)))
    return _fold(name, text)


def structured(name: str, value: str, *, allow_utf8: bool = False) -> bytes:
    """Return a field whose value is already in its grammar, folded at spaces, ending in CRLF.

    Raises:
        InvalidInput: CR, LF or NUL; not ASCII (unless allowed); a word too long for any line.
    """
    text = _checked(name, value)
    if not allow_utf8 and not text.isascii():
        raise InvalidInput(f"{name} must be ASCII: {value!r}")
    return _fold(name, text)


def mailbox(display: str, address: str) -> str:
    """Return ``display <address>`` as a structured value.

    Raises:
        InvalidInput: either holds CR, LF or NUL, or the address is not usable.
    """
    text = _CONTROL.sub(" ", _checked("mailbox", display))
    return f"{phrase(' '.join(text.split()))} <{wire_address(address)}>".lstrip()


def phrase(text: str) -> str:
    """Return a display name: words, a quoted string or encoded-words."""
    _checked("phrase", text)
    if not text:
        return ""
    if not text.isascii() or "=?" in text or _longest_word(text) > LIMIT // 2:
        return " ".join(_encoded_words(text, taken=12))
    if all(_ATOM.fullmatch(word) for word in text.split(" ")):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def wire_address(address: str) -> str:
    """Return the address as it goes over the wire: the domain as A-labels, lower case.

    A local part that is no dot-atom is quoted. One outside ASCII is left as it is: whoever sends
    it needs SMTPUTF8, see ``needs_smtputf8``.

    Raises:
        InvalidInput: no local part or domain, white space, controls or brackets in it.
    """
    local, at, domain = _checked("address", address).rpartition("@")
    if not at or not local or not domain or re.search(r"[\s<>\x01-\x1f\x7f-\x9f]", address):
        raise InvalidInput(f"{address!r} is not an address")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise InvalidInput(f"{address!r} has no usable domain: {error}") from None
    is_atom = _DOT_ATOM.fullmatch("".join(ch if ch.isascii() else "x" for ch in local))
    if not is_atom and not (local.startswith('"') and local.endswith('"') and len(local) > 1):
        quoted = local.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{quoted}"'
    return f"{local}@{domain.lower()}"


def needs_smtputf8(address: str) -> bool:
    """True when the local part is outside ASCII (RFC 6531)."""
    return not address.rpartition("@")[0].isascii()


def _checked(name: str, value: str) -> str:
    if not _FIELD_NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is not a header field name")
    if _UNSAFE.search(value):
        raise InvalidInput(f"{name}: a line break or NUL may not stand in a header: {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"{name}: a lone surrogate cannot be sent: {value!r}") from None
    return value


def _longest_word(text: str) -> int:
    return max((len(word) for word in text.split(" ")), default=0)


def _encoded_words(text: str, *, taken: int) -> list[str]:
    """Split text into encoded-words; the first leaves ``taken`` columns for the field's name."""
    words: list[str] = []
    piece = ""
    room = min(ENCODED_WORD_LIMIT, max(AIM - taken, 24))
    for char in text:
        if piece and len(_encoded_word(piece + char)) > room:
            words.append(_encoded_word(piece))
            piece, room = "", ENCODED_WORD_LIMIT
        piece += char
    if piece:
        words.append(_encoded_word(piece))
    return words


def _encoded_word(text: str) -> str:
    data = text.encode("utf-8")
    q_length = sum(1 if byte in _Q_SAFE or byte == 0x20 else 3 for byte in data)
    if q_length <= (len(data) + 2) // 3 * 4:
        body = "".join(
            "_" if byte == 0x20 else chr(byte) if byte in _Q_SAFE else f"={byte:02X}"
            for byte in data
        )
        return f"=?utf-8?q?{body}?="
    return f"=?utf-8?b?{base64.b64encode(data).decode('ascii')}?="


def _fold(name: str, text: str) -> bytes:
    line = f"{name}:"
    lines: list[str] = []
    # Runs of spaces stay with the word after them, so that unfolding gives the same text back.
    for index, (space, word) in enumerate(re.findall(r"(\s*)(\S+)", text)):
        gap = " " if not index else space
        if index and len((line + gap + word).encode()) > AIM:
            lines.append(line)
            line = gap + word
        else:
            line += gap + word
    lines.append(line)
    if any(len(part.encode()) > LIMIT for part in lines):
        raise InvalidInput(f"{name}: a word of it is longer than a line may be")
    return "\r\n".join([*lines, ""]).encode()
