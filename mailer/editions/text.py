"""Words for an edition: lines, excerpts and addresses in the form a reader meets.

Everything here is pure. ``one_line`` is what every single-line value passes on its way into a
template, so that no article can start a line of its own in the text part or break a header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote, urlsplit, urlunsplit

from mailer.articles.article import Article

EXCERPT_WORDS = 45
LONG_EXCERPT_WORDS = 110
WHOLE_WORDS = 120
WORDS_A_MINUTE = 220
URL_LENGTH = 1500

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
"""What Unicode promises never to assign."""

UNSHOWN = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202d\u202e{_NONCHARACTERS}]")
"""Characters that must never reach a reader: controls, surrogates, line separators, overrides.

Joiners and soft hyphens stay: scripts and emoji need them. Bidirectional overrides go: they make
one word look like another."""


def is_noncharacter(character: str) -> bool:
    """Say whether Unicode promises never to assign this code point."""
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def one_line(text: str) -> str:
    """Return the text on one line: nothing unshown, no line ends, single spaces."""
    return " ".join(UNSHOWN.sub(" ", text).split())


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a plain text, each on one line, empty ones left out."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [line for line in (one_line(block) for block in blocks) if line]


def excerpt(parts: Sequence[str], *, words: int) -> tuple[str, ...]:
    """Cut paragraphs to about ``words`` words: at a sentence's end if one is near, else at a word.

    Returns:
        Paragraphs. The last ends with an ellipsis where a sentence was cut.
    """
    kept: list[str] = []
    left = words
    for part in parts:
        every = part.split()
        if len(every) <= left:
            kept.append(part)
            left -= len(every)
            if left < words * 0.25:
                break
            continue
        if kept and left < words * 0.4:
            break
        kept.append(_cut(every, left))
        break
    return tuple(kept)


def _cut(every: list[str], limit: int) -> str:
    ends = [
        number
        for number, word in enumerate(every[: limit + 8], 1)
        if re.search(r"[.!?…][\"'”’)\]]*$", word) and not _is_abbreviation(word)
    ]
    near = [number for number in ends if number >= limit * 0.55]
    if near:
        return " ".join(every[: near[-1]])
    return " ".join(every[:limit]).rstrip(",;:–—-( ") + "…"


def _is_abbreviation(word: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Prof|No|vs|e\.g|i\.e|etc)\.", word))


def article_text(article: Article, *, standfirst: str, has_link: bool) -> tuple[str, ...]:
    """Return what to show under a headline: the standfirst, or the piece's first words.

    A piece that readers cannot follow to a page of its own is shown whole when it is short, and
    at greater length otherwise.
    """
    lead_in = one_line(standfirst) or one_line(article.standfirst)
    if has_link and lead_in:
        return (lead_in,)
    body = [part for part in paragraphs(article.body_text) if part not in {lead_in, article.title}]
    if has_link:
        return excerpt(body, words=EXCERPT_WORDS)
    before = (lead_in,) if lead_in else ()
    if sum(len(part.split()) for part in body) <= WHOLE_WORDS:
        return before + tuple(body)
    return before + excerpt(body, words=LONG_EXCERPT_WORDS)


def minutes_to_read(article: Article) -> int:
    """Return whole minutes, at least 1."""
    return max(1, round(article.word_count / WORDS_A_MINUTE))


def safe_url(url: str, *, schemes: Sequence[str] = ("https", "http")) -> str:
    """Return the address in ASCII, or "" when it is not one a mail may carry.

    Only the given schemes, a host, no credentials; anything that could leave an attribute or a
    line is percent-encoded.
    """
    if not url or len(url) > URL_LENGTH or any(unicodedata.category(ch) == "Cc" for ch in url):
        return ""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme == "mailto" and "mailto" in schemes:
        target = parts.path
        is_address = re.fullmatch(r"[^\s@<>\"%?&]+@[A-Za-z0-9.-]+", target)
        return f"mailto:{target}" if is_address else ""
    if parts.scheme not in schemes or not re.fullmatch(r"[A-Za-z0-9.-]+", host) or parts.username:
        return ""
    return urlunsplit(
        (
            parts.scheme,
            host + port,
            quote(parts.path, safe="/%:@!$&*+,;=~-._"),
            quote(parts.query, safe="/%:@!$&*+,;=?~-._"),
            quote(parts.fragment, safe="/%:@!$&*+,;=?~-._"),
        )
    )


def bare_url(url: str) -> str:
    """Return an address as people say it: ``lantern.example/shares``."""
    return url.partition("://")[2].removeprefix("www.").rstrip("/") or url
