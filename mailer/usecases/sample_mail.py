"""Messages to readers who do not exist: no ledger knows of them, and none is a reader's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time

from mailer.app import App
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.message import compile_edition, letterhead
from mailer.editions.edition import Edition
from mailer.issues.issue import issue_day

SAMPLE_TOKEN = "sample"  # noqa: S105 - it is nobody's


def sample_messages(
    app: App, edition: Edition, readers: Mapping[str, Mapping[str, str]]
) -> dict[str, bytes]:
    """Return an edition's message to each sample reader, by their names.

    The same edition gives the same bytes: dated on the issue's day, whenever it is looked at.
    None while something that sending needs is missing.

    Args:
        readers: a value for every slot, by the reader.
    """
    if app.publication.faults_before_sending():
        return {}
    head = letterhead(app.publication, app.region(edition.region))
    compiled = compile_edition(edition, head, signer=app.signer)
    day = datetime.combine(issue_day(edition.issue_id), time(), tzinfo=UTC)
    return {
        reader: compiled.render(stand_in(edition, fields, token=SAMPLE_TOKEN, at=day), fields)
        for reader, fields in readers.items()
    }


def stand_in(edition: Edition, fields: Mapping[str, str], *, token: str, at: datetime) -> Delivery:
    """Return a delivery that no ledger knows."""
    return Delivery(
        id=0,
        issue_id=edition.issue_id,
        region=edition.region,
        subscriber_id=0,
        address=fields["address"],
        name=fields["name"],
        token=token,
        dated_at=at,
        due_at=at,
        state=DeliveryState.PLANNED,
    )
