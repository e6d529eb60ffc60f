"""A reader's way in a real Chromium without JavaScript, from joining to leaving by one click.

`mailer serve` runs as a process and mails through the development inbox. Every page on the way is
kept as a picture in ``test-output/journey`` and searched by axe-core, which must find nothing.
"""

from __future__ import annotations

import itertools
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from mailer.app import App, make_publication, open_app
from mailer.cli.demonstration import edited
from mailer.clock import SystemClock
from mailer.inbox.server import InboxServer
from mailer.usecases import editing, mailing, sign_off, sourcing
from mailer.web.formkeys import SHORTEST_FILL, FormKeys
from mailer.web.join_pages import PURPOSE
from tests.browser.looking import SCHEMES, SIZES, looks
from tests.browser.searching import search
from tests.web.process import Served, served

PICTURES = Path(__file__).parents[2] / "test-output" / "journey"
WEB_URL = "https://mail.lantern.example"

OVERFLOW = """() => [document.documentElement.scrollWidth - document.documentElement.clientWidth,
  [...document.querySelectorAll('body *:not(.skip):not(.trap):not(.trap *)')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
  }).slice(0, 3).map(e => e.outerHTML.slice(0, 120))]"""

SMALL = """() => [...document.querySelectorAll('main button, main a.button, main input')]
  .filter(e => !e.closest('.trap'))
  .filter(e => e.type !== 'hidden' && !e.closest('label'))
  .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
  .filter(([, height]) => height > 0 && height < 44)"""


@dataclass
class Town:
    """A running site, its inbox and an issue that went out."""

    app: App
    site: Served
    issue: str

    def mail_to(self, address: str) -> Any:
        """Return the newest message to an address; waits for the worker."""
        for _ in range(300):
            for stored in reversed(self.app.inbox.messages()):
                if address in stored.recipients:
                    content = self.app.inbox.content(stored.id)
                    return message_from_bytes(content, policy=policy.default)
            SystemClock().sleep(0.1)
        raise AssertionError(f"nothing came to {address}")

    def let_time_pass(self, page: Any) -> None:
        """Make the form on a page one that was opened a while ago, as a person's is."""
        key = FormKeys(self.app.tokens).make(PURPOSE, SystemClock().now() - 2 * SHORTEST_FILL)
        page.locator("input[name=key]").evaluate("(field, key) => { field.value = key }", key)

    def local(self, address: str) -> str:
        """Return an address of the mail as this test reaches it."""
        return address.replace(WEB_URL, self.site.url)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("journey")
    root = folder / "lantern"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("MAILER_WEB_URL", WEB_URL)
        make_publication(root)
        inbox = stack.enter_context(open_app(root)).inbox
        server = stack.enter_context(InboxServer(inbox, port=0))
        patch.setenv("MAILER_RELAY_PORT", str(server.port))
        app = stack.enter_context(open_app(root))
        sourcing.ingest(app, [])
        issue = editing.draft(app, None).issue_id
        path = root / "issues" / f"{issue}.md"
        path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
        app.register.add("first@reader.example", "wales", "Nora")
        sign_off.approve(app, issue, by="nora")
        mailing.send(app, issue)
        site = stack.enter_context(
            served(
                root,
                log=folder / "log",
                MAILER_WEB_URL=WEB_URL,
                MAILER_RELAY_PORT=str(server.port),
            )
        )
        yield Town(app, site, issue)


Visit = Callable[..., Any]


@pytest.fixture
def visit(town: Town, chromium: Any) -> Iterator[Visit]:
    """Open a browser; a request to anywhere else or a cookie fails the test.

    The town comes first: while a browser is open, no other event loop can run in this thread.
    """
    contexts: list[Any] = []
    foreign: list[str] = []

    def open_(*, width: int = 1280, scheme: str = "light", script: bool = False) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
            locale="en-GB",
        )
        contexts.append(context)
        context.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(town.site.url) else foreign.append(asked.url)
            ),
        )
        return context.new_page()

    yield open_
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert foreign == []
    assert cookies == []


