"""An article taken from a page of the web: its words, and who wrote, drew and licensed them.

What a page says of itself is believed in this order: JSON-LD of schema.org, Open Graph and the
other metas, then what its text shows. The text is found by trafilatura, without the site's
furniture; where that finds hardly anything, the page's ``article`` or ``main`` is taken, and at
last the text within JSON-LD. A picture comes with its alternative text, its credit and its
licence, from JSON-LD or the figure that shows it.

Pure, but for the time it takes: nothing on the page is fetched.

Failures: ``InvalidInput`` for what is no page, is too large or too deep, or has no article.
Standards: schema.org Article and ImageObject; the Open Graph protocol; ``rel=canonical``.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from mailer.articles.article import Article, Document, Flag, Picture, Standing
from mailer.articles.bylines import names_in_byline
from mailer.articles.captions import read_credit
from mailer.articles.charset import charset_of, decode
from mailer.articles.cleaning import check_size, pictures_in, sanitise
from mailer.articles.dating import find_deadline, sentences_of
from mailer.articles.diary import happenings_in_text
from mailer.articles.entries import diary_of
from mailer.articles.feeddates import moment_in
from mailer.articles.intake import IngestPolicy, hash_of
from mailer.articles.lettering import slug_of
from mailer.articles.linkeddata import Told, read_linked_data
from mailer.articles.newsitem import first_picture
from mailer.articles.pages import html_blocks, read_page
from mailer.articles.piece import Piece, kind_of, region_flags
from mailer.articles.stripping import strip_page
from mailer.articles.syndication import plain_title
from mailer.articles.trimming import trim_blocks
from mailer.articles.webaddress import without_counters
from mailer.errors import Fault, InvalidInput

_FEWEST_WORDS = 25
_PAGE = re.compile(r"text/html|application/xhtml\+xml", re.IGNORECASE)
_LINK = re.compile(r"<(?:a|link)\b[^>]{0,500}>", re.IGNORECASE)


def read_web_page(
    raw: bytes, *, url: str, content_type: str = "", desk: IngestPolicy, source: str = ""
) -> Document:
    """Read the article of a page.

    Args:
        raw: its bytes.
        url: where it came from, after redirects.
        content_type: the header that came with it.
        desk: the publication's policy.
        source: the outlet's name, where it is known better than the page says.
    Raises:
        InvalidInput: one fault; the caller adds where.
    """
    text = _markup(raw, content_type)
    light, scripts = strip_page(text)
    told = read_linked_data(scripts)
    check_size(light)
    page = read_page(light)
    metas = page.data
    blocks, texts, flags = _body(light, page.html, told, url)
    title = plain_title(told.title or metas.get("og:title", "") or metas.get("title", ""))
    title = _without_site(title, told.site or metas.get("og:site_name", ""))
    authors = told.authors or _authors(metas.get("author", ""))
    while texts and _repeats(texts[0], title):
        del blocks[0], texts[0]
    if texts and len(texts[0].split()) <= 12 and (named := names_in_byline(texts[0])):
        authors = authors or named
        del blocks[0], texts[0]
    body_text = "\n\n".join(texts)
    if len(body_text.split()) < _FEWEST_WORDS or not title:
        raise InvalidInput(
            Fault(
                "has no article that can be found in it",
                remedy="save its text as a file with front matter, and ingest that",
            )
        )
    address = _canonical(told.url or metas.get("canonicalurl", ""), url)
    published_at = moment_in(told.published or metas.get("date", ""))
    standfirst = plain_title(told.summary or metas.get("summary", ""))
    article = Article(
        id=slug_of(title) or f"article-{hash_of(title, body_text)[:8]}",
        title=title,
        body_html="\n".join(blocks),
        body_text=body_text,
        content_hash=hash_of(title, body_text),
        first_seen_at=desk.now,
        standfirst="" if len(standfirst) > 300 or _begins(body_text, standfirst) else standfirst,
        authors=authors,
        url=address,
        picture=_picture(told, metas, light, url),
        section=slug_of(told.section) if slug_of(told.section) in desk.sections else "",
        tags=told.tags,
        source=source or told.site or metas.get("og:site_name", "") or urlsplit(url).hostname or "",
        origin=without_counters(url),
        published_at=published_at,
        flags=tuple(flags),
    )
    return _finished(article, desk)


def _markup(raw: bytes, content_type: str) -> str:
    if content_type and not _PAGE.search(content_type):
        kind = content_type.split(";", maxsplit=1)[0].strip()[:60]
        raise InvalidInput(
            Fault(f"is {kind}, not a web page", remedy="download it, and ingest the file")
        )
    text = decode(raw, declared=charset_of(content_type))
    head = text[:2_000].lstrip().lower()
    if re.match(r"(?:<\?xml[^>]*>\s*)?<(?:rss|feed|rdf:rdf)\b", head):
        raise InvalidInput(Fault("is a feed, not a page", remedy="name it as a [[sources]] url"))
    if "<" not in text:
        raise InvalidInput(Fault("is no web page: it has no markup in it"))
    return text


def _body(light: str, main: str, told: Told, url: str) -> tuple[list[str], list[str], list[Flag]]:
    """Return the text's blocks as HTML and as plain text, without furniture."""
    inside = "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n+", told.text))
    best: tuple[list[str], list[str], list[Flag]] = ([], [], [])
    for raw in (_extracted(light, url), main, inside):
        kept, texts, cleaned = trim_blocks(html_blocks(sanitise(raw, base=url)))
        if sum(len(each.split()) for each in texts) >= _FEWEST_WORDS:
            return kept, texts, list(cleaned.flags)
        best = best if best[0] else (kept, texts, list(cleaned.flags))
    return best


