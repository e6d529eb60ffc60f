"""The pages behind a token: GET shows, POST acts, one click is one click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from mailer.app import App, make_publication, open_app
from mailer.audience.signups import TEXT, SignUp
from mailer.audience.subscriber import SubscriptionState
from mailer.clock import FixedClock
from mailer.storage import schema
from mailer.web.wiring import site_of
from tests.web.conftest import working
from tests.web.publishing import WEB_URL

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ADDRESS = "ada@reader.example"
_S = SubscriptionState


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("MAILER_WEB_URL", WEB_URL)
    make_publication(tmp_path / "fresh")
    with open_app(tmp_path / "fresh") as opened:
        opened.__dict__["clock"] = FixedClock(NOW)
        yield opened


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with working(app) as opened:
        yield opened


@pytest.fixture
def token(app: App) -> str:
    """The token in the mail of a reader of two lists."""
    app.register.add(ADDRESS, "wales", "Ada")
    added = app.register.add(ADDRESS, "national")
    return app.tokens.unsubscribe(added.id, "wales")


def confirm_token(app: App, *regions: str) -> str:
    app.sign_ups.keep([SignUp(ADDRESS, regions or ("wales",), app.clock.now())])
    app.sign_ups.work_off()
    claimed = app.outbox.step()
    assert claimed is not None
    return claimed.token


def states(app: App) -> dict[str, SubscriptionState]:
    person = app.register.show(ADDRESS).subscriber
    assert person is not None
    return {link.region: link.state for link in person.subscriptions}


def key_of(page: str, *, last: bool = False) -> str:
    found = re.findall(r'name="key" value="([\w-]+)"', page)
    return str(found[-1 if last else 0])


def dump(app: App) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with app.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in schema.metadata.sorted_tables
        }


def test_a_confirmation_is_shown_by_get_and_taken_by_post(app: App, client: TestClient) -> None:
    token = confirm_token(app, "wales", "national")
    page = client.get(f"/confirm/{token}")
    assert page.status_code == 200
    assert "a…@reader.example" in page.text
    assert page.headers["x-robots-tag"].startswith("noindex")
    assert page.headers["cache-control"] == "no-store"
    assert states(app) == {"wales": _S.PENDING, "national": _S.PENDING}

    done = client.post(f"/confirm/{token}", data={"key": key_of(page.text), "region": "wales"})
    assert done.status_code == 200
    assert "Welcome" in done.text
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.PENDING}
    again = client.get(f"/confirm/{token}")
    assert "Welcome" in again.text
    own = re.search(r'href="(/preferences/[\w-]+)"', again.text)
    assert own is not None
    assert client.get(own[1]).status_code == 200


def test_a_confirmation_without_a_region_asks_for_one(app: App, client: TestClient) -> None:
    token = confirm_token(app)
    page = client.get(f"/confirm/{token}")
    answer = client.post(f"/confirm/{token}", data={"key": key_of(page.text), "region": "essex"})
    assert answer.status_code == 422
    assert states(app) == {"wales": _S.PENDING}


def test_a_used_confirmation_shows_what_is_true_now(app: App, client: TestClient) -> None:
    token = confirm_token(app, "wales", "national")
    key = key_of(client.get(f"/confirm/{token}").text)
    done = client.post(f"/confirm/{token}", data={"key": key, "region": ["wales", "national"]})
    person = app.register.show(ADDRESS).subscriber
    assert person is not None
    app.clock.sleep(5)
    app.preferences.leave(person.id, region="wales")
    again = client.get(f"/confirm/{token}").text
    assert "Welcome" in done.text
    assert "Welcome" in again
    assert ">Wales<" in done.text
    assert ">Wales<" not in again

    app.preferences.leave(person.id)
    for page in (
        client.get(f"/confirm/{token}").text,
        client.post(f"/confirm/{token}", data={"key": key, "region": "wales"}).text,
    ):
        assert "Welcome" not in page
        assert "not on any list" in page
        assert 'href="/join"' in page
    assert states(app) == {"wales": _S.UNSUBSCRIBED, "national": _S.UNSUBSCRIBED}


def test_an_open_confirmation_does_not_welcome_who_left_after_asking(
    app: App, client: TestClient
) -> None:
    token = confirm_token(app)
    key = key_of(client.get(f"/confirm/{token}").text)
    person = app.register.show(ADDRESS).subscriber
    assert person is not None
    app.clock.sleep(5)
    app.preferences.leave(person.id)
    page = client.post(f"/confirm/{token}", data={"key": key, "region": "wales"}).text
    assert "Welcome" not in page
    assert "not on any list" in page
    assert states(app) == {"wales": _S.UNSUBSCRIBED}
    with app.database.read() as connection:
        assert connection.execute(select(schema.confirmations.c.used_at)).scalar_one() is None


def test_an_old_confirmation_says_so(app: App, client: TestClient) -> None:
    token = confirm_token(app)
    app.clock.sleep(timedelta(days=8).total_seconds())
    assert "too old" in client.get(f"/confirm/{token}").text


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_another_site_can_neither_confirm_nor_choose_nor_leave(
    app: App, client: TestClient, token: str, headers: dict[str, str]
) -> None:
    for path in (f"/preferences/{token}", f"/unsubscribe/{token}"):
        key = key_of(client.get(path).text)
        data = {"key": key, "region": "essex", "name": "x"}
        assert client.post(path, data=data, headers=headers).status_code == 422
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.CONFIRMED}


def test_a_key_of_another_readers_page_is_not_taken(
    app: App, client: TestClient, token: str
) -> None:
    other = app.register.add("bob@reader.example", "wales")
    theirs = app.tokens.unsubscribe(other.id, "wales")
    key = key_of(client.get(f"/unsubscribe/{theirs}").text)
    assert client.post(f"/unsubscribe/{token}", data={"key": key}).status_code == 422
    assert client.post(f"/unsubscribe/{token}", data={}).status_code == 422
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.CONFIRMED}


def test_preferences_change_and_say_so(app: App, client: TestClient, token: str) -> None:
    page = client.get(f"/preferences/{token}")
    assert page.text.count(" checked>") == 2
    data = {
        "key": key_of(page.text),
        "region": ["bristol", "national"],
        "name": "Ada L.",
        "pause": "4",
    }
    answer = client.post(f"/preferences/{token}", data=data)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/preferences/{token}?done=saved",
    )
    page = client.get(answer.headers["location"])
    assert "Saved." in page.text
    assert "25 December 2026" in page.text
    assert 'value="Ada L."' in page.text
    assert states(app) == {
        "wales": _S.UNSUBSCRIBED,
        "national": _S.CONFIRMED,
        "bristol": _S.CONFIRMED,
    }
    assert [each.address for each in app.register.recipients()] == []


def test_a_tick_is_kept_with_the_sentence_it_stood_beside(
    app: App, client: TestClient, token: str
) -> None:
    page = client.get(f"/preferences/{token}").text
    data = {"key": key_of(page), "region": ["wales", "bristol"], "name": ""}
    client.post(f"/preferences/{token}", data=data)
    facts, kept = schema.consent_events, schema.events
    with app.database.read() as connection:
        version = connection.execute(
            select(facts.c.form_version).where(facts.c.step == "choose")
        ).scalar_one()
        detail = connection.execute(
            select(kept.c.detail).where(kept.c.kind == TEXT, kept.c.issue_id == version)
        ).scalar_one()
    assert version.startswith("en-")
    assert detail["text"] in page


def test_no_edition_at_all_is_asked_about(app: App, client: TestClient, token: str) -> None:
    key = key_of(client.get(f"/preferences/{token}").text)
    answer = client.post(f"/preferences/{token}", data={"key": key, "name": "Ada"})
    assert answer.status_code == 422
    assert "at least one edition" in answer.text
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.CONFIRMED}


@pytest.mark.parametrize(
    "how",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
    ],
    ids=["urlencoded", "multipart"],
)
def test_one_click_needs_nothing_but_the_post(
    app: App, client: TestClient, token: str, how: dict[str, Any]
) -> None:
    client.cookies.clear()
    answer = client.post(
        f"/unsubscribe/{token}", **how, headers={"Sec-Fetch-Site": "cross-site", "Origin": "null"}
    )
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert states(app) == {"wales": _S.UNSUBSCRIBED, "national": _S.UNSUBSCRIBED}
    before = dump(app)
    for _ in range(3):
        assert client.post(f"/unsubscribe/{token}", **how).status_code == 200
    assert dump(app) == before


def test_one_click_is_never_too_often(app: App, client: TestClient, token: str) -> None:
    data = {"List-Unsubscribe": "One-Click"}
    answers = {client.post(f"/unsubscribe/{token}", data=data).status_code for _ in range(200)}
    assert answers == {200}


def test_a_retired_secret_still_lets_a_reader_leave(
    app: App, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SECRET_KEY", "a new secret of more than thirty-two characters")
    old = app.settings.secret_key.get_secret_value()
    monkeypatch.setenv("MAILER_RETIRED_SECRET_KEYS", old)
    with open_app(app.root) as renewed:
        site = site_of(renewed)
        with TestClient(site, base_url=WEB_URL) as client:
            answer = client.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        site.state.reception.stop()
    assert answer.status_code == 200
    assert states(app)["wales"] is _S.UNSUBSCRIBED


def test_leaving_by_the_page_undo_and_reason(app: App, client: TestClient, token: str) -> None:
    page = client.get(f"/unsubscribe/{token}")
    assert "Leave only Wales" in page.text
    left = client.post(f"/unsubscribe/{token}", data={"key": key_of(page.text)})
    assert left.status_code == 200
    assert states(app) == {"wales": _S.UNSUBSCRIBED, "national": _S.UNSUBSCRIBED}
    thanks = client.post(
        f"/unsubscribe/{token}/reason",
        data={"key": key_of(left.text, last=True), "why": "too much mail", "more": "Sorry"},
    )
    assert "Thank you" in thanks.text
    facts = schema.consent_events
    with app.database.read() as connection:
        notes = set(
            connection.execute(select(facts.c.note).where(facts.c.step == "unsubscribe")).scalars()
        )
    assert notes == {"too much mail: Sorry"}
    back = client.post(f"/unsubscribe/{token}/undo", data={"key": key_of(left.text)})
    assert back.headers["location"] == f"/preferences/{token}?done=undo"
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.CONFIRMED}


def test_undo_brings_back_only_what_the_slip_left(app: App, client: TestClient, token: str) -> None:
    page = client.get(f"/preferences/{token}")
    chosen = {"key": key_of(page.text), "region": "wales", "name": "Ada"}
    assert client.post(f"/preferences/{token}", data=chosen).status_code == 303
    key = key_of(client.get(f"/unsubscribe/{token}").text)
    left = client.post(f"/unsubscribe/{token}", data={"key": key})
    client.post(f"/unsubscribe/{token}/undo", data={"key": key_of(left.text)})
    assert states(app) == {"wales": _S.CONFIRMED, "national": _S.UNSUBSCRIBED}


def test_leaving_one_list_only(app: App, client: TestClient, token: str) -> None:
    key = key_of(client.get(f"/unsubscribe/{token}").text)
    client.post(f"/unsubscribe/{token}", data={"key": key, "only": "wales"})
    assert states(app) == {"wales": _S.UNSUBSCRIBED, "national": _S.CONFIRMED}


def test_who_was_forgotten_is_answered_like_who_left(app: App, client: TestClient) -> None:
    token = app.tokens.unsubscribe(9_999, "wales")
    assert "You have left" in client.get(f"/unsubscribe/{token}").text
    assert "You have left" in client.get(f"/preferences/{token}").text
    data = {"List-Unsubscribe": "One-Click"}
    assert client.post(f"/unsubscribe/{token}", data=data).status_code == 200


@pytest.mark.parametrize("path", ["/confirm/", "/preferences/", "/unsubscribe/"])
def test_a_token_that_is_not_ours_is_no_page(
    app: App, client: TestClient, token: str, path: str
) -> None:
    for guess in (token[:-1], token + "A", "x", "%00", token.lower()):
        assert client.get(path + guess).status_code == 404
        assert client.post(path + guess, data={"key": "x"}).status_code in {404, 422}
    before = dump(app)
    client.post(path + token[:-1], data={"List-Unsubscribe": "One-Click"})
    assert dump(app) == before


def test_get_and_head_change_nothing(app: App, client: TestClient, token: str) -> None:
    confirm = confirm_token(app, "bristol")
    before = dump(app)
    for path in (f"/confirm/{confirm}", f"/preferences/{token}", f"/unsubscribe/{token}"):
        for method in ("GET", "HEAD"):
            assert client.request(method, path).status_code == 200
    for path in (f"/unsubscribe/{token}/undo", f"/unsubscribe/{token}/reason"):
        assert client.get(path).status_code == 405
    assert dump(app) == before


def test_the_log_says_which_door_and_never_which_token(
    app: App, client: TestClient, token: str
) -> None:
    confirm = confirm_token(app)
    with capture_logs() as logs:
        client.get(f"/unsubscribe/{token}")
        client.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        client.get(f"/confirm/{confirm}?x={token}")
        client.get(f"/confirmed/{confirm}")
    assert len(logs) >= 4
    assert token not in str(logs)
    assert confirm not in str(logs)
    assert ADDRESS not in str(logs)
