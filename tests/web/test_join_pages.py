"""Joining by the pages: what is kept, what is refused, and that nobody can tell who is known."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog
from sqlalchemy import event, func, select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from mailer.app import App, make_publication, open_app
from mailer.audience.subscriber import SubscriptionState
from mailer.clock import FixedClock
from mailer.storage import schema
from mailer.web.join_pages import TRAP
from mailer.web.wiring import site_of
from tests.web.conftest import visit
from tests.web.publishing import WEB_URL as HOST

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("MAILER_WEB_URL", HOST)
    make_publication(tmp_path / "fresh")
    with open_app(tmp_path / "fresh") as opened:
        opened.__dict__["clock"] = FixedClock(NOW)
        yield opened


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    site = site_of(app)
    with TestClient(site, base_url=HOST, follow_redirects=False, client=("192.0.2.1", 1)) as opened:
        yield opened
    site.state.reception.stop()


def settle(client: TestClient) -> None:
    """Wait until what was kept has been looked at."""
    client.app.state.reception.stop()  # type: ignore[attr-defined]


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([\w-]+)"', page)
    assert found is not None
    return found[1]


def fill(client: TestClient, **given: Any) -> dict[str, Any]:
    """Open the form, wait as a person does, and fill it in."""
    key = key_of(client.get("/join").text)
    client.app.state.reception._clock.sleep(5)  # type: ignore[attr-defined]
    return {"address": "ada@reader.example", "name": "Ada", "region": "wales", "key": key, **given}


def rows(app: App, table: Any) -> int:
    with app.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def refusals(app: App) -> dict[str, int]:
    tallies = schema.tallies
    with app.database.read() as connection:
        found = connection.execute(select(tallies).where(tallies.c.name == "refused_posts"))
        return {row.key: row.count for row in found}


def test_the_form_works_without_a_cookie_or_a_script(client: TestClient) -> None:
    page = client.get("/join")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.text.count('type="checkbox"') == 14


def waiting(app: App) -> int:
    """Return how many confirmations are still to be mailed, now or later."""
    table = schema.confirmations
    with app.database.read() as connection:
        return len(connection.execute(select(table).where(table.c.due_at.is_not(None))).all())


def test_a_sign_up_is_kept_and_a_confirmation_is_due(app: App, client: TestClient) -> None:
    answer = client.post("/join", data=fill(client, region=["wales", "national"]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/check-your-mail")
    settle(client)
    person = app.register.show("ada@reader.example").subscriber
    assert person is not None
    assert person.name == "Ada"
    assert {link.region: link.state for link in person.subscriptions} == {
        "wales": SubscriptionState.PENDING,
        "national": SubscriptionState.PENDING,
    }
    assert waiting(app) == 1
    assert client.get("/check-your-mail").status_code == 200


def test_the_text_that_was_agreed_to_is_kept_under_its_version(
    app: App, client: TestClient
) -> None:
    client.post("/join", data=fill(client))
    settle(client)
    facts, events = schema.consent_events, schema.events
    with app.database.read() as connection:
        version = connection.execute(select(facts.c.form_version)).scalar_one()
        text = connection.execute(select(events).where(events.c.issue_id == version)).one()
    assert version.startswith("en")
    assert "I can leave with one click" in text.detail["text"]


@pytest.mark.parametrize(
    ("place", "region", "name"),
    [
        ("Cardiff", "wales", "Wales"),
        ("cf10 1aa", "wales", "Wales"),
        ("N17", "north-london", "North London"),
        ("Tottenhan", "north-london", "North London"),
    ],
)
def test_a_place_proposes_its_region(
    client: TestClient, place: str, region: str, name: str
) -> None:
    page = client.get("/join", params={"place": place}).text
    assert re.search(rf'value="{region}" checked', page)
    assert page.count(" checked>") == 1
    assert f"<strong>{name}</strong>" in page


def test_a_place_nobody_knows_ticks_nothing(client: TestClient) -> None:
    page = client.get("/join", params={"place": "<b>Atlantis"}).text
    assert " checked>" not in page
    assert "We do not know &lt;b&gt;Atlantis" in page


def test_a_regions_own_page_ticks_it(client: TestClient) -> None:
    assert re.search(r'value="wales" checked', client.get("/join/wales").text)
    assert client.get("/join/atlantis").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("address", "nobody", "not a mail address"),
        ("address", "a@localhost", "not a mail address"),
        ("region", "atlantis", "at least one edition"),
        ("name", "buy https://spam.example", "no addresses"),
        ("name", "x" * 500, "at most 200 letters"),
    ],
)
def test_what_cannot_be_used_comes_back_with_a_sentence(
    app: App, client: TestClient, field: str, value: str, sentence: str
) -> None:
    answer = client.post("/join", data=fill(client, **{field: value}))
    assert answer.status_code == 422
    assert sentence in answer.text
    settle(client)
    assert rows(app, schema.subscribers) == 0


def test_a_trap_is_answered_like_any_post_and_kept_nowhere(app: App, client: TestClient) -> None:
    trapped = client.post("/join", data=fill(client, **{TRAP: "https://x.example"}))
    honest = client.post("/join", data=fill(client))
    assert (trapped.status_code, trapped.headers["location"]) == (
        honest.status_code,
        honest.headers["location"],
    )
    settle(client)
    assert rows(app, schema.subscribers) == 1
    assert refusals(app) == {"trap": 1}


def test_a_form_filled_in_faster_than_a_person_reads_is_asked_again(
    app: App, client: TestClient
) -> None:
    key = key_of(client.get("/join").text)
    data = {"address": "ada@reader.example", "region": "wales", "key": key}
    answer = client.post("/join", data=data)
    assert answer.status_code == 422
    assert "very quick" in answer.text
    # The same page, sent once more by a person a moment later, is taken.
    app.clock.sleep(3)
    assert client.post("/join", data=data | {"key": key_of(answer.text)}).status_code == 303


@pytest.mark.parametrize("key", ["", "forged", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"])
def test_a_form_without_our_key_is_not_taken(app: App, client: TestClient, key: str) -> None:
    answer = client.post("/join", data=fill(client, key=key))
    assert answer.status_code == 422
    settle(client)
    assert rows(app, schema.subscribers) == 0
    assert refusals(app) == {"forged": 1}


def test_a_key_of_another_form_or_an_old_one_is_not_taken(app: App, client: TestClient) -> None:
    data = fill(client)
    app.clock.sleep(13 * 3600)
    assert client.post("/join", data=data).status_code == 422
    app.clock.sleep(1)
    settle(client)
    assert refusals(app) == {"stale": 1}


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": HOST}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://mail.lantern.example.evil.example"}, False),
    ],
)
def test_a_form_is_taken_from_our_own_pages_only(
    app: App, client: TestClient, headers: dict[str, str], is_taken: bool
) -> None:
    answer = client.post("/join", data=fill(client), headers=headers)
    assert answer.status_code == (303 if is_taken else 403)
    settle(client)
    assert rows(app, schema.subscribers) == int(is_taken)


def test_a_form_on_another_website_leads_to_ours_and_acts_on_nothing(
    app: App, client: TestClient
) -> None:
    answer = client.post(
        "/join/wales",
        data={"address": "ada@reader.example", "name": "Ada"},
        headers={"Origin": "https://lantern.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 200
    assert 'value="ada@reader.example"' in answer.text
    assert re.search(r'value="wales" checked', answer.text)
    assert rows(app, schema.sign_ups) == rows(app, schema.subscribers) == 0
    app.clock.sleep(3)
    data = {"address": "ada@reader.example", "region": "wales", "source": "embedded"}
    client.post("/join", data=data | {"key": key_of(answer.text)})
    settle(client)
    assert app.register.show("ada@reader.example").history[0].source == "embedded"


def test_one_network_is_told_when_it_is_too_often(app: App, client: TestClient) -> None:
    data = fill(client)
    answers = [
        client.post("/join", data=data | {"address": f"r{n}@d{n}.example"}).status_code
        for n in range(70)
    ]
    assert answers == [303] * 60 + [429] * 10
    settle(client)
    assert rows(app, schema.subscribers) == 60
    assert refusals(app) == {"network": 10}


def test_one_address_is_answered_the_same_when_it_is_too_often(
    app: App, client: TestClient
) -> None:
    data = fill(client)
    answers = {client.post("/join", data=data).status_code for _ in range(20)}
    assert answers == {303}
    settle(client)
    assert refusals(app) == {"address": 15}
    assert waiting(app) == 1


def test_the_answer_and_the_work_before_it_are_the_same_for_every_address(
    app: App, client: TestClient
) -> None:
    """Status, headers, body and every statement the database runs before the answer."""
    app.register.add("confirmed@reader.example", "wales")
    app.register.add("left@reader.example", "wales")
    app.register.remove("left@reader.example")
    app.register.suppress("suppressed@reader.example", "complaint")
    client.post("/join", data=fill(client, address="pending@reader.example"))
    settle(client)
    seen: list[str] = []
    reception = client.app.state.reception  # type: ignore[attr-defined]
    # The looking over comes after the answer; it is held back so that only what is before counts.
    reception._look_over = lambda _limit: False
    told = {}

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(app.database.engine, "before_cursor_execute", note)
    for who in ("unknown", "pending", "confirmed", "left", "suppressed"):
        data = fill(client, address=f"{who}@reader.example")
        seen.clear()
        answer = client.post("/join", data=data)
        told[who] = (answer.status_code, dict(answer.headers), answer.content, tuple(seen))
    event.remove(app.database.engine, "before_cursor_execute", note)
    assert any("INSERT INTO sign_ups" in each for each in told["unknown"][3])
    assert all(each == told["unknown"] for each in told.values())


def test_the_log_names_no_address_and_no_key(app: App, client: TestClient) -> None:
    data = fill(client)
    with capture_logs() as logs:
        client.post("/join", data=data)
        client.post("/join", data=data | {"address": "broken"})
    text = str(logs)
    assert "ada@reader.example" not in text
    assert data["key"] not in text


def test_ten_thousand_hostile_posts_leave_no_trace_but_counters(
    app: App, client: TestClient
) -> None:
    good = fill(client)
    kinds = [
        {**good, TRAP: "x"},
        {**good, "key": ""},
        {**good, "key": good["key"][:-1] + ("A" if good["key"][-1] != "A" else "B")},
        {**good, "address": "' OR 1=1 --"},
        {**good, "region": "../../etc/passwd"},
        {**good, "name": "{{7*7}} https://x.example"},
    ]
    before = len(list(app.root.rglob("*")))

    async def post(number: int) -> int:
        """Send one as a server hands it over, from a network of its own."""
        body = urlencode(kinds[number % len(kinds)]).encode()
        headers = [
            (b"host", b"mail.lantern.example"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(body)).encode()),
        ]
        if number % 7 == 0:
            headers.append((b"sec-fetch-site", b"cross-site"))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": "/join",
            "raw_path": b"/join",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": (f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}", 1),
            "server": ("mail.lantern.example", 443),
        }
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        await client.app(scope, receive, send)  # type: ignore[arg-type]
        return status

    async def storm() -> set[int]:
        return {await post(number) for number in range(10_000)}

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    assert asyncio.run(storm()) == {303, 403, 422}
    settle(client)
    with app.database.read() as connection:
        filled = [
            table.name
            for table in schema.metadata.sorted_tables
            if connection.execute(select(func.count()).select_from(table)).scalar_one()
        ]
    assert filled == ["tallies"]
    counted = refusals(app)
    assert set(counted) == {"origin", "trap", "forged"}
    assert counted["origin"] == 1429
    assert len(list(app.root.rglob("*"))) <= before + 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('repeats = "monthly"', "einmal im Monat"),
        ('send_day = ["mon", "thu"]', "2-mal in der Woche"),
    ],
)
def test_pages_promise_the_schedules_own_rhythm(
    publication: Path, settings: str, said: str
) -> None:
    file = publication / "publication.toml"
    key = settings.partition(" ")[0]
    text, count = re.subn(rf"(?m)^{key} = .*$", settings, file.read_text("utf-8"), count=1)
    assert count == 1
    file.write_text(text, "utf-8")
    with open_app(publication) as app:
        client = visit(app)
        for path in ("/", "/join"):
            page = client.get(path, params={"lang": "de"}).text
            assert said in page
            assert "einmal in der Woche" not in page
