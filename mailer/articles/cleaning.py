"""HTML and Markdown made safe and small enough for mail, and turned into plain text.

Everything that enters is capped before any parser sees it (bytes, tags, depth), sanitised by
nh3, and then rewritten to the few elements a mail can show: p, h3, h4, ul, ol, li, blockquote,
a (https, http, mailto), em, strong, br. Scripts, styles, forms and frames go with their content;
pictures go too, ``pictures_in`` reads them first. The result is balanced, has no attributes but
``href``, and is flat enough for every renderer after it.

Failures: ``InvalidInput`` when a cap is passed; the caller adds the file.
Known limits: tables become lines of text.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

from mailer.articles.article import Picture
from mailer.errors import Fault, InvalidInput

MAX_HTML_CHARS = 300_000
"""A long feature is 60,000; Markdown's worst case grows with the square."""
MAX_TAGS = 20_000
MAX_COMMENTS = 2_000
MAX_DEPTH = 100
"""A page's text nests 20 or so; 12,000 levels crash the renderer further down."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_UNNESTED_WORDS = (
    "area base br col embed hr img input link meta source track wbr p li td th tr dd dt option "
    "tbody thead tfoot html head body"
)
_UNNESTED = frozenset(_UNNESTED_WORDS.split())
_BLOCKS_WORDS = (
    "address article aside body center dd details dl dt div fieldset figure figcaption footer "
    "header hr main nav pre section summary table tbody tfoot thead tr caption"
)
_BLOCKS = frozenset(_BLOCKS_WORDS.split())
_READ_TAGS = "p h1 h2 h3 h4 h5 h6 ul ol li blockquote a em i strong b br cite td th"
_READ = frozenset(_READ_TAGS.split()) | (
    _BLOCKS - {"body", "nav", "aside", "header", "footer", "fieldset"}
)
_DROPPED_WHOLE_WORDS = (
    "script style template noscript iframe object embed form button select textarea svg math "
    "nav aside title audio video canvas figure"
)
_DROPPED_WHOLE = frozenset(_DROPPED_WHOLE_WORDS.split())
_NAMES = {
    "h1": "h3",
    "h2": "h3",
    "h3": "h3",
    "h4": "h4",
    "h5": "h4",
    "h6": "h4",
    "b": "strong",
    "i": "em",
    "cite": "em",
}
_INLINE = frozenset({"em", "strong", "a"})


def check_size(text: str) -> None:
    """Refuse HTML that is too large or nests too deeply.

    Raises:
        InvalidInput: over a cap, with what to do.
    """
    if len(text) > MAX_HTML_CHARS:
        raise InvalidInput(
            Fault(
                f"the text is {len(text):,} characters long",
                remedy=f"keep one article under {MAX_HTML_CHARS:,}",
            )
        )
    if (comments := text.count("<!")) > MAX_COMMENTS:
        # The standard parser's time grows with the square of unfinished comments.
        raise InvalidInput(
            Fault(f"the HTML has {comments:,} comments", remedy="remove them, or paste the text")
        )
    open_tags: dict[str, int] = {}
    depth = deepest = count = 0
    for match in _TAG.finditer(text):
        name = match[2].lower()
        if name in _UNNESTED:
            count += 1
            continue
        if match[1]:
            if open_tags.get(name, 0):
                open_tags[name] -= 1
                depth -= 1
            continue
        count += 1
        open_tags[name] = open_tags.get(name, 0) + 1
        depth += 1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    if deepest > MAX_DEPTH or count > MAX_TAGS:
        what = f"nests over {MAX_DEPTH} levels" if deepest > MAX_DEPTH else f"has {count:,} tags"
        raise InvalidInput(
            Fault(f"the HTML {what}", remedy="simplify it, or paste the text as Markdown")
        )


def sanitise(text: str, *, base: str = "") -> str:
    """Return safe, flat HTML of the few elements a mail can show.

    Args:
        text: HTML of any kind.
        base: the http or https address that relative links start from; without one they go.
    Raises:
        InvalidInput: too large or too deep.
    """
    check_size(text)
    writer = _Writer()
    writer.write(_cleaner(base).clean(text))
    return writer.result()


@lru_cache(maxsize=64)
def _cleaner(base: str) -> nh3.Cleaner:
    """Return what cleans the HTML of one place: to make it takes longer than to use it."""
    return nh3.Cleaner(
        tags=set(_READ) - {"figure"},
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        url_relative=("rewrite_with_base", base) if base else "deny",
        link_rel=None,
        strip_comments=True,
    )


_TOKEN = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:\s[^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*)?)>|([^<]+)|<")
_HREF = re.compile(r"\bhref=\"([^\"]*)\"")


class _Writer:
    """Rewrites nh3's output into flat blocks: it is balanced, quoted and escaped, so tokens do."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._line: list[str] = []
        self._block = ""
        self._inline: list[str] = []
        self._lists: list[str] = []
        self._quotes = 0

    def write(self, clean: str) -> None:
        """Take nh3's output."""
        for closing, tag, attributes, data in _TOKEN.findall(clean):
            if tag and not closing:
                self._open(tag, attributes)
            elif tag:
                self._close(tag)
            else:
                self._say(data or "<")

    def _open(self, tag: str, attributes: str) -> None:
        name = _NAMES.get(tag, tag)
        if name == "br":
            self._line.append("<br>")
        elif name in _INLINE:
            href = _HREF.search(attributes) if name == "a" else None
            self._open_inline(name, html.unescape(href[1]) if href else "")
        elif name in {"td", "th"}:
            self._line.append(" ")
        elif name in {"ul", "ol"}:
            self._flush()
            if len(self._lists) < 3:
                self._out.append(f"<{name}>")
            self._lists.append(name)
        elif name == "li":
            self._flush()
            self._block = "li"
        elif name == "blockquote":
            self._flush()
            if not self._lists and not self._quotes:
                self._out.append("<blockquote>")
            self._quotes += 1
        elif self._lists:
            if "".join(self._line).strip():
                self._line.append("<br>")
        else:
            self._flush()
            self._block = name if name in {"h3", "h4"} else "p"

    def _close(self, tag: str) -> None:
        name = _NAMES.get(tag, tag)
        if name in _INLINE:
            if name in self._inline:
                while (last := self._inline.pop()) != name:
                    self._line.append(f"</{last}>")
                self._line.append(f"</{name}>")
        elif name in {"ul", "ol"}:
            self._flush()
            self._lists.pop()
            if len(self._lists) < 3:
                self._out.append(f"</{name}>")
        elif name == "blockquote":
            self._flush()
            self._quotes -= 1
            if not self._lists and not self._quotes:
                self._out.append("</blockquote>")
        elif name == "li" or (not self._lists and name not in {"td", "th", "br"}):
            self._flush()

    def _say(self, data: str) -> None:
        if "&" in data:
            data = html.unescape(data)
        if "  " in data or not data.isprintable():
            # The only white space that counts as printable is the plain space.
            data = re.sub(r"\s+", " ", data)
        self._line.append(html.escape(data, quote=False))

    def _open_inline(self, name: str, href: str) -> None:
        if name in self._inline or (name == "a" and not href):
            return
        self._inline.append(name)
        self._line.append(f'<a href="{html.escape(href)}">' if name == "a" else f"<{name}>")

    def _flush(self) -> None:
        for name in reversed(self._inline):
            self._line.append(f"</{name}>")
        self._inline.clear()
        line = "".join(self._line).strip()
        while line.startswith("<br>"):
            line = line.removeprefix("<br>").lstrip()
        while line.endswith("<br>"):
            line = line.removesuffix("<br>").rstrip()
        self._line.clear()
        block = "li" if self._lists else (self._block or "p")
        self._block = ""
        if re.sub(r"<[^>]*>", "", line).strip() if line.startswith("<") else line:
            self._out.append(f"<{block}>{line}</{block}>")

    def result(self) -> str:
        self._flush()
        joined = "\n".join(self._out)
        # A list or quotation that lost all its content leaves nothing behind.
        before = ""
        while before != joined:
            before = joined
            joined = re.sub(r"<(ul|ol|blockquote)>\s*</\1>\n?", "", joined)
        return joined.strip()


