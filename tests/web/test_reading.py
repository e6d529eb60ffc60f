"""Past issues on the web: what is shown, to whom it leads, what is found, what stays hidden."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from mailer.app import App, open_app
from mailer.issues.published import PastIssues
from mailer.languages import load_languages
from mailer.settings import load_settings
from mailer.usecases.shelf import Shelf
from mailer.web.doors import Access, Door, Doors
from mailer.web.fittings import fittings
from mailer.web.frame import Frame, load_pages
from mailer.web.past_pages import reading_doors
from mailer.web.site import make_site
from mailer.web.wiring import site_of
from tests.acceptances import accepted
from tests.web.conftest import visit
from tests.web.publishing import ISSUE, WEB_URL, add_issue

WALES = f"/issues/{ISSUE}/wales"


class Links(HTMLParser):
    """Collects what a page points to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def test_an_issue_is_shown_as_it_was_frozen_for_nobody_in_particular(
    client: TestClient,
) -> None:
    answer = client.get(WALES)
    assert answer.status_code == 200
    assert answer.headers["content-language"] == "en-GB"
    page = unescape(answer.text)
    assert "Dear reader," in page
    assert "It was sent to our readers, on the list for Wales." in page
    assert "Nine towns, one invoice" in page
    assert "/unsubscribe/" not in page
    assert "/preferences/" not in page
    assert page.count("<main>") == page.count("</main>") == 1


def test_it_may_style_itself_and_show_our_own_pictures_and_nothing_else(
    client: TestClient,
) -> None:
    answer = client.get(WALES)
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    pictures = [link for link in Links(answer.text).found if "/images/" in link]
    assert len(pictures) > 3
    for picture in pictures:
        assert re.fullmatch(r"/images/[0-9a-f]{32}\.(jpg|png)", picture)
        assert client.get(picture).status_code == 200


def test_every_link_of_ours_on_every_page_leads_somewhere(client: TestClient) -> None:
    """Crawled whole, in both languages, from the first page."""
    waiting, seen, kinds = ["/", "/?lang=de"], set(), set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        kinds.add(answer.headers["content-type"].partition(";")[0])
        if answer.headers["content-type"].startswith("text/html"):
            for link in Links(answer.text).found:
                path = link.removeprefix(WEB_URL).partition("#")[0]
                if path.startswith("/"):
                    waiting.append(path)
    assert len(seen) > 60
    assert kinds >= {
        "text/html",
        "text/plain",
        "text/css",
        "image/svg+xml",
        "image/jpeg",
        "application/rss+xml",
        "application/feed+json",
    }


def test_reading_changes_nothing(client: TestClient, opened: App) -> None:
    def everything() -> list[object]:
        with opened.database.read() as connection:
            tables = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            ).scalars()
            return [
                (name, [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))])
                for name in list(tables)
            ]

    before, files = everything(), sorted(opened.root.rglob("*"))
    for path in ("/", "/archive", "/archive/wales?q=van", WALES, f"{WALES}.txt", "/privacy"):
        for method in ("GET", "HEAD"):
            assert client.request(method, path).status_code == 200
    assert everything() == before
    assert sorted(opened.root.rglob("*")) == files


@pytest.mark.parametrize(
    ("there", "bar", "instead"),
    [
        ((), None, "/privacy"),
        (("/join",), "/join?region=wales", "/join"),
        (("/join", "/join/{region}"), "/join/wales", "/join"),
        (("/join", "/preferences"), "/join?region=wales", "/preferences"),
    ],
)
def test_personal_links_lead_to_the_nearest_public_page_there_is(
    shared: App, there: tuple[str, ...], bar: str | None, instead: str
) -> None:
    frame = Frame(
        shared.publication, web_url=WEB_URL, sources=load_pages(), languages=load_languages()
    )
    shelf = Shelf(PastIssues(shared.database))
    doors = Doors(
        [
            *fittings(frame, shelf),
            *reading_doors(frame, shelf, shared.images),
            *(Door(path, lambda _r: PlainTextResponse(""), Access.PAGE) for path in there),
        ]
    )
    frame.paths = doors.paths
    client = TestClient(make_site(frame, doors), base_url=WEB_URL)
    page = client.get(WALES).text
    assert re.findall(r'<a href="([^"]+)"[^>]*>Unsubscribe', page) == [instead] * 2
    assert re.findall(r'<a href="([^"]+)"[^>]*>Change what you get', page) == [instead]
    assert re.findall(r'href="(/join[^"]*)">Get it by mail', page) == ([bar] if bar else [])
    home = client.get("/").text
    assert home.count('href="/join') == (16 if there else 0)


