"""Sizes: what Gmail cuts off or drops, and what a phone waits for."""

from __future__ import annotations

import binascii
import re

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit

CLIPPED_BYTES = 100_000
"""Gmail hides what comes after about 102 kB of an encoded HTML part."""
ROOMY_BYTES = 92_000
STYLE_BYTES = 16_000
"""Gmail drops a style block when all of them together pass 16 kB."""
LEAD_BYTES = 150_000
THUMB_BYTES = 40_000


def check_size(given: Exhibit) -> Hits:
    """Yield what is too large."""
    size = len(binascii.b2a_qp(given.html.encode(), istext=True))
    if size > CLIPPED_BYTES:
        yield Hit(
            "html-too-large",
            f"the HTML has {size // 1000} kB encoded; Gmail would cut it off at 102 kB",
        )
    elif size > ROOMY_BYTES:
        yield Hit(
            "html-large",
            f"the HTML has {size // 1000} kB encoded; from 100 kB Gmail cuts it off",
        )
    styled = given.anatomy.style_bytes
    if styled > STYLE_BYTES:
        yield Hit(
            "style-too-large",
            f"the style blocks have {styled} bytes; Gmail drops them past 16 kB",
            clue="<mj-style",
        )
    if nested := _nested_rule(given.anatomy.styles):
        yield Hit("style-nested", f"{nested} stands within another at-rule", clue=nested)
    if not given.words.strip():
        yield Hit("text-empty", "the text part is empty", clue="body.txt.j2")
    yield from _pictures(given)


def _nested_rule(styles: str) -> str:
    """Return the first at-rule within another, or ""."""
    depth = 0
    inside = 0
    for found in re.finditer(r"@[\w-]+[^{};]*\{|\{|\}", styles):
        piece = found[0]
        if piece == "}":
            depth -= 1
            if depth < inside:
                inside = 0
            continue
        depth += 1
        if piece.startswith("@"):
            if inside:
                return piece.rstrip("{").strip()
            inside = depth
    return ""


def _pictures(given: Exhibit) -> Hits:
    for name in given.edition.article_ids if given.images else ():
        article = (given.articles or {}).get(name)
        if article is None or article.picture is None:
            continue
        prepared = (given.images or {}).get(article.picture.src)
        if prepared is None:
            continue
        for what, image, most in (
            ("lead", prepared.lead, LEAD_BYTES),
            ("thumbnail", prepared.thumb, THUMB_BYTES),
        ):
            if image.size_bytes > most:
                yield Hit(
                    "picture-heavy",
                    f"article {name!r}: {article.picture.src} has {image.size_bytes // 1000} kB "
                    f"as a {what}; have at most {most // 1000}",
                    article=name,
                )
