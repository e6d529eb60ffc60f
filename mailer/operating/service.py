"""``mailer run``: which parts there are, and all of them under one supervisor.

``schedule`` looks every minute at what is due: drafts, and each region's sending at its hour.
``sending`` tries again what was put off, finishes what a crash left, mails confirmations and lets
go of what is too old. ``pages`` are the public pages. Each is a process (``supervising``). All may
run twice, on one machine or several, because locks and rows decide who acts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import structlog

from mailer.app import App, open_app
from mailer.clock import SystemClock
from mailer.errors import ConfigurationError, MailerError
from mailer.operating.gauges import Gauges
from mailer.operating.listener import Listener
from mailer.operating.living import living
from mailer.operating.notifying import notify
from mailer.operating.parts import PartName
from mailer.operating.patrol import Patrol
from mailer.operating.readiness import Probe, database_probes, port_trouble, schedule_probe
from mailer.operating.supervising import Part, PartState, Supervisor
from mailer.usecases import unattended
from mailer.usecases.rereading import Rereading
from mailer.usecases.unattended import start_log

log = structlog.get_logger()

STUCK_S = 30.0
ROUND_S = 10.0
"""How often the sending looks for what is due."""


def serve_parts(app: App, names: Sequence[PartName]) -> None:
    """Run these parts until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the listener for health cannot be had.
        IllegalTransition: an upgrade or a restore is under way.
    """
    start_log(app)
    for fault in app.faults_before_sending():
        log.warning("cannot.send", why=str(fault))
    # A rehearsal's clock stands still, and a supervisor must not stand with it.
    clock = SystemClock()
    beats = [clock.monotonic()]

    def beat() -> None:
        beats[0] = clock.monotonic()
        notify("WATCHDOG=1")

    supervisor = Supervisor(
        [Part(str(name), _command(app.root, name)) for name in names],
        clock=clock,
        may_reload=lambda: _is_sound(app.root),
        beat=beat,
    )

    def probes() -> list[Probe]:
        found = [Probe(state.part.name, _trouble(app, state)) for state in supervisor.states]
        found += database_probes(app.database)
        if PartName.SCHEDULE in names and not found[-1].trouble:
            found.append(schedule_probe(app.database, app.clock))
        return found

    with ExitStack() as stack:
        stack.enter_context(living(app.database))
        if address := app.settings.health_address():
            gauges = Gauges(app, lambda: supervisor.states)
            listener = Listener(
                *address,
                is_alive=lambda: clock.monotonic() - beats[0] < STUCK_S,
                probes=probes,
                figures=gauges.text,
            )
            stack.enter_context(listener)
            log.info("health.open", host=address[0], port=listener.port)
        log.info("run.started", title=app.publication.title, parts=[str(name) for name in names])
        notify("READY=1", f"STATUS={', '.join(names)}")
        supervisor.run()


def run_part(app: App, name: PartName, serve_pages: Callable[[], None]) -> None:
    """Do one part's work in this process until SIGTERM or SIGINT.

    Args:
        app: the publication.
        name: which.
        serve_pages: what the part ``pages`` does; the pages are no business of this stage.
    """
    start_log(app, part=str(name))
    if name is PartName.PAGES:
        serve_pages()
        return
    with living(app.database):
        if name is PartName.SCHEDULE:
            unattended.make_runner(app, is_alone=False).run_forever()
            return
        patrol = Patrol()
        look_after = unattended.looking_after(app, patrol.should_stop)
        follow = Rereading(app)
        said = [""]

        def look() -> None:
            follow()
            note = look_after()
            if note and note != said[0]:
                log.info("sending.retried", what=note)
            said[0] = note

        log.info("sending.started")
        patrol.walk(look, every_s=ROUND_S)
        log.info("sending.ended")


def _trouble(app: App, state: PartState) -> str:
    if not state.is_up:
        return f"not running: {state.ended}"
    if state.part.name == PartName.PAGES:
        # Its process is there some seconds before it listens.
        return port_trouble(app.settings.web_host, app.settings.web_port)
    return ""


def _command(root: Path, name: PartName) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "mailer", "--publication", str(root)),
        *("run", "--only", str(name), "--lifeline"),
    )


def _is_sound(root: Path) -> bool:
    """Say whether the files can be used now; what runs goes on with the old where they cannot."""
    try:
        with open_app(root) as app:
            _ = app.templates
    except (ConfigurationError, MailerError) as error:
        for fault in error.faults:
            log.error("run.not_reloaded", why=str(fault))  # noqa: TRY400  the fault says it all
        return False
    return True
