"""Names of people in two near forms across an issue: a letter off, two swapped, two read as one.

Looked at are bylines, credits, the columnist, the quote's source, and names in the texts: two or
three words that begin with a capital. Two forms are near when all their words but one are the same
and that one is a letter, a swap or a misread pair of letters away. A plural or a possessive is no
other form. Of two names that stand only in texts the given name must be the same, since texts also
hold streets and teams.

Known limits: scripts without capitals; a name spelt wrong everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein

from mailer.articles.article import Article
from mailer.editions.checks.rulebook import Hit
from mailer.issues.issue import Issue

_WORD = re.compile(r"[^\W\d_][\w'’\-]+")
SHORTEST_WORD = 4
"""A shorter word has too many neighbours that are words of their own: Ann and Anne, Lee and Leo."""

MISREAD = (("rn", "m"), ("vv", "w"), ("cl", "d"))
"""What a scanner, and a tired eye, takes for one another."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A name, where it stands, and whether it is surely a person's."""

    name: str
    place: str
    article: str = ""
    is_person: bool = False


def check_names(issue: Issue, articles: Mapping[str, Article]) -> Iterator[Hit]:
    """Yield pairs of names that are probably one, each pair once."""
    first: dict[tuple[str, ...], _Seen] = {}
    for seen in _names(issue, articles):
        words = _words(seen.name)
        known = first.get(words)
        if known is None or (seen.is_person and not known.is_person):
            first[words] = seen
    ordered = sorted(first.items(), key=lambda item: item[0])
    for place, (words, one) in enumerate(ordered):
        for others, other in ordered[place + 1 :]:
            if _is_near(words, others, is_strict=not (one.is_person or other.is_person)):
                yield Hit(
                    "name-spelt-two-ways",
                    f"{one.name!r} ({one.place}) and {other.name!r} ({other.place})",
                    article=other.article or one.article,
                    clue=other.name if other.article else one.name,
                )


def _names(issue: Issue, articles: Mapping[str, Article]) -> Iterator[_Seen]:
    if issue.columnist:
        yield _Seen(issue.columnist, "the columnist", is_person=True)
    yield from _in_text(issue.opening, "the opening")
    yield from _in_text(issue.quote_source, "the quote's source")
    for slug, block in issue.regions.items():
        yield from _in_text(block.note, f"the note for {slug}")
    for article_id in sorted(issue.article_ids & articles.keys()):
        article = articles[article_id]
        for author in article.authors:
            yield _Seen(author, f"author of {article_id}", article_id, is_person=True)
        for picture in [article.picture, *article.credits]:
            if picture is not None:
                yield from _in_text(picture.credit, f"credit in {article_id}", article_id)
        text = f"{article.title}\n{article.standfirst}\n{article.author_note}\n{article.body_text}"
        yield from _in_text(text, f"text of {article_id}", article_id)


def _in_text(text: str, place: str, article: str = "") -> Iterator[_Seen]:
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        is_next = bool(run) and text[run[-1].end() : word.start()] in {" ", "\u00a0"}
        is_name = word[0][:1].isupper() and not word[0].isupper()
        run = [*run, word] if is_next and is_name else [word] if is_name else []
        # Every run within, so that "Mayor Ruth Okafor" is also "Ruth Okafor".
        for length in (2, 3):
            if len(run) >= length:
                name = " ".join(each[0] for each in run[-length:])
                yield _Seen(name, place, article)


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.sub(r"['’]s?$", "", word).casefold() for word in name.split())


def _is_near(one: tuple[str, ...], other: tuple[str, ...], *, is_strict: bool) -> bool:
    if len(one) != len(other) or one == other:
        return False
    pairs = list(zip(one, other, strict=True))
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if len(differing) != 1 or (is_strict and pairs[0] in differing):
        return False
    return _is_slip(*differing[0])


def _is_slip(one: str, other: str) -> bool:
    """Say whether two words are one slip apart, and not one the other's plural."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < SHORTEST_WORD or longer == f"{shorter}s":
        return False
    if any(one.replace(*pair) == other.replace(*pair) for pair in MISREAD):
        return True
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) == 1
