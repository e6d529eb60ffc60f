"""Links: that each can be followed, says where it leads, and is in both parts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mailer.editions.anatomy import Link
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit

VAGUE = frozenset(
    {"click here", "here", "link", "more", "read more", "this", "this link", "continue", "details"}
)


def check_links(given: Exhibit) -> Hits:
    """Yield what is wrong with a link, its text, or its twin in the other part."""
    hrefs_by_text: dict[str, set[str]] = {}
    for link in given.anatomy.links:
        hrefs_by_text.setdefault(link.text.casefold(), set()).add(link.href)
        yield from _address(given, link)
    bare = {link.text: link.href for link in given.anatomy.links if not link.is_marked}
    for text, href in bare.items():
        yield Hit(
            "link-not-underlined", f"the link {text!r} within text has no underline", clue=href
        )
    for text, hrefs in hrefs_by_text.items():
        href = min(hrefs)
        if not text:
            yield Hit("link-empty", f"a link to {href} has no text", clue=href)
        elif text in VAGUE:
            yield Hit("link-vague", f"a link says only {text!r}", clue=href)
        if len(hrefs) > 1:
            yield Hit(
                "link-text-twice",
                f"{len(hrefs)} links to different pages say {text!r}",
                clue=href,
            )
    yield from _parity(given)


def _address(given: Exhibit, link: Link) -> Hits:
    href = link.href
    if href.startswith("#") and href[1:] in given.anatomy.ids:
        return
    if href.startswith("http://") and not given.is_ours(href):
        yield Hit("link-not-https", f"the link {link.text!r} leads to {href}", clue=href)
    elif not re.match(r"https?://[^/]|mailto:.+@", href):
        yield Hit("link-broken", f"the link {link.text!r} leads to {href!r}", clue=href)
    elif href.startswith("http") and "@" in _authority(href):
        yield Hit("link-login", f"the link {link.text!r} carries a login", clue=href)


def _authority(href: str) -> str:
    try:
        return urlsplit(href).netloc
    except ValueError:
        return ""


def _parity(given: Exhibit) -> Hits:
    linked = {link.href for link in given.anatomy.links if re.match("https?:", link.href)}
    lines = given.words.splitlines()
    alone = {line.strip() for line in lines if re.fullmatch(r"https?://\S+", line)}
    for href in sorted(linked - alone):
        yield Hit(
            "link-not-in-text",
            f"{href} is linked in the HTML and not in the text part",
            clue=href,
        )
    for href in sorted(alone - linked):
        yield Hit(
            "link-only-in-text",
            f"{href} stands in the text part and is not linked in the HTML",
            clue=href,
        )
