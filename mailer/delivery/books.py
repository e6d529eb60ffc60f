"""The sender's side of the ledger, a turn at a time: settle, give back, claim, ask who may.

Everything here touches the database and runs in one thread beside the event loop, so that no
message waits for a commit. A turn is given what ended since the last and what is wanted, and says
what was taken. The order within a turn is the promise: what ended is settled first; a claim is
committed, then eligibility is asked, so who left or was suppressed before is skipped.

Failures: ``StorageFailed`` leaves the turn's endings to the journal; the caller stops sending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mailer.delivery.delivery import Delivery
from mailer.delivery.journal import Ending
from mailer.delivery.ledger import Claim, Ledger
from mailer.delivery.message import CompiledEdition
from mailer.delivery.ordering import Order
from mailer.delivery.statements import GONE
from mailer.errors import InvalidInput

SIGNERS = 2
"""Threads that sign: the library releases the interpreter's lock, and two cores are usual."""


class Eligibility(Protocol):
    """Knows who may not be mailed; the audience's register."""

    def ineligible(self, pairs: Collection[tuple[int, str]], /) -> Collection[tuple[int, str]]:
        """Return those of the (subscriber id, region) pairs that may not be mailed now."""
        ...


@dataclass(slots=True, eq=False)
class Taken:
    """A claimed delivery in hand.

    ``content`` is composed early for an edition that is signed or names a roster's fields, whose
    values are ``own``. ``is_begun``: it is, or may be, on the wire.
    """

    delivery: Delivery
    domain: str
    first_tried_at: datetime | None = None
    content: Sequence[bytes] = ()
    own: Mapping[str, str] | None = None
    is_begun: bool = False


@dataclass(slots=True)
class Errand:
    """What a turn is to do; empty parts cost nothing."""

    endings: Sequence[Ending] = ()
    skipped: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    back: Mapping[int, datetime | None] = field(default_factory=dict)
    claim: int = 0
    doubted: Sequence[Taken] = ()
    """In hand for so long that eligibility is asked again."""
    asks: bool = False
    """Look whether there is an order."""


@dataclass(slots=True)
class Turn:
    """What a turn came to.

    ``gone`` are ids among ``doubted`` that may not be sent any more; ``next_due_at``, asked when
    a claim found too few, is when the next planned delivery is due; ``unexpected`` counts endings
    whose row somebody else had changed.
    """

    taken: list[Taken] = field(default_factory=list)
    skipped: int = 0
    gone: frozenset[int] = frozenset()
    order: Order | None = None
    settled: Sequence[Ending] = ()
    unexpected: int = 0
    next_due_at: datetime | None = None


class Books:
    """The ledger as one run's sender uses it.

    Args:
        ledger: where the rows are.
        register: says who may not be mailed any more.
        edition: the compiled edition a delivery gets.
        fields: a reader's slots.
        issue_id: whose deliveries are claimed.
        regions: only these; None for all.
        may_resend: claim what is in doubt as well.
    """

    def __init__(
        self,
        ledger: Ledger,
        register: Eligibility,
        *,
        edition: Callable[[Delivery], CompiledEdition],
        fields: Callable[[Delivery], Mapping[str, str]],
        issue_id: str,
        regions: Collection[str] | None,
        may_resend: bool,
    ) -> None:
        self._ledger = ledger
        self._register = register
        self._edition = edition
        self._fields = fields
        self._issue_id = issue_id
        self._regions = regions
        self._may_resend = may_resend
        self._signers: ThreadPoolExecutor | None = None
        self._naming: dict[str, bool] = {}

    def turn(self, errand: Errand) -> Turn:
        """Do what an errand asks, in the order of the promise."""
        turn = Turn(settled=errand.endings)
        turn.unexpected = len(errand.endings) - self._ledger.settle(errand.endings)
        self._ledger.skip(errand.skipped)
        self._ledger.skip(errand.refused, step="refuse")
        self._ledger.release(errand.back)
        if errand.asks:
            turn.order = self._ledger.order(self._issue_id)
        if errand.claim and turn.order is None:
            self._claim(errand.claim, turn)
            if len(turn.taken) + turn.skipped < errand.claim:
                turn.next_due_at = self._ledger.next_planned_at(self._issue_id, self._regions)
        if errand.doubted:
            turn.gone = self._gone([item.delivery for item in errand.doubted])
        return turn

    def close(self) -> None:
        """End the signing threads."""
        if self._signers is not None:
            self._signers.shutdown()
            self._signers = None

    def _claim(self, limit: int, turn: Turn) -> None:
        claim = self._ledger.claim(
            self._issue_id, regions=self._regions, limit=limit, may_resend=self._may_resend
        )
        if not claim.deliveries:
            return
        try:
            self._admit(claim, turn)
        except BaseException:
            # Nobody is in hand yet; without this they would wait for the next run's recovery.
            self._ledger.release({item.id: None for item in claim.deliveries})
            raise

    def _admit(self, claim: Claim, turn: Turn) -> None:
        gone = self._gone(claim.deliveries)
        if gone:
            turn.skipped += self._ledger.skip(dict.fromkeys(sorted(gone), GONE))
        taken = [
            Taken(
                delivery,
                delivery.address.rpartition("@")[2],
                claim.first_tried_at.get(delivery.id) if delivery.attempts else None,
            )
            for delivery in claim.deliveries
            if delivery.id not in gone
        ]
        self._fill_in(taken)
        self._compose_early(taken)
        turn.taken = taken

    def _fill_in(self, taken: Sequence[Taken]) -> None:
        """Look up the roster's fields where an edition names any."""
        naming = [item for item in taken if self._names_fields(item.delivery)]
        if not naming:
            return
        kept = self._ledger.fields_kept([item.delivery.id for item in naming])
        for item in naming:
            edition = self._edition(item.delivery).edition
            item.own = edition.roster_values(kept.get(item.delivery.id, {}))

    def _names_fields(self, delivery: Delivery) -> bool:
        region = delivery.region
        if region not in self._naming:
            self._naming[region] = bool(self._edition(delivery).columns)
        return self._naming[region]

    def _gone(self, deliveries: Sequence[Delivery]) -> frozenset[int]:
        gone = set(
            self._register.ineligible([(item.subscriber_id, item.region) for item in deliveries])
        )
        if not gone:
            return frozenset()
        return frozenset(
            item.id for item in deliveries if (item.subscriber_id, item.region) in gone
        )

    def _compose_early(self, taken: Sequence[Taken]) -> None:
        """Compose ahead, in threads, what is signed or has fields that were looked up."""
        early = [
            item for item in taken if item.own is not None or self._edition(item.delivery).is_signed
        ]
        if not early:
            return
        if self._signers is None:
            self._signers = ThreadPoolExecutor(SIGNERS, "sign")
        shares = [early[start :: 2 * SIGNERS] for start in range(2 * SIGNERS)]
        for _ in self._signers.map(self._compose, shares):
            pass

    def _compose(self, share: Sequence[Taken]) -> None:
        for item in share:
            delivery = item.delivery
            # Composing the message on its turn will meet the same, and report it.
            with suppress(InvalidInput):
                edition = self._edition(delivery)
                fields = self._fields(delivery)
                item.content = edition.compose(
                    delivery, {**fields, **item.own} if item.own else fields
                )
