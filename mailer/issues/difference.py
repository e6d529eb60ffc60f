"""What changed between two versions of an issue, in an editor's words: pure.

Stories are moved, added, dropped and reworded; sections come and go; the opening, the diary, the
quote and a region's note change. Nothing here knows of HTML. A story is *moved* only when its order
among the others changed or it changed its block: adding one at the top moves none of the rest.

``words`` holds a changed text as pieces that stayed, went and came, for whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from mailer.articles.article import Article
from mailer.issues.issue import Issue, Pick
from mailer.selection.filling import region_block

Piece = tuple[str, str]
"""``("=", text)`` stayed, ``("-", text)`` went, ``("+", text)`` came."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``kind`` is stable: added, dropped, moved, reworded, headline, standfirst, …

    ``block`` is where, in words; ``what`` is the story, entry or field; ``detail`` the rest of the
    sentence; ``words`` the text's pieces where it is a text that changed.
    """

    kind: str
    block: str
    what: str
    detail: str = ""
    words: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an issue, with the articles and diary entries as they were then.

    ``titles`` are diary entries' by id; ``blocks`` the names of sections and regions by block.
    """

    issue: Issue
    articles: Mapping[str, Article] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)

    def headline(self, article_id: str) -> str:
        """Return the headline a story has in this version."""
        place = self.places().get(article_id)
        if place is not None and place.pick.headline:
            return place.pick.headline
        article = self.articles.get(article_id)
        return article.title if article is not None else article_id

    def standfirst(self, article_id: str) -> str:
        """Return the standfirst a story has in this version."""
        place = self.places().get(article_id)
        if place is not None and place.pick.standfirst:
            return place.pick.standfirst
        article = self.articles.get(article_id)
        return article.standfirst if article is not None else ""

    def places(self) -> dict[str, Place]:
        """Return where each story stands; one in several regions counts where it stands first."""
        found: dict[str, Place] = {}
        for block, picks in self.picks().items():
            for number, pick in enumerate(picks, 1):
                found.setdefault(pick.article_id, Place(block, number, pick))
        return found

    def picks(self) -> dict[str, Sequence[Pick]]:
        """Return the picks of every block, sections first."""
        blocks: dict[str, Sequence[Pick]] = dict(self.issue.sections)
        blocks |= {region_block(slug): own.picks for slug, own in self.issue.regions.items()}
        return blocks


@dataclass(frozen=True, slots=True)
class Place:
    """Where a story stands, counted from 1."""

    block: str
    number: int
    pick: Pick


def compare(before: Version, after: Version) -> list[Change]:
    """Return what changed, in the order in which a reader meets it."""
    changes = [*_fields(before, after)]
    changes += _sections(before, after)
    changes += _stories(before, after)
    changes += _notes(before, after)
    changes += _diary(before, after)
    changes += _text_change("quote", "quote", "the quote", before.issue.quote, after.issue.quote)
    source = (before.issue.quote_source, after.issue.quote_source)
    if source[0] != source[1]:
        changes.append(Change("quote", "quote", "its source", _turned(*source)))
    return changes


def _fields(before: Version, after: Version) -> Iterable[Change]:
    old, new = before.issue, after.issue
    for kind, was, now in (
        ("number", str(old.number), str(new.number)),
        ("date", old.date.isoformat(), new.date.isoformat()),
        ("subject", old.subject, new.subject),
        ("preheader", old.preheader, new.preheader),
        ("columnist", old.columnist, new.columnist),
        ("column title", old.opening_title, new.opening_title),
        ("audience", old.audience, new.audience),
        ("template set", old.template, new.template),
    ):
        if was != now:
            yield Change(kind, "issue", f"the {kind}", _turned(was, now))
    yield from _text_change("opening", "issue", "the opening", old.opening, new.opening)


def _turned(was: str, now: str) -> str:
    if not was:
        return f"is now {now!r}"
    return f"was {was!r}" + (f" and is now {now!r}" if now else " and is gone")


def _text_change(kind: str, block: str, what: str, was: str, now: str) -> list[Change]:
    if was.split() == now.split():
        return []
    if not was.strip():
        return [Change(kind, block, what, "was written", (("+", now),))]
    if not now.strip():
        return [Change(kind, block, what, "was taken out", (("-", was),))]
    return [Change(kind, block, what, "was reworded", word_pieces(was, now))]


def _sections(before: Version, after: Version) -> Iterable[Change]:
    old = [slug for slug, picks in before.issue.sections.items() if picks]
    new = [slug for slug, picks in after.issue.sections.items() if picks]
    for slug in new:
        if slug not in old:
            yield Change("section added", slug, _called(after, slug), "has stories now")
    for slug in old:
        if slug not in new:
            yield Change("section dropped", slug, _called(before, slug), "has no stories any more")


