"""Our signatures, verified by dkimpy with a DNS of our own, and broken on purpose."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.dkim import DkimKey, DkimSigner, hash_of_body, load_signer, new_key
from mailer.errors import ConfigurationError
from tests import signatures

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
FIELDS = (
    b"From: The Lantern <briefing@lantern.example>\r\n",
    b"To: Nora <nora@reader.example>\r\n",
    b"Subject: =?utf-8?q?A_week?=\r\n =?utf-8?q?_in__Wales?=\r\n",
    b"Date: Mon, 30 Nov 2026 07:00:00 +0000\r\n",
    b"Message-ID: <x@lantern.example>\r\n",
    b"MIME-Version: 1.0\r\n",
    b"List-Unsubscribe:   <https://mail.lantern.example/u/x>\r\n",
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    b"Precedence: bulk\r\n",
)
BODY = b"Hello  there \r\n.\r\nsecond line\r\n\r\n\r\n"


@pytest.fixture(scope="module")
def rsa_key() -> DkimKey:
    return DkimKey("r1", rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="module")
def ed_key() -> DkimKey:
    return DkimKey("e1", ed25519.Ed25519PrivateKey.generate())


def verifies(content: bytes, *keys: DkimKey, index: int = 0) -> bool:
    records = {f"{key.selector}._domainkey.lantern.example": key.dns_record() for key in keys}
    return signatures.verifies(content, records, index=index, at=AT + timedelta(minutes=1))


def signed(*keys: DkimKey) -> bytes:
    signer = DkimSigner("lantern.example", keys)
    return signer.sign(FIELDS, BODY, at=AT) + b"".join(FIELDS) + b"\r\n" + BODY


def test_an_rsa_signature_verifies(rsa_key: DkimKey) -> None:
    assert verifies(signed(rsa_key), rsa_key)


def test_an_ed25519_signature_verifies(ed_key: DkimKey) -> None:
    assert verifies(signed(ed_key), ed_key)
    assert not verifies(signed(ed_key).replace(b"Hello", b"Hullo"), ed_key)


def test_both_keys_sign_one_message(rsa_key: DkimKey, ed_key: DkimKey) -> None:
    content = signed(rsa_key, ed_key)
    assert content.count(b"DKIM-Signature:") == 2
    assert verifies(content, rsa_key, ed_key, index=0)
    assert verifies(content, rsa_key, ed_key, index=1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello  there", b"Hello there"),
        (b"second line\r\n", b"second line\r\nthird\r\n"),
        (b"briefing@lantern.example", b"briefing@evil.example"),
        (b"List-Unsubscribe:   <https://mail", b"List-Unsubscribe: <https://evil"),
        (b"07:00:00", b"08:00:00"),
        (b"From: ", b"From: Evil <x@evil.example>\r\nFrom: "),
        (b"Subject: ", b"Subject: Win a prize\r\nSubject: "),
        (b"MIME-Version", b"Reply-To: x@evil.example\r\nMIME-Version"),
        (b"MIME-Version", b"List-Id: <x.evil.example>\r\nMIME-Version"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
    ],
)
def test_tampering_breaks_it(rsa_key: DkimKey, old: bytes, new: bytes) -> None:
    head, _, rest = signed(rsa_key).partition(b"\r\nFrom: ")
    rest = b"From: " + rest
    assert old in rest
    assert not verifies(head + b"\r\n" + rest.replace(old, new, 1), rsa_key)


def test_what_relays_do_to_white_space_does_not_break_it(rsa_key: DkimKey) -> None:
    content = signed(rsa_key)
    assert verifies(content.replace(b"List-Unsubscribe:   <", b"list-unsubscribe: <"), rsa_key)
    assert verifies(content.replace(b"?=\r\n =?", b"?= =?"), rsa_key)
    assert verifies(content.removesuffix(b"\r\n\r\n"), rsa_key)
    assert verifies(b"Received: by relay.example\r\n" + content, rsa_key)


def test_another_key_does_not_verify(rsa_key: DkimKey) -> None:
    other = DkimKey("r1", rsa.generate_private_key(65537, 2048))
    assert not verifies(signed(rsa_key), other)


def test_a_repeat_has_the_same_signature_and_lines_are_short(
    rsa_key: DkimKey, ed_key: DkimKey
) -> None:
    content = signed(rsa_key, ed_key)
    assert content == signed(rsa_key, ed_key)
    head = content.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))
    assert b" l=" not in head


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_an_empty_body_is_one_line_end() -> None:
    assert hash_of_body(b"") == sha256(b"\r\n")
    assert hash_of_body([]) == sha256(b"\r\n")
    assert hash_of_body(b"a\r\n\r\n") == sha256(b"a\r\n")


def test_a_large_run_of_empty_lines_is_cheap() -> None:
    assert hash_of_body(b"a" + b"\r\n" * 200_000) == sha256(b"a\r\n")


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"\r", b"\n"]), max_size=6))
def test_in_pieces_a_body_has_the_same_hash(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert hash_of_body(pieces) == hash_of_body(whole)
    # RFC 6376 section 3.4.3, word for word.
    assert hash_of_body(whole) == sha256(re.sub(rb"(\r\n)*\Z", b"", whole) + b"\r\n")


def pem(key: object, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def test_a_key_file_is_loaded(tmp_path: Path, ed_key: DkimKey) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(pem(ed_key.private))
    signer = load_signer("bücher.example", [("nov2026", path)])
    assert signer.domain == "xn--bcher-kva.example"
    assert signer.keys[0].algorithm == "ed25519-sha256"
    assert signer.keys[0].dns_record() == ed_key.dns_record()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lambda: b"not a key", "no private key"),
        (lambda: pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (lambda: pem(ed25519.Ed25519PrivateKey.generate(), b"secret"), "encrypted"),
    ],
)
def test_a_bad_key_is_explained(tmp_path: Path, content, problem: str) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(content())
    with pytest.raises(ConfigurationError, match=problem) as caught:
        load_signer("lantern.example", [("s", path)])
    assert str(path) in str(caught.value)


def test_a_missing_key_and_a_bad_selector_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_signer("lantern.example", [("s", tmp_path / "none.pem")])
    with pytest.raises(ConfigurationError, match="selector"):
        load_signer("lantern.example", [("a b; c", tmp_path / "none.pem")])


def test_two_keys_are_loaded_each_with_its_selector(
    tmp_path: Path, rsa_key: DkimKey, ed_key: DkimKey
) -> None:
    files = []
    for key in (rsa_key, ed_key):
        files.append((key.selector, tmp_path / f"{key.selector}.pem"))
        files[-1][1].write_bytes(key.pem())
    signer = load_signer("lantern.example", files)
    content = signer.sign(FIELDS, BODY, at=AT) + b"".join(FIELDS) + b"\r\n" + BODY
    assert verifies(content, rsa_key, ed_key, index=0)
    assert verifies(content, rsa_key, ed_key, index=1)
    with pytest.raises(ConfigurationError, match="selector twice"):
        load_signer("lantern.example", [files[0], (files[0][0], files[1][1])])


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_new_key_signs_and_its_record_verifies(kind: Literal["rsa", "ed25519"]) -> None:
    key = new_key("nov2026", kind)
    assert verifies(signed(key), key)
    assert key.dns_record().startswith(f"v=DKIM1; k={kind}; p=")
    with pytest.raises(ConfigurationError, match="selector"):
        new_key("x" * 64, kind)
