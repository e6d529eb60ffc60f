"""`mailer prune` by hand and on the schedule; what reports say is the same afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from mailer.app import open_app
from mailer.inbox.store import Store
from mailer.storage import schema
from mailer.usecases.sourcing import INGESTED
from mailer.usecases.unattended import make_runner
from tests.cli.driving import ISSUE, Mailer

TWO_YEARS_ON = "2028-11-27T03:00:00+00:00"


def events(publication: Path) -> int:
    with open_app(publication) as app, app.database.read() as connection:
        table = schema.events
        return int(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.kind == "retention.pruned")
            ).scalar_one()
        )


def test_an_old_ledger_becomes_totals_and_the_issue_is_never_sent_again(
    mailer: Mailer, drafted: Path, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    before = mailer("ledger", ISSUE, "--json").data
    assert mailer("prune").out.strip() == "Gone: nothing is too old."

    monkeypatch.setenv("MAILER_FIXED_NOW", TWO_YEARS_ON)
    foreseen = mailer("prune", "--dry-run", "--json").data
    assert foreseen["issues"] == [{"issue": ISSUE, "deliveries": before["total"]}]
    said = mailer("prune")
    assert f"Gone: {before['total']} deliveries of 1 old issues." in said.out
    after = mailer("ledger", ISSUE, "--json").data
    for name in ("total", "totals", "regions", "is_finished"):
        assert after[name] == before[name]

    count = len(inbox.ids())
    for words in (("send", ISSUE, "--yes"), ("send", ISSUE, "--dry-run")):
        refused = mailer(*words)
        assert refused.code == 5
        assert f"the ledger of issue {ISSUE} was pruned" in refused.err
    assert len(inbox.ids()) == count
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "sent"


def test_the_schedule_prunes_once_a_day(
    mailer: Mailer, publication: Path, drafted: Path, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    for at, count in (
        (TWO_YEARS_ON, 1),
        (TWO_YEARS_ON.replace("03:00", "23:59"), 1),
        (TWO_YEARS_ON.replace("27T03", "28T00"), 2),
    ):
        monkeypatch.setenv("MAILER_FIXED_NOW", at)
        with open_app(publication) as app:
            make_runner(app).tick()
        assert events(publication) == count
    with open_app(publication) as app:
        assert app.ledger.summary(ISSUE) == {}


def test_old_notes_of_taking_articles_in_go_but_for_the_newest(
    mailer: Mailer, publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in ("2026-12-01", "2026-12-20", "2027-01-10"):
        monkeypatch.setenv("MAILER_FIXED_NOW", f"{day}T09:00:00+00:00")
        with open_app(publication) as app:
            app.ledger.record(INGESTED, "", {"faults": 0})

    def days() -> list[str]:
        with open_app(publication) as app, app.database.read() as connection:
            table = schema.events
            query = select(table.c.at).where(table.c.kind == INGESTED).order_by(table.c.id)
            return [f"{at:%m-%d}" for at in connection.execute(query).scalars()]

    old = len(days()) - 2
    assert old >= 1
    monkeypatch.setenv("MAILER_FIXED_NOW", "2027-01-10T10:00:00+00:00")
    assert mailer("prune", "--dry-run", "--json").data["looks"] == old
    assert f"Gone: {old} notes of taking articles in." in mailer("prune").out
    assert days() == ["12-20", "01-10"]
    monkeypatch.setenv("MAILER_FIXED_NOW", TWO_YEARS_ON)
    assert mailer("prune", "--json").data["looks"] == 1
    assert days() == ["01-10"]
    assert mailer("prune", "--json").data["looks"] == 0


def test_a_catalogue_that_cannot_be_read_stops_confirmations_alone(
    publication: Path, inbox: Store
) -> None:
    locales = publication / "templates" / "locales"
    locales.mkdir(parents=True, exist_ok=True)
    (locales / "cy.po").write_text("this is no catalogue", encoding="utf-8")
    with open_app(publication) as app:
        report = make_runner(app).tick()
    assert not report.retried.startswith("failed")
    assert events(publication) == 1
