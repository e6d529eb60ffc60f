"""Mailing confirmations: one worker, one at a time, never from inside a request.

``send_due`` takes what is due from the outbox until nothing is left. It holds a lock that ends with
its process, so that ``mailer run``, ``mailer serve`` and a second of either never work at once; who
does not get it returns at once. ``Postman`` calls it from a thread when there is something to do.

What a relay says decides: accepted is sent; a temporary refusal is tried again after a growing
delay, as deliveries are; a lasting one is given up; a reply that never came counts as sent, since
whoever waits can ask again and nobody should get two. A refusal of the sender ends the pass.

A region that is not known is tried again every minute while the link works: the pages take a new
one sooner than other processes do, and the next try may be by one that has read of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import structlog

from mailer.app import App
from mailer.audience.outbox import Claimed, Settled
from mailer.delivery.delivery import Outcome, Verdict
from mailer.delivery.message import letterhead
from mailer.delivery.notice import Notice, outgoing
from mailer.delivery.retries import next_try_at
from mailer.delivery.single import SingleRelay
from mailer.editions.letter import FOLDER, Letter, render_letter
from mailer.editions.templates import load_templates
from mailer.errors import InvalidInput, MailerError
from mailer.languages import load_languages

log = structlog.get_logger()

LOCK = "confirming"
SET = f"{FOLDER}/confirm"
FIELDS = ("address", "confirm_url", "until")

LOOK_S = 5.0
"""How long an idle postman waits before it looks by itself."""

UNKNOWN_AGAIN = timedelta(minutes=1)
"""Until a confirmation of a region we do not know is due again."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did; ``trouble`` is why it ended early, "" when it did not."""

    sent: int = 0
    deferred: int = 0
    given_up: int = 0
    trouble: str = ""


class Confirmer:
    """Writes confirmations and hands them to the relay.

    Args:
        app: the publication.

    Raises:
        RenderFailed: a template cannot be used.
        ConfigurationError: a catalogue cannot be read.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        override = app.root / "templates"
        self._templates = load_templates(SET, override=override, has_parts=False)
        self._languages = load_languages(override)
        self._letter = lru_cache(maxsize=256)(self._render)

    def send_due(self, *, should_stop: Callable[[], bool] = lambda: False) -> Pass:
        """Send what is due; return at once when another process does."""
        app = self._app
        if not app.outbox.is_due():
            return Pass()
        if faults := app.faults_before_sending():
            return Pass(trouble=str(faults[0]))
        with app.database.exclusive(LOCK) as is_ours:
            if not is_ours:
                return Pass()
            relay = app.relays.first()
            try:
                if trouble := relay.open():
                    return Pass(trouble=str(trouble))
                return self._work(relay, should_stop)
            finally:
                relay.close()

    def write(self, claimed: Claimed) -> Notice:
        """Return a confirmation as it will be sent; the same every time."""
        app = self._app
        first = app.publication.region_map[claimed.regions[0]]
        tag = self._languages.choose(
            asked=claimed.language, accepted="", usual=first.language or app.publication.language
        )
        return Notice(
            letter=self._letter(claimed.regions, tag),
            head=letterhead(app.publication, first),
            address=claimed.address,
            fields={
                "address": claimed.address,
                "confirm_url": f"{app.web_url}/confirm/{claimed.token}",
                "until": self._languages.words(tag).date(claimed.expires_at),
            },
            key=claimed.seed,
            dated_at=claimed.dated_at,
            region=first.slug,
        )

    def _render(self, regions: tuple[str, ...], tag: str) -> Letter:
        publication = self._app.publication
        return render_letter(
            self._templates,
            publication,
            self._languages.words(tag),
            fields=FIELDS,
            values={
                "regions": [publication.region_map[slug].name for slug in regions],
                "web_url": self._app.web_url,
            },
        )

    def _work(self, relay: SingleRelay, should_stop: Callable[[], bool]) -> Pass:
        outbox = self._app.outbox
        sent = deferred = given_up = 0
        claimed = outbox.step()
        while claimed is not None:
            outcome = None
            if self._is_known(claimed):
                outcome = self._deliver(relay, claimed)
                settled = self._settled(claimed, outcome)
            else:
                settled = self._put_off(claimed)
            sent += settled.is_sent
            deferred += settled.again_at is not None
            given_up += not settled.is_sent and settled.again_at is None
            if outcome is not None and outcome.is_sender_at_fault:
                outbox.settle(settled)
                return Pass(sent, deferred, given_up, outcome.note or str(outcome.reply))
            if should_stop():
                outbox.settle(settled)
                break
            claimed = outbox.step(settled)
        return Pass(sent, deferred, given_up)

    def _is_known(self, claimed: Claimed) -> bool:
        return self._app.publication.region_map.keys() >= set(claimed.regions)

    def _put_off(self, claimed: Claimed) -> Settled:
        """Leave one to who knows its regions; given up when its link ends before the next try."""
        again_at = self._app.clock.now() + UNKNOWN_AGAIN
        return Settled(
            claimed.token_hash, again_at=again_at if again_at < claimed.expires_at else None
        )

    def _deliver(self, relay: SingleRelay, claimed: Claimed) -> Outcome | None:
        """Carry one; None when it cannot be written at all."""
        if not claimed.regions:
            return None
        try:
            return relay.deliver(outgoing(self.write(claimed), signer=self._app.signer))
        except InvalidInput:
            return None

    def _settled(self, claimed: Claimed, outcome: Outcome | None) -> Settled:
        if outcome is None or outcome.verdict is Verdict.REFUSE:
            return Settled(claimed.token_hash)
        if outcome.verdict is not Verdict.DEFER:
            return Settled(claimed.token_hash, is_sent=True)
        now = self._app.clock.now()
        again_at = next_try_at(
            claimed.attempts,
            now=now,
            first_tried_at=claimed.dated_at,
            policy=self._app.publication.retry,
            key=claimed.seed,
        )
        return Settled(claimed.token_hash, again_at=again_at)


class Postman:
    """A thread that mails confirmations as they come, until it is stopped."""

    def __init__(self, confirmer: Confirmer) -> None:
        self._confirmer = confirmer
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = ""

    def start(self) -> None:
        """Begin; looks at once."""
        if self._thread is None:
            self._stopping.clear()
            self._called.set()
            self._thread = threading.Thread(target=self._work, name="postman", daemon=True)
            self._thread.start()

    def call(self) -> None:
        """Say that there may be something to send."""
        self._called.set()

    def stop(self) -> None:
        """End after the mail under way."""
        if self._thread is not None:
            self._stopping.set()
            self._called.set()
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._called.wait(LOOK_S)
            self._called.clear()
            if not self._stopping.is_set():
                self._look()

    def _look(self) -> None:
        try:
            done = self._confirmer.send_due(should_stop=self._stopping.is_set)
        except MailerError as error:
            done = Pass(trouble=str(error))
        except Exception as error:  # noqa: BLE001 - a fault in one pass must not end the next
            done = Pass(trouble=type(error).__name__)
        if done.trouble and done.trouble != self._trouble:
            log.warning("confirmations.trouble", why=done.trouble)
        self._trouble = done.trouble
        if done.sent or done.given_up:
            log.info("confirmations", sent=done.sent, deferred=done.deferred, lost=done.given_up)
