"""The public pages follow the publication's files, and no request is lost over it.

Every ``LOOK_S`` seconds a thread looks when the files were changed and how long they are. When they
have changed, and not again by the next look (somebody may be in the middle of saving several), the
publication is read and a second site is made of it, which answers from then on. The first one ends
what it has under way and is closed a while later; its postman, who knows the old regions, ends at
once. A publication or a template that is at fault is logged once, and what was there before goes on
answering. What fails for another reason, such as a full disk, is logged once and tried again.

Known limits: ``.env`` is read at the start alone. The guards' counters begin anew with a site.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from mailer.app import App
from mailer.clock import Clock, SystemClock
from mailer.errors import ConfigurationError, RenderFailed, in_words
from mailer.publication import load_publication
from mailer.usecases.confirming import Postman
from mailer.usecases.rereading import marks_of, renewed, take

log = structlog.get_logger()

LOOK_S = 2.0
RETIRES_AFTER_S = 30.0
"""Longer than any request takes; one that stops arriving is sent away after half of that."""


@dataclass(frozen=True, slots=True)
class House:
    """A site with what works behind it."""

    app: App
    site: Starlette
    postman: Postman

    def start(self) -> None:
        """Begin to work off what comes in."""
        self.site.state.reception.start()
        self.postman.start()

    def stop(self) -> None:
        """Answer what waits, and end."""
        try:
            self.site.state.reception.stop()
        finally:
            self.postman.stop()


class Following:
    """An ASGI application: the site of the publication as its files say.

    Args:
        app: the publication as it was read at the start.
        make: builds a site with what works behind it.
        clock: for when a site that was replaced is closed.

    Raises:
        RenderFailed, ConfigurationError: the first site cannot be made.
    """

    def __init__(
        self, app: App, make: Callable[[App], House], *, clock: Clock | None = None
    ) -> None:
        self._make = make
        self._clock = clock or SystemClock()
        self._marks = self._seen = marks_of(app.root, app.publication)
        # Read after the marks: what was saved since the application was opened is not missed.
        publication = load_publication(app.root)
        if publication != app.publication:
            take(app, publication)
        self._trouble = ""
        self.house = make(app)
        self._retiring: list[tuple[float, House]] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.house.site(scope, receive, send)

    def start(self) -> None:
        """Begin to work and to follow."""
        self.house.start()
        self._thread = threading.Thread(target=self._follow, name="following", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every site there is."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        # One that cannot stop keeps none of the others from it.
        with ExitStack() as closing:
            closing.callback(self.house.stop)
            for _closes_s, house in self._retiring:
                closing.callback(house.stop)

    def keep_up(self) -> None:
        """Look; what goes wrong is logged once, and the pages go on as they are."""
        trouble, kind = "", ""
        try:
            self.look()
        except Exception as error:  # noqa: BLE001  the next look tries again
            trouble, kind = in_words(error), type(error).__name__
        # The same words every two seconds would drown the log.
        if trouble and trouble != self._trouble:
            log.warning("pages.not_followed", why=trouble, kind=kind)
        self._trouble = trouble

    def look(self) -> None:
        """Look at the files once; take a new site when they have changed and are at rest.

        Raises:
            Exception: for a reason outside the files; the next look tries again.
        """
        self._retire()
        app = self.house.app
        marks = marks_of(app.root, app.publication)
        is_at_rest, self._seen = marks == self._seen, marks
        if marks == self._marks or not is_at_rest:
            return
        try:
            house = self._make(renewed(app, load_publication(app.root)))
        except (RenderFailed, ConfigurationError) as error:
            # The files are at fault, and only another change of them can mend that.
            self._marks = marks
            for fault in error.faults:
                log.error("pages.at_fault", why=str(fault))  # noqa: TRY400  a person's slip
            return
        house.start()
        self._marks = marks
        old, self.house = self.house, house
        self._retiring.append((self._clock.monotonic() + RETIRES_AFTER_S, old))
        log.info("pages.reread", title=house.app.publication.title)
        # It might take up confirmations of regions it has never read of.
        old.postman.stop()

    def _retire(self) -> None:
        now_s = self._clock.monotonic()
        for item in list(self._retiring):
            closes_s, house = item
            if closes_s <= now_s:
                self._retiring.remove(item)
                house.stop()

    def _follow(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.keep_up()
