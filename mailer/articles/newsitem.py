"""A feed's items become articles: clean, dated, and with the source's defaults where it is silent.

What the item says stands: its author, its date, its categories (one that is the name of a section
or region puts it there). What a site leaves around its text is dropped. An item without any words
is left out and counted; one with only the beginning of its text is flagged ``beginning-only``, so
that the page can be asked for the rest.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from mailer.articles.article import Article, Document, Flag, Kind, Picture, Standing
from mailer.articles.cleaning import html_to_text, pictures_in, sanitise
from mailer.articles.dating import find_deadline, has_figure, timed_sentences_of
from mailer.articles.diary import Happening, happenings_in_text
from mailer.articles.entries import diary_of
from mailer.articles.feedpictures import https_address
from mailer.articles.identity import marks_of, sighting_of
from mailer.articles.intake import IngestPolicy, hash_of
from mailer.articles.lettering import shorten, slug_of
from mailer.articles.merging import BEGINNING
from mailer.articles.pages import html_blocks
from mailer.articles.piece import Piece, kind_of, region_flags
from mailer.articles.syndication import Feed, FeedItem
from mailer.articles.trimming import trim_blocks
from mailer.articles.webaddress import without_counters
from mailer.errors import Fault, InvalidInput
from mailer.sources import Source

_FULL_WORDS = 120
"""A summary this long is the article, whatever its feed calls it."""
_LONGEST_STANDFIRST = 300
_AHEAD = timedelta(days=366)
_CUT_OFF = re.compile(r"(?:…|\.\.\.|\[\s*(?:…|\.\.\.|&hellip;)\s*\]|read more)\W*$", re.IGNORECASE)
_TRACKERS = re.compile(r"feedburner|doubleclick|/pixel|/count|spacer|blank\.gif|1x1", re.IGNORECASE)


def document_of(feed: Feed, source: Source, desk: IngestPolicy) -> Document:
    """Return the articles of a feed, newest first as it has them.

    Raises:
        InvalidInput: it has items, and not one that can be used.
    """
    articles: list[Article] = []
    happenings: list[Happening] = []
    taken: dict[str, int] = {}
    wordless = feed.left_out
    faults: list[Fault] = []
    for item in feed.items:
        try:
            article = article_of(item, source, desk)
        except InvalidInput as error:
            faults.extend(error.faults)
            continue
        if article is None:
            wordless += 1
            continue
        number = taken[article.id] = taken.get(article.id, 0) + 1
        if number > 1:
            # The diary tells articles of one document apart by these.
            article = replace(article, id=f"{article.id}-{number}")
        happenings.extend(_announced(article, len(articles), desk))
        articles.append(article)
    if feed.items and not articles:
        fault = faults[0] if faults else Fault("has items, but no words in any of them")
        raise InvalidInput(fault)
    flags = [Flag("items-without-words", f"{wordless} items have no words.")] if wordless else []
    flags.extend(Flag("item-refused", str(fault)) for fault in faults)
    return Document(
        origin=source.place,
        articles=tuple(articles),
        diary=diary_of(happenings, articles),
        flags=tuple(flags),
        standing=Standing.FEED,
        is_whole=False,
        marks=tuple(marks_of(sighting_of(article, Standing.FEED)) for article in articles),
    )


def article_of(item: FeedItem, source: Source, desk: IngestPolicy) -> Article | None:
    """Return the article of an item, or None where it has no words.

    Raises:
        InvalidInput: its HTML passes a cap.
    """
    is_summary = len(item.content_html) < len(item.summary_html)
    raw = item.summary_html if is_summary else item.content_html
    blocks, texts, flags = _clean(raw, item)
    title = item.title
    if texts and title and texts[0].casefold() == title.casefold():
        del blocks[0], texts[0]
    if not texts:
        return None
    body_text = "\n\n".join(texts)
    if not title:
        title = shorten(re.split(r"(?<=[.?!])\s", texts[0], maxsplit=1)[0].rstrip("."), 90)
        flags.append(Flag("headline-made", "The feed has no headline; the first sentence stands."))
    words = len(body_text.split())
    if words < _FULL_WORDS and (is_summary or not item.content_html or _CUT_OFF.search(body_text)):
        flags.append(
            Flag(BEGINNING, "The feed has only the beginning of it; the page has the rest.")
        )
    published_at = _published(item.published_at, desk, flags)
    if not item.authors:
        flags.append(Flag("no-byline", "The feed names no author."))
    deadline, dated = _deadline(body_text, published_at, desk)
    section, regions, tags = _filed(item.tags, source, desk)
    standfirst = "" if is_summary else _standfirst(item.summary_html, body_text)
    return Article(
        id=slug_of(title) or f"article-{hash_of(title, body_text)[:8]}",
        title=title,
        body_html="\n".join(blocks),
        body_text=body_text,
        content_hash=hash_of(title, body_text),
        first_seen_at=desk.now,
        kind=_kind(source, title, standfirst, body_text, deadline is not None),
        standfirst=standfirst,
        authors=item.authors,
        url=without_counters(item.url),
        picture=item.picture or _inner_picture(raw, item.base),
        section=section,
        regions=regions,
        tags=tags,
        source=source.name,
        origin=source.place,
        published_at=published_at,
        deadline=deadline,
        flags=(*flags, *dated, *(() if regions else region_flags(title, body_text, desk.regions))),
        guid=item.guid,
    )


def _clean(raw: str, item: FeedItem) -> tuple[list[str], list[str], list[Flag]]:
    """Return the blocks of a body as HTML and as text, without a site's furniture."""
    if "<" not in raw:
        # Some feeds write plain text with empty lines between paragraphs.
        parts = re.split(r"\n\s*\n", html.unescape(raw))
        raw = "".join(f"<p>{html.escape(part)}</p>" for part in parts if part.strip())
    blocks = html_blocks(sanitise(raw, base=item.base))
    kept, texts, cleaned = trim_blocks(blocks)
    return kept, texts, list(cleaned.flags)


