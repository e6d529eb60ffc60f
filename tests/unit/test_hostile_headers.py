"""Hostile words in the headers: one field each, read back by the standard library's parser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.message import compile_edition, letterhead
from mailer.editions.text import one_line
from mailer.publication import Publication
from tests.browser.sampling import FIELDS, make_publication, render
from tests.hostile import PAYLOADS, PLAIN, edition_of, publication_of, shown

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
DELIVERY = Delivery(
    id=1,
    issue_id="2026-11-30",
    region="wales",
    subscriber_id=1,
    address=FIELDS["address"],
    name=FIELDS["name"],
    token="t0ken",
    dated_at=AT,
    due_at=AT,
    state=DeliveryState.PLANNED,
)
EDITION = render()


def sent(subject: str, *, publication: Publication | None = None, name: str = "Ada") -> bytes:
    chosen = publication or make_publication()
    edition = replace(EDITION, subject=subject)
    head = replace(letterhead(chosen, chosen.region("wales")), postal_address="3 Quay Lane")
    compiled = compile_edition(edition, head)
    return compiled.render(replace(DELIVERY, name=name), {**FIELDS, "name": name})


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    head = content.partition(b"\r\n\r\n")[0]
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert head.isascii()
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    return message


def rendered_subject(payload: str) -> str:
    return edition_of(payload, [PLAIN]).subject


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_subject_is_one_field_and_is_read_as_it_was_written(payload: str) -> None:
    subject = rendered_subject(payload)
    assert subject == shown(payload)
    message = parsed(sent(subject))
    assert message.keys() == parsed(sent(PLAIN)).keys()
    assert " ".join(str(message["Subject"]).split()) == subject
    assert message["Bcc"] is None


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_are_one_field(payload: str) -> None:
    word = one_line(payload)
    publication = publication_of(word).model_copy(update={"from_name": word})
    message = parsed(sent(PLAIN, publication=publication, name=word))
    assert message.keys() == parsed(sent(PLAIN)).keys()
    assert [one.addr_spec for one in message["To"].addresses] == [FIELDS["address"]]
    assert [one.addr_spec for one in message["From"].addresses] == ["post@tidewater.example"]
    assert str(message["List-Id"]).endswith("<wales.tidewater.example>")