def test_the_text_has_whole_addresses(client: TestClient) -> None:
    answer = client.get(f"{WALES}.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Dear reader," in answer.text
    assert f"{WEB_URL}{WALES}" in answer.text
    assert f"\n{WEB_URL}/join" in answer.text
    assert "<" not in answer.text


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((), 404),
        (("schedule",), 404),
        (("send",), 404),
        (("send", "a first reader"), 200),
        (("send", "finish"), 200),
        (("send", "cancel"), 404),
        (("cancel",), 404),
    ],
)
def test_only_what_went_out_is_public(
    client: TestClient, opened: App, steps: tuple[str, ...], status: int
) -> None:
    named = tuple(step for step in steps if step != "a first reader")
    add_issue(opened, "2026-12-07", subject="The secret of the quay", steps=named)
    if named != steps:
        accepted(opened.database, "2026-12-07", "wales")
    for path in ("/issues/2026-12-07/wales", "/issues/2026-12-07/wales.txt"):
        answer = client.get(path)
        assert answer.status_code == status
        assert client.head(path).status_code == status
    is_public = status == 200
    for path in ("/archive/wales", "/archive/wales?q=secret", "/archive/wales/feed.xml"):
        assert ("The secret of the quay" in unescape(client.get(path).text)) is is_public


