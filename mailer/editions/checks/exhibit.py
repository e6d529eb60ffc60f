"""What a check may look at: one edition, what it was rendered from, and when it goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mailer.articles.article import Article, DiaryEntry
from mailer.editions.anatomy import Anatomy
from mailer.editions.checks.rulebook import Hit
from mailer.editions.edition import Edition
from mailer.editions.pictures import PreparedPicture
from mailer.issues.issue import Issue
from mailer.localtime import first_send_at, send_at
from mailer.publication import Publication, Region

Hits = Iterator[Hit]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One edition on the table.

    ``html`` and ``words`` are its parts as a sample reader gets them. ``issue``, ``articles``,
    ``images`` and ``diary`` are None where they were not handed in; checks that need one are silent
    then. ``web_url`` is our own address, whose pictures may be on http while developing.
    """

    edition: Edition
    html: str
    words: str
    anatomy: Anatomy
    publication: Publication
    region: Region
    web_url: str = ""
    issue: Issue | None = None
    articles: Mapping[str, Article] | None = None
    images: Mapping[str, PreparedPicture] | None = None
    diary: Sequence[DiaryEntry] | None = None

    def is_ours(self, url: str) -> bool:
        """Say whether an address is on our own site."""
        return bool(self.web_url) and url.startswith(f"{self.web_url}/")

    def public_at(self, issue: Issue) -> datetime:
        """Return when the first region gets the issue, in the publication's own time."""
        due = first_send_at(self.publication, issue.date)
        return due.astimezone(ZoneInfo(self.publication.time_zone))

    def due_at(self, issue: Issue) -> datetime:
        """Return when this region gets the issue, in the region's own time."""
        due = send_at(self.publication, self.region, issue.date)
        return due.astimezone(ZoneInfo(self.region.time_zone))
