"""A year of Mondays on a clock of its own: each region gets each issue once, or a row says why not.

Everything is real but the clock and the relay: two machines with an application each on one
database, which are restarted, switched off for days and disagree about who is at work.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import capture_logs

from mailer.app import App, open_app
from mailer.clock import FixedClock
from mailer.delivery.delivery import Outcome, Reply, Verdict
from mailer.delivery.routes import Route
from mailer.delivery.transaction import Outgoing, Work
from mailer.schedule.calendar import upcoming
from mailer.schedule.jobs import Runner
from mailer.schedule.lease import Lease
from mailer.schedule.runs import Run, Runs, RunState
from mailer.settings import load_settings
from mailer.usecases.unattended import make_runner
from tests.town import approve, make_town, open_town, write_article

FIRST = date(2026, 3, 2)
MONDAYS = [FIRST + timedelta(weeks=week) for week in range(52)]
"""From before the spring's change of the clocks to after the autumn's, in London and New York."""

REGIONS = {
    "national": {},
    "wales": {"parent": "national"},
    "new-york": {"parent": "national", "time_zone": "America/New_York"},
}
READERS = 2

OFF_FROM = datetime(2026, 6, 14, 15, tzinfo=UTC)
OFF_FOR = timedelta(days=3)
IN_THE_OUTAGE = "2026-06-15"
UNAPPROVED = "2026-08-10"
SKIPPED = "2026-12-28"
MOVED, MOVED_TO = "2026-05-25", "2026-05-26"
RESTARTS = {"2026-04-13", "2026-09-21", "2027-01-18"}
OAK_IS_OFF = {"2026-07-06", "2026-07-13"}

SCHEDULE = """
late_hours = 12
ingest_hours = 24
approve_by = "sun 21:00"

[[schedule.holidays]]
date = 2026-05-25
then = "next_day"

[[schedule.holidays]]
date = 2026-12-28
name = "the winter break"
"""


@dataclass
class Relay:
    """Takes everything at once, and remembers it by reader and issue."""

    briefings: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def take(self, item: Outgoing) -> Outcome:
        content = item.content if isinstance(item.content, bytes) else b"".join(item.content)
        if item.envelope.sender:
            self.briefings[item.delivery.address, item.delivery.issue_id] += 1
        else:
            mail: Any = message_from_bytes(content, policy=policy.default)
            self.told.append(str(mail["Subject"]).removeprefix("The Lantern: "))
        return Outcome(Verdict.ACCEPT, Reply(250, "2.0.0", "taken"))

    # What the application asks of its relays.

    def routes(self) -> list[Route]:
        return [Route(relay=lambda: Dialler(self), name="fake", connections=1)]

    def single(self) -> Iterator[tuple[str, Single]]:
        yield "fake", Single(self)


@dataclass
class Dialler:
    relay: Relay

    async def connect(self) -> Connection:
        return Connection(self.relay)


@dataclass
class Connection:
    relay: Relay
    is_open: bool = True

    async def drive(self, work: Work) -> None:
        while (item := work.next()) is not None:
            work.starting(item)
            work.ended(item, self.relay.take(item))

    async def close(self) -> None:
        self.is_open = False

    def abort(self) -> None:
        self.is_open = False


@dataclass
class Single:
    relay: Relay

    def deliver(self, item: Outgoing) -> Outcome:
        return self.relay.take(item)

    def close(self) -> None:
        pass


class Machine:
    """A computer that may be off: an application and a scheduler of its own."""

    def __init__(self, name: str, root: Path, clock: FixedClock, relay: Relay) -> None:
        self.name, self.root, self.clock, self.relay = name, root, clock, relay
        self.starts = 0
        self.led = 0
        self.start()

    def start(self) -> None:
        """Switch it on, or off and on again: nothing of the last start is remembered."""
        self.starts += 1
        if self.starts > 1:
            self.app.__exit__()
        self.app: App = open_app(self.root, settings=load_settings(self.root))
        self.app.__dict__.update(clock=self.clock, relays=self.relay)
        holder = f"{self.name}:1:{self.starts}"
        self.runner: Runner = make_runner(self.app)
        lease = Lease(self.app.database, self.clock, holder=holder)
        self.runner.lease.__dict__.update(lease.__dict__)

    def look(self) -> None:
        self.led += self.runner.tick().is_leader


def live(machines: list[Machine], clock: FixedClock, until: datetime) -> None:
    """Go from one hour that means something to the next, a week's work and an editor's."""
    ash, oak = machines
    now = clock.now()
    dice = random.Random(7)
    while now < until:
        following = upcoming(ash.app.publication, now, 1)[0]
        # A second look a while after the first, by whichever machine comes first this time.
        for late in (timedelta(minutes=1), timedelta(minutes=3)):
            now = following.utc + late
            if OFF_FROM <= now < OFF_FROM + OFF_FOR:
                continue
            clock.set(now)
            pair = [ash] if following.issue_id in OAK_IS_OFF else [ash, oak]
            for machine in dice.sample(pair, len(pair)):
                machine.look()
        if OFF_FROM <= now < OFF_FROM + OFF_FOR:
            now = OFF_FROM + OFF_FOR
            clock.set(now)
            ash.look()
            continue
        if following.job == "draft":
            # The file of the week before has been taken in, and need not be read for ever.
            for path in (ash.root / "articles").iterdir():
                path.unlink()
            write_article(ash.root, now, f"The ferry of {following.issue_id}")
        if following.job == "remind" and following.issue_id != UNAPPROVED:
            approve(ash.app, following.issue_id)
        if following.job == "approve" and following.issue_id in RESTARTS:
            for machine in machines:
                machine.start()


def sent_or_said(
    relay: Relay, rows: dict[tuple[str, str, str], Run], issue: str, region: str
) -> RunState | None:
    """Return how a region's issue ended; None where it is neither sent once nor explained."""
    row = rows.get(("send", region, issue)) or rows.get(("holiday", "", issue))
    copies = {relay.briefings[f"{region}{n}@reader.example", issue] for n in range(READERS)}
    if row is None:
        return None
    if row.state is RunState.DONE:
        return row.state if copies == {1} else None
    return row.state if copies == {0} and row.note else None


