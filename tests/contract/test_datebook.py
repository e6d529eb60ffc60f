"""The diary keeps an editor's hand in it, whatever files are read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from mailer.articles.article import DiaryEntry, Document, Flag
from mailer.articles.datebook import Datebook
from mailer.articles.library import Library
from mailer.clock import FixedClock
from mailer.errors import IllegalTransition, InvalidInput, NotFound
from mailer.storage.database import Database

DAY = date(2026, 12, 12)
TODAY = date(2026, 11, 27)


@pytest.fixture
def library(database: Database, clock: FixedClock) -> Library:
    return Library(database, clock)


@pytest.fixture
def datebook(database: Database, clock: FixedClock) -> Datebook:
    return Datebook(database, clock)


def fair(**changes: object) -> DiaryEntry:
    return replace(DiaryEntry("fair", "Winter fair", DAY), **changes)  # type: ignore[arg-type]


def test_everything_about_an_entry_comes_back(datebook: Datebook) -> None:
    whole = fair(
        at=time(19, 30),
        ends_at=time(21),
        until=DAY + timedelta(90),
        repeats="FREQ=MONTHLY;BYDAY=2SA",
        place="Quay",
        url="https://fair.example/",
        regions=("wales",),
    )
    (kept,) = datebook.add(whole)
    assert kept.id == "2026-12-12-winter-fair"
    assert datebook.find(kept.id) == kept
    assert replace(kept, id="fair", changed_at=None) == whole


def test_what_was_hidden_stays_hidden_when_its_file_is_read_again(
    library: Library, datebook: Datebook
) -> None:
    library.keep(Document("a.md", (), (fair(),)))
    datebook.hide("fair")
    library.keep(Document("a.md", (), (fair(id="winter-fair", title="Winter fair!"),)))
    # The same occasion in another file is hidden with it.
    library.keep(Document("b.md", (), (fair(id="other"),)))
    assert datebook.entries(since=TODAY) == []
    (hidden,) = datebook.entries(since=TODAY, with_hidden=True)
    assert (hidden.id, hidden.title, hidden.is_hidden) == ("fair", "Winter fair!", True)
    datebook.hide("fair", is_hidden=False)
    assert [entry.id for entry in library.diary(since=TODAY)] == ["fair"]


def test_a_moved_occasion_keeps_its_id_and_counts_the_change(
    library: Library, datebook: Datebook, clock: FixedClock
) -> None:
    library.keep(Document("a.md", (), (fair(),)))
    first = datebook.find("fair")
    clock.sleep(60)
    library.keep(Document("a.md", (), (fair(),)))
    assert datebook.find("fair") == first
    moved = fair(id="2026-12-13-winter-fair", on=DAY + timedelta(1))
    library.keep(Document("a.md", (), (moved,)))
    now = datebook.find("fair")
    assert (now.on, now.sequence) == (DAY + timedelta(1), 1)
    assert now.changed_at is not None
    assert first.changed_at is not None
    assert now.changed_at > first.changed_at


def test_an_editors_own_entry_outlives_every_file(library: Library, datebook: Datebook) -> None:
    (own,) = datebook.add(fair(title="Harbour supper"))
    library.keep(Document("a.md", (), (fair(), fair(id="doubt", title="Harbour supper"))))
    library.keep(Document("a.md"))
    assert [entry.id for entry in datebook.entries(since=TODAY)] == [own.id]
    with pytest.raises(InvalidInput, match="stands in the diary for that day"):
        datebook.add(fair(title="Harbour Supper"))
    datebook.drop(own.id)
    with pytest.raises(NotFound):
        datebook.drop(own.id)


def test_what_a_file_announces_can_be_hidden_and_not_dropped(
    library: Library, datebook: Datebook
) -> None:
    library.keep(Document("a.md", (), (fair(flags=(Flag("found-in-text", "?"),)),)))
    with pytest.raises(IllegalTransition, match="mailer diary hide fair"):
        datebook.drop("fair")
    with pytest.raises(NotFound, match="did you mean fair"):
        datebook.hide("fairy")


def test_what_lasts_or_repeats_is_shown_until_it_is_over(datebook: Datebook) -> None:
    (week,) = datebook.add(fair(title="Festival", until=DAY + timedelta(6)))
    (choir,) = datebook.add(
        fair(title="Choir", repeats="FREQ=WEEKLY;BYDAY=SA", until=DAY + timedelta(20))
    )
    shown = datebook.entries(since=DAY + timedelta(3))
    assert [(e.id, e.on) for e in shown] == [(week.id, DAY), (choir.id, DAY + timedelta(7))]
    assert datebook.entries(since=DAY + timedelta(21)) == []


def held(origin: str, *entries: DiaryEntry) -> Document:
    return Document(origin, (), entries)


def test_different_happenings_on_one_day_are_all_shown(library: Library) -> None:
    def meeting(region: str, place: str, at: time | None = time(19, 30)) -> DiaryEntry:
        return DiaryEntry("meeting", "Public meeting", DAY, at, place, regions=(region,))

    isles, ely = meeting("isles", "Town Hall, Stornoway"), meeting("ely", "Corn Exchange, Ely")
    library.keep(held("isles.md", isles))
    library.keep(held("ely.md", ely, meeting("ely", "Corn Exchange", time(14))))
    shown = [(e.place, e.at) for e in library.diary(since=TODAY)]
    assert sorted(shown) == [
        ("Corn Exchange", time(14)),
        ("Corn Exchange, Ely", time(19, 30)),
        ("Town Hall, Stornoway", time(19, 30)),
    ]
    # Neither has a place or an hour, but they are for other readers.
    library.keep(held("isles.md", meeting("isles", "", None)))
    library.keep(held("ely.md", meeting("ely", "", None)))
    assert len(library.diary(since=TODAY)) == 2


def test_an_entry_without_a_place_stands_for_one_of_two(library: Library) -> None:
    library.keep(held("a.md", fair()))
    library.keep(held("b.md", fair(id="b", place="Net Loft", flags=(Flag("found-in-text", "?"),))))
    library.keep(held("c.md", fair(id="c", place="Quay", flags=(Flag("found-in-text", "?"),))))
    assert [entry.id for entry in library.diary(since=TODAY)] == ["c", "fair"]


def test_two_of_one_title_keep_their_ids_whichever_changes(library: Library) -> None:
    def both(first: time, second: time) -> dict[time | None, str]:
        late = fair(at=second, place="Quay")
        library.keep(held("a.md", late, fair(at=first, place="Net Loft")))
        return {entry.at: entry.id for entry in library.diary(since=TODAY)}

    before = both(time(10), time(14))
    assert len(set(before.values())) == 2
    assert both(time(10), time(14)) == before
    assert both(time(11), time(14)) == {time(11): before[time(10)], time(14): before[time(14)]}
