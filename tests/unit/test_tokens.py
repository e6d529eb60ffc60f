"""Tokens: ours verify, everything else does not."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailer.audience.tokens import LONGEST_TOKEN, ProofClaim, Tokens, UnsubscribeClaim
from mailer.errors import ConfigurationError, InvalidInput

SECRET = "a secret that is long enough to be used"
OTHER = "another secret, long enough to be used"
REGIONS = ("national", "wales", "south-yorkshire")
URL_ALPHABET = string.ascii_letters + string.digits + "-_"
MAIL_ALPHABET = string.ascii_lowercase + "234567"

tokens = Tokens(SECRET)
ids = st.integers(1, 2**63 - 1)


@given(ids, st.sampled_from(REGIONS))
def test_an_unsubscribe_token_comes_back(subscriber_id: int, region: str) -> None:
    token = tokens.unsubscribe(subscriber_id, region)
    assert len(token) <= LONGEST_TOKEN
    assert set(token) <= set(URL_ALPHABET)
    assert tokens.read_unsubscribe(token, REGIONS) == UnsubscribeClaim(subscriber_id, region)


@given(ids, st.data())
def test_any_changed_character_is_rejected(subscriber_id: int, data: st.DataObject) -> None:
    token = tokens.unsubscribe(subscriber_id, "wales")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(URL_ALPHABET + "=+/. \n%é"))
    assume(other != token[at])
    assert tokens.read_unsubscribe(token[:at] + other + token[at + 1 :], REGIONS) is None


@given(st.binary(max_size=16), st.data())
def test_any_flipped_bit_of_a_mail_token_is_rejected(payload: bytes, data: st.DataObject) -> None:
    token = tokens.sign("bounce", payload, form="mail")
    assert set(token) <= set(MAIL_ALPHABET)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(MAIL_ALPHABET + "018=-"))
    assume(other != token[at])
    changed = token[:at] + other + token[at + 1 :]
    assert tokens.verify("bounce", changed, form="mail") is None


@given(st.binary(max_size=16))
def test_a_mail_token_survives_a_change_of_case(payload: bytes) -> None:
    token = tokens.sign("bounce", payload, form="mail")
    assert tokens.verify("bounce", token.upper(), form="mail") == payload


@given(st.text(max_size=80))
def test_anything_else_is_none_and_no_error(text: str) -> None:
    assert tokens.read_unsubscribe(text, REGIONS) is None
    assert tokens.verify("bounce", text, form="mail") is None


@given(st.integers(1, 43))
def test_a_shortened_or_lengthened_token_is_rejected(cut: int) -> None:
    token = tokens.unsubscribe(7, "wales")
    assert tokens.read_unsubscribe(token[:-cut], REGIONS) is None
    assert tokens.read_unsubscribe(token + "A" * cut, REGIONS) is None
    assert tokens.read_unsubscribe(token + "=" * cut, REGIONS) is None


def test_a_purpose_has_a_key_of_its_own() -> None:
    token = tokens.sign("preferences", b"7")
    assert tokens.verify("preferences", token) == b"7"
    assert tokens.verify("unsubscribe", token) is None


def test_another_secret_verifies_nothing() -> None:
    assert Tokens(OTHER).read_unsubscribe(tokens.unsubscribe(7, "wales"), REGIONS) is None


def test_a_retired_secret_verifies_and_no_longer_signs() -> None:
    old = tokens.unsubscribe(7, "wales")
    rotated = Tokens(OTHER, retired=[SECRET])
    assert rotated.read_unsubscribe(old, REGIONS) == UnsubscribeClaim(7, "wales")
    assert rotated.unsubscribe(7, "wales") == Tokens(OTHER).unsubscribe(7, "wales")
    assert rotated.unsubscribe(7, "wales") != old


def test_a_list_that_is_gone_leaves_the_reader_known() -> None:
    token = tokens.unsubscribe(7, "wales")
    assert tokens.read_unsubscribe(token, ["national"]) == UnsubscribeClaim(7, "")


def test_the_same_reader_and_list_have_the_same_token_for_ever() -> None:
    # The bytes are a promise: links in old mail must go on working.
    assert Tokens(SECRET).unsubscribe(7, "wales") == tokens.unsubscribe(7, "wales")
    assert tokens.unsubscribe(7, "wales") == "kAfDi6o4o_G-O382RHq6r0PVr6GRIaYs"


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_what_is_no_subscriber_is_refused(number: int) -> None:
    with pytest.raises(InvalidInput):
        tokens.unsubscribe(number, "wales")


def test_a_payload_too_long_for_an_address_is_refused() -> None:
    with pytest.raises(InvalidInput, match="longer than 60"):
        tokens.sign("bounce", b"x" * 40, form="mail")


@pytest.mark.parametrize("secrets", [("",), ("short",), (SECRET, "short")])
def test_a_short_secret_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="MAILER_SECRET_KEY"):
        Tokens(secrets[0], retired=secrets[1:])


def test_a_proofs_token_says_its_edition_and_is_no_readers() -> None:
    tokens = Tokens(SECRET)
    token = tokens.proof("2026-11-30", "wales")
    claim = tokens.read_proof(token, ["scotland", "wales"])
    assert claim == ProofClaim("2026-11-30", "wales")
    assert len(token) <= LONGEST_TOKEN
    assert tokens.read_proof(token, ["scotland"]) is None
    assert tokens.read_unsubscribe(token, ["wales"]) is None
    assert tokens.read_proof(tokens.unsubscribe(7, "wales"), ["wales"]) is None
    assert Tokens("another secret of more than 32 letters").read_proof(token, ["wales"]) is None


@pytest.mark.parametrize(
    "issue_id",
    ["2026-11-30-correction", "2026-11-30-correction-2", "2026-11-30-correction-999"],
)
def test_a_proof_of_a_correction_names_the_correction(issue_id: str) -> None:
    tokens = Tokens(SECRET)
    token = tokens.proof(issue_id, "wales")
    assert tokens.read_proof(token, ["wales"]) == ProofClaim(issue_id, "wales")
    assert len(token) <= LONGEST_TOKEN
