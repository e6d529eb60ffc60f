"""The choice as an editor asks about it: why, why not, explained, tried and replayed."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from mailer.app import open_app
from mailer.articles.article_rows import values_of
from mailer.storage import schema
from tests.cli.conftest import driver
from tests.cli.driving import ISSUE, Mailer

WEEKS = 5
PICTURE = """\
image: images/bridge.jpg
image_alt: A bridge
image_credit: P. Hand
image_licence: CC BY 4.0
"""


def test_every_article_left_out_says_what_would_have_changed_it(
    mailer: Mailer, drafted: Path
) -> None:
    found = mailer("why", "--not", "--json").data
    assert found["issue"] == ISSUE
    rows = {row["article"]: row for row in found["left_out"]}
    chosen = {
        pick["article"]
        for block in mailer("issue", "show", ISSUE, "--json").data["blocks"]
        for pick in block["picks"]
    }
    assert rows
    assert not chosen & set(rows)
    assert {row["id"] for row in mailer("articles", "--json").data} == chosen | set(rows)
    for row in rows.values():
        assert row["rule"]
        assert row["would_change"]
    twins = [row for row in rows.values() if row["rule"] == "twin"]
    assert twins
    assert all(row["nearest"]["value"] > 0.5 for row in twins)
    assert mailer("why", "--not", "--issue", "latest", "--json").data == found


def test_why_not_of_one_article_leaves_the_choice_away(mailer: Mailer, drafted: Path) -> None:
    blocks = mailer("issue", "show", ISSUE, "--json").data["blocks"]
    lead = blocks[0]["picks"][0]["article"]
    everything = mailer("why", lead, "--json").data["decisions"]
    assert [row["rank"] for row in everything if row["is_chosen"]] == [1]
    assert not any(
        row["is_chosen"] for row in mailer("why", lead, "--not", "--json").data["decisions"]
    )
    said = mailer("why", mailer("why", "--not", "--json").data["left_out"][0]["article"])
    assert "would have changed it:" in said.out


def test_explain_tells_every_block_and_adds_up(mailer: Mailer, drafted: Path) -> None:
    found = mailer("issue", "explain", ISSUE, "--json").data
    assert found["chosen"] + sum(found["left_out"].values()) == found["considered"]
    for block in found["blocks"]:
        scores = [row["score"] for row in block["chosen"]]
        assert [row["rank"] for row in block["chosen"]] == list(range(1, len(scores) + 1))
        for row in block["chosen"] + block["missed"]:
            assert sum(row["terms"].values()) == pytest.approx(row["score"], abs=1e-5)
    said = mailer("issue", "explain", ISSUE)
    assert "Nine towns, one invoice" in said.out
    assert "Considered" in said.out


def test_what_was_never_drafted_cannot_be_explained(mailer: Mailer, drafted: Path) -> None:
    for words in (("issue", "explain", "2026-12-28"), ("why", "--not", "--issue", "2026-12-28")):
        said = mailer(*words)
        assert said.code != 0
        assert len(said.error_lines) == 1
        assert "2026-12-28" in said.err
    said = mailer("why")
    assert said.code != 0
    assert "--not" in said.err


def test_select_shows_what_the_draft_would_hold_and_writes_nothing(
    mailer: Mailer, drafted: Path
) -> None:
    before = sorted(path.name for path in drafted.parent.iterdir())
    found = mailer("select", ISSUE, "--json").data
    shown = {block["block"]: [s["article"] for s in block["stories"]] for block in found["blocks"]}
    proposed = mailer("issue", "explain", ISSUE, "--json").data["blocks"]
    assert shown == {
        block["block"]: [row["article"] for row in block["chosen"]] for block in proposed
    }
    assert sorted(path.name for path in drafted.parent.iterdir()) == before
    other = mailer("select", ISSUE, "--set", "weights.recency=0", "--json").data
    assert all(
        not story["terms"].get("recency") for block in other["blocks"] for story in block["stories"]
    )
    assert mailer("select", ISSUE, "--json").data == found


@pytest.mark.parametrize(("days", "is_left_out"), [(40, True), (90, False)])
def test_select_looks_as_far_back_as_the_draft(
    mailer: Mailer, drafted: Path, publication: Path, days: int, is_left_out: bool
) -> None:
    """A piece that repeats one of the last eight weeks is left out; an older one is forgotten."""

    def picks(blocks: list[dict[str, Any]], key: str) -> dict[str, list[str]]:
        return {
            block["block"].removeprefix("region:"): [each["article"] for each in block[key]]
            for block in blocks
        }

    lead = mailer("issue", "show", ISSUE, "--json").data["blocks"][0]["picks"][0]["article"]
    with open_app(publication) as app:
        sent_at = app.clock.now() - timedelta(days=days)
        old = replace(
            app.library.article(lead), id="old", url="", title="Then", first_seen_at=sent_at
        )
        shown = {"article_id": "old", "issue_id": f"{sent_at:%Y-%m-%d}", "sent_at": sent_at}
        with app.database.write() as connection:
            connection.execute(insert(schema.articles), values_of(old))
            rows = [shown | {"region": region} for region in app.publication.regions]
            connection.execute(insert(schema.exposures), rows)
    tried = picks(mailer("select", ISSUE, "--json").data["blocks"], "stories")
    assert mailer("issue", "draft", ISSUE, "--force").code == 0
    drawn = picks(mailer("issue", "show", ISSUE, "--json").data["blocks"], "picks")
    assert {name: ids for name, ids in tried.items() if ids} == {
        name: ids for name, ids in drawn.items() if ids
    }
    assert (lead not in drawn["lead"]) == is_left_out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("recency=1", "weights.recency"),
        ("weights=1", "weights.recency"),
        ("half_life_days", "KEY=VALUE"),
        ("half_life_days=soon", "half_life_days"),
        ("half_life_days=-1", "half_life_days"),
        ("weights.recency=nan", "weights.recency"),
    ],
)
def test_a_change_that_cannot_be_tried_is_one_line(
    mailer: Mailer, drafted: Path, change: str, said: str
) -> None:
    found = mailer("select", "--set", change)
    assert found.code != 0
    assert len(found.error_lines) == 1
    assert said in found.err


@pytest.fixture
def weeks(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> Mailer:
    """Five weeks of two articles for everybody, and in the odd ones one for Wales."""
    shutil.rmtree(fresh / "articles")
    (fresh / "articles").mkdir()
    mailer = driver(fresh)
    friday = datetime(2026, 10, 30, 9, 0, tzinfo=UTC)
    for week in range(WEEKS):
        monkeypatch.setenv("MAILER_FIXED_NOW", (friday + timedelta(weeks=week)).isoformat())
        for name, more in (
            ("harbour", f"section: news\nauthor: Ada Lark\nsource: The Gull\n{PICTURE}"),
            ("orchard", "section: news\nauthor: Ivo Penn\nsource: Furrow\n"),
            ("chapel", "author: Non Parry\nbriefing:\n  regions: [wales]\n"),
        ):
            if name == "chapel" and week % 2:
                continue
            words = " ".join(f"{name}{week}word{at}" for at in range(60))
            path = fresh / "articles" / f"{name}-{week}.md"
            path.write_text(
                f"---\ntitle: The {name} in week {week}\nstandfirst: Something.\n{more}---\n\n"
                f"{words}\n",
                encoding="utf-8",
            )
        # The sample's feeds are not asked: these weeks hold what is written here.
        assert mailer("ingest", fresh / "articles").code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-11-27T15:00:00+00:00")
    return mailer


def test_a_replay_counts_what_the_weeks_held(weeks: Mailer) -> None:
    found = weeks("select", "--simulate", WEEKS, "--json").data
    assert [week["issue"] for week in found["weeks"]] == [
        "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30",
    ]  # fmt: skip
    assert [week["considered"] for week in found["weeks"]] == [3, 2, 3, 2, 3]
    assert [week["chosen"] for week in found["weeks"]] == [3, 2, 3, 2, 3]
    assert [week["regions"]["wales"] for week in found["weeks"]] == [1, 0, 1, 0, 1]
    assert all("wales" in week["without_own"] for week in found["weeks"][1::2])
    assert {week["repeats"] for week in found["weeks"]} == {0}
    total = found["total"]
    assert total["repeat_rate"] == 0
    assert total["regions"]["wales"] == {"stories_a_week": 0.6, "weeks_with_own": 3}
    assert total["sections"]["lead"] == {
        "stories_a_week": 1.0, "filled": 1.0, "weeks_below_minimum": 0,
    }  # fmt: skip
    assert total["sections"]["news"]["weeks_below_minimum"] == WEEKS
    assert total["spread"]["authors"] == 3
    assert total["spread"]["largest_share"] == 0.5
    # From Friday nine o'clock to Monday seven.
    assert total["age_h"]["median"] == pytest.approx(70, abs=1)


def test_a_replay_writes_nothing_and_says_it_in_words(weeks: Mailer) -> None:
    said = weeks("select", "--simulate", 3)
    assert said.code == 0, said.err
    assert "Repeats: 0.00%" in said.out
    assert "Spread: 3 authors" in said.out
    assert weeks("issue", "list", "--json").data == []


def test_a_replay_of_weeks_without_articles_says_so(weeks: Mailer, fresh: Path) -> None:
    said = weeks("select", "--simulate", 2, "2026-11-30")
    assert said.code != 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_FIXED_NOW", "2026-09-01T12:00:00+00:00")
        said = weeks("select", "--simulate", 2)
    assert said.code != 0
    assert len(said.error_lines) == 1
    assert "no article was taken in" in said.err


def set_schedule(fresh: Path, **values: str) -> None:
    """Write keys of [schedule] anew."""
    path = fresh / "publication.toml"
    before, head, after = path.read_text(encoding="utf-8").partition("[schedule]\n")
    for key, value in values.items():
        after, count = re.subn(rf"(?m)^#? ?{key} = .*$", f"{key} = {value}", after, count=1)
        assert count == 1, key
    path.write_text(before + head + after, encoding="utf-8")


def test_a_replay_keeps_to_the_rhythm_and_looks_before_its_beginning(
    weeks: Mailer, fresh: Path
) -> None:
    set_schedule(fresh, repeats='"fortnightly"', starts_on="2026-12-14")
    found = weeks("select", "--simulate", 2, "--json").data["weeks"]
    assert [(week["issue"], week["considered"]) for week in found] == [
        ("2026-11-16", 5), ("2026-11-30", 5),
    ]  # fmt: skip


def test_a_replay_of_named_dates_has_no_others(weeks: Mailer, fresh: Path) -> None:
    set_schedule(fresh, repeats='"dates"', dates="[2026-11-18, 2026-11-30, 2027-01-04]")
    found = weeks("select", "--simulate", 12, "--json").data["weeks"]
    assert [(week["issue"], week["considered"]) for week in found] == [
        ("2026-11-18", 3), ("2026-11-30", 5),
    ]  # fmt: skip
    set_schedule(fresh, dates="[2027-01-04]")
    said = weeks("select", "--simulate", 12)
    assert said.code != 0
    assert said.error_lines == [said.err.strip()]
    assert "the schedule has no issue before now" in said.err


def test_coverage_says_which_regions_have_nothing_of_their_own(
    mailer: Mailer, drafted: Path
) -> None:
    root = drafted.parents[1]
    for path in (root / "articles").glob("*.md"):
        if "brighton" in path.read_text(encoding="utf-8").partition("\n---\n")[0]:
            path.unlink()
    for path in (root / "var").glob("mailer.db*"):
        path.unlink()
    mailer("ingest")
    found = mailer("regions", "--coverage", "--json").data
    assert found["without_own"] == ["brighton"]
    rows = {row["region"]: row for row in found["regions"]}
    assert "national" not in rows
    assert rows["brighton"]["lent_from"] == "national"
    assert len(rows["brighton"]["lent"]) == found["minimum"] == 1
    assert rows["wales"]["own"]
    assert found["regions"][0]["region"] == "brighton"
    assert "Nothing of their own: brighton." in mailer("regions", "--coverage").out


def test_an_article_is_named_by_its_beginning_or_its_title(mailer: Mailer, drafted: Path) -> None:
    whole = mailer("why", "who-owns-the-mud", "--json").data
    assert mailer("why", "Who owns the mud?", "--json").data == whole
    assert mailer("why", "who-owns", "--json").data == whole
    both = mailer("why", "who-")
    assert both.code == 4
    assert "did you mean who-owns-the-mud or who-pays-for-the-swing-bridge?" in both.err


def test_an_issue_to_come_says_how_it_is_made(mailer: Mailer, drafted: Path) -> None:
    for words in (("why", "--not", "--issue", "2031-01-06"), ("issue", "explain", "2031-01-06")):
        said = mailer(*words)
        assert said.code == 4
        assert said.error_lines == [
            "error: there is no issue '2031-01-06'; `mailer issue draft 2031-01-06` makes it"
        ]


def test_an_issue_of_a_past_day_is_not_drafted(mailer: Mailer, publication: Path) -> None:
    said = mailer("issue", "draft", "2020-01-06")
    assert said.code == 1
    assert said.error_lines[0].startswith("error: DATE: 2020-01-06 is past; leave the day out")
    assert not (publication / "issues" / "2020-01-06.md").exists()


def test_a_past_day_is_refused_as_drafting_refuses_it(mailer: Mailer) -> None:
    said = mailer("select", "2020-01-06")
    assert said.code == 1
    assert said.error_lines == mailer("issue", "draft", "2020-01-06").error_lines
    assert said.error_lines == [
        "error: DATE: 2020-01-06 is past; leave the day out for the coming one, or name one to come"
    ]
    assert said.out == ""
