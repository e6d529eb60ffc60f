"""Proofs: marked, of every region or a matrix, with links that work and change nothing."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from mailer.app import App, open_app
from mailer.inbox.reading import parse
from mailer.inbox.store import Store
from mailer.lighttable.sample_readers import LONGEST
from mailer.storage import schema
from mailer.web.wiring import site_of
from tests.cli.driving import ISSUE, Mailer, change

TO = "nora@lantern.example"
WEB_URL = "https://mail.lantern.example"


def dump(app: App) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with app.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in schema.metadata.sorted_tables
        }


def text_of(content: bytes) -> str:
    part = parse(content).get_body(("plain",))
    assert part is not None
    return str(part.get_content())  # type: ignore[attr-defined]


def test_every_region_is_proofed_and_nothing_is_touched(
    mailer: Mailer, inbox: Store, drafted: Path
) -> None:
    with open_app(drafted.parent.parent) as app:
        before = dump(app)
        names = [region.name for region in app.regions(None)]
    said = mailer("test", "next", "--to", TO, "--to", TO.upper(), "--json")
    assert said.code == 0
    assert [row["outcome"] for row in said.data] == ["accept"] * len(names)
    subjects = [stored.subject for stored in inbox.messages()]
    assert subjects == [f"[Proof] {name}: Nine towns, one invoice" for name in names]
    with open_app(drafted.parent.parent) as app:
        assert dump(app) == before
    assert mailer("issue", "show", "next", "--json").data["state"] == "draft"


def test_a_matrix_has_the_edges(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    words = ("--to", TO, "--region", "wales", "--region", "scotland", "--matrix")
    assert mailer("test", "next", *words).code == 0
    messages = {stored.subject: inbox.content(stored.id) for stored in inbox.messages()}
    marks = [subject.removeprefix("[Proof] ").partition(":")[0] for subject in messages]
    assert sorted(marks) == [
        "Scotland, longest name",
        "Scotland, no name",
        "Wales, longest name",
        "Wales, no name",
    ]
    for subject, content in messages.items():
        wanted = LONGEST.name if "longest" in subject else "Dear reader,"
        assert wanted in text_of(content)
        assert not message_from_bytes(content, policy=policy.default).defects


def test_what_is_wrong_is_told_before_anything_leaves(
    mailer: Mailer, inbox: Store, drafted: Path
) -> None:
    assert mailer("test", "next", "--to", "no address").code == 1
    assert mailer("test", "next", "--to", TO, "--region", "atlantis").code == 4
    change(drafted, r"^subject: .*$", 'subject: ""')
    said = mailer("test", "next", "--to", TO)
    assert said.code == 1
    assert "subject" in said.err
    assert inbox.messages() == []


def test_a_relay_that_is_not_there_is_told(
    mailer: Mailer, drafted: Path, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    said = mailer("test", "next", "--to", TO)
    assert said.code == 3
    (line,) = said.error_lines
    assert "MAILER_RELAY_PORT" in line
    assert "ledger" not in line


def test_the_links_work_and_change_nothing(
    mailer: Mailer, inbox: Store, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_WEB_URL", WEB_URL)
    assert mailer("test", "next", "--to", TO, "--region", "wales").code == 0
    (stored,) = inbox.messages()
    content = inbox.content(stored.id)
    header = re.search(r"<(https:[^>]+)>", str(parse(content)["List-Unsubscribe"]))
    assert header is not None
    links = {
        urlsplit(url).path.split("/")[1]: url
        for url in re.findall(rf"{re.escape(WEB_URL)}/\S+", text_of(content))
    }
    assert {"unsubscribe", "preferences", "proof"} <= set(links)
    assert links["unsubscribe"] == header[1]
    with open_app(drafted.parent.parent) as app:
        site = site_of(app)
        before = dump(app)
        with TestClient(site, base_url=WEB_URL, follow_redirects=False) as client:
            for name in ("unsubscribe", "preferences"):
                shown = client.get(links[name])
                assert shown.status_code == 200
                assert "This is a proof" in shown.text
                assert TO not in shown.text
                assert shown.headers["x-robots-tag"].startswith("noindex")
            for path in ("preferences", "unsubscribe", "unsubscribe/undo", "unsubscribe/reason"):
                name, _, rest = path.partition("/")
                url = links[name] + (f"/{rest}" if rest else "")
                form = {"region": "scotland", "name": "Eve", "why": "not for me", "only": "wales"}
                done = client.post(url, data=form, headers={"Origin": WEB_URL})
                assert done.status_code == 200
                assert "nothing was changed" in done.text
            one_click = client.post(header[1], data={"List-Unsubscribe": "One-Click"})
            assert (one_click.status_code, one_click.text) == (
                200,
                "This is a proof; nothing was changed.\n",
            )
            online = client.get(links["proof"])
            assert online.status_code == 200
            assert "Nine towns, one invoice" in online.text
            assert "A proof, as the issue is now" in online.text
            assert online.headers["cache-control"] == "no-store"
            assert client.get(f"{WEB_URL}/issues/{ISSUE}/wales").status_code == 404
            token = links["proof"].rpartition("/")[2]
            forged = token[:-1] + ("A" if token[-1] != "A" else "B")
            for page in ("proof", "preferences", "unsubscribe"):
                assert client.get(f"{WEB_URL}/{page}/{forged}").status_code == 404
            # A reader's own link is no proof's.
            own = app.tokens.unsubscribe(1, "wales")
            assert client.get(f"{WEB_URL}/proof/{own}").status_code == 404
        site.state.reception.stop()
        assert dump(app) == before
