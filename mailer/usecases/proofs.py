"""Proofs: an issue's editions sent to colleagues, marked as proofs, with links that change nothing.

Every region, or some, as a reader with a name; in a matrix, each as a reader without a name and as
one with the longest. An issue needs no approval for it. The links carry a token of their own: the
public pages show what a reader would see and say that it is a proof. No row of the ledger and no
list is touched. Everything is rendered before the first message leaves.

Known limit: an issue that went out is proofed from its file, not from what was frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailer.app import App
from mailer.audience.addresses import normalise
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import CompiledEdition, compile_edition, letterhead
from mailer.delivery.planning import new_token
from mailer.delivery.transaction import Outgoing
from mailer.editions.edition import Edition
from mailer.editions.preview import sample_fields
from mailer.errors import ConfigurationError, Fault, InvalidInput
from mailer.lighttable.sample_readers import LONGEST, NAMED, NAMELESS, SampleReader
from mailer.publication import Region
from mailer.usecases.proofing import gather, render_region
from mailer.usecases.sample_mail import stand_in

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Proof:
    region: Region
    reader: SampleReader
    edition: Edition
    compiled: CompiledEdition


def send_proofs(
    app: App,
    name: str,
    *,
    to: Sequence[str],
    regions: Sequence[str] | None = None,
    is_matrix: bool = False,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Send marked proofs and return one row a message: to whom, of what, and the relay's answer.

    Args:
        app: the publication.
        name: the issue's id.
        to: addresses; one that is named twice gets it once.
        regions: only these; None for all.
        is_matrix: each region without a name and with the longest, instead of with a name.
        progress: called with done and total.

    Raises:
        ConfigurationError: something that sending needs is missing, or the relay cannot be used.
        InvalidInput: an address cannot be used, or is suppressed.
        RenderFailed: an edition cannot be rendered; nothing was sent.
    """
    faults = app.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    addresses = _usable(app, to)
    proofs = list(_proofs(app, name, regions, is_matrix=is_matrix))
    relay = app.relays.first()
    rows: list[dict[str, Any]] = []
    try:
        if trouble := relay.open():
            # A proof is in no ledger that would keep it.
            remedy = trouble.remedy.partition("; what is not sent")[0]
            raise ConfigurationError(Fault(trouble.problem, remedy=remedy))
        for proof in proofs:
            for address in addresses:
                outcome = relay.deliver(_outgoing(app, proof, address))
                rows.append(
                    {
                        "region": proof.region.slug,
                        "reader": proof.reader.label,
                        "address": address,
                        "outcome": outcome.verdict,
                        "reply": f"{outcome.reply.code} {outcome.reply.text}"
                        if outcome.reply
                        else outcome.note,
                    }
                )
                if progress:
                    progress(len(rows), len(addresses) * len(proofs))
    finally:
        relay.close()
    return rows


def proofed(app: App, issue_id: str, region: str) -> FrozenEdition:
    """Return an edition as its file is now, for the page behind a proof's link.

    Raises:
        NotFound: there is no such issue or region any more.
    """
    place = app.region(region)
    edition = render_region(app, gather(app, issue_id), place)
    return FrozenEdition(edition, letterhead(app.publication, place), app.web_url)


def proof_links(app: App, issue_id: str, region: str) -> dict[str, str]:
    """Return the links of a proof, by their slots."""
    token = app.tokens.proof(issue_id, region)
    pages = {
        "unsubscribe_url": "unsubscribe",
        "preferences_url": "preferences",
        "view_online_url": "proof",
    }
    return {slot: f"{app.web_url}/{page}/{token}" for slot, page in pages.items()}


def _usable(app: App, to: Sequence[str]) -> list[str]:
    addresses = list(dict.fromkeys(normalise(address) for address in to))
    barred = app.register.suppressed(addresses)
    if barred:
        raise InvalidInput(
            Fault(
                f"{address} is suppressed ({reason}): it gets no mail, not even a proof",
                field="--to",
                remedy="choose another address",
            )
            for address, reason in barred.items()
        )
    return addresses


def _proofs(
    app: App, name: str, regions: Sequence[str] | None, *, is_matrix: bool
) -> Iterator[_Proof]:
    given = gather(app, name)
    for region in app.regions(list(regions) if regions else None):
        edition = render_region(app, given, region)
        for reader in (NAMELESS, LONGEST) if is_matrix else (NAMED,):
            mark = f"{region.name}, {reader.label}" if is_matrix else region.name
            marked = replace(edition, subject=f"[Proof] {mark}: {edition.subject}")
            head = letterhead(app.publication, region)
            compiled = compile_edition(marked, head, signer=app.signer)
            yield _Proof(region, reader, marked, compiled)


def _outgoing(app: App, proof: _Proof, address: str) -> Outgoing:
    edition, region = proof.edition, proof.region
    fields = sample_fields(
        app.publication, region, name=proof.reader.name, address=address, web_url=app.web_url
    )
    fields |= proof_links(app, edition.issue_id, region.slug) | edition.roster_values({})
    delivery = stand_in(edition, fields, token=new_token(), at=app.clock.now())
    return Outgoing(
        delivery,
        proof.compiled.envelope(delivery),
        proof.compiled.render(delivery, fields),
        needs_smtputf8=proof.compiled.needs_smtputf8(delivery),
    )
