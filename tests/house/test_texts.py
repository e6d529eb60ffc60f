"""Every sentence of a page has its translation in every catalogue, and none is left over."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "texts.py"


def test_no_sentence_lacks_a_translation() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + "run `make texts` and fill in what is empty"


def test_there_is_a_second_language_and_much_to_translate() -> None:
    tool = runpy.run_path(str(TOOL))
    assert [path.stem for path in (ROOT / "templates" / "locales").glob("*.po")] == ["de"]
    sentences = {message.id for message in tool["collected"]()}
    assert len(sentences) > 60
    # One from a template's tag, one from an expression in it, one from Python.
    assert {"Search the issues", "Privacy", "our readers"} <= sentences


def test_what_is_missing_fuzzy_wrong_or_left_over_is_noticed() -> None:
    sentences, catalogue = Catalog(), Catalog(locale="de")
    sentences.add("Hello %(name)s", flags=["python-format"])
    for each in ("Missing", "Empty", "Fuzzy"):
        sentences.add(each)
    sentences.add(("one", "many"))
    catalogue.add("Hello %(name)s", "Hallo %(nam)s", flags=["python-format"])
    catalogue.add("Empty", "")
    catalogue.add("Fuzzy", "Unscharf", flags=["fuzzy"])
    catalogue.add(("one", "many"), ("eins", ""))
    catalogue.add("Gone", "Fort")
    found = list(runpy.run_path(str(TOOL))["lacking"](sentences, catalogue))
    assert len(found) == 6
    assert found[0].startswith("'Hello %(name)s': ")
    assert [line.partition(" ")[0] for line in found[1:]] == [
        "'Missing'",
        "'Empty'",
        "'Fuzzy'",
        "'one'",
        "'Gone'",
    ]
