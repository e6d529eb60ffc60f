"""Markdown's HTML, made fit for a mail: few tags, every style inline; and its plain twin.

The columnist's opening and a region's note come as sanitised HTML. ``styled`` writes it anew,
tag by tag, from a closed list: whatever is not on it is unwrapped, script and style vanish with
their content, attributes other than a safe ``href`` are dropped, depth is capped. So the output
is balanced and harmless whatever the input was. ``plain`` gives the lines of the text part from
the same events, each address alone on its line after the block that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

from markupsafe import Markup, escape

from mailer.editions.text import UNSHOWN, one_line, safe_url

DEPTH = 12
BLOCKS = frozenset({"p", "h3", "ul", "ol", "li", "blockquote"})
INLINE = frozenset({"a", "em", "strong"})
_NAMES = {
    "i": "em",
    "b": "strong",
    "h1": "h3",
    "h2": "h3",
    "h4": "h3",
    "h5": "h3",
    "h6": "h3",
}
_DROPPED = frozenset({"script", "style", "template", "title", "textarea", "svg", "math", "iframe"})


class _Walker(HTMLParser):
    """Turns any HTML into balanced open, close and text events of the closed list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.events: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._silent += 1
            return
        name = _NAMES.get(tag, tag)
        if self._silent:
            return
        if name == "br":
            self.events.append(("break", "br", ""))
            return
        if name not in BLOCKS | INLINE or len(self._open) >= DEPTH:
            return
        if name in BLOCKS:
            self._close_to({"p", "h3"})
        if name in self._open[-1:]:
            return
        if name == "li" and not {"ul", "ol"} & set(self._open):
            return
        href = ""
        if name == "a":
            href = safe_url(dict(attrs).get("href") or "", schemes=("https", "http", "mailto"))
            if not href or "a" in self._open:
                return
        self._open.append(name)
        self.events.append(("open", name, href))

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._silent = max(0, self._silent - 1)
            return
        name = _NAMES.get(tag, tag)
        if not self._silent and name in self._open:
            self._close_to({name})

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", UNSHOWN.sub(" ", data))
        if not self._silent and text and (text != " " or self._wants_space()):
            if not self._open and text.strip():
                self._open.append("p")
                self.events.append(("open", "p", ""))
            self.events.append(("text", "", text))

    def _wants_space(self) -> bool:
        return bool({"p", "h3", "li", *INLINE} & set(self._open))

    def _close_to(self, names: set[str]) -> None:
        if not names & set(self._open):
            return
        while self._open:
            name = self._open.pop()
            self.events.append(("close", name, ""))
            if name in names:
                return

    def finish(self) -> list[tuple[str, str, str]]:
        self.close()
        while self._open:
            self.events.append(("close", self._open.pop(), ""))
        return self.events


def _events(html: str) -> list[tuple[str, str, str]]:
    walker = _Walker()
    walker.feed(html)
    return walker.finish()


def styled(html: str, styles: Mapping[str, str]) -> Markup:
    """Write HTML anew with inline styles.

    Args:
        html: sanitised HTML; hostile HTML does no harm either.
        styles: CSS by tag name (``p``, ``h3``, ``ul``, ``ol``, ``li``, ``blockquote``, ``a``).
    """
    parts: list[str] = []
    for what, name, value in _events(html):
        if what == "text":
            parts.append(str(escape(value)))
        elif what == "break":
            parts.append("<br />")
        elif what == "close":
            parts.append(f"</{name}>")
        else:
            link = f' class="k" href="{escape(value)}"' if name == "a" else ""
            style = f' style="{escape(styles[name])}"' if styles.get(name) else ""
            parts.append(f"<{name}{link}{style}>")
    return Markup("".join(parts))  # noqa: S704 - written here from a closed list, text escaped


def plain(html: str) -> str:
    """Return the text part's lines: one a paragraph, a blank line between, addresses alone."""
    writer = _PlainWriter()
    for what, name, value in _events(html):
        writer.take(what, name, value)
    return writer.finish()


class _PlainWriter:
    """Collects a line until its block ends."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._current = ""
        self._prefix = ""
        self._links: list[str] = []
        self._counters: list[int | None] = []
        self._quoted = 0

    def take(self, what: str, name: str, value: str) -> None:
        if what == "text":
            self._current += value
        elif what == "break":
            self._current += " "
        elif name == "a" and what == "open":
            self._links.append(value.removeprefix("mailto:"))
        elif name in BLOCKS:
            self._end_line()
            if what == "open":
                self._open(name)
            else:
                self._close(name)

    def _open(self, name: str) -> None:
        if name in {"ul", "ol"}:
            self._counters.append(1 if name == "ol" else None)
            self._lines.append("")
        elif name == "blockquote":
            self._quoted += 1
            self._lines.append("")
        elif name == "li" and self._counters:
            number = self._counters[-1]
            self._prefix = "- " if number is None else f"{number}. "
            if number is not None:
                self._counters[-1] = number + 1

    def _close(self, name: str) -> None:
        if name in {"ul", "ol"} and self._counters:
            self._counters.pop()
        if name == "blockquote":
            self._quoted -= 1
        if name != "li":
            self._lines.append("")

    def _end_line(self) -> None:
        line = one_line(self._current)
        if line:
            self._lines.append(f"{'> ' * self._quoted}{self._prefix}{line}")
            self._prefix = ""
        self._lines.extend(self._links)
        self._links.clear()
        self._current = ""

    def finish(self) -> str:
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")
