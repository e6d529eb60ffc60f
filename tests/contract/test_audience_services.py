"""What commands ask of the audience, through the wired application on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from mailer.app import App, make_publication, open_app
from mailer.audience.turns import in_turn
from mailer.errors import IllegalTransition, InvalidInput, NotFound
from mailer.settings import load_settings
from mailer.storage import schema
from mailer.usecases import mailing, reporting, retention, rights, segmenting
from tests.conftest import NOW

ANN, BOB = "ann@reader.example", "bob@reader.example"
ISSUE = "2026-11-23"


@pytest.fixture
def app(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    root = tmp_path / "lantern"
    monkeypatch.setenv("MAILER_FIXED_NOW", NOW.isoformat())
    make_publication(root)
    if database_url:
        monkeypatch.setenv("MAILER_DATABASE_URL", database_url)
    with open_app(root, settings=load_settings(root)) as opened:
        opened.register.add(ANN, "wales", "Ann")
        opened.register.add(ANN, "national")
        opened.register.add(BOB, "wales", "Bob")
        opened.register.remove(ANN, "national")
        with opened.database.write() as connection:
            people = schema.subscribers
            connection.execute(
                update(people).where(people.c.address == ANN).values(fields={"town": "Bangor"})
            )
            connection.execute(
                insert(schema.issues).values(
                    id=ISSUE,
                    number=1,
                    state="sending",
                    checksum="c",
                    drafted_checksum="",
                    approved_by="",
                    audience_rule='{"segment": "field.town is set"}',
                )
            )
        yield opened


def test_segments_count_and_list(app: App) -> None:
    counted = segmenting.count_data(app, 'field.town = "Bangor"', None)
    assert counted["readers"] == 1
    wanted = [row for row in counted["lists"] if row["confirmed"] or row["unsubscribed"]]
    assert {row["region"]: (row["confirmed"], row["unsubscribed"]) for row in wanted} == {
        "national": (0, 1),
        "wales": (1, 0),
    }
    assert segmenting.count_data(app, "region = 'wales'", "wales")["readers"] == 2
    rows = segmenting.list_data(app, "not field.town is set", "wales", "confirmed", 10)
    assert [row["address"] for row in rows] == [BOB]
    assert len(segmenting.list_data(app, "joined >= 2026-01-01", None, None, 2)) == 2
    with pytest.raises(InvalidInput, match="column 1"):
        segmenting.list_data(app, "town", None, None, 2)


def test_a_plan_follows_the_rule_as_it_was_approved(app: App) -> None:
    assert mailing.plan_regions(app, ISSUE, {"wales": NOW, "national": NOW}) == 1
    assert [item.address for item in app.ledger.deliveries(ISSUE)] == [ANN]


def test_a_reader_sees_and_is_forgotten(app: App) -> None:
    app.register.suppress(ANN, "complaint", f"report of {ANN.upper()}")
    mailing.plan_regions(app, ISSUE, {"wales": NOW})
    with app.database.write() as connection:
        connection.execute(
            insert(schema.runs).values(
                job="send",
                region="",
                slot_at=NOW,
                state="done",
                issue_id=ISSUE,
                note=f"450 <{ANN}>",
                updated_at=NOW,
            )
        )
    held = rights.held_data(app, ANN)
    assert held["suppression"]["evidence"] == f"report of {ANN.upper()}"
    assert [event["step"] for event in held["events"]] == ["import", "import", "unsubscribe"]
    assert [event["kind"] for event in held["mentions"]] == ["suppressed"]

    done = rights.forget(app, ANN, reason="by letter")
    assert (done["subscriptions"], done["events"], done["suppression"]) == (2, 3, True)
    assert (done["remains"], done["texts"]) == ([], 2)
    with pytest.raises(NotFound, match="asked to be forgotten on 2026-11-27"):
        rights.held_data(app, ANN)
    with app.database.read() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert ANN not in str(row).lower(), table.name
        (erasure,) = connection.execute(select(schema.erasures)).all()
        assert erasure.reason == "by letter"
    assert rights.held_data(app, BOB)["name"] == "Bob"

    growth = reporting.growth_data(reporting.growth(app, None, 2))
    assert (growth["all"]["joined"], growth["all"]["left"], growth["all"]["readers"]) == (3, 2, 1)
    assert "<svg" in reporting.growth_svg(app, reporting.growth(app, "wales", 2))


@pytest.mark.parametrize(
    "act",
    [
        lambda app: rights.forget(app, BOB),
        retention.prune,
        lambda app: mailing.plan_regions(app, ISSUE, {"wales": NOW}),
    ],
    ids=["forget", "prune", "plan"],
)
def test_nothing_takes_readers_away_or_writes_them_down_beside_an_import(
    app: App, act: Callable[[App], object]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with in_turn(app.database):
            done = pool.submit(act, app)
            with pytest.raises(TimeoutError):
                done.result(timeout=0.5)
        assert done.result(timeout=20)


def test_old_things_go_once_a_day(app: App) -> None:
    long_ago = NOW - timedelta(days=500)
    mailing.plan_regions(app, ISSUE, {"wales": NOW})
    with app.database.write() as connection:
        connection.execute(update(schema.deliveries).values(state="accepted", updated_at=long_ago))
        connection.execute(update(schema.issues).values(state="sent"))
        links = schema.subscriptions
        connection.execute(
            update(links)
            .where(links.c.region == "wales")
            .values(state="pending", changed_at=long_ago)
        )
    foreseen = retention.prune(app, is_dry_run=True)
    assert (foreseen["sign_ups"], foreseen["deliveries"]) == (2, 1)
    done = retention.prune_daily(app)
    assert done is not None
    assert (done["sign_ups"], done["deliveries"]) == (2, 1)
    assert retention.sentence(done) == (
        "2 sign-ups that nobody confirmed, 1 deliveries of 1 old issues"
    )
    assert retention.prune_daily(app) is None
    assert mailing.summary(app, ISSUE)["totals"] == {"accepted": 1}
    with pytest.raises(IllegalTransition, match="was pruned"):
        mailing.plan_regions(app, ISSUE, {"wales": NOW})
