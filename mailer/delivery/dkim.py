"""DKIM signatures of our own: RSA-2048 and Ed25519, relaxed headers and simple body.

Every listed header is *oversigned*: named once more in ``h=`` than it occurs, so that a second
From or Subject added on the way breaks the signature (a header signed once does not notice an
added twin). There is no ``l=``. The time ``t=`` is the delivery's own date and both algorithms
are deterministic, so a repeated message carries the same signature.

Failures: a missing, encrypted, unreadable or weak key raises ``ConfigurationError``.
Standards: RFC 6376, RFC 8463 (Ed25519), RFC 8301 (at least 2048 bits, SHA-256 only).
Limits: the signature covers what we send; a list or relay that rewrites the body breaks it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from mailer.delivery.headers import wire_address
from mailer.errors import ConfigurationError, Fault

SIGNED = (
    "from",
    "reply-to",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
)
"""The headers a signature covers, present or not."""

MINIMUM_BITS = 2048
LONGEST_SELECTOR = 63
"""Octets of a DNS label."""

_PADDING = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACE = re.compile(rb"[ \t]+")

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key with the selector under which its public half stands in DNS."""

    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """The value of ``a=``."""
        is_rsa = isinstance(self.private, rsa.RSAPrivateKey)
        return "rsa-sha256" if is_rsa else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``; lets other threads run meanwhile."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, _PADDING, _SHA256)
        # RFC 8463 section 3: Ed25519 signs the SHA-256 hash, not the data.
        return self.private.sign(hashlib.sha256(data).digest())

    def pem(self) -> bytes:
        """Return the private half as PEM (PKCS #8), not encrypted."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def dns_record(self) -> str:
        """Return the TXT record for ``<selector>._domainkey.<domain>``."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            data = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"v=DKIM1; k=rsa; p={base64.b64encode(data).decode()}"
        data = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(data).decode()}"


class DkimSigner:
    """Signs messages of one domain with one or more keys."""

    def __init__(self, domain: str, keys: Sequence[DkimKey]) -> None:
        self.domain = wire_address(f"x@{domain}").partition("@")[2]
        self.keys = tuple(keys)

    def sign(
        self, fields: Sequence[bytes], body: bytes | Sequence[bytes], *, at: datetime
    ) -> bytes:
        """Return one DKIM-Signature field per key, to stand before ``fields``.

        Args:
            fields: the header fields as they are sent, each ending in CRLF.
            body: everything after the empty line, whole or in pieces. Of pieces, the first is
                hashed once for all messages that begin with it.
            at: the delivery's date, aware.
        """
        return self.sign_canonical(*canonical_header(fields), body, at=at)

    def sign_canonical(
        self, header: bytes, names: str, body: bytes | Sequence[bytes], *, at: datetime
    ) -> bytes:
        """The same for a header in canonical form, and the ``h=`` that goes with it."""
        body_hash = base64.b64encode(hash_of_body(body)).decode()
        instant = int(at.timestamp())
        made = []
        for key in self.keys:
            value = (
                f" v=1; a={key.algorithm}; c=relaxed/simple;\r\n"
                f" d={self.domain}; s={key.selector}; t={instant};\r\n"
                f" h={names};\r\n"
                f" bh={body_hash};\r\n"
                f" b="
            )
            # The field's own relaxed form: its folds are all single, so that each is one space.
            own = f"dkim-signature:{value[1:]}".replace("\r\n ", " ")
            encoded = base64.b64encode(key.sign(header + own.encode())).decode()
            lines = [encoded[start : start + 72] for start in range(0, len(encoded), 72)]
            made.append(f"DKIM-Signature:{value}" + "\r\n ".join(lines) + "\r\n")
        return "".join(made).encode()


def canonical_header(fields: Sequence[bytes]) -> tuple[bytes, str]:
    """Return what of a header is signed, in relaxed form, and the value of ``h=``."""
    by_name: dict[str, list[bytes]] = {}
    for item in fields:
        relaxed = relaxed_field(item)
        by_name.setdefault(relaxed.partition(b":")[0].decode(), []).append(relaxed)
    # RFC 6376 section 5.4.2: instances are taken from the bottom up; a name beyond them stands
    # for a field that must stay absent and adds nothing to the data.
    present = [by_name.get(name, ()) for name in SIGNED]
    signed = b"".join(item for items in present for item in reversed(items))
    return signed, _names(tuple(len(items) for items in present))


class HeaderForm:
    """The canonical header of messages that are alike but for a few fields.

    Args:
        before: the fields before those that differ.
        own: the names of those that differ, each once in a message.
        after: the fields after them.
    """

    def __init__(self, before: Sequence[bytes], own: Sequence[str], after: Sequence[bytes]) -> None:
        marks = [b"%b: \0%d\0\r\n" % (name.encode(), at) for at, name in enumerate(own)]
        header, self.names = canonical_header([*before, *marks, *after])
        self._parts: list[bytes | int] = [
            int(part) if number % 2 else part
            for number, part in enumerate(re.split(rb"\0(\d+)\0", header))
        ]

    def fill(self, own: Sequence[bytes]) -> bytes:
        """Return the canonical header with these fields, given in the order of their names."""
        return b"".join(
            [part if isinstance(part, bytes) else _relaxed_value(own[part]) for part in self._parts]
        )


