"""An independent reader of DKIM signatures: dkimpy, with a DNS of our own."""

from __future__ import annotations

import base64
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from unittest import mock

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519


class BadSignatureError(Exception):
    """PyNaCl's word for it."""


class VerifyKey:
    """PyNaCl's Ed25519 verifier over ``cryptography``."""

    def __init__(self, key: bytes, encoder: object = None) -> None:
        raw = base64.b64decode(key) if encoder is not None else key
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, message: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise BadSignatureError from None
        return message


# dkimpy looks the package up by this name in its own module.
NACL = types.SimpleNamespace(
    signing=types.SimpleNamespace(VerifyKey=VerifyKey),
    encoding=types.SimpleNamespace(Base64Encoder=object()),
    exceptions=types.SimpleNamespace(BadSignatureError=BadSignatureError, ValueError=ValueError),
)


def verifies(
    content: bytes, records: Mapping[str, str], *, index: int = 0, at: datetime | None = None
) -> bool:
    """Say whether dkimpy verifies a signature of the message.

    Args:
        content: the message as it arrived.
        records: name to TXT record, names without the final dot.
        index: which signature, from the top.
        at: when it is read; None for now. dkimpy refuses what is signed in the future.
    """

    def dns(name: bytes | str, timeout: int = 5) -> bytes | None:
        asked = name.decode() if isinstance(name, bytes) else name
        found = records.get(asked.removesuffix("."))
        return found.encode() if found else None

    with _clock_at(at), mock.patch.object(dkim, "nacl", NACL, create=True):
        try:
            return bool(dkim.DKIM(content).verify(idx=index, dnsfunc=dns))
        except dkim.DKIMException:
            return False


def all_verify(content: bytes, records: Mapping[str, str], *, at: datetime | None = None) -> bool:
    """Say whether the message is signed and every signature verifies."""
    count = content.partition(b"\r\n\r\n")[0].lower().count(b"dkim-signature:")
    return count > 0 and all(
        verifies(content, records, index=index, at=at) for index in range(count)
    )


@contextmanager
def _clock_at(at: datetime | None) -> Iterator[None]:
    if at is None:
        yield
        return
    clock = types.SimpleNamespace(time=at.timestamp)
    with mock.patch.object(dkim, "time", clock):
        yield