_numbers = itertools.count(1)


class Walk:
    """One reader's way with one browser; every step is looked at."""

    def __init__(self, page: Any, label: str) -> None:
        self.page = page
        self.label = label
        self.address = f"walker{next(_numbers)}@reader.example"

    def look(self, name: str) -> None:
        """Keep a picture, and check that everything fits and can be pressed by a thumb."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}-{self.label}.png", full_page=True)
        excess, elements = self.page.evaluate(OVERFLOW)
        assert (excess, elements) == (0, []), name
        assert self.page.evaluate(SMALL) == [], name
        assert self.page.evaluate("document.querySelectorAll('h1').length") == 1, name


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_join_confirm_choose_read_leave(visit: Visit, town: Town, size: str, scheme: str) -> None:
    from playwright.sync_api import expect

    page = visit(width=SIZES[size], scheme=scheme)
    walk = Walk(page, f"{size}-{scheme}")

    page.goto(f"{town.site.url}/join")
    walk.look("01-join")
    page.get_by_label("Not sure which edition is yours?").fill("Cardiff")
    page.get_by_role("button", name="Find it").click()
    expect(page.get_by_label("Wales")).to_be_checked()
    walk.look("02-join-proposed")
    page.get_by_label("Your mail address").fill("no address")
    page.locator("form[method=post]").evaluate("form => form.noValidate = true")
    town.let_time_pass(page)
    page.get_by_role("button", name="Sign me up").click()
    expect(page.get_by_text("not a mail address").first).to_be_visible()
    walk.look("03-join-wrong")
    page.get_by_label("Your mail address").fill(walk.address)
    page.get_by_label("Your name").fill("Wanda Walker")
    town.let_time_pass(page)
    page.get_by_role("button", name="Sign me up").click()
    expect(page).to_have_url(f"{town.site.url}/check-your-mail")
    walk.look("04-check-your-mail")

    message = town.mail_to(walk.address)
    text = message.get_body(("plain",)).get_content()
    link = re.search(rf"{WEB_URL}/confirm/\S+", text)
    assert link is not None
    mail = page.context.new_page()
    mail.set_content(message.get_body(("html",)).get_content())
    mail.screenshot(path=PICTURES / f"05-mail-{walk.label}.png", full_page=True)
    excess, elements = mail.evaluate(OVERFLOW)
    assert (excess, elements) == (0, [])
    mail.close()

    page.goto(town.local(link[0]))
    walk.look("06-confirm")
    page.get_by_role("button", name="Yes, put me on the list").click()
    expect(page.get_by_role("heading", name="Welcome, you are on the list")).to_be_visible()
    walk.look("07-confirmed")

    page.get_by_role("link", name="Change what you get").click()
    expect(page.get_by_label("Your name")).to_have_value("Wanda Walker")
    walk.look("08-preferences")
    page.get_by_label("Bristol").check()
    page.get_by_label("Pause").select_option("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Bristol")).to_be_checked()
    walk.look("09-saved")
    token = page.url.partition("?")[0].rpartition("/")[2]

    page.goto(f"{town.site.url}/issues/{town.issue}/wales")
    page.screenshot(path=PICTURES / f"10-issue-{walk.label}.png", full_page=True)
    expect(page.get_by_text("Wales").first).to_be_visible()

    page.goto(f"{town.site.url}/unsubscribe/{token}")
    walk.look("11-leave")
    page.get_by_role("button", name="Leave every list").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()
    walk.look("12-left")
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_text("You are back on the list")).to_be_visible()
    walk.look("13-undone")

    # What a mail provider's machine posts when its own button is pressed.
    body = b"List-Unsubscribe=One-Click"
    with urllib.request.urlopen(f"{town.site.url}/unsubscribe/{token}", body) as answer:
        assert (answer.status, answer.geturl()) == (200, f"{town.site.url}/unsubscribe/{token}")
    person = town.app.register.show(walk.address).subscriber
    assert person is not None
    assert {link.state.value for link in person.subscriptions} == {"unsubscribed"}


def pages_of(town: Town, address: str) -> dict[str, str]:
    """Return every page a reader meets, by name."""
    from mailer.audience.signups import SignUp

    app = town.app
    app.sign_ups.keep([SignUp(address, ("wales", "national"), app.clock.now())])
    app.sign_ups.work_off()
    text = town.mail_to(address).get_body(("plain",)).get_content()
    link = re.search(rf"{WEB_URL}(/confirm/\S+)", text)
    assert link is not None
    reader = app.register.add(f"axe-{address}", "wales")
    app.register.add(f"axe-{address}", "national")
    gone = app.register.add(f"gone-{address}", "wales")
    app.register.remove(f"gone-{address}")
    token = app.tokens.unsubscribe(reader.id, "wales")
    return {
        "join": "/join",
        "join-german": "/join?lang=de",
        "join-found": "/join?place=Cardiff",
        "join-unknown": "/join?place=Atlantis",
        "join-region": "/join/wales",
        "check": "/check-your-mail",
        "confirm": link[1],
        "preferences": f"/preferences/{token}",
        "preferences-saved": f"/preferences/{token}?done=saved",
        "preferences-german": f"/preferences/{token}?lang=de",
        "leave": f"/unsubscribe/{token}",
        "left": f"/unsubscribe/{app.tokens.unsubscribe(gone.id, 'wales')}",
    }


def test_axe_finds_nothing_on_any_page(visit: Visit, town: Town) -> None:
    # The script is axe's own; the pages have none.
    page = visit(script=True)
    searched: list[str] = []
    found: dict[tuple[str, ...], Any] = {}

    def search_in_every_look(name: str) -> None:
        searched.append(name)
        for look in looks(page):
            if violations := search(page):
                found[name, *look] = violations

    for name, path in pages_of(town, "axe@reader.example").items():
        page.goto(f"{town.site.url}{path}")
        search_in_every_look(name)
        if name in {"confirm", "leave"}:
            # The page after the button, and with it the forms for undo and reason.
            page.locator("main form[method=post] button").first.click()
            search_in_every_look(f"{name}-done")
    page.goto(f"{town.site.url}/join")
    page.locator("form[method=post]").evaluate("form => form.noValidate = true")
    town.let_time_pass(page)
    page.get_by_role("button", name="Sign me up").click()
    search_in_every_look("join-wrong")
    assert found == {}
    assert len(searched) == 15


def test_the_whole_way_by_keyboard(visit: Visit, town: Town) -> None:
    page = visit()
    page.goto(f"{town.site.url}/join/wales")
    address = "keys@reader.example"
    page.get_by_label("Your mail address").focus()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.type("Kay")
    page.keyboard.press("Tab")
    # The trap is not on the way: the next stop is the first edition.
    assert page.evaluate("document.activeElement.name") == "region"
    # This reader is waited for: a person needs two seconds, and is believed after them.
    SystemClock().sleep(2.1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/check-your-mail")
    assert town.mail_to(address)["To"] == address


def test_a_form_on_another_website_leads_here(visit: Visit, town: Town, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    from mailer.usecases.snippet import embeddable_form

    page = visit()
    snippet = town.local(embeddable_form(town.app, "wales"))
    page.set_content(f"<!doctype html><title>Elsewhere</title>{snippet}")
    page.get_by_label("Your mail address").fill("else@reader.example")
    page.get_by_role("button").click()
    expect(page.get_by_text("One more press, please.")).to_be_visible()
    expect(page.get_by_label("Your mail address")).to_have_value("else@reader.example")
    town.let_time_pass(page)
    page.get_by_role("button", name="Sign me up").click()
    page.wait_for_url("**/check-your-mail")
    assert town.mail_to("else@reader.example")["To"] == "else@reader.example"
