"""A text as blocks: headings and paragraphs with their lines, and sentences mended.

A paper's text breaks a sentence wherever its column ended. ``mend`` joins a paragraph that does
not end a sentence with the one that follows it, and flags the joins it is not sure of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailer.articles.article import Flag
from mailer.articles.lettering import Vocabulary, is_caps, shorten

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
# Every repetition here has a bound, so that no hostile line makes the search quadratic.
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\(([^()\s]{0,2000})\)")
_BULLET = re.compile(r"^\s*(?:[•·▪◦‣]|[-*–](?=\s)|\d{1,2}[.)](?=\s))\s*")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,5}\.(?:com|org|net|uk|info|coop|example|eu|"
    r"io|me|ie|scot|wales|cymru)(?:\.[a-z]{2})?(?:/\S*)?",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"(?:,|\b(?:a|an|and|as|at|but|by|for|from|in|into|is|of|on|or|that|the|their|to|was|with))$",
    re.IGNORECASE,
)

_BROKEN = re.compile(
    r"((?:[^\W\d_]{1,40}-){0,3}[^\W\d_]{1,40})[-‐]\n\s*([a-zà-öø-ÿ][^\W\d_]{0,40})"
)
"""A word that a line's end broke: two halves, the second without a capital."""
_EDGE = 600
"""Looking at the whole of a text that grows with each join would take the square of its length."""
_BROKEN_END = re.compile(r"((?:[^\W\d_]{1,40}-){0,3}[^\W\d_]{1,40})[-‐]$")
_BROKEN_START = re.compile(r"[a-zà-öø-ÿ][^\W\d_]{0,40}")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (``level`` 1 to 6) or a paragraph (0); ``line`` counts from 1."""

    text: str
    line: int = 0
    level: int = 0
    lines: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The text on one line without Markdown's marks."""
        return plain_of(self.text)

    @property
    def is_prose(self) -> bool:
        """True for running text: a sentence or more, not in capitals."""
        plain = self.plain
        return (
            not self.level
            and not is_caps(plain)
            and (len(plain.split()) >= 8 or (len(plain.split()) >= 3 and ends_sentence(plain)))
        )

    @property
    def is_bold(self) -> bool:
        """True when every line is set in bold."""
        return all(re.fullmatch(r"(\*\*|__)[^*]+(\*\*|__)", line.strip()) for line in self.lines)

    @property
    def is_italic(self) -> bool:
        """True when the whole paragraph is set in italics."""
        return bool(re.fullmatch(r"\*(?!\*)[^*]+\*|_(?!_)[^_]+_", self.text.strip()))


def parse_blocks(text: str) -> list[Block]:
    """Split a text at blank lines and Markdown headings."""
    blocks: list[Block] = []
    held: list[str] = []
    start = 1

    def close() -> None:
        lines = tuple(line.strip() for line in held)
        if lines:
            blocks.append(Block("\n".join(lines), start, 0, lines))
        held.clear()

    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        heading = _HEADING.fullmatch(line)
        if heading:
            close()
            if heading[2]:
                blocks.append(Block(heading[2], number, len(heading[1]), (heading[2],)))
        elif not line or re.fullmatch(r"[-_*=]{3,}", line):
            close()
        else:
            if not held:
                start = number
            held.append(line)
    close()
    return blocks


def plain_of(text: str) -> str:
    """Return a text on one line without links, emphasis and escapes of Markdown."""
    flat = _LINK.sub(r"\1", " ".join(text.split()))
    flat = re.sub(r"(?<!\\)(\*\*|__|\*(?=\S)|(?<=\S)\*|(?<!\w)_(?=\S)|(?<=\S)_(?!\w))", "", flat)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", flat).strip()


def first_address(text: str) -> str:
    """Return the first web address in a text, with a scheme; "" when there is none."""
    link = _LINK.search(text)
    if link and link[2].startswith(("http://", "https://")):
        return link[2]
    for match in _ADDRESS.finditer(text):
        if text[max(0, match.start() - 1) : match.start()] == "@":
            continue
        found = match.group().rstrip(".,;:)")
        if is_caps(found):
            found = found.lower()
        return found if found.startswith("http") else f"https://{found}"
    return ""


