"""docs/articles.md names every key that is read, and no other; its examples are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailer.articles.article import Kind
from mailer.articles.conventions import _Reader, read_fields
from mailer.articles.frontkeys import EVENT_KEYS, KEYS, MISPLACED, OF_AN_ISSUE
from mailer.articles.frontmatter import read_front_matter
from mailer.articles.intake import IngestPolicy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8")
DESK = IngestPolicy(
    datetime(2026, 11, 27, tzinfo=UTC), "Europe/London", ROOT, {"wales": ("Wales",)}, ("news",)
)


def rows() -> list[tuple[str, str]]:
    """Return the table's cells: keys and meaning."""
    found = re.findall(r"^\| (`.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert len(found) > 15
    return found


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_the_table_and_the_code_have_the_same_keys() -> None:
    told = set().union(*(words(keys) for keys, _ in rows()))
    assert told == {name for names in KEYS.values() for name in names}


def test_a_row_has_its_keys_in_the_order_in_which_they_are_asked_for() -> None:
    told = [re.findall(r"`([^`]+)`", keys) for keys, _ in rows()]
    for names in KEYS.values():
        assert any([name for name in row if name in names] == list(names) for row in told), names


def test_kinds_and_the_keys_of_events_are_told() -> None:
    meanings = dict(rows())
    said = meanings["`briefing.kind`, `kind`"].removeprefix("one of ")
    assert said.split(", ") == [kind.value for kind in Kind]
    assert words(meanings["`briefing.events`"]) == set(EVENT_KEYS)


def test_words_in_the_wrong_place_are_told() -> None:
    section = PAGE.split("## Words of ours in the wrong place")[1]
    assert set(MISPLACED) | set(OF_AN_ISSUE) <= words(section)


def test_the_examples_are_read_without_a_warning() -> None:
    examples = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    assert len(examples) > 1
    for text in examples:
        fields = read_fields(read_front_matter(text, where="a.md"), where="a.md", desk=DESK)
        assert fields.title
        assert not fields.warnings


def test_the_reader_asks_for_no_other_key() -> None:
    asked: set[str] = set()

    class Spy(_Reader):
        def _pick(self, *names: str) -> tuple[str, Any]:
            asked.update(names)
            return super()._pick(*names)

    for image in ("image: {src: a.jpg}", "resources: []"):
        front = read_front_matter(f"---\ntitle: A\n{image}\n---\n", where="a.md")
        Spy(front, "a.md", DESK).read()
    beside = {name for name in asked if name.startswith("image") and name not in KEYS["picture"]}
    assert asked - beside == {name for names in KEYS.values() for name in names}
