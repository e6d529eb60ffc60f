"""The library keeps what it is given, once, under ids that stay."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mailer.articles.article import (
    Article,
    DiaryEntry,
    DirectoryEntry,
    Document,
    Flag,
    Kind,
    Picture,
    Standing,
)
from mailer.articles.ingesting import Ingest, IngestReport
from mailer.articles.intake import IngestPolicy, hash_of
from mailer.articles.library import Library
from mailer.articles.placing import Placer
from mailer.articles.traits import Traits, traits_of
from mailer.clock import FixedClock
from mailer.errors import NotFound
from mailer.storage import schema
from mailer.storage.database import Database, open_database

DAY = date(2026, 12, 12)


@pytest.fixture
def library(database: Database, clock: FixedClock) -> Library:
    return Library(database, clock)


def article(name: str, title: str = "Boats", text: str = "They sleep.") -> Article:
    return Article(
        id=name,
        title=title,
        body_html=f"<p>{text}</p>",
        body_text=text,
        content_hash=hash_of(title, text),
        first_seen_at=datetime(2020, 1, 1, tzinfo=UTC),
    )


def entry(name: str, title: str = "Fair", **changes: object) -> DiaryEntry:
    return replace(DiaryEntry(name, title, DAY), **changes)  # type: ignore[arg-type]


def test_everything_comes_back_as_it_went_in(library: Library, clock: FixedClock) -> None:
    full = replace(
        article("boats"),
        kind=Kind.GUIDE,
        authors=("Ada Vine", "Bo Lund"),
        picture=Picture("a.png", "", "c", "d", "CC0"),
        credits=(Picture(credit="E"),),
        regions=("wales",),
        tags=("x",),
        parts=("one?",),
        published_at=datetime(2026, 11, 20, tzinfo=UTC),
        deadline=DAY,
        is_draft=True,
        flags=(Flag("no-byline", "No author."),),
        origin="a.md",
    )
    library.keep(Document("a.md", (full,)))
    assert library.article("boats") == replace(full, first_seen_at=clock.now())


def test_reading_a_file_again_changes_nothing(library: Library, clock: FixedClock) -> None:
    document = Document("a.md", (replace(article("boats"), origin="a.md"),))
    assert library.keep(document).statuses == (("boats", "added"),)
    seen = clock.now()
    clock.sleep(86_400)
    assert library.keep(document).statuses == (("boats", "unchanged"),)
    changed = replace(document.articles[0], body_text="New", content_hash="0" * 64)
    assert library.keep(Document("a.md", (changed,))).statuses == (("boats", "updated"),)
    assert library.article("boats").first_seen_at == seen
    assert library.article("boats").body_text == "New"


def test_an_id_stays_when_the_headline_changes(library: Library) -> None:
    library.keep(Document("a.md", (replace(article("boats"), origin="a.md"),)))
    renamed = replace(article("ships", "Ships", "Other words."), origin="a.md")
    report = library.keep(Document("a.md", (renamed,)))
    assert report.statuses == (("boats", "updated"),)
    assert library.article("boats").title == "Ships"


def test_two_files_with_one_headline_get_two_ids(library: Library) -> None:
    for origin in ("a.md", "b.md", "c.md"):
        library.keep(Document(origin, (replace(article("boats"), origin=origin),)))
    again = library.keep(Document("b.md", (replace(article("boats"), origin="b.md"),)))
    assert again.statuses == (("boats-2", "unchanged"),)
    assert [a.id for a in library.articles()] == ["boats", "boats-2", "boats-3"]


def test_a_papers_pieces_are_found_again_in_any_order(library: Library) -> None:
    one = replace(article("one", "The first piece", "A"), origin="p.txt")
    two = replace(article("two", "Another thing", "B"), origin="p.txt")
    library.keep(Document("p.txt", (one, two)))
    edited = replace(one, id="the-first-pieces", title="The first pieces", content_hash="1" * 64)
    report = library.keep(Document("p.txt", (two, edited)))
    assert report.statuses == (("two", "unchanged"), ("one", "updated"))
    gone = library.keep(Document("p.txt", (two,)))
    assert gone.stale == ("one",)
    assert library.article("one").title == "The first pieces"


def test_a_failed_document_leaves_nothing(library: Library) -> None:
    good = replace(article("good"), origin="a.md")
    bad = replace(article("bad", "Other", "Z"), published_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(Exception, match="naive"):
        library.keep(Document("a.md", (good, bad)))
    assert library.articles() == []


def test_an_unknown_article_names_the_nearest(library: Library) -> None:
    library.keep(Document("a.md", (replace(article("night-bus"), origin="a.md"),)))
    with pytest.raises(NotFound, match="did you mean night-bus"):
        library.article("night-buss")


def test_articles_are_chosen_by_id_and_by_when_they_came(
    library: Library, clock: FixedClock
) -> None:
    library.keep(Document("a.md", (replace(article("a", "A", "1"), origin="a.md"),)))
    clock.sleep(60)
    library.keep(Document("b.md", (replace(article("b", "B", "2"), origin="b.md"),)))
    assert [a.id for a in library.articles(ids=["b", "zz"])] == ["b"]
    assert [a.id for a in library.articles(since=clock.now())] == ["b"]
    assert library.articles(since=clock.now() + timedelta(seconds=1)) == []


def test_the_diary_follows_its_file_and_final_ids(library: Library) -> None:
    library.keep(Document("other.md", (replace(article("boats"), origin="other.md"),)))
    here = replace(article("boats", "Boats", "Elsewhere"), origin="a.md")
    fair = entry("fair", at=time(19, 30), place="Quay", article_id="boats", regions=("wales",))
    library.keep(Document("a.md", (here,), (fair, entry("past", on=date(2026, 1, 1)))))
    (found,) = library.diary(since=date(2026, 11, 27))
    assert found == replace(fair, article_id="boats-2", origin="a.md", changed_at=found.changed_at)
    library.keep(Document("a.md", (here,), (entry("quiz", "Quiz"),)))
    assert [e.title for e in library.diary(since=date(2026, 1, 1))] == ["Quiz"]


def test_one_occasion_in_two_files_is_shown_once_without_doubts(library: Library) -> None:
    doubtful = entry("fair", "Winter Fair", flags=(Flag("found-in-text", "?"),))
    library.keep(Document("a.md", (), (doubtful,)))
    library.keep(Document("b.md", (), (entry("fair", "Winter fair", place="Quay"),)))
    (found,) = library.diary(since=DAY)
    assert (found.id, found.place) == ("fair-2", "Quay")


def test_the_directory_is_replaced_by_a_newer_one(library: Library) -> None:
    groups = (DirectoryEntry("Wales", "w@a.example"), DirectoryEntry("Bristol", "b@a.example"))
    library.keep(Document("p.txt", directory=groups))
    library.keep(Document("q.txt", directory=(DirectoryEntry("Wales", "new@a.example"),)))
    assert [(e.name, e.address) for e in library.directory()] == [
        ("Bristol", "b@a.example"),
        ("Wales", "new@a.example"),
    ]


def test_removing_takes_the_diary_along(library: Library) -> None:
    here = replace(article("boats"), origin="a.md")
    library.keep(Document("a.md", (here,), (entry("fair", article_id="boats"),)))
    library.remove("boats")
    assert library.articles() == []
    assert library.diary(since=DAY) == []
    with pytest.raises(NotFound):
        library.remove("boats")


def ingest(library: Library, clock: FixedClock, root: Path, *paths: Path) -> IngestReport:
    service = Ingest(library, lambda: IngestPolicy(clock.now(), "Europe/London", root))
    return service.files(paths)


def test_a_bad_file_never_stops_the_others(
    library: Library, clock: FixedClock, tmp_path: Path
) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "a.md").write_text("---\ntitle: A\nauthor: Ada Vine\n---\nText")
    (folder / "b.md").write_text("---\ntitle: [\n---\nText")
    (folder / "c.md").write_text("---\ntitle: C\n---\nText")
    (folder / "README.md").write_text("About this folder")
    (folder / ".hidden.md").write_text("No")
    (folder / "d.jpg").write_bytes(b"x")
    steps: list[tuple[int, int]] = []
    service = Ingest(library, lambda: IngestPolicy(clock.now(), "Europe/London", tmp_path))
    report = service.files(
        [folder, folder / "a.md", folder / "none.md"], progress=lambda *step: steps.append(step)
    )
    assert [a.id for a in library.articles()] == ["a", "c"]
    assert [(Path(f.where).name, bool(f.remedy)) for f in report.faults] == [
        ("b.md", True),
        ("none.md", True),
    ]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    data = report.to_data()
    assert [(a["id"], a["status"]) for a in data["articles"]] == [("a", "added"), ("c", "added")]
    assert data["faults"][0]["line"] is not None


def test_a_whole_paper_goes_in_and_stays_when_read_again(
    library: Library, clock: FixedClock, tmp_path: Path
) -> None:
    paper = Path(__file__).parents[1] / "fixtures" / "articles" / "courier.txt"
    data = ingest(library, clock, tmp_path, paper).to_data()
    assert len(data["articles"]) == 7
    assert {a["date"] for a in data["articles"]} == {"2031-10-01"}
    assert len(data["directory"]) == 4
    assert [e["date"] for e in data["diary"]] == ["2031-10-25", "2031-11-15", "2031-12-06"]
    assert data["diary"][1]["time"] == "18:30"
    again = ingest(library, clock, tmp_path, paper).to_data()
    assert {a["status"] for a in again["articles"]} == {"unchanged"}
    assert again["diary"] == data["diary"]
    assert len(library.diary(since=date(2031, 1, 1))) == 3


def test_traits_that_came_along_are_kept_unless_other_rules_made_them(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    placer = Placer({"hull": ("Hull",)})
    library = Library(database, clock, placer)
    one, other = (
        replace(article(name, title=f"In Hull, {name}"), body_text=f"{name} in Hull sat down. " * 9)
        for name in ("boat", "crew")
    )
    # The first has a name that is taken, and gets another with its article.
    library.keep(Document("a.md", (replace(one, title="Elsewhere", body_text="Another one."),)))
    stale = replace(traits_of(other, placer), version="older", word_count=1)
    made: list[str] = []

    def make(piece: Article, placer: Placer | None = None) -> Traits:
        made.append(piece.id)
        return traits_of(piece, placer)

    monkeypatch.setattr("mailer.articles.stock.traits_of", make)
    library.keep(
        Document(
            "https://a.example/feed",
            (one, other),
            standing=Standing.FEED,
            is_whole=False,
            traits=(traits_of(one, placer), stale),
        )
    )
    assert made == ["crew"]
    now = clock.now()
    found, kept = library.considered(since=now, until=now + timedelta(seconds=1))
    assert [each.id for each in found] == ["boat", "boat-2", "crew"]
    assert kept == {each.id: traits_of(library.article(each.id), placer) for each in found}


def test_what_may_be_chosen_comes_without_texts_and_with_traits(
    database: Database, clock: FixedClock
) -> None:
    placer = Placer({"hull": ("Hull",)})
    library = Library(database, clock, placer)
    body = "Dockers in Hull walked out, and the tugs stayed where they were for a week. " * 3
    piece = replace(article("dock", title="In Hull"), body_text=body)
    library.keep(Document("articles/dock.md", articles=(piece,)))
    now = clock.now()
    found, traits = library.considered(since=now, until=now + timedelta(seconds=1))
    assert [(each.id, each.title, each.body_text) for each in found] == [("dock", "In Hull", "")]
    kept = library.article("dock")
    assert traits == {"dock": traits_of(kept, placer)}
    assert traits["dock"].places.regions == {"hull": (6, ("Hull",))}
    assert library.considered(since=now, until=now) == ([], {})
    later = now + timedelta(days=9)
    assert library.considered(since=later, until=later, had={"dock"})[1] == traits
    # Another choice of places: what was worked out by the old one is worked out anew, and kept.
    moved = Placer({"east": ("East Riding of Yorkshire", "Hull")})
    for _ in range(2):
        other = Library(database, clock, moved).considered(
            since=now, until=now + timedelta(seconds=1)
        )
        assert set(other[1]["dock"].places.regions) == {"east"}
    library.remove("dock")
    assert library.considered(since=now, until=later) == ([], {})


def test_no_column_of_an_article_and_of_its_traits_has_one_name() -> None:
    """They are read as one row."""
    assert not set(schema.articles.c.keys()) & set(schema.article_traits.c.keys())


def test_what_may_be_chosen_is_found_by_short_stretches_of_indexes(
    tmp_path: Path, clock: FixedClock
) -> None:
    """SQLite would rather read everything that was seen before the end: the whole table."""
    database = open_database("", root=tmp_path)
    asked: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, given, *_: asked.append((statement, given)),
    )
    now = clock.now()
    Library(database, clock).considered(since=now - timedelta(days=7), until=now)
    [(statement, given)] = [each for each in asked if each[0].startswith("SELECT")]
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    steps = [str(row[-1]) for row in plan if "articles USING" in str(row[-1])]
    assert [re.findall(r"ix_articles_(\w+) \((.*)\)", step) for step in steps] == [
        [("first_seen_at", "first_seen_at>? AND first_seen_at<?")],
        [("published_at", "published_at>?")],
        [("embargo_until", "embargo_until>?")],
    ]
    assert not [row for row in plan if str(row[-1]).startswith("SCAN")]
    database.close()
