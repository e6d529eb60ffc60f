"""The screen of ``mailer ingest --review``: one unsure piece at a time, one letter an answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mailer.cli.output import complain, note, say

if TYPE_CHECKING:
    from mailer.usecases.reviewing import Doubtful, Review

_SHOWN = 320
"""Characters of a piece's beginning and end."""


def has_terminal() -> bool:
    """Say whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def look_through(review: Review) -> None:
    """Show every unsure piece until all are answered or the editor has had enough."""
    answered = 0
    try:
        while pieces := review.unsure():
            _show(pieces[0], left=len(pieces))
            if not _ask(review, pieces[0]):
                return
            answered += 1
    except EOFError:
        # What was answered is kept.
        return
    note("That was all that is unsure." if answered else "Nothing is unsure.")


def _show(piece: Doubtful, *, left: int) -> None:
    data = piece.to_data()
    article = piece.article
    say()
    say(f"{data['file']}, piece {piece.place} of {piece.count}; {left} to look at", style="dim")
    say(article.title, style="bold")
    by = ", ".join(article.authors) or "no author"
    say(f"  {by}; {article.kind.value}; {article.word_count} words; sure {data['confidence']:.2f}")
    for doubt in data["doubts"]:
        takes = f"-{doubt['takes']:.0%}" if doubt["takes"] else "note"
        say(f"  {takes:>5} {doubt['code']}: {doubt['note']}")
    for joined in article.joins:
        say(f"  joined: {joined}")
    for quote in article.quotes:
        say(f"  quotation: {quote}")
    text = " ".join(article.body_text.split())
    say(f"  begins: {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
    if len(text) > _SHOWN:
        say(f"  ends: …{text[-_SHOWN:]}")


def _ask(review: Review, piece: Doubtful) -> bool:
    """Ask until an answer fits; False when the editor stops."""
    from mailer.articles.rulings import Act
    from mailer.errors import InvalidInput

    join = f"[j]oin with “{piece.previous.title}”  " if piece.previous else ""
    say(f"[a]ccept  {join}[s]plit  [r]etitle  ad[v]ert  [d]rop  [l]ater  [q]uit")
    acts = {"a": Act.ACCEPT, "j": Act.JOIN, "v": Act.ADVERT, "d": Act.DROP}
    while True:
        letter = _input("> ").strip().lower()[:1]
        try:
            if letter in acts:
                review.answer(piece, acts[letter])
                return True
            if letter == "r":
                review.answer(piece, Act.RETITLE, title=_input("title: "))
                return True
            if letter == "s":
                _split(review, piece)
                return True
            if letter == "l":
                review.later(piece)
                return True
            if letter == "q":
                return False
            say("Type one of the letters in brackets.")
        except InvalidInput as error:
            complain(error)


def _split(review: Review, piece: Doubtful) -> None:
    from mailer.articles.rulings import Act

    for number, text in enumerate(piece.paragraphs, 1):
        say(f"  {number:>3}  {text[:90]}")
    wanted = _input("the second piece begins with paragraph: ").strip()
    title = _input("its title (none takes its first words): ")
    at = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 0
    review.answer(piece, Act.SPLIT, title=title, at=at)


def _input(question: str) -> str:
    """Return a line.

    Raises:
        EOFError: there is no more input.
    """
    sys.stdout.write(question)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
