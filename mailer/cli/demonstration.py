"""``mailer demo``: the whole way once, with nothing outside this process but the loopback.

A scratch publication, the sample articles, a draft with its reasons, an editor's few words, every
region's edition rendered and checked, an approval, real SMTP to the development inbox, and every
message read back and compared with the ledger. What a person may want to look at is left in the
output folder; the scratch folder is removed.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mailer.app import App, make_publication, open_app
from mailer.cli.output import complain, note, progress, say, table
from mailer.cli.sending_commands import show_summary
from mailer.delivery.message import compile_edition
from mailer.errors import Fault, InvalidInput
from mailer.inbox.reading import Expected, ReadBack, read_back
from mailer.inbox.server import InboxServer
from mailer.issues.writing import PLACEHOLDER
from mailer.scaffold import sample_notes, sample_opening
from mailer.selection.reasons import Decision
from mailer.settings import load_settings
from mailer.usecases import (
    editing,
    mailing,
    previewing,
    proofing,
    readers,
    sign_off,
    sourcing,
)

MARK = ".made-by-mailer-demo"
"""Tells a folder of ours, which may be replaced, from somebody's own."""

SHOWN_REASONS = 8


def run_demo(output: Path, *, serve: bool, port: int) -> bool:
    """Run the demonstration; True when every planned delivery was accepted and read back whole."""
    _make_room(output)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailer-demo-") as scratch:
        root = Path(scratch) / "publication"
        made = make_publication(root)
        _step(f"A publication: {len(made)} files in a scratch folder")
        with _inbox_of(root) as (app, server):
            is_good = _whole_way(app, output)
            say()
            say(f"Everything is in {output}/ : editions, messages, pictures, the issue's file.")
            say(f"It took {time.monotonic() - started:.1f} s.")
            if serve:
                from mailer.usecases.inboxes import serve_page

                serve_page(app, port=port, announce=say, smtp_port=server.port)
    return is_good


def _whole_way(app: App, output: Path) -> bool:
    name = _draft(app)
    with progress("Rendering") as step:
        rendered = proofing.render(app, name, progress=step)
    _step(f"{len(rendered.editions)} editions rendered and checked")
    for finding in rendered.findings:
        note(f"  {finding}")
    files = previewing.preview(app, name, out=output / "editions").files
    shutil.copytree(app.images, output / "images", dirs_exist_ok=True)
    shutil.copy(app.root / "issues" / f"{name}.md", output)
    record = sign_off.approve(app, name, by="the demo's editor")
    _step(f"Approved; checksum {record['checksum'][:16]}…, {len(files)} editions frozen")

    with progress("Sending") as step:
        summary = mailing.send(app, name, watch=lambda pulse: step(pulse.done, pulse.total))
    _step("Sent over SMTP to the development inbox")
    show_summary(summary)
    found = check_inbox(app, name)
    messages = output / "messages"
    messages.mkdir()
    for message in app.inbox.messages():
        region = message.list_id.partition(".")[0] or "unknown"
        target = messages / f"{region}-{message.id}.eml"
        target.write_bytes(app.inbox.content(message.id))
    is_accepted = summary["totals"] == {"accepted": summary["total"]} and summary["total"] > 0
    if found.problems:
        complain(InvalidInput(Fault(problem) for problem in found.problems[:20]))
    say(f"Read back from the inbox: {found.intact} of {summary['total']} messages intact.")
    return is_accepted and found.is_intact and found.intact == summary["total"]


