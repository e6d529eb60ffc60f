"""The desk: drafting that loses nobody's work, and approval that holds or says what changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article, DiaryEntry, Picture
from mailer.articles.traits import Traits
from mailer.clock import FixedClock
from mailer.errors import IllegalTransition, InvalidInput, NotFound
from mailer.issues.approval import approval_checksum
from mailer.issues.approving import Approvals
from mailer.issues.archive import Archive
from mailer.issues.desk import Desk
from mailer.issues.drafting import selection_context
from mailer.issues.folder import IssueFolder
from mailer.issues.issue import IssueState, Pick
from mailer.issues.manifest import PLACEHOLDER
from mailer.localtime import first_send_at
from mailer.publication import Publication, Region, Section
from mailer.storage.database import Database
from mailer.timetable import Schedule

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 30)
ID = "2026-11-30"
REGIONS = ("national", "wales", "bristol")
RULE = "confirmed subscribers, most specific region first"


class Shelf:
    """A library that holds what a test puts there."""

    def __init__(self, *articles: Article) -> None:
        self.kept = list(articles)
        self.entries: list[DiaryEntry] = []

    def articles(
        self, *, ids: Collection[str] | None = None, since: datetime | None = None
    ) -> list[Article]:
        return [
            article
            for article in self.kept
            if (ids is None or article.id in ids)
            and (since is None or article.first_seen_at >= since)
        ]

    def considered(
        self, *, since: datetime, until: datetime, had: Collection[str] = ()
    ) -> tuple[list[Article], dict[str, Traits]]:
        return [
            article
            for article in self.kept
            if article.id in had or since <= article.first_seen_at < until
        ], {}

    def ids(self) -> list[str]:
        return sorted(article.id for article in self.kept)

    def headlines(self, ids: Collection[str]) -> dict[str, str]:
        return {article.id: article.title for article in self.articles(ids=ids)}

    def diary(self, *, since: date) -> list[DiaryEntry]:
        return [entry for entry in self.entries if entry.on >= since]


def article(id_: str, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "title": f"About {id_}",
        "body_html": "",
        "body_text": "",
        "content_hash": "",
        "first_seen_at": NOW - timedelta(days=1),
    }
    return Article(id=id_, **(values | changes))


def publication(root: Path = Path("/nowhere"), **changes: Any) -> Publication:
    values: dict[str, Any] = {
        "title": "The Lantern",
        "columnist": "Nora Whitfield",
        "time_zone": "Europe/London",
        "first_number": 7,
        "regions": REGIONS,
        "sections": (
            Section(slug="lead", title="Lead", quota=1, takes_any=True, needs_picture=True),
            Section(slug="news", title="News", quota=2, takes_any=True),
        ),
        "region_map": {
            slug: Region(
                slug=slug,
                name=slug.title(),
                list_id=f"{slug}.lantern.example",
                reply_to="desk@lantern.example",
                parent="" if slug == "national" else "national",
                time_zone="Europe/London",
            )
            for slug in REGIONS
        },
    }
    return Publication(root=root, **(values | changes))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(
        article("mill", picture=Picture(src="images/m.jpg"), standfirst="It turns."),
        article("bus", priority=10),
        article("bells", regions=("wales",)),
    )


@pytest.fixture
def archive(database: Database, clock: FixedClock) -> Archive:
    return Archive(database, clock)


@pytest.fixture
def desk(tmp_path: Path, archive: Archive, shelf: Shelf, clock: FixedClock) -> Desk:
    return Desk(tmp_path, publication(tmp_path), archive, shelf, clock)


def rendered(word: str = "", *, regions: tuple[str, ...] = REGIONS) -> dict[str, dict[str, str]]:
    """Return what approval is given: every region's content and its checksum."""
    contents = {region: f"{region} {word}" for region in regions}
    return {
        "contents": contents,
        "editions": {r: hashlib.sha256(c.encode()).hexdigest() for r, c in contents.items()},
    }


def approvals(desk: Desk) -> Approvals:
    return Approvals(desk, desk._publication, desk._archive)


