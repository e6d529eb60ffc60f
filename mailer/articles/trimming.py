"""The blocks of a page's HTML without a site's furniture: what ``residue`` finds, taken out of it.

A block that is furniture goes; one that holds some beside its text keeps its text. A paragraph
loses the lines that are furniture, and the second half of what stands twice. A list or quotation
is kept whole or dropped whole.

Invariant: the words of every line that ``residue`` keeps are in the result, in their order.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from mailer.articles.cleaning import html_to_text, sanitise
from mailer.articles.residue import Cleaned, halve, is_residue, remove_residue

_INLINE = re.compile(r"</?(?:em|strong|a)(?: [^>]*)?>")
_FRAMED = re.compile(r"<(?P<tag>p|h3|h4)>(?P<inner>.*)</(?P=tag)>", re.DOTALL)


def trim_blocks(blocks: Sequence[str]) -> tuple[list[str], list[str], Cleaned]:
    """Take residue and repetitions out of blocks.

    Args:
        blocks: sanitised HTML, one top-level block each, as ``pages.html_blocks`` gives them.
    Returns:
        What is left as HTML and as plain text, one text a block, and what ``residue`` says.
    """
    texts = [text_of(block) for block in blocks]
    cleaned = remove_residue(texts)
    kept: list[str] = []
    said: list[str] = []
    for place, left in zip(cleaned.places, cleaned.blocks, strict=True):
        is_as_it_was = left == texts[place]
        block = blocks[place] if is_as_it_was else _trimmed(blocks[place], left)
        kept.append(block)
        said.append(left if is_as_it_was else text_of(block))
    return kept, said, cleaned


def text_of(block: str) -> str:
    """Return a block's plain text; most are a paragraph without anything in it, and quick."""
    plain = block.removeprefix("<p>").removesuffix("</p>")
    if "<" in plain:
        plain = _INLINE.sub("", plain)
    return html_to_text(block) if "<" in plain else " ".join(html.unescape(plain).split())


def _trimmed(block: str, left: str) -> str:
    """Return a block of which only the text ``left`` stays."""
    framed = _FRAMED.fullmatch(block)
    if framed is None:
        # Its lines are not its elements: rather some furniture than a broken list.
        return block
    tag = framed["tag"]
    lines = framed["inner"].split("<br>")
    inner = "<br>".join(line for line in lines if not is_residue(text_of(f"<p>{line}</p>")))
    # Where emphasis or a link ran over a line that went, this mends the elements.
    for marked in (inner, halve(inner)):
        mended = sanitise(f"<{tag}>{marked}</{tag}>")
        if text_of(mended) == left:
            return mended
    return f"<{tag}>{'<br>'.join(html.escape(left, quote=False).splitlines())}</{tag}>"
