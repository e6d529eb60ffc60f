"""A sender in a process of its own, to be killed: plans, says when it sends, sends.

Usage: send_runner.py ROOT PORT ISSUE
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from mailer.audience.register import Register
from mailer.clock import SystemClock
from mailer.delivery.delivery import Delivery
from mailer.delivery.ledger import Ledger
from mailer.delivery.message import CompiledEdition, Letterhead, compile_edition
from mailer.delivery.planning import plan
from mailer.delivery.relay import PipelinedRelay, RelayPolicy
from mailer.delivery.sending import Route, Sender
from mailer.editions.edition import Edition, Slot
from mailer.publication import Region
from mailer.storage.database import open_database

DUE_AT = SystemClock().now()
CONNECTIONS = 4
POSTAL = "12 Harbour Street, Exbridge EX0 0XX"


def edition(region: str) -> CompiledEdition:
    link = Slot("unsubscribe_url")
    return compile_edition(
        Edition(
            issue_id=sys.argv[3],
            region=region,
            language="en",
            subject="The week in Wales",
            preheader="",
            html=("<p>Dear ", Slot("name"), f"</p><p>{POSTAL}</p>", link, "\n"),
            text=("Dear ", Slot("name"), f"\n{POSTAL}\n", link, "\n"),
            article_ids=(),
        ),
        Letterhead(
            from_name="The Lantern",
            from_address="briefing@lantern.example",
            reply_to="wales@lantern.example",
            list_id="wales.lantern.example",
            list_name="The Lantern, Wales",
            owner="wales@lantern.example",
            archive_url="",
            bounce_domain="lantern.example",
            sender_id="lantern",
            postal_address=POSTAL,
        ),
    )


def fields(delivery: Delivery) -> dict[str, str]:
    url = f"https://mail.lantern.example/u/{delivery.subscriber_id}"
    return {"name": delivery.name, "unsubscribe_url": url}


def main() -> int:
    root, port, issue_id = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    clock = SystemClock()
    database = open_database("", root=root)
    region = Region(
        slug="wales",
        name="Wales",
        list_id="wales.lantern.example",
        reply_to="wales@lantern.example",
        time_zone="Europe/London",
    )
    register = Register(database, clock, {"wales": region})
    ledger = Ledger(database, clock)
    plan(
        ledger,
        issue_id=issue_id,
        recipients=register.audience(),
        due_at={"wales": DUE_AT},
    )
    policy = RelayPolicy("127.0.0.1", port, timeout_s=10)
    said: list[bool] = []

    def progress(_done: int, _total: int) -> None:
        if not said:
            sys.stdout.write("sending\n")
            sys.stdout.flush()
            said.append(True)

    report = Sender(
        ledger=ledger,
        database=database,
        routes=[Route(relay=lambda: PipelinedRelay(policy), connections=CONNECTIONS)],
        register=register,
        edition=edition,
        fields=fields,
        clock=clock,
    ).run(issue_id, progress=progress, should_stop=lambda: bool(stopping))
    sys.stdout.write(f"{report.sentence()}\n")
    return 0 if report.is_finished or report.was_stopped else 1


sys.exit(main())
