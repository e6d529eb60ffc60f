"""The first page, privacy, style, language, templates of the publication's own, and the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailer.app import open_app
from mailer.checkup import examine
from mailer.errors import RenderFailed
from mailer.web.frame import load_pages
from mailer.web.wiring import site_of
from tests.web.publishing import ISSUE, WEB_URL


@pytest.fixture
def again(publication: Path) -> Iterator[Callable[[], TestClient]]:
    """What returns the site as a start of the server would have it at that moment."""
    with ExitStack() as opened:

        def start() -> TestClient:
            return TestClient(
                site_of(opened.enter_context(open_app(publication))), base_url=WEB_URL
            )

        yield start


def test_the_first_page_lists_every_region_and_the_newest_issue(client: TestClient) -> None:
    page = client.get("/").text
    assert "The week, seen from where you live" in page
    assert f'href="/issues/{ISSUE}/national"' in page
    for region in ("Wales", "Scotland", "Beds &amp; Bucks"):
        assert f">{region}</h3>" in page
    assert page.count('href="/archive/') == 14


def test_a_page_asks_for_nothing_but_its_style_and_our_pictures(client: TestClient) -> None:
    for path in ("/", "/archive", "/archive/wales", "/privacy", "/nowhere"):
        page = client.get(path).text
        for word in ("<script", "style=", "<style", "onclick", "javascript:", "@import", "<iframe"):
            assert word not in page, (path, word)
        assert '<meta name="viewport"' in page
        assert '<a class="skip" href="#content">' in page


def test_the_style_sheet_is_in_the_publications_colours_and_kept(client: TestClient) -> None:
    page = client.get("/").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = client.get(address)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "--accent: #8f3b14" in answer.text
    assert "--accent: #f2b872" in answer.text
    assert "url(" not in answer.text
    assert client.get("/style.css?v=old").headers["cache-control"] == "no-cache"


def test_another_colour_is_another_address(
    again: Callable[[], TestClient], publication: Path, client: TestClient
) -> None:
    before = client.get("/").text.partition("/style.css?v=")[2][:16]
    path = publication / "publication.toml"
    path.write_text(path.read_text().replace("#8f3b14", "#0b5d3b"))
    after = again().get("/").text.partition("/style.css?v=")[2][:16]
    assert before != after


def test_favicon_and_robots(client: TestClient) -> None:
    for path in ("/favicon.svg", "/favicon.ico"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "#8f3b14" in answer.text
        assert len(answer.content) < 1000
    robots = client.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Disallow: /*?q=" in robots.text.splitlines()


@pytest.mark.parametrize(
    ("path", "headers", "tag"),
    [
        ("/privacy", {}, "en-GB"),
        ("/privacy?lang=de", {}, "de"),
        ("/privacy", {"accept-language": "de-DE,de;q=0.9,en;q=0.8"}, "de"),
        ("/privacy", {"accept-language": "en-US,en;q=0.9"}, "en-GB"),
        ("/privacy?lang=en", {"accept-language": "de"}, "en-GB"),
        ("/privacy?lang=%22%3E%3Cscript%3E", {}, "en-GB"),
    ],
)
def test_the_language_is_asked_for_or_accepted_or_the_publications(
    client: TestClient, path: str, headers: dict[str, str], tag: str
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.headers["content-language"] == tag
    assert f'<html lang="{tag}" dir="ltr">' in answer.text
    assert ("Datenschutz" in answer.text) is (tag == "de")
    assert "<script" not in answer.text


def test_a_regions_own_language_is_used_on_its_pages(
    again: Callable[[], TestClient], publication: Path
) -> None:
    path = publication / "subscribers" / "wales.toml"
    path.write_text(path.read_text() + 'language = "de-AT"\n')
    client = again()
    assert '<html lang="de-AT"' in client.get("/archive/wales").text
    assert '<html lang="en-GB"' in client.get("/archive/bristol").text


def test_a_language_that_was_asked_for_stays_in_the_links(client: TestClient) -> None:
    page = client.get("/archive/wales?lang=de&q=van").text
    assert 'href="/privacy?lang=de"' in page
    assert '<input type="hidden" name="lang" value="de">' in page
    assert 'href="/archive/wales?q=van&amp;lang=en"' in page
    assert "lang=" not in client.get("/privacy", headers={"accept-language": "de"}).text.replace(
        'lang="', ""
    ).replace("/privacy?lang=en", "")


def test_privacy_says_what_the_publication_decided(
    again: Callable[[], TestClient], publication: Path, client: TestClient
) -> None:
    page = client.get("/privacy").text
    assert "The network address you came from is not kept." in page
    assert "The link to confirm works for 7 days." in page
    assert "after 30 days is forgotten" in page
    assert "totals after 400 days" in page
    assert 'href="mailto:post@lantern.example"' in page
    assert "12 Harbour Street" in page
    path = publication / "publication.toml"
    text = path.read_text()
    for name, value in (
        ("confirm_days", "1"),
        ("keeps_network_address", "true"),
        ("ledger_days", "90"),
    ):
        text, count = re.subn(rf"^{name} = \S+", f"{name} = {value}", text, flags=re.MULTILINE)
        assert count == 1
    path.write_text(text)
    changed = again().get("/privacy").text
    assert "With it we keep the network address you came from." in changed
    assert "The link to confirm works for 1 day." in changed
    assert "totals after 90 days" in changed


def test_a_publication_replaces_a_page_with_its_own(
    again: Callable[[], TestClient], publication: Path
) -> None:
    folder = publication / "templates" / "web"
    folder.mkdir(parents=True)
    (folder / "privacy.html.j2").write_text(
        '{% extends "layout.html.j2" %}'
        '{% block main %}<h1>Ours: {{ _("Privacy") }}</h1>{% endblock %}'
    )
    client = again()
    assert "<h1>Ours: Privacy</h1>" in client.get("/privacy").text
    assert "<h1>Ours: Datenschutz</h1>" in client.get("/privacy?lang=de").text
    assert client.get("/archive").status_code == 200


def test_a_mistake_in_such_a_page_is_told_with_file_and_line(publication: Path) -> None:
    folder = publication / "templates" / "web"
    folder.mkdir(parents=True)
    (folder / "home.html.j2").write_text("<p>\n{% if %}</p>")
    (folder / "privacy.html.j2").write_bytes(b"\xff")
    with pytest.raises(RenderFailed) as raised:
        load_pages(publication / "templates")
    [home, privacy] = raised.value.faults
    assert home.where.endswith("home.html.j2")
    assert home.line == 2
    assert privacy.where.endswith("privacy.html.j2")


def test_the_doctor_finds_a_catalogue_that_cannot_be_read(publication: Path) -> None:
    def said() -> list[tuple[str, str]]:
        return [
            (check.level, check.message)
            for check in examine(publication)
            if check.subject == "templates"
        ]

    [(level, message)] = said()
    assert (level, message.endswith("pages in en, de")) == ("ok", True)
    folder = publication / "templates" / "locales"
    folder.mkdir(parents=True)
    (folder / "fr.po").write_text("nonsense\n")
    [(level, message)] = said()
    assert level == "fail"
    assert "fr.po" in message


def test_a_page_that_fails_is_our_fault_and_the_frame_itself_falls_back_to_words(
    again: Callable[[], TestClient],
    publication: Path,
) -> None:
    folder = publication / "templates" / "web"
    folder.mkdir(parents=True)
    (folder / "privacy.html.j2").write_text("{{ nobody_knows }}")
    client = again()
    answer = client.get("/privacy")
    assert answer.status_code == 500
    assert "our fault" in answer.text
    assert "nobody_knows" not in answer.text
    (folder / "layout.html.j2").write_text("{{ nobody_knows }}")
    answer = again().get("/privacy")
    assert (answer.status_code, answer.text) == (500, "500 Internal Server Error\n")


def test_a_template_cannot_reach_out_of_its_folder(publication: Path) -> None:
    folder = publication / "templates" / "web"
    folder.mkdir(parents=True)
    (folder / "leak.html.j2").symlink_to(publication / ".env")
    assert "leak.html.j2" not in load_pages(publication / "templates")