def _draft(app: App) -> str:
    with progress("Reading") as step:
        report = sourcing.ingest(app, [], progress=step)
    if report.faults:
        raise InvalidInput(report.faults)
    rosters = readers.import_rosters(
        app,
        basis="consent",
        by="demo",
        is_dry_run=False,
        progress=lambda _done, _total, _label="": None,
    )
    added = sum(roster.to_data()["added"] for roster in rosters)
    _step(
        f"{len(report.to_data()['articles'])} articles taken in; "
        f"{added} readers on {len(rosters)} lists"
    )
    result = editing.draft(app, None)
    name = result.issue_id
    found = editing.issue_data(app, name)
    _step(f"Issue {name} drafted; each story with its reason, the rest in `mailer why`")
    rows = [
        (block["title"], pick["title"], pick["why"])
        for block in found["blocks"]
        for pick in block["picks"]
        if not block["block"].startswith("region:")
    ]
    table("", ["section", "story", "why"], rows)
    table("Left out, for instance", ["story", "why not"], left_out(app.archive.decisions(name)))
    path = app.root / "issues" / f"{name}.md"
    path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
    _step("An editor writes the subject, the opening, a quote and a note for each region")
    return name


def left_out(decisions: Sequence[Decision]) -> list[tuple[str, str]]:
    """Return a few stories that stand nowhere in the issue, each with its first reason."""
    chosen = {decision.article_id for decision in decisions if decision.is_chosen}
    found: dict[str, str] = {}
    for decision in decisions:
        # A story that one block had no room for may stand in another.
        if decision.article_id not in chosen and decision.rule not in {"window", "too-new"}:
            found.setdefault(decision.article_id, decision.reasons[0])
    return list(found.items())[:SHOWN_REASONS]


def edited(text: str) -> str:
    """Return the draft as an editor would leave it: only the lines meant to be filled change."""
    notes = sample_notes()
    text = text.replace(PLACEHOLDER, sample_opening().strip())
    for key in ("subject", "preheader"):
        text = _fill(text, rf"^{key}: .*$", f"{key}: {_quoted(notes[key])}")
    for slug, words in notes["regions"].items():
        text = _fill(
            text, rf"^  {re.escape(slug)}:\n    note: .*$", f"  {slug}:\n    note: {_quoted(words)}"
        )
    quote, source = _quoted(notes["quote"]), _quoted(notes["quote_source"])
    return _fill(
        text,
        r"^quote:\n  text: .*\n  source: .*$",
        f"quote:\n  text: {quote}\n  source: {source}",
    )


def _fill(text: str, pattern: str, replacement: str) -> str:
    return re.sub(pattern, lambda _match: replacement, text, count=1, flags=re.MULTILINE)


def _quoted(words: str) -> str:
    # A JSON string is a YAML string.
    return json.dumps(words, ensure_ascii=False)


def check_inbox(app: App, name: str) -> ReadBack:
    """Compare the inbox with the ledger: one whole message for each delivery, and no other."""
    editions = mailing.frozen_editions(app, name)
    compiled = {
        region: compile_edition(frozen.edition, frozen.head, signer=app.signer)
        for region, frozen in editions.items()
    }

    def expected() -> Iterator[Expected]:
        for delivery in app.ledger.deliveries(name):
            edition = compiled[delivery.region]
            fields = readers.reader_fields(app, delivery, web_url=editions[delivery.region].web_url)
            yield Expected(
                address=delivery.address,
                message_id=edition.message_id(delivery),
                subject=editions[delivery.region].edition.subject,
                list_id=app.region(delivery.region).list_id,
                unsubscribe_url=fields["unsubscribe_url"],
                text_values=(fields["address"], fields["unsubscribe_url"]),
                html_values=(fields["greeting"], fields["unsubscribe_url"]),
            )

    return read_back(app.inbox, expected())


@contextmanager
def _inbox_of(root: Path) -> Iterator[tuple[App, InboxServer]]:
    """Open the publication with an inbox on a free port as its relay."""
    with open_app(root) as first, InboxServer(first.inbox) as server:
        settings = load_settings(root).model_copy(update={"relay_port": server.port})
        with open_app(root, settings=settings) as app:
            yield app, server


def _make_room(output: Path) -> None:
    if output.exists() and any(output.iterdir()) and not (output / MARK).exists():
        raise InvalidInput(
            Fault(
                "is not empty and was not made by an earlier demo",
                where=str(output),
                remedy="choose another folder with --output",
            )
        )
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / MARK).write_text("This folder is replaced by the next `mailer demo`.\n")


def _step(text: str) -> None:
    say(f"▸ {text}", style="bold")