def _published(
    published_at: datetime | None, desk: IngestPolicy, flags: list[Flag]
) -> datetime | None:
    if published_at is not None and published_at - desk.now > _AHEAD:
        flags.append(
            Flag("date-odd", f"The feed dates it {published_at:%Y-%m-%d}; that was left out.")
        )
        return None
    if published_at is None:
        flags.append(Flag("no-date", "The feed does not say when it was published."))
    return published_at


def _deadline(
    text: str, published_at: datetime | None, desk: IngestPolicy
) -> tuple[date | None, tuple[Flag, ...]]:
    sentences = timed_sentences_of(text)
    if not sentences:
        return None, ()
    reference = desk.local_date(published_at) if published_at else None
    found = find_deadline(sentences, reference=reference, today=desk.today)
    if found is None:
        return None, ()
    note = f"The deadline {found[0].isoformat()} was found in the text; check it."
    return found[0], (Flag("deadline-from-text", note), *found[1])


def _announced(article: Article, place: int, desk: IngestPolicy) -> list[Happening]:
    if not has_figure(article.body_text):
        return []
    reference = desk.local_date(article.published_at) if article.published_at else None
    return happenings_in_text(article.body_text, reference=reference, today=desk.today, piece=place)


def _filed(
    tags: tuple[str, ...], source: Source, desk: IngestPolicy
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return section, regions and tags: by the item's own categories, else the source's."""
    slugs = {slug_of(tag): tag for tag in tags}
    section = next((slug for slug in slugs if slug in desk.sections), source.section)
    regions = tuple(
        slug
        for slug, names in desk.regions.items()
        if slug in slugs or (names and slug_of(names[0]) in slugs)
    )
    return section, regions or source.regions, tuple(dict.fromkeys((*tags, *source.tags)))


def _standfirst(summary: str, body: str) -> str:
    """Return the summary as a standfirst, unless the text only begins with it."""
    if not summary.strip():
        return ""
    if "<" in summary:
        summary = html_to_text(sanitise(f"<p>{summary}</p>"))
    plain = " ".join(html.unescape(summary).split())
    plain = _CUT_OFF.sub("", plain).strip()
    start = plain.casefold()[:80]
    # As many words as it has letters are enough to compare, and a body has far more.
    begins = " ".join(body.split(None, len(start))[: len(start)]).casefold().startswith(start)
    return "" if not plain or begins or len(plain) > _LONGEST_STANDFIRST else plain


def _kind(source: Source, title: str, standfirst: str, text: str, has_deadline: bool) -> Kind:
    if source.kind:
        return Kind(source.kind)
    piece = Piece(title, standfirst=standfirst)
    return Kind.CALL if has_deadline else kind_of(piece, title, text, None)


def _inner_picture(raw: str, base: str) -> Picture | None:
    """Return the first picture within the text that is one to look at."""
    if "<img" not in raw.lower():
        return None
    return first_picture(pictures_in(raw), base)


def first_picture(pictures: Iterable[Picture], base: str) -> Picture | None:
    """Return the first picture at an https address that is no counter, or None."""
    for picture in pictures:
        src = https_address(base, picture.src)
        if src and not _TRACKERS.search(src):
            return replace(picture, src=src)
    return None