def _extracted(light: str, url: str) -> str:
    """Return what trafilatura takes for the article, as HTML."""
    import trafilatura

    found = trafilatura.extract(
        light,
        url=url,
        output_format="html",
        include_links=True,
        include_formatting=True,
        include_comments=False,
        include_images=False,
    )
    return found or ""


def _finished(article: Article, desk: IngestPolicy) -> Document:
    """Add what a reader of any text looks for: deadline, kind, region, diary, doubts."""
    flags = list(article.flags)
    if not article.authors:
        flags.append(Flag("no-byline", "The page names no author."))
    if article.published_at is None:
        flags.append(Flag("no-date", "The page does not say when it was published."))
    reference = desk.local_date(article.published_at) if article.published_at else None
    found = find_deadline(sentences_of(article.body_text), reference=reference, today=desk.today)
    if found:
        note = f"The deadline {found[0].isoformat()} was found in the text; check it."
        flags.extend((Flag("deadline-from-text", note), *found[1]))
    deadline = found[0] if found else None
    piece = Piece(article.title, standfirst=article.standfirst)
    article = replace(
        article,
        deadline=deadline,
        kind=kind_of(piece, article.title, article.body_text, deadline),
        flags=(*flags, *region_flags(article.title, article.body_text, desk.regions)),
    )
    happenings = happenings_in_text(
        article.body_text, reference=reference, today=desk.today, piece=0
    )
    return Document(
        article.origin,
        (article,),
        diary_of(happenings, [article]),
        standing=Standing.PAGE,
        is_whole=False,
    )


def _authors(text: str) -> tuple[str, ...]:
    if not text or text.startswith("http") or len(text) > 200:
        return ()
    return names_in_byline(f"By {text}") or (plain_title(text),)


def _without_site(title: str, site: str) -> str:
    if not site:
        return title
    return re.sub(rf"\s*[|–—·:-]\s*{re.escape(site)}\s*$", "", title, flags=re.IGNORECASE) or title


def _repeats(text: str, title: str) -> bool:
    return " ".join(text.casefold().split()) == " ".join(title.casefold().split())


def _begins(body: str, standfirst: str) -> bool:
    start = " ".join(standfirst.casefold().split())[:80].rstrip(" .…")
    return " ".join(body.casefold().split()).startswith(start)


def _canonical(named: str, url: str) -> str:
    """Return the page's own address for itself, when it is one of the web."""
    try:
        joined = urljoin(url, named.strip()) if named.strip() else url
    except ValueError:
        joined = url
    is_plain = re.fullmatch(r"https?://[^/\s\"<>]+/[^\s\"<>]*", joined) and len(joined) < 2_000
    return without_counters(joined if is_plain else url)


def _picture(told: Told, metas: dict[str, str], light: str, url: str) -> Picture | None:
    """Return the article's picture: as JSON-LD or Open Graph names it, told as its figure does."""
    shown = pictures_in(light)
    meta = Picture(metas.get("og:image", ""), metas.get("og:image:alt") or None)
    named = [picture for picture in (told.picture, meta) if picture and picture.src]
    picture = first_picture(named, url)
    if picture is None:
        # Without a word about it, the first of the text is the article's.
        picture = first_picture((p for p in shown if p.caption or p.alt), url)
    if picture is None:
        return None
    figure = next((p for p in shown if _stem(p.src) == _stem(picture.src)), Picture())
    credited = read_credit(figure.caption or picture.caption) if figure.caption else None
    return replace(
        picture,
        alt=picture.alt or figure.alt,
        caption=(credited.caption if credited else "") or picture.caption or figure.caption,
        credit=picture.credit or (credited.credit if credited else ""),
        licence=picture.licence or (credited.licence if credited else "") or _licence(light),
    )


def _stem(src: str) -> str:
    """Return a picture's name without size: sites show several of one."""
    name = urlsplit(src).path.rpartition("/")[2] if "://" not in src[:3] else src
    return re.sub(r"(?:[-_]\d{2,4}x\d{2,4}|[-_@]\d{1,4}[wx]?)?\.\w{2,5}$", "", name).lower()


def _licence(light: str) -> str:
    for match in _LINK.finditer(light):
        if re.search(r"rel\s*=\s*[\"']?[^\"'>]*\blicen[cs]e\b", match[0], re.IGNORECASE):
            href = re.search(r"href\s*=\s*[\"']?([^\"'\s>]+)", match[0], re.IGNORECASE)
            if href and href[1].startswith("http"):
                return html.unescape(href[1])[:300]
    return ""
