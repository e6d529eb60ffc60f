"""What the network says of an issue's links, judged: pure, from answers that were fetched.

A page that is gone stops an approval; one that could not be had is looked at again. A page that
sends its visitors to the site's front page is probably gone as well, politely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urldefrag, urlsplit

from mailer.editions.checks.rulebook import Hit

GONE = frozenset({404, 410, 451})


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of asking for an address (without its fragment).

    ``status`` is 0 where no answer came, with ``trouble`` saying why; ``is_refused`` where our own
    guard would not ask. ``url`` is where the answer came from, ``moved_to`` where the address has
    moved for good; ``ids`` are the places that the page has, None where it is no page of HTML.
    """

    status: int
    url: str = ""
    moved_to: str = ""
    trouble: str = ""
    is_refused: bool = False
    ids: frozenset[str] | None = None


def judge(href: str, looked: Looked) -> Iterator[Hit]:
    """Yield what is wrong with one link."""
    bare, fragment = urldefrag(href)
    if looked.is_refused:
        yield Hit("link-refused", f"{href} {looked.trouble}", clue=bare)
    elif looked.status in GONE:
        yield Hit("link-gone", f"{href} answers {looked.status}", clue=bare)
    elif looked.status != 200:
        said = looked.trouble or f"answers {looked.status}"
        yield Hit("link-unreachable", f"{href} {said}", clue=bare)
    else:
        if _is_front_page(looked.url) and not _is_front_page(bare):
            yield Hit("link-rotten", f"{href} now leads to {looked.url}", clue=bare)
        elif looked.moved_to:
            yield Hit(
                "link-moved",
                f"{href} has moved to {looked.moved_to}",
                f"write {looked.moved_to}",
                clue=bare,
            )
        wanted = unquote(fragment)
        # A fragment with a sign in it is a script's or a browser's own, as :~:text= is.
        is_place = bool(re.fullmatch(r"[\w.-]+", wanted))
        if is_place and looked.ids is not None and wanted not in looked.ids:
            yield Hit("link-anchor-missing", f"{bare} has no place {wanted!r}", clue=href)


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


def ids_of(html: str) -> frozenset[str]:
    """Return the places of a page that a link can name."""
    found = re.findall(r"""\b(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", html)
    return frozenset("".join(groups) for groups in found)
