"""SpamAssassin, asked without a network, thinks little of no set's message."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.message import compile_edition, letterhead
from tests.browser.sampling import FIELDS
from tests.golden.drawing import NAMES, draw, publication_of
from tests.golden.programs import spamassassin

MOST = 2.0


def test_no_set_scores_two(tmp_path: Path) -> None:
    program = spamassassin()
    box = tmp_path / "box"
    with box.open("wb") as handle:
        for name in NAMES:
            handle.write(b"From sender Mon Nov 30 07:00:00 2026\n")
            handle.write(_message(name).replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From "))
            handle.write(b"\n\n")
    done = subprocess.run(
        [program, "--local", "--test-mode", "--mbox", str(box)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    scores = [
        float(found)
        for found in re.findall(r"^X-Spam-Status:.*?score=(-?[\d.]+)", done.stdout, re.MULTILINE)
    ]
    assert len(scores) == len(NAMES), done.stderr
    report = dict(zip(NAMES, scores, strict=True))
    assert max(scores) < MOST, f"{report}\n{done.stdout[-4000:]}"


def _message(name: str) -> bytes:
    edition = draw(name)
    publication = publication_of(name).model_copy(
        update={"bounce_domain": "bounce.tidewater.example"}
    )
    compiled = compile_edition(edition, letterhead(publication, publication.region("wales")))
    at = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    delivery = Delivery(
        id=1,
        issue_id=edition.issue_id,
        region="wales",
        subscriber_id=1,
        address=FIELDS["address"],
        name="Ada",
        token="f" * 26,
        dated_at=at,
        due_at=at,
        state=DeliveryState.PLANNED,
    )
    return compiled.render(delivery, FIELDS)
