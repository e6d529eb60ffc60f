"""A reader's rights as an operator serves them; every file is searched after `forget`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from mailer.app import App, open_app
from mailer.inbox.store import Store
from mailer.storage import schema
from tests.cli.driving import ISSUE, Mailer, Said

ADDRESS = "zebedee.quillfeather@reader.example"
OTHER = "quillfeather@reader.example"
NAME = "Zebedee Quillfeather"
AT = datetime(2026, 11, 20, tzinfo=UTC)
AGREED_AT = datetime(2025, 3, 4, 9, tzinfo=UTC)


def files_naming(root: Path, *words: str) -> list[str]:
    """Return every file under a folder that holds one of the words, in any case."""
    wanted = [word.lower().encode() for word in words]
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and any(word in path.read_bytes().lower() for word in wanted)
    ]


@pytest.fixture
def reader(mailer: Mailer, publication: Path, drafted: Path, inbox: Store) -> int:
    """Put a reader wherever the program keeps one, and send them an issue."""
    roster = publication / "subscribers" / "wales.csv"
    roster.write_text(roster.read_text() + f'{ADDRESS.title()},"{NAME}"\n')
    assert mailer("subscribers", "add", ADDRESS, "-r", "wales", "--name", NAME).code == 0
    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert any(message.recipients == (ADDRESS,) for message in inbox.messages())
    assert mailer("subscribers", "remove", ADDRESS, "--suppress", "--yes").code == 0
    assert mailer("subscribers", "unsuppress", ADDRESS, "--why", "a slip", "--yes").code == 0
    with open_app(publication) as app, app.database.write() as connection:
        people = schema.subscribers
        number = connection.execute(select(people.c.id).where(people.c.address == ADDRESS)).scalar()
        connection.execute(
            update(people)
            .where(people.c.id == number)
            .values(language="cy", fields={"town": "Machynlleth"})
        )
        connection.execute(
            insert(schema.consent_events).values(
                subscriber_id=number,
                region="wales",
                step="confirm",
                state="confirmed",
                source="pages",
                at=AT,
                basis="consent",
                evidence_at=AGREED_AT,
                form_version="en-3",
                came_from="192.0.2.7",
                note=f"write to {ADDRESS.upper()}",
            )
        )
        connection.execute(
            insert(schema.confirmations).values(
                token_hash="f" * 64,
                subscriber_id=number,
                regions=["wales"],
                form_version="en-3",
                created_at=AT,
                expires_at=AT,
                **({"seed": "s"} if "seed" in schema.confirmations.c else {}),
            )
        )
        (delivery,) = connection.execute(
            select(schema.deliveries.c.id).where(schema.deliveries.c.address == ADDRESS)
        ).one()
        connection.execute(
            update(schema.attempts)
            .where(schema.attempts.c.delivery_id == delivery)
            .values(reply_text=f"ok <{ADDRESS.upper()}> queued")
        )
        connection.execute(
            insert(schema.runs).values(
                job="send",
                region="wales",
                slot_at=AT,
                state="done",
                issue_id=ISSUE,
                note=f"450 <{ADDRESS}> greylisted; <x.{OTHER}> is another",
                updated_at=AT,
            )
        )
    assert isinstance(number, int)
    return number


def forget(mailer: Mailer, *more: str) -> Said:
    return mailer("subscribers", "forget", ADDRESS, "--yes", *more)


def test_show_and_export_give_everything_that_is_held(
    mailer: Mailer, reader: int, tmp_path: Path
) -> None:
    held = mailer("subscribers", "show", ADDRESS, "--json").data
    assert (held["name"], held["language"]) == (NAME, "cy")
    assert held["fields"] == {"town": "Machynlleth"}
    assert held["events"][0]["came_from"] == "192.0.2.7"
    assert {event["basis"] for event in held["events"]} >= {"consent"}
    assert held["confirmations"][0]["regions"] == ["wales"]
    assert [row["issue"] for row in held["deliveries"]] == [ISSUE]
    assert [row["kind"] for row in held["mentions"]] == ["suppressed", "unsuppressed"]
    assert "f" * 64 not in json.dumps(held)

    assert mailer("subscribers", "export", "--subject", ADDRESS).data == held
    out = tmp_path / "held.json"
    assert mailer("subscribers", "export", "--subject", ADDRESS, "--out", out).code == 0
    assert json.loads(out.read_text()) == held
    assert out.stat().st_mode & 0o077 == 0

    shown = mailer("subscribers", "show", ADDRESS).out
    for word in (NAME, "Machynlleth", "192.0.2.7", "en-3", ISSUE, "Language: cy", "unsuppressed"):
        assert word in shown
    record = " ".join(shown.replace("│", " ").split())
    assert "basis: consent" in record
    assert f"evidence at: {AGREED_AT:%Y-%m-%d}" in record


def test_every_table_that_holds_a_person_is_in_the_account(mailer: Mailer, reader: int) -> None:
    held = mailer("subscribers", "show", ADDRESS, "--json").data
    personal = {
        table.name
        for table in schema.metadata.sorted_tables
        if {"subscriber_id", "address"} & set(table.c.keys())
    }
    words = {"consent_events": "events", "suppressions": "suppression"}
    # A directory entry's address is a hall's, printed in the paper; a post waiting to be looked
    # at is there for a moment only; fields are kept where an issue's templates name one, and an
    # account leaves out what is empty.
    not_of_theirs = {"subscribers", "directory_entries", "sign_ups", "kept_fields"}
    assert {words.get(name, name) for name in personal - not_of_theirs} <= set(held)


def test_nothing_is_left_in_any_file(
    mailer: Mailer, reader: int, publication: Path, inbox: Store
) -> None:
    # A second connection keeps the write-ahead log in being, as `mailer run` would.
    with open_app(publication) as app:
        app.register.counts()
        before = files_naming(publication, ADDRESS, NAME)
        assert {"var/mailer.db", "subscribers/wales.csv"} <= set(before)
        assert [name for name in before if name.startswith("var/inbox/")]
        totals = mailer("ledger", "latest", "--json").data["totals"]

        done = forget(mailer, "--json")
        assert done.code == 0, done.err
        assert (publication / "var" / "mailer.db-wal").exists()
        assert files_naming(publication, ADDRESS, NAME) == []

    found = done.data
    assert found["remains"] == []
    assert found["rosters"] == [{"file": "subscribers/wales.csv", "rows": 1}]
    assert found["deliveries"] == 1
    assert found["inbox"] == 1
    assert found["texts"] >= 3
    assert mailer("ledger", "latest", "--json").data["totals"] == totals
    with open_app(publication) as app, app.database.read() as connection:
        (note,) = connection.execute(
            select(schema.runs.c.note).where(schema.runs.c.note.contains("greylisted"))
        ).one()
        assert note == f"450 <[erased]> greylisted; <x.{OTHER}> is another"
        (row,) = connection.execute(select(schema.erasures)).all()
        assert (row.digest, row.reason) == (found["digest"], "asked")


def test_a_forgotten_reader_is_not_held_and_not_mailed_again(
    mailer: Mailer, reader: int, publication: Path, inbox: Store
) -> None:
    with open_app(publication) as app, app.database.read() as connection:
        delivery = select(schema.deliveries).where(schema.deliveries.c.address == ADDRESS)
        token = connection.execute(delivery).one().token
    assert forget(mailer).code == 0
    said = mailer("subscribers", "show", ADDRESS)
    assert said.code == 4
    assert f"{ADDRESS} asked to be forgotten on 2026-11-27; nothing else is held" in said.err
    assert mailer("ledger", "--address", ADDRESS).code == 4

    with open_app(publication) as app, app.database.read() as connection:
        (row,) = connection.execute(
            select(schema.deliveries).where(schema.deliveries.c.address.contains("erased.invalid"))
        ).all()
        assert (row.name, row.subscriber_id, row.state) == ("", 0, "accepted")
        assert row.token != token
        tries = connection.execute(
            select(schema.attempts).where(schema.attempts.c.delivery_id == row.id)
        ).all()
        assert [(each.reply_text, each.note, each.reply_code) for each in tries] == [
            ("erased", "", 250)
        ]
    count = len(inbox.ids())
    assert mailer("send", "next", "--yes").code == 0
    assert len(inbox.ids()) == count
    # Neither an operator's word nor a roster brings them back.
    added = mailer("subscribers", "add", ADDRESS.upper(), "-r", "wales", "--rejoin")
    assert added.code == 5
    assert f"{ADDRESS} asked to be forgotten; only the reader can come back" in added.err
    roster = publication / "again.csv"
    roster.write_text(f"email,name\n{ADDRESS},{NAME}\nnew@reader.example,New\n")
    said = mailer("subscribers", "import", roster, "-r", "wales", "--basis", "consent", "--json")
    assert (said.data["added"], said.data["kept_out"]) == (1, 1)
    assert "asked to be forgotten" in str(said.data["problems"])
    roster.unlink()
    assert mailer("subscribers", "show", ADDRESS).code == 4
    # Again finds nothing more and is no error: whatever was interrupted is finished so.
    again = forget(mailer, "--json")
    assert (again.code, again.data["deliveries"]) == (0, 0)


def test_what_was_not_sent_yet_never_is(
    mailer: Mailer, publication: Path, drafted: Path, inbox: Store
) -> None:
    assert mailer("subscribers", "add", ADDRESS, "-r", "wales", "--name", NAME).code == 0
    assert mailer("issue", "approve", "next").code == 0
    with open_app(publication) as app:
        plan_all(app)
    assert forget(mailer).code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert not [m for m in inbox.messages() if ADDRESS in m.recipients]
    totals = mailer("ledger", "latest", "--json").data["totals"]
    assert totals["skipped"] == 1
    assert totals["accepted"] == len(inbox.ids())


def plan_all(app: App) -> None:
    from mailer.usecases import mailing

    with app.database.write():
        app.archive.transition(ISSUE, "send")
        regions = list(app.archive.editions(ISSUE))
        mailing.plan_regions(app, ISSUE, dict.fromkeys(regions, app.clock.now()))


def test_a_claimed_delivery_is_its_senders(
    mailer: Mailer, reader: int, publication: Path, inbox: Store
) -> None:
    set_state(publication, "claimed")
    said = forget(mailer)
    assert said.code == 5
    assert f"issue {ISSUE} is being sent to {ADDRESS} just now; wait for its sender" in said.err
    assert mailer("subscribers", "show", ADDRESS).code == 0
    set_state(publication, "in_doubt")
    assert forget(mailer).code == 0
    with open_app(publication) as app, app.database.read() as connection:
        states = connection.execute(
            select(schema.deliveries.c.state).where(
                schema.deliveries.c.address.contains("erased.invalid")
            )
        ).scalars()
        assert list(states) == ["cancelled"]


def set_state(publication: Path, state: str) -> None:
    with open_app(publication) as app, app.database.write() as connection:
        connection.execute(
            update(schema.deliveries)
            .where(schema.deliveries.c.address == ADDRESS)
            .values(state=state)
        )


def test_a_journal_that_quotes_them(mailer: Mailer, reader: int, publication: Path) -> None:
    journal = publication / "var" / "sending.journal"
    journal.write_bytes(b"mailer-journal 1 x\n0 E 1 1\t450 <" + ADDRESS.upper().encode() + b">\n")
    with open_app(publication) as app, app.database.exclusive("sender") as is_held:
        assert is_held
        said = forget(mailer)
        assert said.code == 5
        assert "its journal quotes the address; wait for the sender" in said.err
    with open_app(publication) as app, app.database.write() as connection:
        other = select(schema.deliveries.c.id).where(schema.deliveries.c.address != ADDRESS)
        connection.execute(
            update(schema.deliveries)
            .where(schema.deliveries.c.id == other.limit(1).scalar_subquery())
            .values(state="claimed")
        )
    said = forget(mailer)
    assert said.code == 5
    assert f"a sender of issue {ISSUE} died" in said.err
    with open_app(publication) as app, app.database.write() as connection:
        connection.execute(update(schema.deliveries).values(state="accepted"))
    assert forget(mailer).code == 0
    assert not journal.exists()


def test_a_file_of_the_editors_is_named_and_left_alone(
    mailer: Mailer, reader: int, publication: Path
) -> None:
    letter = publication / "articles" / "thanks.md"
    letter.write_text(f"Thanks to {ADDRESS.upper()}\n")
    wide = publication / "subscribers" / "old.txt"
    wide.write_bytes(f"{ADDRESS}\r\n".encode("utf-16"))
    other = publication / "subscribers" / "other.csv"
    other.write_text(f"email\nnot.{ADDRESS}\n")
    said = forget(mailer, "--json")
    assert said.code == 8
    assert said.data["remains"] == ["articles/thanks.md", "subscribers/old.txt"]
    assert "articles/thanks.md still names the address; it is yours to change." in said.err
    assert letter.exists()
    assert other.read_text() == f"email\nnot.{ADDRESS}\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("nobody@reader.example",), 4, "nobody@reader.example is not known"),
        (("not an address",), 1, "is not a usable mail address"),
        ((ADDRESS, "--reason", f"asked by {ADDRESS}"), 1, "--reason: is kept for good"),
    ],
)
def test_what_cannot_be_forgotten(
    mailer: Mailer, words: tuple[str, ...], code: int, message: str
) -> None:
    said = mailer("subscribers", "forget", *words, "--yes")
    assert (said.code, message in said.err) == (code, True), said.err


def test_without_a_secret_nothing_is_erased(
    mailer: Mailer, reader: int, publication: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("MAILER_SECRET_KEY", "short")
    said = forget(mailer)
    assert said.code == 3
    assert "MAILER_SECRET_KEY: is missing or too short, and erasing needs it" in said.err
    assert mailer("subscribers", "show", ADDRESS).code == 0
