"""The sample publication is whole, varied, invented and fit to print."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from PIL import Image

from mailer.articles.article import Article, DiaryEntry, Kind
from mailer.articles.files import read_document
from mailer.articles.intake import IngestPolicy
from mailer.publication import Publication, load_publication
from mailer.resources import samples_dir, subscribers_dir
from mailer.scaffold import sample_notes, sample_opening, scaffold

MONDAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SOURCES = sorted((samples_dir() / "articles").iterdir())
ROSTERS = sorted(subscribers_dir().glob("*.csv"))
EXTRA_WORDS = re.compile(r"\b(lorem|ipsum|TODO|TBC|XXX)\b")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("samples") / "lantern"
    scaffold(target, monday=MONDAY, secret="s" * 43)
    return target


@pytest.fixture(scope="module")
def publication(root: Path) -> Publication:
    return load_publication(root)


def policy(root: Path, publication: Publication) -> IngestPolicy:
    return IngestPolicy(
        now=NOW,
        time_zone=publication.time_zone,
        regions={r.slug: (r.name, *r.places) for r in publication.region_map.values()},
        sections=tuple(section.slug for section in publication.sections),
        root=root,
    )


@pytest.fixture(scope="module")
def articles(root: Path, publication: Publication) -> list[Article]:
    found: list[Article] = []
    for path in sorted((root / "articles").iterdir()):
        document = read_document(path, desk=policy(root, publication))
        assert len(document.articles) == 1, path.name
        found.extend(document.articles)
    return found


@pytest.fixture(scope="module")
def diary(root: Path, publication: Publication) -> list[DiaryEntry]:
    paths = sorted((root / "articles").iterdir())
    documents = [read_document(path, desk=policy(root, publication)) for path in paths]
    return [entry for document in documents for entry in document.diary]


def named(articles: list[Article], start: str) -> Article:
    return next(article for article in articles if article.title.startswith(start))


def test_the_publication_loads_and_could_be_sent(publication: Publication) -> None:
    assert publication.faults_before_sending() == []
    assert len(publication.regions) == 14
    assert publication.regions[0] == "national"
    for slug in publication.regions[1:]:
        assert publication.ladder(slug) == (slug, "national")
        assert publication.region(slug).places
        assert publication.region(slug).group_contact.endswith(".example")
    assert [s.slug for s in publication.sections] == [
        *("lead", "news", "analysis", "culture", "reading")
    ]
    assert len({publication.send_time(r) for r in publication.region_map.values()}) > 2


def test_every_key_of_the_publication_is_there_for_the_editor_to_find() -> None:
    text = (samples_dir() / "publication.toml").read_text()
    data = tomllib.loads(text)
    known = set(Publication.model_fields) - {"root", "region_map", "substitute"}
    assert set(data) == known
    # What has no value to show, such as a first day, stands there as a comment.
    shown = set(re.findall(r"^# (\w+) = ", text, re.MULTILINE))
    shown |= set(re.findall(r"^# \[\[schedule\.(\w+)\]\]", text, re.MULTILINE))
    for table in ("schedule", "column", "selection", "retry", "theme", "support"):
        model = Publication.model_fields[table].annotation
        assert model is not None
        keys = set(model.model_fields)
        assert set(data[table]) <= keys <= set(data[table]) | shown, table


def test_no_token_is_left(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file() and path.suffix in {".md", ".html", ".txt", ".toml"}:
            assert "%{" not in path.read_text(), path.name


def test_the_files_mix_their_conventions() -> None:
    endings = Counter(path.suffix for path in SOURCES)
    assert endings[".md"] >= 24
    assert endings[".html"] == 3
    assert endings[".txt"] == 3
    heads = Counter(path.read_text()[:3] for path in SOURCES if path.suffix == ".md")
    assert heads["---"] >= 15
    assert heads["+++"] >= 1
    assert heads["Tit"] >= 2


def test_every_article_is_read_with_what_a_briefing_needs(articles: list[Article]) -> None:
    assert len(articles) == len(SOURCES)
    shared = [id_ for id_, n in Counter(article.id for article in articles).items() if n > 1]
    # The near twins propose one id; the library tells them apart.
    assert shared == ["cleaners-win-forty-one-pence-after-ten-weeks-on-strike"]
    for article in articles:
        assert article.title
        # A text without a byline is one of the samples; the reader flags it.
        is_flagged = any(flag.code == "no-byline" for flag in article.flags)
        assert article.authors or is_flagged, article.title
        assert article.published_at, article.title
        assert article.published_at <= NOW, article.title
        assert 100 <= article.word_count <= 500, (article.title, article.word_count)
        if not article.origin.endswith(".txt"):
            assert article.standfirst, article.title
            assert article.url.startswith("https://lantern.example/"), article.title


def test_every_kind_section_and_region_has_something(
    articles: list[Article], publication: Publication
) -> None:
    assert {article.kind for article in articles} == set(Kind)
    assert {a.section for a in articles} >= {s.slug for s in publication.sections}
    assert {slug for a in articles for slug in a.regions} >= set(publication.regions[1:])
    assert sum(not article.regions for article in articles) >= 14


def test_authors_are_many_and_two_write_too_much(
    articles: list[Article], publication: Publication
) -> None:
    pieces = Counter(author for article in articles for author in article.authors)
    assert len(pieces) >= 8
    over = [name for name, n in pieces.items() if n > publication.selection.per_author]
    assert len(over) >= 2


def test_each_filter_has_an_article_to_stop(articles: list[Article]) -> None:
    assert [a.title for a in articles if a.is_draft] == ["Who pays for the swing bridge?"]
    monday = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    embargoed = [a for a in articles if a.embargo_until and a.embargo_until > monday]
    assert [a.title for a in embargoed] == ["The school roofs list"]
    expired = [a for a in articles if a.expires_at and a.expires_at <= NOW]
    assert [a.title for a in expired] == ["Last week to claim the heating grant"]
    old = [a for a in articles if a.published_at and (NOW - a.published_at).days > 14]
    assert [a.title for a in old] == ["A year of the repair café, counted in toasters"]
    twins = [a for a in articles if a.title.startswith("Cleaners win forty-one pence")]
    assert len(twins) == 2


def test_calls_have_a_deadline_that_is_still_to_come(articles: list[Article]) -> None:
    stops = named(articles, "Call: what does your bus stop say")
    assert stops.kind == Kind.CALL
    assert stops.deadline == date(2026, 12, 14)
    board = named(articles, "Wanted: two directors")
    assert board.deadline == date(2026, 12, 18)


def test_the_diary_has_dates_to_come(diary: list[DiaryEntry]) -> None:
    assert len(diary) >= 5
    assert all(entry.on > MONDAY and entry.place for entry in diary)
    assert {slug for entry in diary for slug in entry.regions} >= {"wales", "newcastle"}


def test_the_residue_of_plain_text_is_gone(articles: list[Article]) -> None:
    plain = [article for article in articles if article.origin.endswith(".txt")]
    assert len(plain) == 3
    for article in plain:
        for noise in ("Leave a Reply", "cookies", "newsletter", "Share this", "Original post"):
            assert noise not in article.body_text, (article.title, noise)
    carers = named(plain, "Paid by the doorstep")
    assert carers.authors == ("Leila Farrow",)
    assert carers.body_text.startswith("Ruby Castellane")
    assert named(plain, "Cleaners win").authors == ("Dominic Sherrard",)


def test_every_picture_is_there_described_and_credited(root: Path, articles: list[Article]) -> None:
    pictured = [a for a in articles if a.picture and a.picture.src]
    assert len(pictured) >= 12
    used = set()
    for article in pictured:
        picture = article.picture
        assert picture is not None
        assert (root / picture.src).is_file(), picture.src
        assert picture.alt
        assert picture.caption
        assert picture.credit
        assert picture.licence
        used.add(picture.src)
    drawn = {f"images/{p.name}" for p in (root / "images").glob("*.jpg")}
    assert used == drawn


def test_pictures_are_light_and_of_one_size() -> None:
    pictures = sorted((samples_dir() / "images").glob("*.jpg"))
    assert len(pictures) == 15
    for path in pictures:
        assert path.stat().st_size <= 150_000, path.name
        with Image.open(path) as image:
            assert image.size == (1600, 900)
            assert not image.getexif()
    with Image.open(samples_dir() / "images" / "logo.png") as logo:
        assert logo.width == 320
        assert logo.mode == "RGBA"
        assert logo.getpixel((0, 0))[3] == 0


def test_no_sentence_stands_in_two_articles(articles: list[Article]) -> None:
    seen: dict[str, str] = {}
    for article in articles:
        for sentence in re.split(r"(?<=[.!?])[\"'”’]?\s+", article.body_text):
            key = re.sub(r"\W+", " ", sentence).strip().lower()
            if len(key.split()) < 6:
                continue
            other = seen.setdefault(key, article.title)
            assert other == article.title, (sentence, other, article.title)


def test_nothing_unfinished_or_real_is_in_the_text() -> None:
    texts = [*SOURCES, *subscribers_dir().glob("*"), samples_dir() / "opening.md"]
    texts.extend((samples_dir() / "feeds").iterdir())
    for path in [*texts, samples_dir() / "notes.toml", samples_dir() / "publication.toml"]:
        text = path.read_text()
        assert not EXTRA_WORDS.search(text), path.name
        for host in re.findall(r"https?://([^/\s\"'<>)]+)", text):
            if host in {"purl.org", "www.w3.org", "jsonfeed.org"}:
                # Names of formats, which are written like addresses.
                continue
            assert host.endswith(".example"), (path.name, host)
        for host in re.findall(r"[\w.+-]+@([\w.-]+)", text):
            assert host.endswith(".example"), (path.name, host)


def test_yaml_heads_stay_yaml_before_the_program_reads_them(root: Path) -> None:
    for path in sorted((root / "articles").iterdir()):
        if path.read_text().startswith("---\n"):
            head = yaml.safe_load(path.read_text().split("---\n")[1])
            assert isinstance(head["date"], date | datetime), path.name


@pytest.mark.parametrize("path", ROSTERS, ids=lambda path: path.stem)
def test_a_roster_is_clean(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["email", "name"]
    assert 8 <= len(rows) <= 14
    addresses = [row["email"].lower() for row in rows]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"[a-z0-9.+-]+@[\w-]+\.example", a) for a in addresses)
    assert all(None not in row for row in rows)


def test_the_rosters_hold_what_real_ones_do(publication: Publication) -> None:
    assert [path.stem for path in ROSTERS] == sorted(publication.regions)
    lists: dict[str, list[str]] = {}
    names: list[str] = []
    for path in ROSTERS:
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                lists.setdefault(row["email"], []).append(path.stem)
                names.append(row["name"])
    assert sum(len(where) == 2 for where in lists.values()) == 3
    assert lists["gwen.prosser@post.example"] == ["national", "wales"]
    assert any(not address.isascii() for address in lists)
    assert any("+" in address for address in lists)
    assert "" in names
    assert any("," in name for name in names)
    assert {"Zoë Carmichael", "Łukasz Wrona", "李文君"} <= set(names)


def test_the_opening_and_the_notes_fit_the_publication(publication: Publication) -> None:
    opening = sample_opening()
    assert 180 <= len(opening.split()) <= 260
    assert publication.columnist in opening
    notes = sample_notes()
    assert set(notes["regions"]) == set(publication.regions[1:])
    assert all(12 <= len(note.split()) <= 50 for note in notes["regions"].values())
    assert 0 < len(notes["subject"]) <= 60
    assert 40 <= len(notes["preheader"]) <= 100
    assert notes["quote"]
    assert notes["quote_source"]