def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "breaks": False}).enable("strikethrough")


def markdown_to_html(text: str) -> str:
    """Render Markdown (CommonMark, raw HTML allowed) and sanitise it.

    Raises:
        InvalidInput: too large or too deep.
    """
    check_size(text)
    return sanitise(_markdown().render(text))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._out.append("\n")
        elif tag == "li":
            self._out.append("\n- ")
        elif tag in {"p", "h3", "h4", "ul", "ol", "blockquote"}:
            self._out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "h3", "h4", "ul", "ol", "blockquote"}:
            self._out.append("\n\n")

    def handle_data(self, data: str) -> None:
        self._out.append(re.sub(r"\s+", " ", data) if data.strip() else " " * bool(data))

    def result(self) -> str:
        lines = [" ".join(line.split()) for line in "".join(self._out).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def html_to_text(text: str) -> str:
    """Return the plain text of sanitised HTML: a blank line between blocks, "- " before items."""
    reader = _Text()
    # White space between blocks is layout, not text.
    reader.feed(re.sub(r">\s*\n\s*<", "><", text))
    reader.close()
    return reader.result()


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Picture] = []
        self._caption: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            given = {name: value or "" for name, value in attrs}
            if given.get("src"):
                # An empty alt is an author saying "decorative"; a missing one is an omission.
                self.found.append(Picture(src=given["src"].strip(), alt=given.get("alt")))
        elif tag == "figcaption":
            self._caption = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "figcaption" and self._caption is not None:
            caption = " ".join("".join(self._caption).split())
            if self.found and not self.found[-1].caption:
                last = self.found[-1]
                self.found[-1] = Picture(src=last.src, alt=last.alt, caption=caption)
            self._caption = None

    def handle_data(self, data: str) -> None:
        if self._caption is not None:
            self._caption.append(data)


def pictures_in(text: str, *, is_markdown: bool = False) -> list[Picture]:
    """Return the pictures of unsanitised HTML or Markdown, in order, with their captions."""
    check_size(text)
    reader = _Pictures()
    reader.feed(_markdown().render(text) if is_markdown else text)
    reader.close()
    return reader.found
