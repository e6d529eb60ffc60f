"""A clean article and what else a document holds: the values that enter the pipeline.

Every way in (files, a paper's text, later feeds and pages) ends in these values. HTML in an
``Article`` is already sanitised and capped; text is plain and normalised (NFC, ``\\n`` line ends).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.articles.traits import Traits
    from mailer.errors import Fault


class Kind(StrEnum):
    """What sort of piece it is; templates and caps may look at it."""

    NEWS = "news"
    REPORT = "report"
    ANALYSIS = "analysis"
    EDITORIAL = "editorial"
    FEATURE = "feature"
    INTERVIEW = "interview"
    GUIDE = "guide"
    CALL = "call"
    REVIEW = "review"


class Standing(IntEnum):
    """Whose words they are where several sources show one article; the higher ones lead.

    A paper's text was put together from columns and may be damaged; a page's has to be found among
    its furniture; a feed's is as its site published it; a file with front matter is the editor's.
    """

    PAPER = 1
    PAGE = 2
    FEED = 3
    AUTHOR = 4

    @property
    def is_of_the_web(self) -> bool:
        """True for what a site published."""
        return self in {Standing.PAGE, Standing.FEED}


MONTH_ONLY = "date-from-masthead"
"""The flag of an article whose day nobody gave: it is dated the first of its paper's month."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something the splitter or the cleaner is unsure of, for an editor to look at.

    ``code`` is stable and machine-readable (``no-byline``, ``no-date``, ``credit-unclear``);
    ``note`` is one sentence for a person.
    """

    code: str
    note: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an article.

    ``src`` is a path relative to the publication's folder, or an https address; empty when only
    the caption or credit was found (a paper's text has no pictures in it). ``alt`` is None when
    nobody has written one, and "" when an editor said the picture is decorative.
    """

    src: str = ""
    alt: str | None = None
    caption: str = ""
    credit: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An ingested piece.

    ``id`` is a short slug, unique in the publication, and what an editor writes in an issue.
    ``regions`` are region slugs; empty means every reader. ``priority`` is the editor's, from
    -100 to 100, 0 where nobody said. Instants are aware UTC. ``parts`` are the headings of a
    piece made of several (interviews, questions), in order; ``quotes`` the sentences that a page
    repeated large. ``content_hash`` is the SHA-256 hex of the normalised title and text. ``joins``
    says what the reader of a file put together; it is not kept. ``guid`` is what its feed calls it;
    the library keeps it with the article's origins, and gives articles back without it.
    """

    id: str
    title: str
    body_html: str
    body_text: str
    content_hash: str
    first_seen_at: datetime
    kind: Kind = Kind.NEWS
    standfirst: str = ""
    authors: tuple[str, ...] = ()
    author_note: str = ""
    url: str = ""
    picture: Picture | None = None
    credits: tuple[Picture, ...] = ()
    section: str = ""
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    priority: int = 0
    source: str = ""
    origin: str = ""
    published_at: datetime | None = None
    embargo_until: datetime | None = None
    expires_at: datetime | None = None
    deadline: date | None = None
    is_draft: bool = False
    flags: tuple[Flag, ...] = ()
    guid: str = ""

    @property
    def word_count(self) -> int:
        """Words of the plain text."""
        return len(self.body_text.split())

    @property
    def dated_at(self) -> datetime | None:
        """When it came out, as far as is said.

        A paper that gives its month alone and was read before the first of it was out already: it
        came out when it was first seen, not on that day.
        """
        if self.published_at is None or self.published_at <= self.first_seen_at:
            return self.published_at
        is_month = any(flag.code == MONTH_ONLY for flag in self.flags)
        return self.first_seen_at if is_month else self.published_at


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """A dated happening announced in an article, shown to readers until it is past.

    ``on`` is its day, of what repeats the next one; ``until`` its last day, where that is another.
    ``repeats`` is a rule of ``recurring``. ``origin`` is the file it was found in, "" when an
    editor added it. ``sequence`` counts the changes that a reader's calendar must hear of, the
    last of them at ``changed_at``.
    """

    id: str
    title: str
    on: date
    at: time | None = None
    place: str = ""
    url: str = ""
    regions: tuple[str, ...] = ()
    article_id: str = ""
    flags: tuple[Flag, ...] = ()
    ends_at: time | None = None
    until: date | None = None
    repeats: str = ""
    origin: str = ""
    is_hidden: bool = False
    sequence: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A local group as a paper's directory prints it; ``region`` is a slug where one matches."""

    name: str
    address: str = ""
    phone: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Advert:
    """A house advert that was recognised and kept out of the articles."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Everything found in one file or feed, in reading order.

    ``marks`` and ``traits`` are those of its articles, in their order (``identity``, ``traits``),
    worked out where there was time; without them the library does. ``is_whole``: what it held
    before and holds no longer is gone from it. A feed is not: it only shows the newest.
    ``warnings`` are of what its author wrote and nobody reads.
    """

    origin: str
    articles: tuple[Article, ...] = ()
    diary: tuple[DiaryEntry, ...] = ()
    directory: tuple[DirectoryEntry, ...] = ()
    adverts: tuple[Advert, ...] = ()
    flags: tuple[Flag, ...] = ()
    standing: Standing = Standing.AUTHOR
    is_whole: bool = True
    marks: tuple[Mapping[str, int], ...] = ()
    traits: tuple[Traits, ...] = ()
    warnings: tuple[Fault, ...] = ()