def _stories(before: Version, after: Version) -> Iterable[Change]:
    old, new = before.places(), after.places()
    moved = _moved(before, after)
    for article_id, place in new.items():
        block = _called(after, place.block)
        title = after.headline(article_id)
        if article_id not in old:
            yield Change("added", block, title, f"as number {place.number}")
            continue
        was = old[article_id]
        if article_id in moved:
            yield Change("moved", block, title, _movement(before, after, was, place))
        if before.headline(article_id) != title:
            yield Change("headline", block, title, f"was {before.headline(article_id)!r}")
        yield from _text_change(
            "standfirst",
            block,
            f"{title}: the standfirst",
            before.standfirst(article_id),
            after.standfirst(article_id),
        )
        yield from _reworded(before, after, article_id, block)
        if was.pick.follow_up != place.pick.follow_up:
            said = "is a follow-up now" if place.pick.follow_up else "is no follow-up any more"
            yield Change("follow-up", block, title, said)
    for article_id, place in old.items():
        if article_id not in new:
            title = before.headline(article_id)
            yield Change("dropped", _called(before, place.block), title, f"was {place.number}")


def _reworded(before: Version, after: Version, article_id: str, block: str) -> Iterable[Change]:
    old, new = before.articles.get(article_id), after.articles.get(article_id)
    if old is None or new is None:
        return
    title = after.headline(article_id)
    if old.body_text.split() != new.body_text.split():
        pieces = word_pieces(old.body_text, new.body_text)
        yield Change("reworded", block, title, _counted(pieces), pieces)
    if old.url != new.url:
        yield Change("link", block, title, _turned(old.url, new.url))
    if old.authors != new.authors:
        was, now = ", ".join(old.authors), ", ".join(new.authors)
        yield Change("byline", block, title, _turned(was, now))
    if old.picture != new.picture:
        yield Change("picture", block, title, _picture(old, new))


def _picture(old: Article, new: Article) -> str:
    was, now = (each.picture.src if each.picture else "" for each in (old, new))
    return _turned(was, now) if was != now else "has another description, caption or credit"


def _moved(before: Version, after: Version) -> set[str]:
    """Return the fewest stories whose moving explains the new order, and who changed blocks."""
    old, new = before.places(), after.places()
    both = [name for name in new if name in old]
    moved = {name for name in both if old[name].block != new[name].block}
    for block in after.picks():
        ids = [n for n in both if n not in moved and new[n].block == block]
        stayed = _stayed([(old[name].number, new[name].number) for name in ids])
        moved |= {name for place, name in enumerate(ids) if place not in stayed}
    return moved


def _stayed(numbers: Sequence[tuple[int, int]]) -> set[int]:
    """Return the places of who stayed in order: the longest run whose old numbers rise.

    Of two equally long runs the one with more stories at their old number is what an editor meant.
    """
    best: list[tuple[tuple[int, int], int]] = []
    for place, (was, now) in enumerate(numbers):
        runs = [(best[i][0], i) for i in range(place) if numbers[i][0] < was]
        (length, same), before = max(runs, default=((0, 0), -1))
        best.append(((length + 1, same + (was == now)), before))
    found: set[int] = set()
    place = max(range(len(best)), key=lambda i: best[i][0], default=-1)
    while place >= 0:
        found.add(place)
        place = best[place][1]
    return found


def _movement(before: Version, after: Version, was: Place, now: Place) -> str:
    if was.block == now.block:
        return f"from number {was.number} to {now.number}"
    there, here = _called(before, was.block), _called(after, now.block)
    return f"from {there}, number {was.number}, to {here}, number {now.number}"


def _notes(before: Version, after: Version) -> Iterable[Change]:
    for slug in dict.fromkeys((*before.issue.regions, *after.issue.regions)):
        old, new = before.issue.regions.get(slug), after.issue.regions.get(slug)
        was, now = (each.note if each is not None else "" for each in (old, new))
        block = _called(after, region_block(slug))
        yield from _text_change("region note", block, "the note", was, now)


def _diary(before: Version, after: Version) -> Iterable[Change]:
    old, new = before.issue.diary, after.issue.diary
    for entry in new:
        if entry not in old:
            yield Change("diary added", "diary", after.titles.get(entry, entry))
    for entry in old:
        if entry not in new:
            yield Change("diary dropped", "diary", before.titles.get(entry, entry))
    if [e for e in old if e in new] != [e for e in new if e in old]:
        yield Change("diary order", "diary", "the entries", "stand in another order")


def _called(version: Version, block: str) -> str:
    return version.blocks.get(block, block)


def word_pieces(was: str, now: str) -> tuple[Piece, ...]:
    """Return two texts as pieces that stayed, went and came, word by word."""
    old, new = was.split(), now.split()
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            pieces.append(("=", " ".join(new[k:m])))
            continue
        if j > i:
            pieces.append(("-", " ".join(old[i:j])))
        if m > k:
            pieces.append(("+", " ".join(new[k:m])))
    return tuple(pieces)


def _counted(pieces: Iterable[Piece]) -> str:
    came = sum(len(text.split()) for sign, text in pieces if sign == "+")
    went = sum(len(text.split()) for sign, text in pieces if sign == "-")
    return f"{came} words came, {went} went"