def _relaxed_value(field: bytes) -> bytes:
    value = field[field.index(b":") + 1 : -2]
    if b"\r\n" in value or b"  " in value or b"\t" in value:
        value = _SPACE.sub(b" ", _FOLD.sub(b"", value))
    return value.strip(b" ")


def hash_of_body(body: bytes | Sequence[bytes]) -> bytes:
    """Return the SHA-256 of a body in simple form: trailing empty lines are one CRLF (3.4.3)."""
    pieces = (body,) if isinstance(body, bytes) else body
    last = pieces[-1] if pieces else b""
    end = len(last)
    while last.endswith(b"\r\n", 0, end):
        end -= 2
    if end < 2 and len(pieces) > 1:
        # The empty lines may begin in an earlier piece, or a line end be cut in two.
        return hash_of_body(b"".join(pieces))
    hasher = _hasher_after(pieces[0]).copy() if len(pieces) > 1 else hashlib.sha256()
    for piece in pieces[1:-1]:
        hasher.update(piece)
    hasher.update(memoryview(last)[:end])
    hasher.update(b"\r\n")
    return hasher.digest()


@functools.lru_cache(maxsize=64)
def _hasher_after(piece: bytes) -> hashlib._Hash:
    return hashlib.sha256(piece)


def relaxed_field(field: bytes) -> bytes:
    """Return a field in relaxed form: name in lower case, unfolded, spaces squeezed (3.4.2)."""
    name = field.partition(b":")[0]
    return name.strip(b" \t").lower() + b":" + _relaxed_value(field) + b"\r\n"


@functools.lru_cache(maxsize=64)
def _names(present: tuple[int, ...]) -> str:
    """Return the value of ``h=``: each name once more than it is present."""
    listed = [name for name, count in zip(SIGNED, present, strict=True) for _ in range(count + 1)]
    return _wrapped(":".join(listed), after=":")


def new_key(selector: str, kind: Literal["rsa", "ed25519"]) -> DkimKey:
    """Return a new key: RSA of 2048 bits, which every verifier takes, or Ed25519."""
    private: PrivateKey
    if kind == "rsa":
        # 4096 bits would not fit one DNS answer everywhere, and cost seven times the time.
        private = rsa.generate_private_key(public_exponent=65537, key_size=MINIMUM_BITS)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return DkimKey(checked_selector(selector), private)


def checked_selector(selector: str) -> str:
    """Return the selector.

    Raises:
        ConfigurationError: DNS cannot hold it.
    """
    if len(selector) <= LONGEST_SELECTOR and _SELECTOR.fullmatch(selector):
        return selector
    raise ConfigurationError(
        Fault(
            f"{selector!r} is not a selector",
            where="environment or .env",
            field="MAILER_DKIM_SELECTOR",
            remedy="name the part before ._domainkey in your DNS, such as nov2026",
        )
    )


def load_signer(domain: str, keys: Sequence[tuple[str, Path]]) -> DkimSigner:
    """Read PEM private keys and return the signer of ``domain``.

    Args:
        domain: the From address's.
        keys: selectors with their files; each makes a signature, in this order.

    Raises:
        ConfigurationError: a file or a selector cannot be used; says what to do.
    """
    loaded = tuple(_load(checked_selector(selector), path) for selector, path in keys)
    if len({selector for selector, _ in keys}) < len(keys):
        raise ConfigurationError(
            Fault(
                "names a selector twice; a selector has one key",
                where="environment or .env",
                field="MAILER_DKIM_SELECTOR",
                remedy="give each key a selector of its own",
            )
        )
    return DkimSigner(domain, loaded)


def _load(selector: str, key_file: Path) -> DkimKey:
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except OSError as error:
        raise _bad_key(key_file, f"cannot be read: {error.strerror}") from None
    except TypeError:
        raise _bad_key(key_file, "is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _bad_key(key_file, "holds no private key in PEM form") from None
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < MINIMUM_BITS:
            raise _bad_key(key_file, f"has {key.key_size} bits, fewer than {MINIMUM_BITS}")
    elif not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _bad_key(key_file, "is neither RSA nor Ed25519")
    return DkimKey(selector, key)


def _bad_key(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError(
        Fault(
            problem,
            where=str(path),
            field="MAILER_DKIM_KEY_FILE",
            remedy="name a PEM file; `mailer dkim new` makes one",
        )
    )


def _wrapped(text: str, *, after: str) -> str:
    """Fold a long value after a separator; the space disappears again in relaxed form's tags."""
    lines = [""]
    for part in re.findall(rf"[^{after}]*{after}?", text):
        if len(lines[-1]) + len(part) > 72:
            lines.append("")
        lines[-1] += part
    return "\r\n ".join(lines)
