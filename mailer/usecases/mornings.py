"""Readers' own mornings: where the publication allows it, a plan waits for each reader's clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import partial

from mailer.app import App
from mailer.checked import zone
from mailer.delivery.localhours import wait_for_local_hour
from mailer.issues.issue import issue_day
from mailer.localtime import first_instant, send_at


def wait_for_mornings(app: App, name: str, due_at: Mapping[str, datetime]) -> None:
    """Put off what was planned at a region's hour to the same hour of its readers' own zones.

    What a person sends now is not put off: it is planned for now and not for the region's hour.
    """
    publication = app.publication
    if not publication.audience.reader_time_zones:
        return
    day = issue_day(name)
    for slug, at in due_at.items():
        region = publication.region_map.get(slug)
        if region is not None and at == send_at(publication, region, day):
            local = partial(_instant, day, publication.send_time(region))
            wait_for_local_hour(app.database, name, slug, at=at, local=local)


def _instant(day: date, hour: time, name: str) -> datetime | None:
    try:
        return first_instant(day, hour, zone(name.strip()))
    except ValueError:
        return None
