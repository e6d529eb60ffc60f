"""The diary for calendars: what readers were told of, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import icalendar
from starlette.testclient import TestClient

from mailer.app import App
from mailer.articles.article import DiaryEntry, Document
from tests.web.conftest import visit
from tests.web.publishing import ISSUE


def uids(body: str) -> set[str]:
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return {str(event["uid"]).partition("@")[0] for event in events}


def linked(client: TestClient, region: str) -> set[str]:
    page = client.get(f"/issues/{ISSUE}/{region}").text
    return set(re.findall(r"/diary/([a-z0-9-]+)\.ics", page))


def test_every_happening_of_an_issue_can_be_added(client: TestClient) -> None:
    names = linked(client, "wales")
    assert len(names) >= 2
    for name in names:
        answer = client.get(f"/diary/{name}.ics")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.ics"'
        assert uids(answer.text) == {name}
        again = client.get(f"/diary/{name}.ics", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_a_regions_calendar_is_what_its_readers_were_told(client: TestClient) -> None:
    answer = client.get("/diary/wales.ics")
    assert uids(answer.text) == linked(client, "wales")
    assert answer.text.count("X-WR-CALNAME:") == 1
    assert "/diary/wales.ics" in client.get("/archive/wales").text


def test_what_no_issue_announced_is_not_public(client: TestClient, opened: App) -> None:
    (secret,) = opened.datebook.add(DiaryEntry("", "Surprise party", date(2026, 12, 24)))
    assert client.get(f"/diary/{secret.id}.ics").status_code == 404
    assert secret.id not in client.get("/diary/wales.ics").text
    assert client.get("/diary/nowhere.ics").status_code == 404


def test_what_an_editor_hides_is_gone_and_what_moves_is_told_anew(opened: App) -> None:
    client = visit(opened)
    first, second, *_ = sorted(linked(client, "wales"))
    opened.datebook.hide(first)
    assert client.get(f"/diary/{first}.ics").status_code == 404
    assert first not in client.get("/diary/wales.ics").text
    entry = opened.datebook.find(second)
    moved = replace(entry, on=date(2026, 12, 30), until=None)
    opened.library.keep(Document(entry.origin, (), (moved,)))
    calendar = icalendar.Calendar.from_ical(client.get(f"/diary/{second}.ics").text)
    (event,) = calendar.walk("VEVENT")
    assert event["uid"].startswith(f"{second}@")
    assert event["sequence"] == 1
    assert str(event.decoded("dtstart")).startswith("2026-12-30")