def approve(desk: Desk, **changes: Any) -> None:
    approvals(desk).approve(ID, **({"by": "nora", "audience_rule": RULE, **rendered()} | changes))


def edit(desk: Desk, old: str, new: str) -> None:
    text = desk.text(ID)
    assert old in text
    desk.path(ID).write_text(text.replace(old, new), encoding="utf-8")


# Drafting


def test_a_draft_is_a_file_that_loads_and_explains_itself(
    desk: Desk, archive: Archive, shelf: Shelf
) -> None:
    shelf.entries = [
        DiaryEntry("fair", "Winter fair", date(2026, 12, 12), time(14, 0), "Corn Hall"),
        DiaryEntry("walk", "Walk", date(2026, 12, 5)),
        DiaryEntry("past", "Past", date(2026, 11, 29)),
        DiaryEntry("far", "Far", date(2027, 6, 1)),
    ]
    result = desk.draft(MONDAY, by="bo")
    issue = desk.load(ID)
    assert issue == result.issue
    assert (result.path, result.kept) == (desk.path(ID), None)
    assert issue.number == 7
    assert issue.subject == "About mill"
    assert issue.preheader == "About bus"
    assert issue.sections == {"lead": (Pick("mill"),), "news": (Pick("bus"),)}
    assert issue.regions["wales"].picks == (Pick("bells"),)
    assert issue.diary == ("walk", "fair")
    assert issue.opening == ""
    text = desk.text(ID)
    assert text.rstrip().endswith(PLACEHOLDER)
    assert "recency 0.79: undated, first seen 1.0 days before the cut-off" in text
    record = desk.record(ID)
    assert (record.state, record.number) == (IssueState.DRAFT, 7)
    assert record.drafted_checksum == hashlib.sha256(desk.path(ID).read_bytes()).hexdigest()
    assert [(event.kind, event.by) for event in archive.events(ID)] == [
        ("drafting", ""),
        ("draft", "bo"),
    ]
    [(issue_id, decision)] = [found for found in desk.why("bells") if found[1].is_chosen]
    assert (issue_id, decision.block) == (ID, "region:wales")


def test_an_untouched_draft_is_drafted_anew_and_keeps_its_number(
    desk: Desk, shelf: Shelf, clock: FixedClock
) -> None:
    desk.draft(MONDAY)
    clock.sleep(3600)
    shelf.kept.append(article("late", first_seen_at=clock.now(), priority=50))
    result = desk.draft(MONDAY)
    assert result.kept is None
    assert desk.load(ID).sections["news"] == (Pick("late"), Pick("bus"))
    assert desk.record(ID).number == 7
    assert [path.name for path in desk.path(ID).parent.iterdir()] == [f"{ID}.md"]


