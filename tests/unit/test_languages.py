"""Which language a reader gets, and what a catalogue may be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import ConfigurationError
from mailer.languages import Languages, load_languages

FRENCH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "Privacy"
msgstr "Confidentialité"

#, fuzzy
msgid "Search"
msgstr "Peut-être"

msgid "%(count)s issue"
msgid_plural "%(count)s issues"
msgstr[0] "%(count)s numéro"
msgstr[1] ""
"""


@pytest.fixture(scope="module")
def languages() -> Languages:
    return load_languages()


@pytest.mark.parametrize(
    ("asked", "accepted", "usual", "chosen"),
    [
        ("", "", "en-GB", "en-GB"),
        ("de", "en", "en-GB", "de"),
        ("DE", "", "en-GB", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "en-GB", "de"),
        ("", "en;q=0.4, de;q=0.6", "en-GB", "de"),
        ("", "en-US,en;q=0.9", "en-GB", "en-GB"),
        ("", "en-US", "de-AT", "en"),
        ("", "cy, de;q=0.1", "en-GB", "de"),
        ("", "de;q=0, en;q=1", "en-GB", "en-GB"),
        ("", "*;q=0.5", "de", "de"),
        ("", "cy", "de-CH", "de-CH"),
        ("", "cy", "cy", "en"),
        ("xx", "de", "en-GB", "de"),
        ("", "de;q=much, ;;,,de;level=1", "en-GB", "en-GB"),
        ("../../etc", "", "en-GB", "en-GB"),
    ],
)
def test_the_reader_comes_first_then_the_browser_then_the_region(
    languages: Languages, asked: str, accepted: str, usual: str, chosen: str
) -> None:
    assert languages.choose(asked=asked, accepted=accepted, usual=usual) == chosen


@given(asked=st.text(max_size=30), accepted=st.text(max_size=500))
def test_nothing_that_is_sent_gives_a_language_there_is_not(asked: str, accepted: str) -> None:
    languages = load_languages()
    chosen = languages.choose(asked=asked, accepted=accepted, usual="en-GB")
    assert chosen in {"en-GB", "de"}


def test_dates_directions_and_names_are_the_languages_own(languages: Languages) -> None:
    day = date(2026, 11, 30)
    assert languages.words("en-GB").date(day) == "30 November 2026"
    assert languages.words("en-US").date(day) == "November 30, 2026"
    german = languages.words("de")
    assert german.date(day) == "30. November 2026"
    assert (german.name, german.direction, german.tag) == ("Deutsch", "ltr", "de")
    assert german.gettext("Privacy") == "Datenschutz"
    assert german.ngettext("one thing", "many things", 2) == "many things"
    assert languages.words("tlh").tag == "en"


def test_a_publication_may_add_a_language_and_replace_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "locales"
    folder.mkdir()
    (folder / "fr.po").write_text(FRENCH)
    (folder / "de.po").write_text(FRENCH.replace("Confidentialité", "Ihre Daten"))
    languages = load_languages(tmp_path)
    assert languages.tags == ("en", "de", "fr")
    assert languages.words("fr").gettext("Privacy") == "Confidentialité"
    assert languages.words("fr").gettext("Search") == "Search"
    one, many = "%(count)s issue", "%(count)s issues"
    assert languages.words("fr").ngettext(one, many, 2) == many
    assert languages.words("de").gettext("Privacy") == "Ihre Daten"
    assert languages.words("de").gettext("Search") == "Suchen"


def test_every_catalogue_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locales"
    folder.mkdir()
    (folder / "klingon.po").write_text(FRENCH)
    (folder / "fr.po").write_text('msgid "a"\nmsgid "b"\n')
    (folder / "it.po").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError) as raised:
        load_languages(tmp_path)
    assert [Path(fault.where).name for fault in raised.value.faults] == [
        "fr.po",
        "it.po",
        "klingon.po",
    ]
