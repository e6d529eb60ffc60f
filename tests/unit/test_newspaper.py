"""The invented Exbridge Courier has every structural feature of a real paper's text."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article, Document, Kind
from mailer.articles.blocks import Block, mend, parse_blocks, plain_of
from mailer.articles.files import read_document
from mailer.articles.intake import IngestPolicy
from mailer.articles.lettering import (
    is_caps,
    looks_like_name,
    recase,
    slug_of,
    title_case,
    vocabulary_of,
)
from mailer.articles.newspaper import find_masthead, split_newspaper
from mailer.errors import InvalidInput

FIXTURES = Path(__file__).parents[1] / "fixtures" / "articles"
NOW = datetime(2031, 10, 20, 12, tzinfo=UTC)
RESIDUE = re.compile(
    r"leave a reply|required fields|cookies|original post|subscribe|spam|photo:|\\\$|every monday"
    r"|for your subscription",
    re.IGNORECASE,
)


def policy(root: Path, now: datetime = NOW, **regions: tuple[str, ...]) -> IngestPolicy:
    return IngestPolicy(now, "Europe/London", root, regions)


@pytest.fixture(scope="module")
def courier() -> Document:
    desk = policy(FIXTURES, **{"north-quay": (), "mill": ("Chapel & Mill",), "head": ()})
    return read_document(FIXTURES / "courier.txt", desk=desk)


def piece(document: Document, start: str) -> Article:
    return next(article for article in document.articles if article.title.startswith(start))


def codes(article: Article) -> set[str]:
    return {flag.code for flag in article.flags}


def test_every_piece_is_found_once_with_title_and_byline(courier: Document) -> None:
    assert [(a.title, a.authors, a.kind) for a in courier.articles] == [
        ("The slow drowning of the lower quays", ("Mirren Ashdown",), Kind.NEWS),
        (
            "A ferry that sails when it likes: a timetable has to be won",
            ("Oskar Pell",),
            Kind.NEWS,
        ),
        ("The lamp is worth its oil", ("Exbridge Courier",), Kind.EDITORIAL),
        ("Five shifts on the water", ("Tamsin Orlebar",), Kind.FEATURE),
        (
            "Isolde Varga-Quist answers three key questions",
            ("Isolde Varga-Quist",),
            Kind.INTERVIEW,
        ),
        ("Finding your way into tidal history", ("Corwin Hale", "Philippa Dray"), Kind.GUIDE),
        ("This shore is ours and the board can't sell it", ("Exbridge Courier",), Kind.ANALYSIS),
    ]


def test_the_date_is_the_mastheads_month_and_says_so(courier: Document) -> None:
    for article in courier.articles:
        assert article.published_at == datetime(2031, 9, 30, 23, tzinfo=UTC)
        assert "date-from-masthead" in codes(article)
        assert article.source == "Exbridge Courier"


def test_what_the_splitter_chose_is_flagged(courier: Document) -> None:
    assert "organisation-byline" in codes(piece(courier, "The lamp"))
    assert {"byline-from-heading", "opening-moved"} <= codes(piece(courier, "Five shifts"))
    assert "byline-from-headline" in codes(piece(courier, "Isolde"))
    assert "byline-from-standfirst" in codes(piece(courier, "Finding"))
    assert {"title-joined", "pull-quote"} <= codes(piece(courier, "This shore"))
    assert "page-reference" in codes(piece(courier, "The lamp"))


def test_a_feature_is_one_article_and_its_interviews_are_parts(courier: Document) -> None:
    feature = piece(courier, "Five shifts")
    assert feature.parts == (
        "Deckhand, night ferry",
        "Net mender, cooperative",
        "Crane driver, north dock",
        "Lock keeper, canal side",
    )
    assert feature.body_text.startswith("The harbour works because")
    assert "TAMSIN" not in feature.body_text
    assert "HARBOUR IS OWED" not in feature.body_text
    assert feature.body_html.count("<h3>") == 4
    assert "<strong>Good days:</strong>" in feature.body_html


def test_questions_are_the_parts_of_an_interview(courier: Document) -> None:
    assert piece(courier, "Isolde").parts == (
        "What is the breakwater for?",
        "Who would pay for it?",
        "What can a street do?",
    )


def test_sentences_broken_by_columns_are_mended(courier: Document) -> None:
    texts = "\n".join(article.body_text for article in courier.articles)
    for whole in (
        "every tenant on the Lower Quays who has asked",
        "which puzzles the company",
        "speaking to us until the next month comes",
        "about the timetable and we would tell them",
        "At the request of the Exbridge Harbour Trust",
    ):
        assert whole in texts
    guide = piece(courier, "Finding").body_html
    assert "<em>The Mud and the Moon</em> is the shortest" in guide
    assert "<em>Tables for Nobody, or Nine Years Beside a River</em> the whole" in guide


def test_escapes_are_undone(courier: Document) -> None:
    assert "costs $4" in piece(courier, "A ferry").body_text
    assert "$2.4 million" in piece(courier, "Isolde").body_text


def test_credits_become_pictures_with_licences(courier: Document) -> None:
    lead = piece(courier, "The slow").picture
    assert lead is not None
    assert (lead.caption, lead.credit, lead.licence) == (
        "Moorings at low water",
        "Tide Watch",
        "CC BY-NC 2.0",
    )
    lamp = piece(courier, "The lamp").picture
    assert lamp is not None
    assert lamp.credit == "Runa Vale"
    feature = piece(courier, "Five shifts")
    assert feature.picture is not None
    assert [p.credit for p in (feature.picture, *feature.credits)] == ["Lumi Hart", "Bastian Ord"]
    assert feature.credits[0].licence == "CC BY-NC-ND 2.0"
    interview = piece(courier, "Isolde")
    assert interview.picture is not None
    assert "Henshaw, Odell" in interview.picture.caption
    assert [p.credit for p in interview.credits] == ["Oda Pryce", "Emil Tarn"]
    assert piece(courier, "Finding").picture is None


def test_the_directory_is_read_with_regions(courier: Document) -> None:
    assert [(e.name, e.address.split("@")[0], e.region) for e in courier.directory] == [
        ("Head Office", "office", "head"),
        ("Chapel & Mill", "chapelandmill", "mill"),
        ("North Quay", "northquay", "north-quay"),
        ("Gull Point", "gullpoint", ""),
    ]
    assert courier.directory[0].phone == "01632 960123"


def test_the_diary_has_three_dates_and_no_past_one(courier: Document) -> None:
    assert [(e.on, e.at, e.title, e.place) for e in courier.diary] == [
        (date(2031, 10, 25), None, "Friends of the Ferry rally", "central Exbridge"),
        (
            date(2031, 11, 15),
            time(18, 30),
            "Torchlight walk against the rents",
            "Chandler Steps in lower Exbridge",
        ),
        (
            date(2031, 12, 6),
            None,
            "Harbour assembly for every street",
            "Net Loft, Old Quay Street, Exbridge, EX1 9ZZ",
        ),
    ]
    assert courier.diary[2].url == "https://assembly.example/book"
    assert courier.diary[0].article_id == piece(courier, "A ferry").id


def test_house_adverts_are_no_articles(courier: Document) -> None:
    assert [advert.title for advert in courier.adverts] == [
        "Keep the harbour: come to the harbour assembly",
        "Evening post bag",
        "What the harbour is owed and who will pay it",
        "Street groups",
    ]


def test_nothing_is_left_of_the_pages(courier: Document) -> None:
    assert courier.flags == ()
    for article in courier.articles:
        assert not RESIDUE.search(article.body_text)
        assert "ISSUE NO" not in article.body_text


def test_a_text_that_fits_no_piece_is_flagged_not_dropped() -> None:
    text = (
        (FIXTURES / "courier.txt")
        .read_text()
        .replace("## Editorial\n", "## Editorial\n\nOn the ladder\n")
    )
    masthead = find_masthead(parse_blocks(text))
    assert masthead is not None
    document = split_newspaper(text, masthead, origin="x", desk=policy(FIXTURES))
    assert [flag.code for flag in document.flags] == ["left-over"]
    assert "On the ladder" in document.flags[0].note


def test_a_piece_without_a_byline_and_a_doubtful_part_are_flagged() -> None:
    text = (
        "# THE HILL POST\n\nMay 2031 - price 1 pound - No. 4\n\n# Goats on the roof\n\n"
        "The goats were on the roof of the chapel again this morning, and nobody fetched them.\n\n"
        "## What the vicar said about it\n\nHe said that the roof was warm and the goats were "
        "cold, and that he had seen worse.\n\n# Rain\n\n"
        "**By Ulla Brandt**\n\nIt rained for nine days and then it stopped, said the mayor.\n"
    )
    masthead = find_masthead(parse_blocks(text))
    assert masthead is not None
    goats, rain = split_newspaper(text, masthead, origin="x", desk=policy(FIXTURES)).articles
    assert {"no-byline", "part-or-article"} <= codes(goats)
    assert rain.authors == ("Ulla Brandt",)


def test_a_paper_of_nothing_but_headings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("# P\n\nMay 2031 No. 4\n\n" + "# A\n\n" * 3000)
    with pytest.raises(InvalidInput, match=r"a\.txt: has 3,000 headings; split it"):
        read_document(path, desk=policy(tmp_path))


@pytest.mark.parametrize(
    ("line", "on", "is_month"),
    [
        ("Issue 9 December 2026 - free", date(2026, 12, 1), True),
        ("Issue 9, December 2026", date(2026, 12, 1), True),
        ("No. 34 December 2026", date(2026, 12, 1), True),
        ("Vol. 2 #12 December 2026", date(2026, 12, 1), True),
        ("Free - Issue 34 December 2026", date(2026, 12, 1), True),
        ("Issue 9, 12 December 2026", date(2026, 12, 12), False),
        ("Issue 9th December 2026", date(2026, 12, 9), False),
        ("Free. Special Issue 12 December 2026", date(2026, 12, 12), False),
        ("Weekend Edition 12 December 2026 - Free", date(2026, 12, 12), False),
        ("Weekly issue\n9 December 2026", date(2026, 12, 9), False),
        ("Free - 12th December 2026 - No. 4", date(2026, 12, 12), False),
    ],
)
def test_a_figure_after_issue_is_the_papers_number_and_no_day(
    line: str, on: date, is_month: bool
) -> None:
    found = find_masthead(parse_blocks(f"# THE HILL POST\n\n{line}\n\n# One\n\nA.\n\n# Two\n\nB."))
    assert found is not None
    assert (found.on, found.is_month) == (on, is_month)


def test_an_article_with_subheadings_is_no_newspaper() -> None:
    assert (
        find_masthead(parse_blocks("# One\n\nIn May 2031 it rained.\n\n## Two\n\n## Three")) is None
    )


def test_capitals_are_undone_by_the_papers_own_words() -> None:
    words = vocabulary_of(["There the BBC met Orla and the Danes in Hull, they say."])
    assert recase("BBC AND DANES: ORLA MEETS THEM", words) == "BBC and Danes: Orla meets them"
    assert recase("Not in capitals", words) == "Not in capitals"
    assert title_case("MARY O'NEILL-MCBRIDE") == "Mary O'Neill-McBride"
    assert title_case("MILL LANE, EX1 9ZZ") == "Mill Lane, EX1 9ZZ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lovelock", True),
        ("J. van der Meer", True),
        ("Weekly Briefing", False),
        ("Local Groups", False),
        ("Ada", False),
        ("The Whole Town Hall", False),
        ("Ada lovelock", False),
    ],
)
def test_names(text: str, *, expected: bool) -> None:
    assert looks_like_name(text) is expected


@given(st.text(max_size=200))
def test_slugs_are_slugs(text: str) -> None:
    slug = slug_of(text)
    assert slug == "" or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 60


@given(st.text(max_size=300))
def test_capital_headlines_keep_their_letters(text: str) -> None:
    assert recase(text, {}).casefold() == text.casefold() or not is_caps(text)


@given(st.lists(st.text(alphabet="abc DEF.,*\n", min_size=1, max_size=60), max_size=8))
def test_mending_loses_no_letter(paragraphs: list[str]) -> None:
    blocks = [Block(p, 1, 0, tuple(p.split("\n"))) for p in paragraphs if p.strip()]
    mended = mend(blocks, {}).blocks
    before = re.sub(r"[\s*]", "", "".join(b.text for b in blocks))
    assert re.sub(r"[\s*]", "", "".join(b.text for b in mended)) == before


def test_markdowns_marks_come_off() -> None:
    assert plain_of(r"**A** *b* [c](https://d.example) \$5 snake_case") == "A b c $5 snake_case"


SEEDS = os.environ.get("MAILER_TEST_SEEDS")

if SEEDS:
    # Real documents, which stay outside the repository: their words are compared as hashes.

    def digest(text: str) -> str:
        plain = " ".join(re.findall(r"[^\W_]+", text.casefold()))
        return hashlib.sha256(plain.encode()).hexdigest()[:16]

    def seed(number: str) -> Document:
        path = next(Path(str(SEEDS)).glob(f"{number}_*.txt"))
        return read_document(path, desk=policy(path.parent, datetime(2026, 11, 27, tzinfo=UTC)))

    EXPECTED = {
        "000": [
            ("e507c6330ae267e7", ("e3fb68e81c9d3182",), "news", 0),
            ("3122fa26aa66b689", ("57bda38ad06c634b",), "news", 0),
            ("0e7ace4f8e39506a", ("575af9a793e1e469",), "editorial", 0),
            ("d56d0c9a3e91a594", ("22dba7d5b14cf937",), "feature", 5),
            ("e7fbe24354a58c5c", ("8306f6ff9ebf9ae4",), "interview", 5),
            ("ee8bef9cbcbee6b5", ("73a3c2558fc1732e", "341b81f3ae80d11f"), "guide", 0),
            ("ca0e5c3353224ca3", ("575af9a793e1e469",), "analysis", 0),
        ],
        "001": [("74e1f0da69620cb6", (), "report", 0)],
        "002": [("858d8205afeea430", ("9b7df1460bf1e53b",), "report", 0)],
        "003": [("22c25e3bc7764a26", (), "report", 0)],
        "004": [("7429d105a1617819", (), "call", 0)],
    }

    @pytest.mark.parametrize("number", sorted(EXPECTED))
    def test_real_documents(number: str) -> None:
        document = seed(number)
        found = [
            (digest(a.title), tuple(map(digest, a.authors)), a.kind.value, len(a.parts))
            for a in document.articles
        ]
        assert found == EXPECTED[number]
        for article in document.articles:
            assert not RESIDUE.search(article.body_text)
            assert not RESIDUE.search(article.title)

    def test_the_real_paper() -> None:
        document = seed("000")
        assert len(document.directory) == 14
        assert all(entry.address for entry in document.directory)
        assert [(e.on, e.at) for e in document.diary] == [
            (date(2023, 3, 18), None),
            (date(2023, 5, 13), time(12, 0)),
            (date(2023, 6, 10), None),
        ]
        assert document.diary[2].place.startswith("Rich Mix")
        assert len(document.adverts) == 4
        assert document.flags == ()
        pictures = [p for a in document.articles for p in (a.picture, *a.credits) if p]
        assert len(pictures) == 9
        assert sum(p.licence.startswith("CC BY-NC") for p in pictures) == 4

    def test_the_real_pages() -> None:
        assert seed("004").articles[0].deadline == date(2026, 10, 23)
        assert seed("004").articles[0].body_html.count("<li>") == 9
        caption = seed("002").articles[0].picture
        assert caption is not None
        assert caption.credit
        assert seed("002").articles[0].author_note
        assert "strapline-dropped" in codes(seed("001").articles[0])
        assert {"syndicated", "headline-unclear"} <= codes(seed("003").articles[0])
        assert all(not seed(number).diary for number in ("001", "002", "003", "004"))