def test_a_year_sends_each_region_each_issue_once_or_says_why_not(
    tmp_path: Path, nowhere: int
) -> None:
    root = make_town(
        tmp_path / "town",
        port=nowhere,
        regions=REGIONS,
        schedule=SCHEDULE,
        tables='[column]\nwhen_missing = "without"',
    )
    clock = FixedClock(datetime(2026, 2, 25, 12, tzinfo=UTC))
    relay = Relay()
    open_town(root, clock, readers=READERS).__exit__()
    write_article(root, clock.now(), "The first ferry")
    machines = [Machine(name, root, clock, relay) for name in ("ash", "oak")]
    structlog.reset_defaults()
    with capture_logs() as logs:
        live(machines, clock, datetime(2027, 2, 23, 12, tzinfo=UTC))

    rows = {run.key: run for run in Runs(machines[0].app.database, clock).latest(2000)}
    for machine in machines:
        machine.app.__exit__()
    issues = [MOVED_TO if day.isoformat() == MOVED else day.isoformat() for day in MONDAYS]
    ended = {
        (issue, region): sent_or_said(relay, rows, issue, region)
        for issue in issues
        for region in REGIONS
    }
    expected = dict.fromkeys(ended, RunState.DONE)
    for region in REGIONS:
        expected[IN_THE_OUTAGE, region] = RunState.MISSED
        expected[UNAPPROVED, region] = RunState.MISSED
        expected[SKIPPED, region] = RunState.SKIPPED
    assert ended == expected
    # Nobody got anything else, and nothing twice.
    sent = sum(state is RunState.DONE for state in expected.values())
    assert relay.briefings.total() == sent * READERS
    assert set(relay.briefings.values()) == {1}

    # Each is loud where it should be: an error, a mail, a reason in the row.
    assert rows["send", "wales", IN_THE_OUTAGE].note == "missed: nothing was running"
    assert "not approved" in rows["send", "wales", UNAPPROVED].note
    assert rows["holiday", "", SKIPPED].note == "no issue: the winter break"
    errors = Counter(log["event"] for log in logs if log["log_level"] == "error")
    assert errors == {"schedule.missed": 2}
    loud = Counter(subject for subject in relay.told if "not approved yet" not in subject)
    assert loud == {
        f"nobody has approved issue {UNAPPROVED} in time": 1,
        f"issue {UNAPPROVED} is held": 1,
        "what was due did not happen": 2,
    }
    # Both machines worked, and each was started again.
    assert min(machine.led for machine in machines) > 100
    assert [machine.starts for machine in machines] == [4, 4]
    # The hours followed the clocks: New York's twelve o'clock is eleven UTC in summer.
    hours = Counter(run.slot_at.hour for run in rows.values() if run.region == "new-york")
    assert set(hours) == {11, 12}
    assert hours[11] > 30
