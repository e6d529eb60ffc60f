"""The light table while an editor works: what is saved is seen, a mistake is told and mended."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from mailer.app import make_publication, open_app
from mailer.cli.demonstration import edited
from mailer.lighttable.live import Live
from mailer.resources import templates_dir
from mailer.usecases import editing, sourcing
from mailer.usecases.live_preview import Workbench
from tests.web.publishing import FRIDAY, ISSUE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("live") / "lantern"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_FIXED_NOW", FRIDAY)
        make_publication(made)
        with open_app(made) as app:
            sourcing.ingest(app, [])
            path = made / "issues" / f"{editing.draft(app, None).issue_id}.md"
            path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
    return made


@pytest.fixture
def address(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("MAILER_FIXED_NOW", FRIDAY)
    bench = Workbench(root, ISSUE, ["national", "wales"])
    live = Live(bench)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(live.app(), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{live.path}"
        live.end()
        server.should_exit = True
        thread.join()
    bench.close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    asked: list[str] = []
    own = address.split("/", 3)[2]
    context.on("request", lambda each: own in each.url or asked.append(each.url))
    opened = context.new_page()
    opened.goto(f"{address}#wales")
    opened.wait_for_selector("body[data-drawn]")
    opened.wait_for_selector("body[data-state=live]")
    yield opened
    context.close()
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []


def in_frame(page: Page, expression: str) -> Any:
    """Evaluate something of the mail on show, ``mail`` being its document."""
    frame = 'document.querySelector(".screen iframe:not(.coming)")'
    return page.evaluate(
        f"() => {{ const mail = {frame}?.contentDocument; return mail && {expression}; }}"
    )


def seen(page: Page, words: str) -> None:
    """Wait until the mail on show has words."""
    for _ in range(400):
        if words in (in_frame(page, "mail.body?.textContent") or ""):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{words!r} was never seen")


def test_a_saved_template_is_seen_and_a_broken_one_is_told(page: Page, root: Path) -> None:
    own = root / "templates" / "briefing" / "parts" / "quote.mjml.j2"
    shipped = (templates_dir() / "parts" / own.name).read_text()
    line = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>\n"
    own.parent.mkdir(parents=True)
    own.write_text(line.format("First words of a new part") + shipped)
    seen(page, "First words of a new part")

    own.write_text("\n" + line.format("{{ issue.subjet }}"))
    trouble = page.locator("#trouble li")
    trouble.wait_for()
    told = trouble.inner_text()
    assert "quote.mjml.j2:2" in told
    assert "did you mean 'subject'?" in told
    seen(page, "First words of a new part")
    page.reload()
    trouble.wait_for()
    seen(page, "First words of a new part")

    own.write_text(line.format("Mended words"))
    seen(page, "Mended words")
    page.locator("#trouble").wait_for(state="hidden")


def test_a_saved_issue_is_seen_where_one_was_reading(page: Page, root: Path) -> None:
    path = root / "issues" / f"{ISSUE}.md"
    text = path.read_text()
    seen(page, "Nine towns, one invoice")
    in_frame(page, "mail.scrollingElement.scrollTo(0, 900)")
    # The frame that is read in stays: only what changed is drawn anew.
    in_frame(page, "(mail.defaultView.isRead = true)")
    path.write_text(f"{text}\nA last sentence from the columnist.\n")
    seen(page, "A last sentence from the columnist.")
    assert in_frame(page, "mail.scrollingElement.scrollTop") == 900
    assert in_frame(page, "mail.defaultView.isRead")

    path.write_text(text.replace("subject:", "subjekt:", 1))
    trouble = page.locator("#trouble li")
    trouble.first.wait_for()
    assert f"{ISSUE}.md" in trouble.first.inner_text()
    path.write_text(text)
    page.locator("#trouble").wait_for(state="hidden")


def test_a_changed_publication_is_opened_anew(page: Page, root: Path) -> None:
    path = root / "publication.toml"
    text = path.read_text()
    path.write_text(text.replace("The week, seen from where you live", "A new line below the name"))
    seen(page, "A new line below the name")
    path.write_text(text.replace("title =", "titel =", 1))
    page.locator("#trouble li").first.wait_for()
    assert "publication.toml" in page.locator("#trouble").inner_text()
    # A template that is saved meanwhile does not make the publication readable.
    (root / "templates" / "briefing").mkdir(parents=True, exist_ok=True)
    (root / "templates" / "briefing" / "unused.txt.j2").write_text("nothing\n")
    page.wait_for_timeout(300)
    assert page.locator("#trouble").is_visible()
    path.write_text(text)
    page.locator("#trouble").wait_for(state="hidden")
    seen(page, "The week, seen from where you live")