def test_an_edited_file_is_never_overwritten(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    edit(desk, PLACEHOLDER, "Dear readers.")
    before = desk.text(ID)
    events = archive.events(ID)
    with pytest.raises(IllegalTransition) as caught:
        desk.draft(MONDAY)
    [fault] = caught.value.faults
    assert fault.where == str(desk.path(ID))
    assert "edited since it was drafted" in str(fault)
    assert f"mailer issue draft {ID} --force" in str(fault)
    assert desk.text(ID) == before
    assert archive.events(ID) == events


def test_a_file_written_by_hand_counts_as_edited(desk: Desk, archive: Archive) -> None:
    desk.path(ID).parent.mkdir()
    desk.path(ID).write_text("my own", encoding="utf-8")
    with pytest.raises(IllegalTransition, match="written by hand"):
        desk.draft(MONDAY)
    assert desk.text(ID) == "my own"
    assert archive.find(ID) is None


def _killed(*_given: Any, **_named: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("is_first", [True, False])
def test_a_draft_cut_off_after_its_file_was_written_is_drafted_again(
    desk: Desk,
    archive: Archive,
    shelf: Shelf,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    is_first: bool,
) -> None:
    if not is_first:
        desk.draft(MONDAY)
        clock.sleep(3600)
        shelf.kept.append(article("late", first_seen_at=clock.now(), priority=50))
    before = archive.find(ID)
    with monkeypatch.context() as patch:
        write = IssueFolder.replace
        patch.setattr(
            IssueFolder, "replace", lambda *given, **named: _killed(write(*given, **named))
        )
        with pytest.raises(KeyboardInterrupt):
            desk.draft(MONDAY)
    assert archive.find(ID) == before
    cut_off = desk.text(ID)
    assert desk.draft(MONDAY).kept is None
    assert desk.text(ID) == cut_off
    assert desk.record(ID).drafted_checksum == hashlib.sha256(cut_off.encode()).hexdigest()


def test_what_a_cut_off_draft_left_is_the_editors_once_edited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        write = IssueFolder.replace
        patch.setattr(
            IssueFolder, "replace", lambda *given, **named: _killed(write(*given, **named))
        )
        with pytest.raises(KeyboardInterrupt):
            desk.draft(MONDAY)
    edit(desk, PLACEHOLDER, "Dear readers.")
    with pytest.raises(IllegalTransition):
        desk.draft(MONDAY)
    assert "Dear readers." in desk.text(ID)


def test_force_keeps_every_old_version_beside(desk: Desk) -> None:
    desk.draft(MONDAY)
    for number, words in enumerate(["First words.", "Second words."], 1):
        edit(desk, PLACEHOLDER, words)
        result = desk.draft(MONDAY, force=True)
        assert result.kept is not None
        assert result.kept.name == f"{ID}.md.~{number}~"
        assert words in result.kept.read_text(encoding="utf-8")
        assert desk.load(ID).opening == ""
    assert "First words." in desk.path(ID).with_name(f"{ID}.md.~1~").read_text(encoding="utf-8")
    assert [record.id for record in desk.issues()] == [ID]


def test_a_file_saved_while_the_draft_is_made_is_kept(
    desk: Desk, archive: Archive, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.draft(MONDAY)
    drafted = archive.record(ID)
    honest = shelf.diary

    def diary_while_somebody_types(*, since: date) -> list[DiaryEntry]:
        desk.path(ID).write_text("typed just now", encoding="utf-8")
        return honest(since=since)

    monkeypatch.setattr(shelf, "diary", diary_while_somebody_types)
    with pytest.raises(IllegalTransition, match="saved while the draft was made"):
        desk.draft(MONDAY)
    assert desk.text(ID) == "typed just now"
    assert archive.record(ID) == drafted
    assert [path.name for path in desk.path(ID).parent.iterdir()] == [f"{ID}.md"]


@pytest.mark.parametrize("steps", [(), ("schedule",), ("send",), ("send", "finish"), ("cancel",)])
def test_past_drafting_even_force_is_refused(
    desk: Desk, archive: Archive, steps: tuple[str, ...]
) -> None:
    desk.draft(MONDAY)
    approve(desk)
    for step in steps:
        archive.transition(ID, step)
    before = desk.text(ID)
    with pytest.raises(IllegalTransition, match=f"issue {ID} is "):
        desk.draft(MONDAY, force=True)
    assert desk.text(ID) == before


NEXT_MONDAY = MONDAY + timedelta(days=7)


@pytest.mark.parametrize("steps", [("send",), ("send", "finish")])
def test_the_window_starts_at_the_cut_off_of_the_issue_that_readers_got(
    desk: Desk, archive: Archive, shelf: Shelf, clock: FixedClock, steps: tuple[str, ...]
) -> None:
    first = desk.draft(MONDAY)
    assert first.window_from == NOW - timedelta(days=7)
    approve(desk)
    for step in steps:
        archive.transition(ID, step)
    shelf.kept.append(article("next", first_seen_at=NOW + timedelta(seconds=1)))
    clock.sleep(7 * 86400)
    second = desk.draft(NEXT_MONDAY)
    assert second.window_from == first.window_until
    assert second.issue.number == 8
    assert second.issue.sections["news"] == (Pick("next"),)
    assert {d.rule for _, d in desk.why("bus")[:1]} == {"window"}


@pytest.mark.parametrize("steps", [(), ("approve",), ("approve", "schedule"), ("cancel",)])
def test_an_issue_that_reached_nobody_gives_its_articles_to_the_next(
    desk: Desk, archive: Archive, clock: FixedClock, steps: tuple[str, ...]
) -> None:
    first = desk.draft(MONDAY)
    for step in steps:
        if step == "approve":
            approve(desk)
        else:
            archive.transition(ID, step)
    clock.sleep(7 * 86400)
    second = desk.draft(NEXT_MONDAY)
    assert second.window_from == first.window_from
    assert second.issue.number == 8
    assert second.issue.sections == first.issue.sections


def test_an_approved_issue_still_to_come_keeps_its_articles(desk: Desk, clock: FixedClock) -> None:
    first = desk.draft(MONDAY)
    approve(desk)
    clock.sleep(3600)
    assert desk.draft(NEXT_MONDAY).window_from == first.window_until
    # Monday at 07:00 it is due, and for late_hours it may still go.
    due = datetime(2026, 11, 30, 7, tzinfo=UTC)
    clock.sleep((due + timedelta(hours=12) - clock.now()).total_seconds())
    assert desk.draft(NEXT_MONDAY).window_from == first.window_until
    clock.sleep(1)
    assert desk.draft(NEXT_MONDAY).window_from == first.window_from


def test_a_draft_between_does_not_move_the_window(
    desk: Desk, archive: Archive, clock: FixedClock
) -> None:
    first = desk.draft(MONDAY)
    approve(desk)
    archive.transition(ID, "send")
    clock.sleep(7 * 86400)
    desk.draft(NEXT_MONDAY)
    clock.sleep(7 * 86400)
    assert desk.draft(NEXT_MONDAY + timedelta(days=7)).window_from == first.window_until


def test_the_hour_of_going_out_is_the_schedules_where_clocks_change(tmp_path: Path) -> None:
    told = publication(tmp_path, schedule=Schedule(send_day=("sun",), send_time=time(1, 30)))
    on = date(2026, 3, 29)
    context = selection_context(
        told,
        on,
        now=datetime(2026, 3, 28, tzinfo=UTC),
        records=(),
        exposures=frozenset(),
    )
    assert context.due_at == first_send_at(told, on) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_what_is_taken_in_at_this_very_instant_counts(
    desk: Desk, shelf: Shelf, clock: FixedClock
) -> None:
    shelf.kept = [article("now", first_seen_at=clock.now())]
    assert desk.draft(MONDAY).issue.sections["news"] == (Pick("now"),)


def test_what_lists_have_had_stays_out_but_a_reopened_issue_may_keep_its_own(
    desk: Desk, archive: Archive
) -> None:
    archive.expose("2026-11-23", "wales", ["bus"])
    archive.expose(ID, "wales", ["mill"])
    issue = desk.draft(MONDAY).issue
    assert issue.sections == {"lead": (Pick("mill"),), "news": ()}
    assert "already sent to wales" in desk.why("bus")[0][1].reasons[0]


def test_deadlines_are_held_against_the_day_the_issue_goes_out(desk: Desk, shelf: Shelf) -> None:
    shelf.kept = [
        article("gone", deadline=MONDAY - timedelta(days=1)),
        article("open", deadline=MONDAY),
    ]
    assert desk.draft(MONDAY).issue.sections["news"] == (Pick("open"),)


def test_a_week_without_articles_still_has_a_draft(desk: Desk, shelf: Shelf) -> None:
    shelf.kept = []
    issue = desk.draft(MONDAY).issue
    assert issue.subject == "The Lantern, 30 November 2026"
    assert desk.load(ID) == issue


def test_titles_full_of_marks_make_a_draft_that_loads(desk: Desk, shelf: Shelf) -> None:
    shelf.kept = [
        article("a", title='A "mill": \u202e#1\u2028 {turns}', authors=("B: [x]",), priority=9),
        article("b", title="- x\x85\tb" * 40),
    ]
    result = desk.draft(MONDAY)
    assert desk.load(ID) == result.issue
    assert len(result.issue.preheader) <= 90


# Reading


def test_a_file_is_parsed_again_when_it_says_something_else(desk: Desk) -> None:
    path = desk.draft(MONDAY).path
    before = desk.load(ID)
    assert desk.load(ID) is before
    stat = path.stat()
    text = path.read_text()
    path.write_text(text.replace("About mill", "About Mill", 1))
    # Neither the size nor the time tells; the words do.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert desk.load(ID).subject != before.subject
    path.write_text(text.replace("subject:", "subjekt:", 1))
    with pytest.raises(InvalidInput):
        desk.load(ID)
    path.write_text(text)
    assert desk.load(ID) == before


def test_loading_names_the_nearest_article(desk: Desk) -> None:
    desk.draft(MONDAY)
    edit(desk, "- bells", "- bellz")
    with pytest.raises(InvalidInput) as caught:
        desk.load(ID)
    [fault] = caught.value.faults
    assert "did you mean bells?" in str(fault)
    assert desk.text(ID).splitlines()[(fault.line or 0) - 1].strip() == "- bellz"


def test_a_file_that_is_not_utf_8_names_the_line(desk: Desk) -> None:
    desk.draft(MONDAY)
    content = desk.path(ID).read_bytes()
    desk.path(ID).write_bytes(content + b"caf\xe9\n")
    with pytest.raises(InvalidInput) as caught:
        desk.load(ID)
    assert caught.value.faults[0].line == content.count(b"\n") + 1


@pytest.mark.parametrize("name", ["2026-12-01", "../publication", "20261130", "x"])
def test_an_issue_that_is_not_there_is_not_found(desk: Desk, name: str) -> None:
    with pytest.raises(NotFound):
        desk.load(name)
    with pytest.raises(NotFound):
        desk.record(name)


def test_names_of_issues(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no issue yet"):
        desk.resolve("latest")
    assert desk.resolve("next") == ID
    desk.draft(MONDAY)
    desk.path("2026-12-07").write_text("by hand", encoding="utf-8")
    assert desk.resolve("latest") == "2026-12-07"
    assert desk.resolve(ID) == desk.resolve(f"issues/{ID}.md") == ID
    with pytest.raises(NotFound, match="did you mean 2026-11-30"):
        desk.resolve("2026-11-3O")
    assert [(r.id, r.state) for r in desk.issues()] == [
        ("2026-12-07", IssueState.DRAFT),
        (ID, IssueState.DRAFT),
    ]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 27, 12, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 30, 6, 59, 59, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 30, 7, 0, tzinfo=UTC), date(2026, 12, 7)),
        # In summer London is an hour ahead: 06:30 UTC is past seven there.
        (datetime(2026, 6, 29, 6, 30, tzinfo=UTC), date(2026, 7, 6)),
        (datetime(2026, 6, 28, 23, 30, tzinfo=UTC), date(2026, 6, 29)),
    ],
)
def test_the_next_issue_is_the_coming_send_day(desk: Desk, now: datetime, expected: date) -> None:
    assert desk.next_issue_date(now) == expected


