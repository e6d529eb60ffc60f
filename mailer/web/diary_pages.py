"""The diary for calendars: one happening, or all that a region's readers were told of.

Public is what an issue that went out links to, as it stands now: a happening that was moved is
served with its new day, one that an editor hid is gone. What stands only in an article or a draft
is not there. A region's calendar leaves out what is past; a single happening stays, for whoever
opens an old mail.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from starlette.requests import Request
from starlette.responses import Response

from mailer.articles.article import DiaryEntry
from mailer.articles.calendarfile import calendar_file
from mailer.articles.datebook import Datebook
from mailer.articles.entries import upcoming
from mailer.errors import NotFound
from mailer.usecases.shelf import Shelf
from mailer.web.conditional import conditional
from mailer.web.doors import Access, Door
from mailer.web.frame import Frame

CALENDAR_TYPE = "text/calendar; charset=utf-8"
A_WHILE = "public, max-age=3600"


def diary_doors(
    frame: Frame, shelf: Shelf, datebook: Datebook, *, today: Callable[[], date]
) -> list[Door]:
    """Return the door; its name is a region's or a diary entry's."""
    own = _Diary(frame, shelf, datebook, today)
    return [Door("/diary/{name}.ics", own.calendar, Access.MACHINE)]


class _Diary:
    def __init__(
        self, frame: Frame, shelf: Shelf, datebook: Datebook, today: Callable[[], date]
    ) -> None:
        self._frame = frame
        self._shelf = shelf
        self._datebook = datebook
        self._today = today

    def calendar(self, request: Request) -> Response:
        name = request.path_params["name"]
        publication = self._frame.publication
        region = publication.region_map.get(name)
        if region is not None:
            announced = self._shelf.announced(region.slug)
            coming = self._datebook.entries(since=self._today())
            entries = [entry for entry in coming if entry.id in announced]
            title = f"{publication.title}, {region.name}"
            language = self._frame.usual(region.slug)
        else:
            entries = [self._single(name)]
            title, language = publication.title, publication.language
        body = calendar_file(
            entries,
            title=title,
            domain=publication.from_address.rpartition("@")[2] or "mailer.invalid",
            language=language,
            zone_of=self._zone,
        )
        return conditional(
            request,
            body,
            media_type=CALENDAR_TYPE,
            headers={
                "Cache-Control": A_WHILE,
                "Content-Disposition": f'attachment; filename="{name}.ics"',
            },
        )

    def _single(self, name: str) -> DiaryEntry:
        regions = self._frame.publication.region_map
        if not any(name in self._shelf.announced(region) for region in regions):
            raise NotFound("there is no such happening")
        entry = self._datebook.find(name)
        if entry.is_hidden:
            raise NotFound("it is not in the diary any more")
        return upcoming(entry, datetime.combine(self._today(), time.min)) or entry

    def _zone(self, entry: DiaryEntry) -> str:
        """Return the zone of the regions an entry is for; the publication's when they differ."""
        publication = self._frame.publication
        zones = {
            publication.region(slug).time_zone
            for slug in entry.regions
            if slug in publication.region_map
        }
        return zones.pop() if len(zones) == 1 else publication.time_zone
