"""Every set, and every language, comes out as it did when somebody last looked at it."""

from __future__ import annotations

import pytest

from mailer.editions.finding import Level
from mailer.editions.preflight import check_edition
from tests.browser.sampling import WEB_URL
from tests.golden.drawing import FOLDER, NAMES, SETS, draw, every_part, parts


@pytest.mark.parametrize("kind", ["html", "txt"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_changed_unseen(name: str, kind: str) -> None:
    wanted = (FOLDER / f"{name}.{kind}").read_text(encoding="utf-8")
    assert parts(draw(name))[kind] == wanted, "look at it, then run `make golden`"


@pytest.mark.parametrize("name", SETS)
def test_preflight_finds_no_error_in_a_set(name: str) -> None:
    publication, issue, articles = every_part()
    found = check_edition(
        draw(name),
        publication=publication,
        region=publication.region("wales"),
        issue=issue,
        articles=articles,
        web_url=WEB_URL,
    )
    assert [str(finding) for finding in found if finding.level is Level.ERROR] == []


@pytest.mark.parametrize("name", SETS)
def test_every_set_shows_every_story(name: str) -> None:
    _, issue, _ = every_part()
    edition = draw(name)
    assert set(edition.article_ids) == issue.article_ids
    html, text = parts(edition).values()
    for name_of_story in ("ferry", "pier", "tram", "call"):
        assert f"https://tidewater.example/{name_of_story}" in html
        assert f"https://tidewater.example/{name_of_story}\n" in text