def test_another_send_day(
    tmp_path: Path, archive: Archive, shelf: Shelf, clock: FixedClock
) -> None:
    thursday = publication(tmp_path, schedule=Schedule(send_day=("thu",), send_time=time(18, 0)))
    desk = Desk(tmp_path, thursday, archive, shelf, clock)
    assert desk.next_issue_date(NOW) == date(2026, 12, 3)


# Approving


def test_approval_binds_file_editions_and_rule(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    edit(desk, PLACEHOLDER, "Dear readers.")
    record = approvals(desk).approve(ID, by="nora", audience_rule=RULE, **rendered())
    assert record.state is IssueState.APPROVED
    assert record.checksum == approval_checksum(desk.text(ID), rendered()["editions"], RULE)
    assert archive.frozen_text(ID) == desk.text(ID)
    assert archive.editions(ID) == rendered()["contents"]
    assert approvals(desk).verify(ID, editions=rendered()["editions"], audience_rule=RULE) == record


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("file", "changed since it was approved (its file); its approval is void"),
        ("gone", "(its file, which cannot be read)"),
        ("edition", "(the edition of wales)"),
        ("new", "(the edition of moon, which is new)"),
        ("lost", "(the edition of bristol, which is gone)"),
        ("rule", "(the audience rule)"),
    ],
)
def test_a_change_voids_the_approval_and_is_named(
    desk: Desk, archive: Archive, change: str, says: str
) -> None:
    desk.draft(MONDAY)
    approve(desk)
    editions = dict(rendered()["editions"])
    rule = RULE
    if change == "file":
        edit(desk, PLACEHOLDER, "One word.")
    elif change == "gone":
        desk.path(ID).unlink()
    elif change == "edition":
        editions["wales"] = "0" * 64
    elif change == "new":
        editions["moon"] = "0" * 64
    elif change == "lost":
        del editions["bristol"]
    else:
        rule = "everybody"
    with pytest.raises(IllegalTransition) as caught:
        approvals(desk).verify(ID, editions=editions, audience_rule=rule)
    assert says in str(caught.value)
    assert f"mailer issue approve {ID}" in str(caught.value)
    record = archive.record(ID)
    assert (record.state, record.checksum) == (IssueState.DRAFT, "")
    assert archive.editions(ID) == {}
    last = archive.events(ID)[-1]
    assert last.kind == "void"
    assert last.detail["changed"]
    with pytest.raises(IllegalTransition, match="not approved"):
        approvals(desk).verify(ID, editions=editions, audience_rule=rule)


