"""A roster's column, named by a template, from the file into the inbox."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.inbox.store import Store
from mailer.resources import templates_dir
from tests.cli.driving import ISSUE, Mailer

ROSTER = (
    "email,name,Home Town\n"
    'anna@town.example,Anna,"Ex<b>bridge & ""Sons"""\n'
    "bryn@town.example,Bryn,\n"
)


@pytest.fixture
def naming(publication: Path) -> None:
    shipped = templates_dir() / "parts" / "opening.txt.j2"
    text = shipped.read_text(encoding="utf-8")
    path = publication / "templates" / "parts" / "opening.txt.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        text.replace(
            "{{ reader.greeting }}",
            '{{ reader.greeting }}\nNear {{ reader.field("home town", default="you") }}:',
            1,
        ),
        encoding="utf-8",
    )


def said_to(store: Store, address: str) -> str:
    (found,) = [item for item in store.messages() if item.recipients == (address,)]
    message = message_from_bytes(store.content(found.id), policy=policy.default)
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_from_the_roster_into_the_inbox(
    mailer: Mailer, publication: Path, inbox: Store, naming: None
) -> None:
    roster = publication / "wales-too.csv"
    roster.write_text(ROSTER, encoding="utf-8")
    codes = [row["code"] for row in mailer("issue", "check", ISSUE, "--json").data["findings"]]
    assert "field-nobody-has" in codes
    taken = mailer("subscribers", "import", roster, "--region", "wales", "--basis", "consent")
    assert taken.code == 0, taken.err
    codes = [row["code"] for row in mailer("issue", "check", ISSUE, "--json").data["findings"]]
    assert "field-nobody-has" not in codes
    assert "Near you:" in mailer("preview", ISSUE, "--region", "wales", "--part", "text").out

    assert mailer("issue", "approve", ISSUE).code == 0
    assert mailer("send", ISSUE, "--yes").code == 0
    assert 'Near Ex<b>bridge & "Sons":' in said_to(inbox, "anna@town.example")
    assert "Near you:" in said_to(inbox, "bryn@town.example")
