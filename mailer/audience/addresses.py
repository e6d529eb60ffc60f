"""Mail addresses and names as they are stored and compared.

``normalise`` gives the one form of an address that every table, roster and token uses: the
domain in lower-case A-labels, the local part in NFC and lower case. Nothing else is folded: dots
and ``+tags`` belong to the reader. It is idempotent. Addresses with an inner space, a display name,
a quoted local part or an IP literal are refused, as are domains nobody can have a mailbox at
(``localhost``, ``.local``, ``.test``, ``.invalid``); ``.example`` is accepted, as RFC 6761 asks of
applications. No name server is asked.

``clean_name`` makes a person's name safe for a header, a page and a database without changing
how it reads.

Standards: RFC 5321 section 4.5.3.1 (lengths), RFC 5891 (A-labels), RFC 6531 and 6532 (Unicode
local parts, NFC).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from mailer.errors import Fault, InvalidInput

LONGEST_ADDRESS_OCTETS = 254
"""RFC 5321 section 4.5.3.1.3 allows a path of 256 octets with its angle brackets."""

LONGEST_LOCAL_PART_OCTETS = 64
"""RFC 5321 section 4.5.3.1.1."""

LONGEST_NAME = 200
"""Characters; the longest name seen in practice is far shorter, a pasted letter is longer."""

_AROUND = " \t\r\n\u00a0\u00ad\u200b\u200e\u200f\u202a\u202c\u2060\u2066\u2068\u2069\ufeff"
"""What copying out of a letter or a web page leaves around an address."""

_IGNORED = dict.fromkeys(
    [0x00AD, 0x200B, 0x2060, 0xFEFF, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
"""Invisible characters that only disturb a name. The joiners U+200C and U+200D stay: Persian and
several Indian scripts are misspelt without them."""


def normalise(address: str) -> str:
    """Return the form under which an address is stored and compared.

    Raises:
        InvalidInput: it is not a usable address; the fault quotes it and says why.
    """
    text = address.strip(_AROUND)
    if "<" in text or ">" in text:
        raise _unusable(address, "it has angle brackets; leave out the name around it")
    try:
        local, at, domain = text.rpartition("@")
        if at and domain.isascii() and local.isascii() and '"' not in text:
            # Most rosters hold few domains; checking each once makes a long import fast.
            normal = f"{_local_part(local)}@{_domain(domain)}"
        else:
            normal = _whole(text)
    except EmailNotValidError as error:
        raise _unusable(address, _sentence(error)) from None
    if len(normal) <= LONGEST_LOCAL_PART_OCTETS and normal.isascii():
        return normal
    if len(normal.encode()) > LONGEST_ADDRESS_OCTETS:
        raise _unusable(address, f"it is longer than {LONGEST_ADDRESS_OCTETS} octets")
    if len(normal.rpartition("@")[0].encode()) > LONGEST_LOCAL_PART_OCTETS:
        raise _unusable(
            address, f"the part before the @ is longer than {LONGEST_LOCAL_PART_OCTETS} octets"
        )
    return normal


def clean_name(name: str) -> str:
    """Return a name in NFC on one line without invisible characters.

    Line breaks and tabs become spaces, as a spreadsheet's cell may hold them.

    Raises:
        InvalidInput: another control character, a lone surrogate, or over 200 characters.
    """
    if name.isascii() and name.isprintable() and len(name) <= LONGEST_NAME:
        # Nearly every name of a long roster; nothing below would change it.
        return " ".join(name.split())
    text = " ".join(unicodedata.normalize("NFC", name).translate(_IGNORED).split())
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise InvalidInput(
                Fault(
                    f"has the control character U+{ord(character):04X}",
                    field="name",
                    remedy="remove it",
                )
            )
    if len(text) > LONGEST_NAME:
        raise InvalidInput(
            Fault(
                f"is {len(text)} characters long",
                field="name",
                remedy=f"keep a name within {LONGEST_NAME}",
            )
        )
    return text


def _whole(text: str) -> str:
    checked = validate_email(text, check_deliverability=False)
    normal = f"{_folded(checked.local_part)}@{checked.ascii_domain.lower()}"
    if normal != checked.normalized:
        # Folding may compose or lengthen letters; what is stored must itself be usable.
        checked = validate_email(normal, check_deliverability=False)
        normal = f"{_folded(checked.local_part)}@{checked.ascii_domain.lower()}"
    return normal


def _folded(local: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())


def _local_part(local: str) -> str:
    # Plain ASCII atoms need no table of Unicode; anything else is the library's to judge.
    if local and all(part and not part.strip(_ATOM) for part in local.split(".")):
        return local.lower()
    whole = _whole(f"{local}@mail.example")
    return whole.rpartition("@")[0]


_ATOM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"
"""RFC 5322 section 3.2.3, atext."""


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()


def _sentence(error: EmailNotValidError) -> str:
    text = str(error).strip().removesuffix(".")
    return text[:1].lower() + text[1:]


def _unusable(address: str, why: str) -> InvalidInput:
    shown = address if len(address) <= 80 else address[:79] + "…"
    return InvalidInput(
        Fault(
            f"{shown!r} is not a usable mail address: {why}",
            field="address",
            remedy="write name@domain",
        )
    )
