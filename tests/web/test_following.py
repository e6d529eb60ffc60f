"""The pages follow the publication's files while they are being served."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from mailer.app import App
from mailer.clock import FixedClock
from mailer.errors import StorageFailed
from mailer.web.following import RETIRES_AFTER_S, Following, House
from mailer.web.wiring import _housed
from tests.cli.driving import change
from tests.web.process import served
from tests.web.publishing import WEB_URL

TITLE = r'^title = "The Lantern"'


@pytest.fixture
def following(opened: App, clock: FixedClock) -> Iterator[Following]:
    pages = Following(opened, _housed, clock=clock)
    pages.house.start()
    yield pages
    pages.stop()


def title(pages: Following) -> str:
    answer = TestClient(pages, base_url=WEB_URL).get("/")
    assert answer.status_code == 200
    found = re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)
    assert found
    return found[1]


def test_a_change_is_taken_when_the_files_are_at_rest(
    following: Following, publication: Path, clock: FixedClock
) -> None:
    first = following.house
    following.look()
    assert following.house is first
    change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
    following.look()
    assert "Lantern" in title(following)
    (publication / "templates" / "web").mkdir(parents=True, exist_ok=True)
    (publication / "templates" / "web" / "notes.txt").write_text("still at work")
    following.look()
    assert "Lantern" in title(following)
    following.look()
    assert "Beacon" in title(following)
    # Its postman does not know what is new; its pages go when nobody can wait for their answer.
    assert first.postman._thread is None
    assert first.site.state.reception._thread is not None
    clock.sleep(RETIRES_AFTER_S)
    following.look()
    assert first.site.state.reception._thread is None
    assert following.house.postman._thread is not None


@pytest.mark.parametrize("name", ["publication.toml", "templates/web/layout.html.j2"])
def test_what_is_at_fault_is_said_once_and_changes_nothing(
    following: Following, publication: Path, name: str
) -> None:
    path = publication / name
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('title = "The Beacon\n{% if %}')
    with capture_logs() as logs:
        for _number in range(4):
            following.look()
    assert [log["event"] for log in logs] == ["pages.at_fault"]
    assert path.name in logs[0]["why"]
    assert "Lantern" in title(following)
    if before is None:
        path.unlink()
    else:
        path.write_text(before)
    change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
    following.look()
    following.look()
    assert "Beacon" in title(following)


def test_what_fails_for_a_passing_reason_is_said_once_and_tried_again(
    opened: App, publication: Path, clock: FixedClock
) -> None:
    failures = [StorageFailed("the disk is full"), StorageFailed("the disk is full")]

    def make(app: App) -> House:
        if "Beacon" in app.publication.title and failures:
            raise failures.pop()
        return _housed(app)

    pages = Following(opened, make, clock=clock)
    pages.house.start()
    try:
        change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
        with capture_logs() as logs:
            for _number in range(3):
                pages.keep_up()
            assert "Lantern" in title(pages)
            pages.keep_up()
        assert "Beacon" in title(pages)
    finally:
        pages.stop()
    said = [(log["event"], log.get("why")) for log in logs if log["event"].startswith("pages.")]
    assert said == [("pages.not_followed", "the disk is full"), ("pages.reread", None)]


def test_what_is_saved_while_the_pages_start_is_not_missed(
    opened: App, publication: Path, clock: FixedClock
) -> None:
    change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
    pages = Following(opened, _housed, clock=clock)
    try:
        assert "Beacon" in title(pages)
    finally:
        pages.stop()


def let_fail(house: House) -> None:
    """Let a site's reception end, but not without an error."""
    reception = house.site.state.reception
    stop = reception.stop

    def failing() -> None:
        stop()
        raise OSError("the disk is gone")

    reception.stop = failing


def test_a_postman_ends_although_the_reception_could_not(opened: App) -> None:
    house = _housed(opened)
    house.start()
    let_fail(house)
    with pytest.raises(OSError, match="disk is gone"):
        house.stop()
    assert house.postman._thread is None


def test_every_site_ends_although_one_could_not(
    opened: App, publication: Path, clock: FixedClock
) -> None:
    pages = Following(opened, _housed, clock=clock)
    first = pages.house
    first.start()
    change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
    pages.look()
    pages.look()
    assert pages.house is not first
    let_fail(first)
    with pytest.raises(OSError, match="disk is gone"):
        pages.stop()
    assert pages.house.postman._thread is None
    assert pages.house.site.state.reception._thread is None


def test_readers_see_it_without_a_restart(publication: Path, tmp_path: Path) -> None:
    with served(publication, log=tmp_path / "log") as server:
        assert "The Lantern" in httpx2.get(server.url, timeout=60).text
        change(publication / "publication.toml", TITLE, 'title = "The Beacon"')
        until = time.monotonic() + 60
        while "The Beacon" not in (page := httpx2.get(server.url, timeout=60)).text:
            assert page.status_code == 200
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.2)
        server.process.terminate()
        assert server.process.wait(20) == 0
