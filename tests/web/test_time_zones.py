"""Readers choose which clocks are theirs, where the publication minds them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from sqlalchemy import select, update
from starlette.testclient import TestClient

from mailer.app import App, make_publication, open_app
from mailer.checked import is_zone
from mailer.storage import schema
from mailer.web.wiring import site_of
from mailer.web.zone_choices import Choices, zone_choices
from tests.web.conftest import working
from tests.web.publishing import WEB_URL

ADDRESS = "ada@reader.example"
PEOPLE = schema.subscribers


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILER_WEB_URL", WEB_URL)
    make_publication(tmp_path / "fresh")
    path = tmp_path / "fresh" / "publication.toml"
    text = path.read_text()
    assert "reader_time_zones = false" in text
    path.write_text(text.replace("reader_time_zones = false", "reader_time_zones = true"))
    return tmp_path / "fresh"


@pytest.fixture
def app(root: Path) -> Iterator[App]:
    with open_app(root) as opened:
        yield opened


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with working(app, follow_redirects=True) as opened:
        yield opened


@pytest.fixture
def page(app: App) -> str:
    added = app.register.add(ADDRESS, "wales", "Ada")
    return f"/preferences/{app.tokens.unsubscribe(added.id, 'wales')}"


def give(app: App, **fields: str) -> None:
    with app.database.write() as connection:
        connection.execute(update(PEOPLE).where(PEOPLE.c.address == ADDRESS).values(fields=fields))


def held(app: App) -> dict[str, str]:
    with app.database.read() as connection:
        found = connection.execute(select(PEOPLE.c.fields).where(PEOPLE.c.address == ADDRESS))
        return dict(found.scalar_one())


def choose(client: TestClient, page: str, **values: str) -> str:
    shown = client.get(page).text
    key = re.findall(r'name="key" value="([\w-]+)"', shown)[0]
    data = {"key": key, "region": "wales", "name": "Ada", **values}
    answer = client.post(page, data=data)
    assert answer.status_code == 200
    return answer.text


def chosen(shown: str) -> tuple[str, str]:
    """Return the zone that is selected and what the page calls it; the first where none is."""
    select_ = re.findall(r'<select id="time_zone".*?</select>', shown, re.DOTALL)[0]
    options = re.findall(r'<option value="([^"]*)"( selected)?>([^<]+)</option>', select_)
    assert sum(bool(is_on) for _, is_on, _ in options) <= 1
    return next(((zone, said) for zone, is_on, said in options if is_on), options[0][::2])


@pytest.mark.parametrize(
    ("language", "label", "own", "place"),
    [
        ("en", "Your time zone", "That of my edition", "United States – New York"),
        ("de", "Ihre Zeitzone", "Die meiner Ausgabe", "Vereinigte Staaten – New York"),
    ],
)
def test_a_reader_sees_and_changes_their_time_zone(
    app: App, client: TestClient, page: str, language: str, label: str, own: str, place: str
) -> None:
    give(app, town="Albany")
    page = f"{page}?lang={language}"
    shown = client.get(page).text
    assert label in shown
    assert chosen(shown) == ("", own)
    assert chosen(choose(client, page, time_zone="America/New_York")) == ("America/New_York", place)
    assert held(app) == {"town": "Albany", "time_zone": "America/New_York"}
    # A form without it, of a template of the publication's own, leaves it as it is.
    choose(client, page)
    assert held(app) == {"town": "Albany", "time_zone": "America/New_York"}
    assert chosen(choose(client, page, time_zone="")) == ("", own)
    assert held(app) == {"town": "Albany", "time_zone": ""}


def test_the_list_is_made_beside_the_loop_that_answers(
    client: TestClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_in_loop: list[bool] = []

    def make(locale: Locale, held: str = "") -> Choices:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            is_in_loop.append(False)
        else:
            is_in_loop.append(True)
        return zone_choices(locale, held)

    monkeypatch.setattr("mailer.web.reader_pages.zone_choices", make)
    assert client.get(page).status_code == 200
    assert is_in_loop == [False]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America", "<script>", "\0"])
def test_what_is_no_zone_is_not_taken(app: App, client: TestClient, page: str, zone: str) -> None:
    choose(client, page, time_zone="Asia/Tokyo")
    choose(client, page, time_zone=zone)
    assert held(app) == {"time_zone": "Asia/Tokyo"}


def test_a_rosters_own_zone_is_shown_whatever_it_is(
    app: App, client: TestClient, page: str
) -> None:
    give(app, time_zone="Etc/GMT+5")
    assert chosen(client.get(page).text) == ("Etc/GMT+5", "Etc/GMT+5")
    give(app, time_zone="half past noon")
    assert chosen(client.get(page).text)[0] == ""
    # Nothing was chosen, so what the roster said stays.
    choose(client, page, time_zone="")
    assert held(app) == {"time_zone": "half past noon"}


def test_a_publication_that_does_not_mind_them_neither_asks_nor_takes(
    root: Path, app: App, page: str
) -> None:
    path = root / "publication.toml"
    path.write_text(
        path.read_text().replace("reader_time_zones = true", "reader_time_zones = false")
    )
    with open_app(root) as other, TestClient(site_of(other), base_url=WEB_URL) as visit:
        shown = visit.get(page).text
        assert "time_zone" not in shown
        choose(visit, page, time_zone="Asia/Tokyo")
        assert held(other) == {}


@pytest.mark.parametrize("language", ["en_GB", "de", "cy", "ar"])
def test_every_zone_that_is_offered_is_one_and_has_a_name_of_its_own(language: str) -> None:
    choices = zone_choices(Locale.parse(language))
    assert len(choices) > 350
    assert all(is_zone(zone) and said.strip(" –") for zone, said in choices)
    assert len({said for _, said in choices}) == len(choices)
    assert len({zone for zone, _ in choices}) == len(choices)


def test_letters_with_marks_stand_where_a_reader_looks_for_them() -> None:
    countries = [said.partition(" – ")[0] for _, said in zone_choices(Locale("de"))]
    assert countries.index("Österreich") < countries.index("Polen")
