"""Render, check, preview, and send proofs: everything before a reader gets anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.audience.addresses import normalise
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.message import compile_edition, letterhead
from mailer.delivery.planning import new_token
from mailer.delivery.transaction import Outgoing
from mailer.editions.checks.rulebook import found
from mailer.editions.edition import Edition, merge_html, merge_text
from mailer.editions.finding import Finding, Level
from mailer.editions.images import prepare_images
from mailer.editions.preflight import check_edition
from mailer.editions.preview import sample_fields, write_preview
from mailer.editions.rendering import render_edition
from mailer.errors import ConfigurationError, Fault, InvalidInput
from mailer.issues.issue import Issue
from mailer.usecases.issue_texts import places_of
from mailer.usecases.repeats import repeats
from mailer.usecases.segmenting import absent_fields

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """An issue with its editions by region and everything the checks found."""

    issue: Issue
    editions: dict[str, Edition]
    findings: tuple[Finding, ...]


def render(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Render an issue's editions from its file as it is now, and check each.

    Args:
        app: the publication.
        name: the issue's id.
        regions: only these; None for all.
        progress: called with done and total.
    """
    issue = app.desk.load(name)
    wanted = app.regions(list(regions) if regions else None)
    picked = app.library.articles(ids=sorted(issue.article_ids))
    articles = {article.id: article for article in picked}
    diary = app.library.diary(since=issue.date)
    prepared = prepare_images(
        app.root, articles.values(), app.images, logo=app.publication.theme.logo
    )
    findings = list(prepared.findings)
    places = places_of(app, issue.id, articles)
    editions: dict[str, Edition] = {}
    for done, region in enumerate(wanted, 1):
        edition = render_edition(
            issue,
            region=region,
            publication=app.publication,
            articles=articles,
            diary=diary,
            images=prepared.pictures,
            web_url=app.web_url,
            templates=app.templates,
        )
        editions[region.slug] = edition
        findings += check_edition(
            edition,
            publication=app.publication,
            region=region,
            issue=issue,
            articles=articles,
            images=prepared.pictures,
            diary=diary,
            web_url=app.web_url,
            places=places,
        )
        if progress:
            progress(done, len(wanted))
    findings += _absent(app, editions)
    findings += repeats(app, issue)
    return Rendered(issue, editions, tuple(_once(findings, everywhere=len(wanted))))


def _absent(app: App, editions: Mapping[str, Edition]) -> list[Finding]:
    """Warn of a roster's field that a template names and nobody has: everybody gets the default."""
    named = {column for edition in editions.values() for column in edition.columns}
    if not named:
        return []
    absent = set(absent_fields(app, named))
    return [
        replace(
            found(
                "field-nobody-has",
                f"a template names the roster's field {column!r}, which no reader has",
            ),
            region=slug,
        )
        for slug, edition in editions.items()
        for column in sorted(edition.columns & absent)
    ]


def _once(findings: list[Finding], *, everywhere: int) -> list[Finding]:
    """Keep one of the same finding in several regions, and name them unless it is all."""
    seen: dict[tuple[Level, str, str], list[Finding]] = {}
    for finding in findings:
        seen.setdefault((finding.level, finding.code, finding.message), []).append(finding)
    merged = [
        replace(same[0], region="" if len(same) == everywhere > 1 else _regions(same))
        for same in seen.values()
    ]
    order = list(Level)
    return sorted(merged, key=lambda f: (order.index(f.level), f.code, f.region))


def _regions(findings: list[Finding]) -> str:
    return ", ".join(dict.fromkeys(f.region for f in findings if f.region))


def preview(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, dict[str, Path]]:
    """Write editions for a sample reader as HTML, text and message; return their paths.

    A publication that cannot send yet (no From, say) has no messages.
    """
    folder = out or app.root / "var" / "preview" / name
    rendered = render(app, name, regions=regions, progress=progress)
    written: dict[str, dict[str, Path]] = {}
    for slug, edition in rendered.editions.items():
        fields = sample_fields(app.publication, app.region(slug), web_url=app.web_url)
        files = write_preview(
            edition, folder, fields=fields, images=app.images, web_url=app.web_url
        )
        if not app.publication.faults_before_sending():
            files["eml"] = folder / f"{slug}.eml"
            files["eml"].write_bytes(_message(app, edition, fields))
        written[slug] = files
    return written


def preview_part(app: App, name: str, region: str, part: str) -> str:
    """Return one part of one region's edition for a sample reader."""
    region = app.region(region).slug
    edition = render(app, name, regions=[region]).editions[region]
    fields = sample_fields(app.publication, app.region(region), web_url=app.web_url)
    if part == "html":
        return merge_html(edition.html, fields)
    if part == "text":
        return merge_text(edition.text, fields)
    faults = app.publication.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    return _message(app, edition, fields).decode()


def send_proofs(
    app: App,
    name: str,
    *,
    to: Sequence[str],
    regions: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Send marked proofs; no row of the ledger and no list is touched.

    Raises:
        ConfigurationError: something that sending needs is missing, or the relay cannot be used.
        InvalidInput: an address cannot be used, or is suppressed.
    """
    faults = app.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    addresses = [normalise(address) for address in to]
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
    wanted = list(regions) if regions else [next(iter(app.publication.region_map))]
    rendered = render(app, name, regions=wanted)
    relay = app.relays.first()
    rows: list[dict[str, Any]] = []
    try:
        if trouble := relay.open():
            raise ConfigurationError(Fault(trouble.problem, remedy=trouble.remedy))
        for slug, edition in rendered.editions.items():
            proof = replace(edition, subject=f"[Proof] {edition.subject}")
            compiled = compile_edition(
                proof, letterhead(app.publication, app.region(slug)), signer=app.signer
            )
            for address in addresses:
                fields = sample_fields(
                    app.publication, app.region(slug), address=address, web_url=app.web_url
                )
                fields |= edition.roster_values({})
                delivery = _stand_in(edition, fields, app.clock.now())
                outcome = relay.deliver(
                    Outgoing(
                        delivery,
                        compiled.envelope(delivery),
                        compiled.render(delivery, fields),
                        needs_smtputf8=compiled.needs_smtputf8(delivery),
                    )
                )
                rows.append(
                    {
                        "region": slug,
                        "address": address,
                        "outcome": outcome.verdict,
                        "reply": f"{outcome.reply.code} {outcome.reply.text}"
                        if outcome.reply
                        else outcome.note,
                    }
                )
                if progress:
                    progress(len(rows), len(addresses) * len(rendered.editions))
    finally:
        relay.close()
    return rows


def _message(app: App, edition: Edition, fields: Mapping[str, str]) -> bytes:
    head = letterhead(app.publication, app.region(edition.region))
    compiled = compile_edition(edition, head, signer=app.signer)
    values = {**fields, **edition.roster_values({})}
    return compiled.render(_stand_in(edition, values, app.clock.now()), values)


def _stand_in(edition: Edition, fields: Mapping[str, str], now: datetime) -> Delivery:
    """Return a delivery that no ledger knows."""
    return Delivery(
        id=0,
        issue_id=edition.issue_id,
        region=edition.region,
        subscriber_id=0,
        address=fields["address"],
        name=fields["name"],
        token=new_token(),
        dated_at=now,
        due_at=now,
        state=DeliveryState.PLANNED,
    )