def test_a_voided_issue_can_be_approved_again(desk: Desk) -> None:
    desk.draft(MONDAY)
    approve(desk)
    edit(desk, PLACEHOLDER, "One word.")
    with pytest.raises(IllegalTransition):
        approvals(desk).verify(ID, editions=rendered()["editions"], audience_rule=RULE)
    approve(desk, **rendered("anew"))
    approvals(desk).verify(ID, editions=rendered("anew")["editions"], audience_rule=RULE)


def test_approving_an_edited_issue_again_voids_and_approves(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    approve(desk)
    with pytest.raises(IllegalTransition, match="approved already"):
        approve(desk)
    edit(desk, PLACEHOLDER, "One word.")
    approve(desk, by="bo")
    assert archive.record(ID).approved_by == "bo"
    assert "One word." in (archive.frozen_text(ID) or "")
    kinds = [event.kind for event in archive.events(ID)]
    assert kinds == ["drafting", "draft", "approve", "void", "approve"]


@pytest.mark.parametrize("steps", [("send",), ("send", "finish"), ("schedule", "send")])
def test_once_sending_has_begun_what_is_frozen_is_the_truth(
    desk: Desk, archive: Archive, steps: tuple[str, ...]
) -> None:
    desk.draft(MONDAY)
    approve(desk)
    approved = desk.load(ID)
    for step in steps:
        archive.transition(ID, step)
    edit(desk, "subject:", "subjekt:")
    record = approvals(desk).verify(ID, editions={}, audience_rule="everybody")
    assert record == archive.record(ID)
    assert desk.load(ID) == approved
    assert archive.editions(ID) == rendered()["contents"]
    with pytest.raises(IllegalTransition):
        approve(desk)


def test_what_was_not_rendered_is_not_approved(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    with pytest.raises(InvalidInput, match="no edition for bristol"):
        approve(desk, **rendered(regions=("national", "wales")))
    with pytest.raises(InvalidInput, match="not what was checked: national, wales, bristol"):
        approve(desk, contents=rendered("other")["contents"])
    text = desk.text(ID)
    edit(desk, PLACEHOLDER, "Typed while it rendered.")
    with pytest.raises(IllegalTransition, match="changed while it was being approved"):
        approve(desk, text=text)
    edit(desk, "- bells", "- nothing-like-it")
    with pytest.raises(InvalidInput, match="no article"):
        approve(desk)
    assert archive.record(ID).state is IssueState.DRAFT
    assert archive.editions(ID) == {}


def test_a_file_written_by_hand_can_be_approved_and_its_number_must_be_its_own(
    desk: Desk, archive: Archive
) -> None:
    desk.draft(MONDAY - timedelta(days=7))
    text = desk.text("2026-11-23").replace("2026-11-23", ID)
    desk.path(ID).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="7 is the number of issue 2026-11-23"):
        approve(desk)
    assert archive.find(ID) is None
    edit(desk, "number: 7", "number: 12")
    assert desk.record(ID).number == 12
    approve(desk)
    assert archive.record(ID).number == 12
    assert desk.draft(MONDAY + timedelta(days=7)).issue.number == 13


def test_cancel_and_reopen(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    approve(desk)
    assert desk.cancel(ID, by="bo").state is IssueState.CANCELLED
    with pytest.raises(IllegalTransition, match="cancelled"):
        approvals(desk).verify(ID, editions=rendered()["editions"], audience_rule=RULE)
    assert desk.reopen(ID).state is IssueState.DRAFT
    desk.draft(MONDAY)
    assert archive.events(ID)[3].by == "bo"


def test_a_file_written_by_hand_can_be_cancelled(desk: Desk) -> None:
    desk.draft(MONDAY - timedelta(days=7))
    text = desk.text("2026-11-23").replace("2026-11-23", ID).replace("number: 7", "number: 8")
    desk.path(ID).write_text(text, encoding="utf-8")
    assert desk.cancel(ID).state is IssueState.CANCELLED
    assert [(r.id, r.number) for r in desk.issues()] == [(ID, 8), ("2026-11-23", 7)]


CHECKSUMS = st.dictionaries(st.sampled_from(REGIONS), st.text("0123456789abcdef", max_size=8))


@given(st.text(), CHECKSUMS, st.text(), st.text(), CHECKSUMS, st.text())
def test_the_checksum_tells_any_two_approvals_apart(
    text: str,
    editions: dict[str, str],
    rule: str,
    other_text: str,
    other_editions: dict[str, str],
    other_rule: str,
) -> None:
    is_same = (text, editions, rule) == (other_text, other_editions, other_rule)
    first = approval_checksum(text, editions, rule)
    assert (first == approval_checksum(other_text, other_editions, other_rule)) == is_same
    backwards = dict(reversed(editions.items()))
    assert approval_checksum(text, backwards, rule) == first


def test_a_changed_row_that_no_part_explains_is_still_void(desk: Desk, archive: Archive) -> None:
    desk.draft(MONDAY)
    approve(desk)
    record = archive.record(ID)
    with pytest.raises(IllegalTransition, match=r"\(its checksum\)"):
        approvals(
            Desk(
                desk.path(ID).parent.parent,
                publication(),
                _Tampered(archive, replace(record, checksum="f" * 64)),  # type: ignore[arg-type]
                Shelf(),
                FixedClock(NOW),
            )
        ).verify(ID, editions=rendered()["editions"], audience_rule=RULE)


class _Tampered:
    """An archive whose row says something else than its parts."""

    def __init__(self, archive: Archive, record: Any) -> None:
        self._archive = archive
        self._record = record

    def find(self, issue_id: str) -> Any:
        return self._record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)


def test_pins_and_blocks_of_a_file_are_heeded_when_it_is_drafted_anew(
    desk: Desk, shelf: Shelf
) -> None:
    shelf.kept.append(article("old", first_seen_at=NOW - timedelta(days=90)))
    desk.draft(MONDAY)
    edit(desk, "sections:", "pins: {news: [old]}\nblocked: [bus]\nsections:")
    drafted = desk.draft(MONDAY, force=True)
    assert drafted.issue.sections["news"][0] == Pick("old")
    assert "bus" not in drafted.issue.article_ids
    assert {d.rule for d in drafted.proposal.decisions if d.article_id == "bus"} == {"blocked"}
    # What was wished for stays wished for.
    again = desk.draft(MONDAY)
    assert again.issue == drafted.issue == desk.load(ID)
    edit(desk, "blocked: [bus]", "blocked: [buss]")
    with pytest.raises(InvalidInput, match="did you mean bus"):
        desk.draft(MONDAY, force=True)


def test_a_draft_says_which_regions_have_nothing_of_their_own(desk: Desk) -> None:
    desk.draft(MONDAY)
    assert "# Nothing of their own: " in desk.text(ID)
