"""An HTML part as different programs would show it: its guises.

A browser shows a mail in one way only; what others make of it is written into the HTML instead.
``LIGHT`` and ``DARK`` decide every ``prefers-color-scheme`` beforehand, ``BARE`` has lost its style
blocks, as some programs cut them out, ``OUTLOOK`` is what Word's engine sees: the conditional
comments meant for it opened, what is hidden from it gone, no media queries. ``frame_ready`` makes
any of them fit for a sandboxed frame. All of it works on segments, so that one guise serves every
reader. Pure.

Known limit: Word draws less than a browser; the guise has Word's HTML, not its engine.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from enum import StrEnum

from mailer.editions.edition import Segments


class Guise(StrEnum):
    """What a mail is looked at as."""

    LIGHT = "light"
    DARK = "dark"
    BARE = "bare"
    OUTLOOK = "outlook"


_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_BOTH = re.compile(r"(color-scheme(?:s)?\"?\s*(?::|\s+content=\")\s*)light dark", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_SHOWN_TO_OTHERS = re.compile(
    r"<!--\[if\s+!\s*mso[^\]]*\]>.*?<!\[endif\]-->", re.IGNORECASE | re.DOTALL
)
_FOR_WORD = re.compile(
    r"<!--\[if\s+[^\]]*\bmso\b[^\]]*\]>(.*?)<!\[endif\]-->", re.IGNORECASE | re.DOTALL
)
_OLD_WORD = re.compile(
    r"<!--\[if\s+lte?\s+mso\s+(?:9|1[0-2])\b[^\]]*\]>.*?<!\[endif\]-->", re.IGNORECASE | re.DOTALL
)
_SETTINGS = re.compile(r"<(xml|noscript)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"<a\b(?=[^>]*\shref=\"[^#\"])", re.IGNORECASE)
_PLACE = re.compile(r"(<a\b[^>]*\shref=\")#", re.IGNORECASE)


def dress(segments: Segments, guise: Guise) -> Segments:
    """Return an HTML part in a guise."""
    return _through(segments, _GUISES[guise])


def frame_ready(segments: Segments) -> Segments:
    """Return an HTML part whose links work inside a frame that has no address of its own.

    Links to pages open beside it; links within the mail stay within the frame.
    """

    def ready(html: str) -> str:
        html = _LINK.sub('<a target="_blank" rel="noopener noreferrer"', html)
        return _PLACE.sub(r"\1about:srcdoc#", html)

    return _through(segments, ready)


def _fixed(scheme: str) -> Callable[[str], str]:
    def fix(html: str) -> str:
        html = _SCHEME.sub(
            lambda found: "(min-width:0)" if found[1].lower() == scheme else "(max-width:0)", html
        )
        return _BOTH.sub(lambda found: found[1] + scheme, html)

    return fix


_LIGHT = _fixed("light")


def _bare(html: str) -> str:
    return _STYLE.sub("", _LIGHT(html))


def _outlook(html: str) -> str:
    html = _SHOWN_TO_OTHERS.sub("", _LIGHT(html))
    html = _OLD_WORD.sub("", html)
    # Word's own settings are no text, which only Word knows.
    html = _FOR_WORD.sub(lambda found: _SETTINGS.sub("", found[1]), html)
    return _STYLE.sub(lambda found: _without_queries(found[0]), html)


def _without_queries(style: str) -> str:
    """Take the at-rules with a block out of a style block, and a block that is one by its tag."""
    if re.match(r"<style\b[^>]*\smedia=", style, re.IGNORECASE):
        return ""
    kept: list[str] = []
    position = 0
    for found in re.finditer(r"@media\b[^{]*\{", style, re.IGNORECASE):
        if found.start() < position:
            continue
        kept.append(style[position : found.start()])
        depth, position = 1, found.end()
        while depth and position < len(style):
            depth += {"{": 1, "}": -1}.get(style[position], 0)
            position += 1
    return "".join(kept) + style[position:]


_GUISES: dict[Guise, Callable[[str], str]] = {
    Guise.LIGHT: _LIGHT,
    Guise.DARK: _fixed("dark"),
    Guise.BARE: _bare,
    Guise.OUTLOOK: _outlook,
}


def _through(segments: Segments, change: Callable[[str], str]) -> Segments:
    """Change the HTML as a whole; slots and edges pass as tokens nobody can have written."""
    key = secrets.token_hex(16)
    marks = [part for part in segments if not isinstance(part, str)]
    numbers = iter(range(len(marks)))
    whole = "".join(
        part if isinstance(part, str) else f"s{key}n{next(numbers)}e" for part in segments
    )
    parts = re.split(f"s{key}n(\\d+)e", change(whole))
    cut = (marks[int(part)] if at % 2 else part for at, part in enumerate(parts))
    return tuple(part for part in cut if part)
