"""Confirmations over real SMTP into the development inbox, and a crawl of what arrived."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from mailer.app import App, make_publication, open_app
from mailer.audience.signups import SignUp
from mailer.cli.demonstration import edited
from mailer.clock import FixedClock
from mailer.inbox.server import InboxServer
from mailer.storage import schema
from mailer.usecases import editing, mailing, sign_off, sourcing
from mailer.usecases.confirming import LOCK, UNKNOWN_AGAIN, Confirmer, Postman
from mailer.web.wiring import site_of
from tests.cli.driving import change

WEB_URL = "https://mail.lantern.example"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    root = tmp_path / "lantern"
    monkeypatch.setenv("MAILER_WEB_URL", WEB_URL)
    make_publication(root)
    with open_app(root) as opened, InboxServer(opened.inbox, port=0) as server:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
        with open_app(root) as wired:
            yield wired


def sign_up(app: App, *addresses: str, language: str = "", regions: tuple[str, ...] = ()) -> None:
    app.sign_ups.keep(
        [
            SignUp(address, regions or ("wales", "national"), app.clock.now(), language=language)
            for address in addresses
        ]
    )
    while app.sign_ups.work_off():
        pass


def received(app: App) -> list[EmailMessage]:
    return [
        message_from_bytes(app.inbox.content(name), policy=policy.default)  # type: ignore[misc]
        for name in app.inbox.ids()
    ]


def test_a_confirmation_arrives_as_an_automatic_notice(app: App) -> None:
    sign_up(app, "ada@reader.example")
    done = Confirmer(app).send_due()
    assert (done.sent, done.deferred, done.given_up, done.trouble) == (1, 0, 0, "")
    (message,) = received(app)
    (stored,) = app.inbox.messages()
    assert stored.sender == "<>"
    assert message["To"] == "ada@reader.example"
    assert message["Reply-To"] == "wales@lantern.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert message["Precedence"] is None
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    link = re.search(rf"{WEB_URL}/confirm/([\w-]+)", text)
    assert link is not None
    assert link[0] in html
    assert len(link[1]) <= 60
    assert app.publication.postal_address in text
    assert app.confirmations.look(link[1]) is not None


def test_what_a_stranger_typed_is_not_mailed(app: App) -> None:
    app.sign_ups.keep(
        [SignUp("ada@reader.example", ("wales",), app.clock.now(), name="Win a million today")]
    )
    app.sign_ups.work_off()
    Confirmer(app).send_due()
    assert b"million" not in app.inbox.content(app.inbox.ids()[0])


def test_it_is_written_in_the_language_that_was_asked_for(app: App) -> None:
    sign_up(app, "ada@reader.example", language="de")
    Confirmer(app).send_due()
    (message,) = received(app)
    assert message["Content-Language"] == "de"
    assert "bestätigen" in message["Subject"]


def test_a_second_pass_sends_nothing(app: App) -> None:
    sign_up(app, "ada@reader.example")
    assert Confirmer(app).send_due().sent == 1
    assert Confirmer(app).send_due().sent == 0
    assert len(app.inbox.ids()) == 1


def test_two_processes_send_each_once(app: App) -> None:
    sign_up(app, *(f"r{number}@reader.example" for number in range(60)))
    with open_app(app.root) as other, ThreadPoolExecutor(2) as pool:
        passes = list(pool.map(lambda each: Confirmer(each).send_due(), (app, other)))
    while app.outbox.is_due():
        passes.append(Confirmer(app).send_due())
    assert sum(each.sent for each in passes) == 60
    to = [message["To"] for message in received(app)]
    assert len(to) == len(set(to)) == 60


def test_who_does_not_hold_the_lock_sends_nothing(app: App) -> None:
    sign_up(app, "ada@reader.example")
    with open_app(app.root) as other, other.database.exclusive(LOCK) as is_held:
        assert is_held
        assert Confirmer(app).send_due().sent == 0
    assert Confirmer(app).send_due().sent == 1


def test_without_a_relay_it_waits_and_says_why(
    app: App, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(app, "ada@reader.example")
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    with open_app(app.root) as wired:
        done = Confirmer(wired).send_due()
    assert done.sent == 0
    assert done.trouble
    assert Confirmer(app).send_due().sent == 1


def test_the_postman_comes_when_he_is_called(app: App) -> None:
    confirmer = Confirmer(app)
    has_sent = threading.Event()
    send_due = confirmer.send_due

    def watched(**given: object) -> object:
        done = send_due(**given)  # type: ignore[arg-type]
        if done.sent:
            has_sent.set()
        return done

    confirmer.send_due = watched  # type: ignore[method-assign, assignment]
    postman = Postman(confirmer)
    postman.start()
    try:
        sign_up(app, "ada@reader.example")
        postman.call()
        assert has_sent.wait(30)
    finally:
        postman.stop()
    assert len(app.inbox.ids()) == 1


@pytest.fixture
def newer(app: App, clock: FixedClock) -> Iterator[tuple[App, Confirmer]]:
    """A process that has read of a region, and the postman of one that has not."""
    before = Confirmer(app)
    (app.root / "subscribers" / "skye.toml").write_text(
        'name = "Skye"\nlist_id = "skye.lantern.example"\nreply_to = "skye@lantern.example"\n'
    )
    change(app.root / "publication.toml", '"wales",', '"wales", "skye",')
    with open_app(app.root) as opened:
        app.clock = opened.clock = clock
        yield opened, before


def test_a_region_unknown_here_is_left_to_a_process_that_knows_it(
    newer: tuple[App, Confirmer], clock: FixedClock
) -> None:
    app, before = newer
    sign_up(app, "ada@reader.example", regions=("skye", "wales"))
    done = before.send_due()
    assert (done.sent, done.deferred, done.given_up) == (0, 1, 0)
    assert Confirmer(app).send_due().sent == 0
    clock.sleep(UNKNOWN_AGAIN.total_seconds())
    assert Confirmer(app).send_due().sent == 1
    assert [message["To"] for message in received(app)] == ["ada@reader.example"]


def test_a_region_nobody_knows_is_given_up_when_the_link_ends(
    newer: tuple[App, Confirmer], clock: FixedClock
) -> None:
    app, before = newer
    sign_up(app, "ada@reader.example", regions=("skye",))
    lifetime_s = app.publication.audience.confirm_days * 24 * 60 * 60
    clock.sleep(lifetime_s - 90)
    assert before.send_due().deferred == 1
    clock.sleep(60)
    assert before.send_due().given_up == 1
    assert not app.outbox.is_due()


def test_a_kill_after_the_claim_repeats_the_same_mail(app: App) -> None:
    """The claim of a dead worker lapses; what is sent then is the same, byte for byte."""
    sign_up(app, "ada@reader.example")
    from mailer.delivery.notice import render

    confirmer = Confirmer(app)
    claimed = app.outbox.step()
    assert claimed is not None
    first = render(confirmer.write(claimed))
    table = schema.confirmations
    with app.database.write() as connection:
        connection.execute(table.update().values(due_at=app.clock.now()))
    again = app.outbox.step()
    assert again is not None
    assert render(Confirmer(app).write(again)).replace(b"\r\n", b"") == first.replace(b"\r\n", b"")
    assert render(confirmer.write(again)) == first


LINK = re.compile(rf"{re.escape(WEB_URL)}/[^\s\"'<>)\]]*")


def test_crawling_every_address_of_delivered_mail_changes_nothing(app: App) -> None:
    """What scanners and previews do: GET and HEAD of everything in an issue and a confirmation."""
    sourcing.ingest(app, [])
    issue = editing.draft(app, None).issue_id
    path = app.root / "issues" / f"{issue}.md"
    path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
    app.register.add("nora@reader.example", "wales", "Nora")
    sign_off.approve(app, issue, by="nora")
    mailing.send(app, issue)
    sign_up(app, "ada@reader.example")
    Confirmer(app).send_due()
    messages = received(app)
    assert len(messages) == 2
    found: set[str] = set()
    for message in messages:
        found.update(LINK.findall(message.get("List-Unsubscribe", "")))
        for part in message.walk():
            if part.get_content_maintype() == "text":
                found.update(LINK.findall(part.get_content().replace("&amp;", "&")))
    kinds = {urlsplit(each).path.split("/")[1] for each in found}
    assert kinds >= {"confirm", "unsubscribe", "preferences", "issues"}

    def dump() -> dict[str, list[tuple[object, ...]]]:
        with app.database.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in schema.metadata.sorted_tables
            }

    before = dump()
    site = site_of(app)
    with TestClient(site, base_url=WEB_URL, follow_redirects=True) as client:
        for address in sorted(found):
            for method in ("GET", "HEAD", "GET"):
                assert client.request(method, address).status_code == 200, address
    site.state.reception.stop()
    assert dump() == before
