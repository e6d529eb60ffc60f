"""Hostile words in a real Chromium: no script runs, no dialog opens, nothing is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.editions.edition import Edition, merge_html
from mailer.editions.finding import Finding, Level
from mailer.lighttable.lightpage import Looked, make_page
from tests.browser.conftest import OpenPage
from tests.browser.sampling import FIELDS, WEB_URL, make_publication
from tests.hostile import PAYLOADS, PLAIN, edition_of, publication_of, shown, squeezed
from tests.unit.test_sheets import lay


def watched(page: Any) -> list[str]:
    """Return a list that gets a word for every dialog."""
    dialogs: list[str] = []

    def note(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return dialogs


def html_of(edition: Edition) -> str:
    return merge_html(edition.html, FIELDS).replace(f"{WEB_URL}/images/", "images/")


def test_an_edition_of_payloads_runs_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    """As a mail program would that forgot every precaution: scripts on, no policy, no sandbox."""
    path = tmp_path / "mail.html"
    path.write_text(html_of(edition_of(PLAIN, PAYLOADS)), encoding="utf-8")
    page = open_page(path)
    dialogs = watched(page)
    page.reload()
    assert page.evaluate("document.scripts.length") == 0
    words = squeezed(page.evaluate("document.body.textContent"))
    assert [each for each in PAYLOADS if squeezed(shown(each)) not in words] == []
    page.evaluate(
        """() => { for (const each of document.querySelectorAll("*")) {
          each.dispatchEvent(new MouseEvent("mouseover"));
          each.focus?.();
        } }"""
    )
    page.wait_for_timeout(50)
    assert dialogs == []


def test_the_issues_own_lines_run_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "mail.html"
    path.write_text("<p>first</p>", encoding="utf-8")
    page = open_page(path)
    dialogs = watched(page)
    for payload in PAYLOADS:
        path.write_text(html_of(edition_of(payload, [payload])), encoding="utf-8")
        page.goto(path.as_uri())
        assert page.evaluate("document.scripts.length") == 0, payload
        assert squeezed(shown(payload)) in squeezed(page.evaluate("document.body.textContent"))
    assert dialogs == []


def table_of(folder: Path, edition: Edition, word: str) -> Path:
    publication = publication_of(shown(word)) if word != PLAIN else make_publication()
    finding = Finding(Level.ERROR, "x", word, "wales", word, word, 3)
    sheet = lay(
        edition,
        region=publication.region("wales"),
        publication=publication,
        findings=[finding],
        messages={reader: f"Subject: {word}".encode() for reader in ("named", "nameless")},
    )
    path = folder / "index.html"
    looked = Looked(word, "2026-11-30", 7, word)
    path.write_text(make_page(looked, [sheet], images=folder), encoding="utf-8")
    return path


def look_at_everything(page: Any) -> None:
    for choice in ("text", "headers", "links", "checks", "mail"):
        page.locator(f"input[name=view][value={choice}]").check(force=True)
        page.wait_for_timeout(10)
    for choice in ("dark", "bare", "outlook", "light"):
        page.locator(f"input[name=guise][value={choice}]").check(force=True)
        page.wait_for_timeout(10)
    page.locator("input[name=layout][value=every]").check(force=True)
    page.locator(".grid iframe").first.wait_for()
    page.wait_for_timeout(50)


@pytest.mark.parametrize("word", [PLAIN, PAYLOADS[2], PAYLOADS[30]])
def test_the_light_table_runs_nothing_of_an_edition(
    open_page: OpenPage, tmp_path: Path, word: str
) -> None:
    path = table_of(tmp_path, edition_of(PLAIN, PAYLOADS), word)
    page = open_page(path, width=1300)
    dialogs = watched(page)
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    own = page.evaluate("document.scripts.length")
    look_at_everything(page)
    assert page.evaluate("document.scripts.length") == own
    assert dialogs == []
    assert page.evaluate("Object.keys(window).includes('pwned')") is False


def test_the_light_table_would_stop_a_script_that_got_through(
    open_page: OpenPage, tmp_path: Path
) -> None:
    """Should an article's script ever reach the HTML, the sandbox and the policy still hold it."""
    live = (
        "<!doctype html><html><head><script>parent.pwned=1;alert(1)</script></head>"
        '<body onload="parent.pwned=2;alert(2)"><img src="https://foreign.example/p.gif"'
        ' onerror="top.pwned=3;alert(3)"><svg onload="alert(4)"></svg>'
        '<iframe src="https://foreign.example/"></iframe>'
        '<style>@import "https://foreign.example/x.css";</style>'
        '<meta http-equiv="refresh" content="0;url=https://foreign.example/">'
        '<p id="there">there</p></body></html>'
    )
    edition = replace(edition_of(PLAIN, [PLAIN]), html=(live,))
    page = open_page(table_of(tmp_path, edition, PLAIN), width=1300)
    dialogs = watched(page)
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    frame = page.locator(".screen iframe").first.element_handle().content_frame()
    frame.locator("#there").wait_for(state="attached")
    page.wait_for_timeout(100)
    look_at_everything(page)
    assert page.evaluate("window.pwned") is None
    assert dialogs == []