def is_address(text: str) -> bool:
    """True when a text is nothing but a web address."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def ends_sentence(text: str) -> bool:
    """True when a text ends where a sentence can."""
    return plain_of(text).rstrip("\"”’')]* ").endswith((".", "?", "!", ":", "…"))


def bullet_text(line: str) -> str | None:
    """Return what stands after a bullet, or None for a line without one."""
    match = _BULLET.match(line)
    return line[match.end() :].strip() if match else None


@dataclass(frozen=True, slots=True)
class Mended:
    """Blocks whose sentences are whole; ``joins`` shows where each was put together."""

    blocks: list[Block]
    flags: list[Flag]
    joins: list[str]


def mend(blocks: Sequence[Block], vocabulary: Vocabulary) -> Mended:
    """Join sentences that a column or a page broke, and words that a line broke at a hyphen.

    Args:
        blocks: a piece's body in order.
        vocabulary: of the whole paper, which knows a broken word from a compound.
    """
    kept: list[Block] = []
    flags: list[Flag] = []
    joins: list[str] = []
    for each in blocks:
        block = _without_hyphens(each, vocabulary)
        last = kept[-1] if kept else None
        edge = _edges(last) if last else None
        if last is None or edge is None or not _may_join(edge, _edges(block)):
            kept.append(block)
            continue
        is_small = block.plain[:1].islower()
        is_open = not ends_sentence(edge.text)
        if is_small and not is_open:
            flags.append(
                Flag("break-unclear", f"A sentence may be broken at “{shorten(block.plain, 50)}”.")
            )
        before, after = edge.plain.split()[-4:], block.plain.split()[:4]
        joins.append(f"… {' '.join(before)} | {' '.join(after)} …")
        joined = _join(last.text, block.text, vocabulary)
        kept[-1] = replace(last, text=joined, lines=last.lines + block.lines)
    return Mended(kept, flags, joins)


def _edges(block: Block) -> Block:
    """Return a long block's beginning and end, which are all that joining asks for."""
    if len(block.text) <= 2 * _EDGE:
        return block
    return replace(block, text=f"{block.text[:_EDGE]} {block.text[-_EDGE:]}", lines=())


def _without_hyphens(block: Block, vocabulary: Vocabulary) -> Block:
    """Join the words that the ends of a block's lines broke."""
    text = block.text.replace("\u00ad\n", "").replace("\u00ad", "")
    if "-\n" in text or "‐\n" in text:
        text = _BROKEN.sub(lambda m: join_word(m[1], m[2], vocabulary), text)
    return block if text == block.text else replace(block, text=text, lines=tuple(text.split("\n")))


def _may_join(last: Block, block: Block) -> bool:
    if last.level or block.level or any(_stands_alone(b) for b in (last, block)):
        return False
    is_open = not ends_sentence(last.text)
    if block.plain[:1].islower():
        return last.is_prose or (is_open and len(last.plain.split()) >= 3)
    is_dangling = _DANGLING.search(last.plain) is not None
    return is_open and block.is_prose and (last.is_prose or is_dangling)


def _stands_alone(block: Block) -> bool:
    return (
        bullet_text(block.text) is not None
        or block.text.startswith(">")
        or is_caps(block.plain)
        or is_address(block.plain)
    )


def _join(first: str, second: str, vocabulary: Vocabulary) -> str:
    # A title in italics that the column broke is one title: "*The* *Long Road*".
    italic = re.search(r"(?<!\*)\*[^*\n]+\*$", first) and re.match(r"\*(?!\*)[^*\n]+\*", second)
    if italic:
        return f"{first[:-1]} {second[1:]}"
    end, start = _BROKEN_END.search(first[-200:]), _BROKEN_START.match(second)
    if end and start:
        whole = join_word(end[1], start.group(), vocabulary)
        return first[: len(first) - len(end.group())] + whole + second[start.end() :]
    if first.endswith("-") and not first.endswith(" -"):
        return first + second
    return f"{first} {second}"


def join_word(first: str, second: str, vocabulary: Vocabulary) -> str:
    """Join the two halves of a word that a line's end broke at a hyphen.

    The hyphen stays when the paper writes the compound elsewhere, or both halves alone and never
    their union; otherwise it goes.
    """
    if f"{first}{second}".lower() in vocabulary:
        return first + second
    halves = [vocabulary.get(half.lower()) for half in (first, second)]
    is_compound = (
        f"{first}-{second}".lower() in vocabulary
        or "-" in first
        # A half of a broken word stands in the text once, where it was broken.
        or all(forms is not None and forms.total() > 1 for forms in halves)
    )
    return f"{first}-{second}" if is_compound else first + second
