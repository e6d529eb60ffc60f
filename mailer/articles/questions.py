"""Interviews as a paper prints them: questions in bold, or marked Q and A.

``read_questions`` makes the questions the headings of a piece, so that it stays one article with
parts whatever the page used to set them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.articles.blocks import Block

FEWEST = 3
_ASKED = re.compile(r"^[*_]*(?:Q|Question)\s*[:.]\s*[*_]*\s*", re.IGNORECASE)
_ANSWERED = re.compile(r"^[*_]*(?:A|Answer)\s*[:.]\s*[*_]*\s*")


def read_questions(blocks: Sequence[Block]) -> tuple[list[Block], list[str]]:
    """Return a body with its questions as headings, and the questions.

    Returns:
        The same blocks and nothing where fewer than three questions are set apart.
    """
    asked = [_question(block) for block in blocks]
    questions = [text for text in asked if text]
    if len(questions) < FEWEST:
        return list(blocks), []
    out: list[Block] = []
    for block, question in zip(blocks, asked, strict=True):
        if question:
            out.append(Block(question, block.line, 3, (question,)))
            continue
        text = _ANSWERED.sub("", block.text, count=1) if out and out[-1].level else block.text
        out.append(Block(text, block.line, block.level, tuple(text.split("\n"))))
    return out, questions


def _question(block: Block) -> str:
    """Return the question a block asks, "" when it is none that stands apart."""
    if block.level:
        return ""
    marked = _ASKED.match(block.text)
    plain = block.plain
    if marked:
        asked = _ASKED.sub("", plain, count=1).strip()
        return asked if len(asked.split()) <= 60 else ""
    is_bold = block.is_bold and plain.endswith("?") and 2 <= len(plain.split()) <= 60
    return plain if is_bold else ""
