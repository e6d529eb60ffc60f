"""Everything about an edition that can be checked before anybody gets it, without a network.

``check_edition`` looks at the bytes a reader would get (size, links, headings, contrast, words
that must be there) and, when it is given the issue and its articles, at what an editor may have
overlooked (see ``editorial``). An error stops approval; a warning is the editor's to judge.
Sending has its own gate for what the law wants; here a missing postal address is a warning, so
that a new publication can be looked at.

Pure: values in, findings out. Known limit: whether a link leads anywhere is not looked up.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence

from mailer.articles.article import Article, DiaryEntry
from mailer.editions.anatomy import Anatomy, dissect
from mailer.editions.colours import READABLE, contrast, palettes
from mailer.editions.edition import SLOTS, Edition, Slot, merge_html, merge_text
from mailer.editions.editorial import check_content
from mailer.editions.finding import Finding, Level
from mailer.editions.pictures import PreparedPicture
from mailer.issues.issue import Issue
from mailer.publication import Publication, Region

CLIPPED_BYTES = 100_000
"""Gmail hides what comes after about 102 kB of an encoded HTML part."""
ROOMY_BYTES = 92_000
STYLE_BYTES = 16_000
"""Gmail drops a style block when all of them together pass 16 kB."""
SMALLEST_PX = 14
BODY_WIDTH = 640
SUBJECT_LENGTH = 78
SUBJECT_LIMIT = 200
PREHEADER_LENGTHS = (30, 140)
VAGUE = frozenset(
    {"click here", "here", "link", "more", "read more", "this", "this link", "continue", "details"}
)

_READER = {name: f"https://reader.invalid/{name}/{'x' * 60}" for name in SLOTS if "url" in name}
_SAMPLE = {"name": "Reader", "greeting": "Dear Reader,", "address": "reader@mail.invalid"} | _READER

_Found = Iterator[tuple[Level, str, str, str]]


def check_edition(
    edition: Edition,
    *,
    publication: Publication,
    region: Region,
    issue: Issue | None = None,
    articles: Mapping[str, Article] | None = None,
    images: Mapping[str, PreparedPicture] | None = None,
    diary: Sequence[DiaryEntry] | None = None,
    web_url: str = "",
) -> list[Finding]:
    """Check one edition.

    Args:
        issue, articles, images, diary: what it was rendered from; the checks that need one are
            left out where it is not given.
        web_url: our own address, whose pictures may be on http while developing.
    Returns:
        Findings, errors first; empty when there is nothing to say.
    """
    html = merge_html(edition.html, _SAMPLE)
    words = merge_text(edition.text, _SAMPLE)
    anatomy = dissect(html)
    found = [
        *_sizes(html, words, anatomy),
        *_characters(html, words),
        *_envelope(edition),
        *_structure(edition, anatomy),
        *_links(anatomy, words, web_url),
        *_pictures(anatomy, web_url),
        *_looks(anatomy, publication),
        *_duties(edition, anatomy, words, publication),
    ]
    if issue is not None:
        found += check_content(
            issue,
            edition=edition,
            publication=publication,
            region=region,
            articles=articles,
            images=images,
            diary=diary,
        )
    order = list(Level)
    return [
        Finding(level, code, message, region.slug, remedy)
        for level, code, message, remedy in sorted(found, key=lambda item: order.index(item[0]))
    ]


def _sizes(html: str, words: str, anatomy: Anatomy) -> _Found:
    size = len(binascii.b2a_qp(html.encode(), istext=True))
    if size > CLIPPED_BYTES:
        yield (
            Level.ERROR,
            "html-too-large",
            f"the HTML has {size // 1000} kB encoded; Gmail would cut it off at 102 kB",
            "show fewer stories or a shorter opening",
        )
    elif size > ROOMY_BYTES:
        yield (
            Level.WARNING,
            "html-large",
            f"the HTML has {size // 1000} kB encoded; from 100 kB Gmail cuts it off",
            "leave it at that, or take a story out",
        )
    if anatomy.style_bytes > STYLE_BYTES:
        yield (
            Level.ERROR,
            "style-too-large",
            f"the style blocks have {anatomy.style_bytes} bytes; Gmail drops them past 16 kB",
            "shorten the template's mj-style",
        )
    if not words.strip():
        yield Level.ERROR, "text-empty", "the text part is empty", "mend body.txt.j2"


def _characters(html: str, words: str) -> _Found:
    for name, part in (("HTML", html), ("text", words)):
        if re.search(r"s[0-9a-f]{32}n\d+e", part):
            yield (
                Level.ERROR,
                "token-left",
                f"a reader's field was left unfilled in the {name} part",
                "print reader's fields as they are, without filters",
            )
        if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", part):
            yield (
                Level.ERROR,
                "control-character",
                f"the {name} part holds a control character",
                "remove it from the article or the template",
            )
        braces = re.search(r"\{\{.{0,40}|\{%.{0,40}", part)
        if braces:
            yield (
                Level.WARNING,
                "braces-shown",
                f"the {name} part shows template braces: {braces[0]!r}",
                "look whether they are meant",
            )
    if "\\u{" in html:
        yield (
            Level.ERROR,
            "escape-shown",
            "the HTML shows a character as \\u{…}",
            "write it as &#…; in the template",
        )


def _envelope(edition: Edition) -> _Found:
    if not edition.subject:
        yield Level.ERROR, "subject-empty", "the subject is empty", "write one into the issue"
    elif len(edition.subject) > SUBJECT_LIMIT:
        yield (
            Level.ERROR,
            "subject-too-long",
            f"the subject has {len(edition.subject)} characters",
            f"write at most {SUBJECT_LENGTH}",
        )
    elif len(edition.subject) > SUBJECT_LENGTH:
        yield (
            Level.WARNING,
            "subject-long",
            f"the subject has {len(edition.subject)} characters; inboxes show about 60",
            f"write at most {SUBJECT_LENGTH}",
        )
    shortest, longest = PREHEADER_LENGTHS
    length = len(edition.preheader)
    if not length:
        yield Level.WARNING, "preheader-empty", "there is no preheader", "write one sentence"
    elif not shortest <= length <= longest:
        yield (
            Level.WARNING,
            "preheader-length",
            f"the preheader has {length} characters",
            f"write {shortest} to {longest}, best about 90",
        )


def _structure(edition: Edition, anatomy: Anatomy) -> _Found:
    if anatomy.language != edition.language:
        yield (
            Level.ERROR,
            "language",
            f"the HTML says lang={anatomy.language!r}, the edition is {edition.language!r}",
            "write <mjml lang=…> in body.mjml.j2",
        )
    if anatomy.direction not in {"ltr", "rtl"}:
        yield Level.ERROR, "direction", "the HTML does not say dir", "write <mjml dir=…>"
    levels = [level for level, _ in anatomy.headings]
    if levels.count(1) != 1:
        yield (
            Level.ERROR,
            "heading-first",
            f"there are {levels.count(1)} headings h1",
            "have exactly one, the masthead's",
        )
    for (before, _), (level, text) in zip(anatomy.headings, anatomy.headings[1:], strict=False):
        if level > before + 1:
            yield (
                Level.WARNING,
                "heading-order",
                f"the heading {text!r} is h{level} right after an h{before}",
                f"make it h{before + 1}",
            )
    if any(not text for _, text in anatomy.headings):
        yield Level.WARNING, "heading-empty", "a heading is empty", "write it or remove it"
    if anatomy.tables_without_role:
        yield (
            Level.ERROR,
            "table-role",
            f"{anatomy.tables_without_role} layout tables lack role=presentation",
            'write role="presentation" on each <table>',
        )


def _links(anatomy: Anatomy, words: str, web_url: str) -> _Found:
    hrefs_by_text: dict[str, set[str]] = {}
    for link in anatomy.links:
        hrefs_by_text.setdefault(link.text.casefold(), set()).add(link.href)
        if link.href.startswith("#") and link.href[1:] in anatomy.ids:
            continue
        if link.href.startswith("http://") and not _is_ours(link.href, web_url):
            yield (
                Level.WARNING,
                "link-not-https",
                f"the link {link.text!r} leads to {link.href}",
                "use https if the page has it",
            )
        elif not re.match(r"https?://[^/]|mailto:.+@", link.href):
            yield (
                Level.ERROR,
                "link-broken",
                f"the link {link.text!r} leads to {link.href!r}",
                "give it an https address",
            )
    for text, hrefs in hrefs_by_text.items():
        if not text:
            yield Level.ERROR, "link-empty", f"a link to {min(hrefs)} has no text", "write one"
        elif text in VAGUE:
            yield Level.WARNING, "link-vague", f"a link says only {text!r}", "say where it leads"
        if len(hrefs) > 1:
            yield (
                Level.WARNING,
                "link-text-twice",
                f"{len(hrefs)} links to different pages say {text!r}",
                "give each words of its own",
            )
    linked = {link.href for link in anatomy.links if re.match("https?:", link.href)}
    alone = {line.strip() for line in words.splitlines() if re.fullmatch(r"https?://\S+", line)}
    for href in sorted(linked - alone):
        yield (
            Level.ERROR,
            "link-not-in-text",
            f"{href} is linked in the HTML and not in the text part",
            "give it a line of its own in body.txt.j2",
        )
    for href in sorted(alone - linked):
        yield (
            Level.WARNING,
            "link-only-in-text",
            f"{href} stands in the text part and is not linked in the HTML",
            "link it in body.mjml.j2",
        )


def _is_ours(url: str, web_url: str) -> bool:
    return bool(web_url) and url.startswith(f"{web_url}/")


def _pictures(anatomy: Anatomy, web_url: str) -> _Found:
    for picture in anatomy.pictures:
        if picture.alt is None:
            yield (
                Level.ERROR,
                "picture-no-alt",
                f"the picture {picture.src} has no alt attribute",
                'write alt="…", or alt="" for decoration',
            )
        if not picture.src.startswith("https://") and not _is_ours(picture.src, web_url):
            yield (
                Level.ERROR,
                "picture-not-https",
                f"the picture {picture.src!r} is not loaded over https",
                "serve it over https",
            )
        if picture.width is None or not 0 < picture.width <= BODY_WIDTH:
            yield (
                Level.ERROR,
                "picture-width",
                f"{picture.src} is {picture.width or '?'} px wide in a mail of {BODY_WIDTH}",
                "give it a width that fits its column",
            )


def _looks(anatomy: Anatomy, publication: Publication) -> _Found:
    for scheme, palette in zip(("light", "dark"), palettes(publication.theme), strict=True):
        for pair, ratio in palette.pairs().items():
            if ratio < READABLE:
                yield (
                    Level.ERROR,
                    f"contrast-{scheme}",
                    f"the theme's {pair} has a contrast of {ratio:.1f} in the {scheme} scheme",
                    f"choose colours with {READABLE} or more in publication.toml, [theme]",
                )
    weak = {
        (run.colour, run.ground): run.text
        for run in reversed(anatomy.runs)
        if contrast(run.colour, run.ground) < READABLE
    }
    for (colour, ground), text in weak.items():
        yield (
            Level.ERROR,
            "contrast",
            f"{text.strip()[:40]!r} has a contrast of {contrast(colour, ground):.1f}",
            f"it is {colour} on {ground}; have {READABLE} or more",
        )
    small = [run for run in anatomy.runs if run.size_px < SMALLEST_PX]
    if small:
        yield (
            Level.WARNING,
            "type-small",
            f"{small[0].text.strip()[:40]!r} is set in {small[0].size_px:g} px",
            f"use {SMALLEST_PX} px or more",
        )
    if "prefers-color-scheme" not in anatomy.styles or "color-scheme" not in anatomy.metas:
        yield (
            Level.WARNING,
            "no-dark-scheme",
            "the templates have no colours for a dark mail program",
            "see parts/dark.css.j2 of the shipped set",
        )


def _duties(edition: Edition, anatomy: Anatomy, words: str, publication: Publication) -> _Found:
    for name, part in (("HTML", edition.html), ("text", edition.text)):
        if Slot("unsubscribe_url") not in part:
            yield (
                Level.ERROR,
                "no-unsubscribe",
                f"the {name} part has no unsubscribe link",
                "print {{ reader.unsubscribe_url }} in the footer",
            )
    for slot in sorted(edition.roster_slots, key=lambda slot: slot.name):
        if slot.default is None:
            yield (
                Level.ERROR,
                "field-without-default",
                f"the roster's field {slot.column!r} has no default for readers without one",
                f'write {{{{ reader.field("{slot.column}", default="…") }}}}, or default=""',
            )
    if not publication.postal_address:
        yield (
            Level.WARNING,
            "no-postal-address",
            "the publication has no postal address; it cannot be sent",
            "fill in postal_address in publication.toml",
        )
    for code, value in (
        ("postal-address", publication.postal_address),
        ("publisher", publication.publisher),
    ):
        wanted = " ".join(value.split())
        if wanted and (wanted not in anatomy.words or wanted not in " ".join(words.split())):
            yield (
                Level.ERROR,
                f"{code}-not-shown",
                f"{wanted!r} is not in both parts",
                "print it in the footer of body.mjml.j2 and body.txt.j2",
            )
