"""What an editor ruled about a piece is done again, on whatever the reader makes of the file."""

from __future__ import annotations

import ast
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailer
from mailer.articles.article import Article, DiaryEntry, Document, Flag, Picture
from mailer.articles.confidence import DOUBTS, UNSURE, confidence
from mailer.articles.intake import hash_of
from mailer.articles.review_file import add_ruling, read_rulings
from mailer.articles.rulings import Act, Ruled, Ruling, apply, paragraphs_of
from mailer.errors import ConfigurationError, InvalidInput

FILE = "articles/paper.txt"


def article(name: str, *paragraphs: str, **changes: object) -> Article:
    text = "\n\n".join(paragraphs)
    values: dict[str, object] = {
        "id": name,
        "title": name.capitalize(),
        "body_html": "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
        "body_text": text,
        "content_hash": hash_of(name, text),
        "first_seen_at": datetime(2026, 11, 27, tzinfo=UTC),
        "origin": FILE,
        "flags": (Flag("no-byline", "?"),),
    }
    return Article(**{**values, **changes})  # type: ignore[arg-type]


BOATS = article("boats", "The boats came in at noon.", "They were full of fish.", "Nobody ate it.")
RAIN = article(
    "rain", "Rain fell on the town.", "It fell all day.", picture=Picture(credit="O. P.")
)
PAPER = Document(
    FILE,
    (BOATS, RAIN),
    (DiaryEntry("fair", "Fair", date(2026, 12, 5), article_id="rain"),),
)


def after(*rulings: Ruling) -> Ruled:
    return apply(PAPER, rulings)


def on(article: Article, do: Act, **more: str) -> Ruling:
    return Ruling(FILE, " ".join(article.body_text.split()[:8]), do, **more)


def test_accepting_settles_a_piece_and_takes_its_flags() -> None:
    ruled = after(on(BOATS, Act.ACCEPT))
    assert ruled.settled == {"boats"}
    assert ruled.document.articles[0].flags == ()
    assert ruled.document.articles[1] == RAIN


def test_a_new_title_is_the_pieces_own() -> None:
    ruled = after(on(RAIN, Act.RETITLE, title="A wet day"))
    changed = ruled.document.articles[1]
    assert (changed.title, changed.id) == ("A wet day", "rain")
    assert changed.content_hash == hash_of("A wet day", RAIN.body_text)
    assert ruled.settled == {"rain"}


def test_a_split_makes_two_pieces_that_can_be_decided_in_turn() -> None:
    split = on(BOATS, Act.SPLIT, at="They were full of fish.", title="Fish")
    name = Ruling(FILE, "They were full of fish. Nobody ate it.", Act.RETITLE, title="Old fish")
    ruled = after(split, name)
    first, second, rain = ruled.document.articles
    assert first.body_text == "The boats came in at noon."
    assert (second.title, second.id) == ("Old fish", "fish")
    assert paragraphs_of(second) == ["They were full of fish.", "Nobody ate it."]
    assert rain == RAIN
    assert ruled.settled == {"fish"}


def test_a_piece_joined_to_the_one_before_takes_everything_along() -> None:
    ruled = after(on(RAIN, Act.JOIN))
    (joined,) = ruled.document.articles
    assert joined.body_html == f"{BOATS.body_html}<h3>Rain</h3>{RAIN.body_html}"
    assert joined.picture == RAIN.picture
    assert ruled.removed == (RAIN,)
    assert ruled.document.diary[0].article_id == "boats"
    assert ruled.settled == frozenset()


def test_what_is_dropped_goes_with_its_diary_and_an_advert_leaves_it() -> None:
    dropped = after(on(RAIN, Act.DROP))
    assert dropped.document.articles == (BOATS,)
    assert dropped.document.diary == ()
    advert = after(on(RAIN, Act.ADVERT))
    assert advert.document.adverts[0].title == "Rain"
    assert advert.document.diary[0].article_id == ""


@pytest.mark.parametrize(
    "ruling",
    [
        Ruling(FILE, "Words that nobody wrote", Act.ACCEPT),
        on(BOATS, Act.JOIN),
        on(BOATS, Act.SPLIT, at="Words that nobody wrote"),
        on(BOATS, Act.SPLIT, at="The boats came in at noon."),
        on(BOATS, Act.RETITLE),
    ],
)
def test_a_ruling_that_fits_nothing_changes_nothing_and_says_so(ruling: Ruling) -> None:
    ruled = after(ruling)
    assert ruled.document.articles == PAPER.articles
    assert [flag.code for flag in ruled.document.flags] == ["ruling-unmatched"]


def test_other_files_rulings_are_passed_over() -> None:
    other = Ruling("articles/other.txt", "The boats came in at noon.", Act.DROP)
    assert after(other) == Ruled(PAPER)


texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)


@given(st.lists(st.builds(Ruling, texts, texts, st.sampled_from(Act), texts, texts), max_size=5))
def test_rulings_read_back_as_they_were_added(rulings: list[Ruling]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "articles" / "review.toml"
        for ruling in rulings:
            add_ruling(path, ruling)
        assert read_rulings(path) == rulings


def test_what_an_editor_wrote_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "review.toml"
    path.write_text('# Mine.\n\n[[ruling]]\nfile = "a"\nbegins = "b" # so\ndo = "drop"')
    add_ruling(path, Ruling("c", "d", Act.JOIN))
    assert path.read_text(encoding="utf-8").startswith("# Mine.\n")
    assert [d.do for d in read_rulings(path)] == [Act.DROP, Act.JOIN]
    assert [p.name for p in tmp_path.iterdir()] == ["review.toml"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[ruling]]\nfile = "a"\nbegins = "b"\ndo = "burn"\n', r"review\.toml:4: ruling.*do"),
        ('[[ruling]]\nfile = "a"\ndo = "drop"\n', "begins: is missing; add it"),
        ('[[ruling]]\nfil = "a"\n', "fil: is not a known key"),
        ("ruling = 3", "ruling"),
    ],
)
def test_a_file_that_is_not_understood_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "review.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_rulings(path)


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    path = tmp_path / "review.toml"
    path.write_text("[[ruling")
    with pytest.raises(ConfigurationError, match=r"review\.toml:1"):
        read_rulings(path)


def test_every_flag_has_its_weight() -> None:
    """A code that the readers of files use and nobody weighed would count by accident."""
    used: set[str] = set()
    for path in (Path(mailer.__file__).parent / "articles").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            first = node.args[0]
            if name in {"Flag", "flag"} and isinstance(first, ast.Constant):
                used.add(str(first.value))
    of_the_diary = {"found-in-text", "repeats", "weekday-mismatch", "year-inferred"}
    assert used - of_the_diary <= DOUBTS.keys()


@given(st.lists(st.sampled_from(sorted(DOUBTS))))
def test_more_doubts_never_make_it_surer(codes: list[str]) -> None:
    flags = [Flag(code, "?") for code in codes]
    figures = [confidence(flags[:count]) for count in range(len(flags) + 1)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] == 1
    assert figures[-1] >= 0


def test_a_guessed_headline_is_shown_and_a_month_is_not() -> None:
    assert confidence([Flag("headline-made", "?")]) < UNSURE
    assert confidence([Flag("date-from-masthead", "?"), Flag("title-recased", "?")]) > UNSURE
