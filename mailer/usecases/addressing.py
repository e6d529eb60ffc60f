"""Whom an issue goes to: the rule that an approval covers, and the readers it selects.

A correction goes only to those who got what it corrects (see ``delivery/receivers``), whichever
region they are in by now; whoever left or is suppressed since is not among them.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Select

from mailer.app import App
from mailer.audience.eligibility import AUDIENCE_RULE, most_specific_first
from mailer.audience.segments import narrow
from mailer.delivery.pruning import require_ledger
from mailer.delivery.receivers import narrow_to_receivers


def audience_rule(app: App, name: str) -> str:
    """Return who gets an issue, in the canonical words that an approval covers."""
    lists = [[region.slug, region.list_id, region.where] for region in app.regions(None)]
    # Whoever is on several lists gets the first of these: a changed parent changes it.
    order = list(most_specific_first(app.publication.region_map))
    issue = app.desk.load(name)
    rule = {"who": AUDIENCE_RULE, "lists": lists, "order": order, "segment": issue.audience}
    if issue.corrects:
        rule["corrects"] = issue.corrects
    return json.dumps(rule)


def approved_segment(app: App, name: str) -> str:
    """Return the expression by which an issue's audience was narrowed when it was approved."""
    return _approved(app, name, "segment")


def approved_correction(app: App, name: str) -> str:
    """Return the issue that an approved one corrects, or ""; only who got that one gets it."""
    return _approved(app, name, "corrects")


def _approved(app: App, name: str, part: str) -> str:
    rule = app.archive.record(name).audience_rule
    return str(json.loads(rule).get(part, "")) if rule.startswith("{") else ""


def approved_audience(app: App, name: str) -> dict[str, Select[Any]]:
    """Return who gets an approved issue, by region."""
    return audience_of(app, approved_segment(app, name), approved_correction(app, name))


def audience_of(app: App, segment: str, corrects: str) -> dict[str, Select[Any]]:
    """Return who gets an issue, by region; for a correction only those who got what it corrects."""
    audience = narrow(app.register.audience(), segment)
    if not corrects:
        return audience
    require_ledger(app.database, corrects)
    return narrow_to_receivers(audience, corrects)