@pytest.mark.parametrize(
    "path",
    [
        "/issues/2026-11-30/nowhere",
        "/issues/2026-11-31/wales",
        "/issues/..%2f..%2fetc/wales",
        "/issues/2026-11-30/wales.txt.txt",
        "/archive/nowhere",
        "/archive/nowhere/feed.xml",
        "/archive/nowhere/feed.json",
    ],
)
def test_what_is_not_there_is_said_so(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_issue_that_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    for path in (WALES, f"{WALES}.txt"):
        first = client.get(path)
        assert first.headers["cache-control"] == "no-cache"
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
        other = client.get(f"{path}?lang=de", headers={"if-none-match": first.headers["etag"]})
        assert other.status_code == (200 if path == WALES else 304)


# Pictures


def test_a_picture_is_kept_by_browsers_and_may_be_shown_by_mail_programs(
    client: TestClient, opened: App
) -> None:
    [name, *_] = sorted(path.name for path in opened.images.glob("*.jpg"))
    answer = client.get(f"/images/{name}")
    assert answer.content == (opened.images / name).read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = client.get(f"/images/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(f"/images/{name}")
    assert head.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fpublication.toml",
        "%2e%2e/%2e%2e/.env",
        "..%5c.env",
        "0" * 32 + ".jpg",
        "0" * 32 + ".jpg%00",
        "0" * 32 + ".svg",
        ".sources",
        "secret.jpg",
    ],
)
def test_nothing_else_of_the_machine_can_be_fetched_as_a_picture(
    client: TestClient, opened: App, name: str
) -> None:
    (opened.images / "secret.jpg").write_text("no picture of ours")
    answer = client.get(f"/images/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_a_link_among_the_pictures_is_not_followed(client: TestClient, opened: App) -> None:
    link = opened.images / f"{'a' * 32}.jpg"
    link.symlink_to(opened.root / ".env")
    assert client.get(f"/images/{link.name}").status_code == 404


# The archive


def subjects(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<h2[^>]*><a [^>]*>(.*?)</a></h2>", page)]


@pytest.fixture(scope="module")
def stocked(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A site with many issues, for tests that only read."""
    root = tmp_path_factory.mktemp("stocked") / "lantern"
    shutil.copytree(published, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_WEB_URL", WEB_URL)
        settings = load_settings(root)
    with open_app(root, settings=settings) as app:
        for number in range(1, 46):
            month, day = divmod(number - 1, 28)
            add_issue(
                app,
                f"2026-{month + 1:02}-{day + 1:02}",
                subject=f"Number {number} & <more>",
                text=f"Café at the {'quay' if number % 2 else 'mill'}, page {number}.\n",
            )
        yield visit(app)


def test_it_is_newest_first_and_in_pages(stocked: TestClient) -> None:
    first = stocked.get("/archive/wales")
    assert subjects(first.text)[:3] == [
        "Nine towns, one invoice",
        "Number 45 & <more>",
        "Number 44 & <more>",
    ]
    assert len(subjects(first.text)) == 20
    assert '<time datetime="2026-11-30">30 November 2026</time>' in first.text
    assert "Page 1 of 3" in first.text
    assert subjects(stocked.get("/archive/wales?page=3").text)[-1] == "Number 1 & <more>"
    assert len(subjects(stocked.get("/archive/wales?page=3").text)) == 6


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "９", "9" * 5000, ""])
def test_any_page_number_gives_a_page(stocked: TestClient, page: str) -> None:
    assert subjects(stocked.get("/archive/wales", params={"page": page}).text)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("quay", 23),
        ("QUAY", 23),
        ("cafe", 45),
        ("café mill", 22),
        ("number 7 quay", 4),
        ("invoice", 1),
        ("<more>", 45),
        ("' OR 1=1 --", 0),
        ("%", 0),
        ("zeppelin", 0),
        ("   ", 46),
        ("x" * 5000, 0),
    ],
)
def test_every_word_must_be_found_somewhere_in_an_issue(
    stocked: TestClient, query: str, count: int
) -> None:
    answer = stocked.get("/archive/wales", params={"q": query})
    assert answer.status_code == 200
    pages = -(-count // 20)
    found = len(subjects(answer.text)) + sum(
        len(subjects(stocked.get("/archive/wales", params={"q": query, "page": n}).text))
        for n in range(2, pages + 1)
    )
    assert found == count


def test_a_search_shows_where_and_is_no_page_for_search_engines(stocked: TestClient) -> None:
    answer = stocked.get("/archive/wales", params={"q": "mill <b>"})
    assert "<b>" not in answer.text
    answer = stocked.get("/archive/wales", params={"q": "mill"})
    assert "<mark>mill</mark>" in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in stocked.get("/archive/wales").headers


def test_another_regions_issues_are_not_found_here(stocked: TestClient) -> None:
    assert subjects(stocked.get("/archive/bristol").text) == ["Nine towns, one invoice"]
    assert subjects(stocked.get("/archive/bristol?q=quay+page").text) == []


def test_a_region_without_issues_says_so(client: TestClient, opened: App) -> None:
    opened.archive.freeze(ISSUE, {})
    assert "The first issue is still to come." in client.get("/archive/wales").text
    assert "The first issue is still to come." in client.get("/archive").text
    assert client.get("/").status_code == 200


def test_an_issue_that_was_withdrawn_is_gone_from_lists_that_were_read_before(
    opened: App, client: TestClient
) -> None:
    add_issue(opened, "2026-02-17", subject="Number 45", text="One page.\n")
    assert "Number 45" in client.get("/archive/wales?q=page").text
    with opened.database.write() as connection:
        connection.execute(text("UPDATE issues SET state = 'cancelled' WHERE id = '2026-02-17'"))
    assert "Number 45" not in client.get("/archive/wales?q=page").text
    assert "Number 45" not in client.get("/archive/wales").text


def test_pages_stand_under_the_path_of_the_web_address(
    publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_WEB_URL", "https://lantern.example/briefing")
    with open_app(publication) as app:
        client = TestClient(site_of(app), base_url="https://lantern.example")
        for path in ("/briefing/archive/wales", "/archive/wales"):
            page = client.get(path).text
            inner = [link for link in Links(page).found if link.startswith("/")]
            assert inner
            assert all(link.startswith("/briefing/") for link in inner)
        assert (
            f"https://lantern.example/briefing{WALES}"
            in client.get("/briefing/archive/wales/feed.xml").text
        )
        assert client.get("/briefing").status_code == 200
        assert client.get("/briefinger").status_code == 404
