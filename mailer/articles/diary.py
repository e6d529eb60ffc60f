"""Dated happenings announced in a text: a paper's diary, gathered from articles and adverts.

A date alone is no happening. In running text it counts when its sentence names an occasion
(a rally, a conference, a fair), does not look back, and the day is not before the piece's own
date; in an advert every date counts. What repeats ("every first Tuesday at 7pm") counts when its
sentence names an occasion and an hour; it begins on its next day and is believed for half a year.
The same occasion announced several times becomes one, unless hour or place say that it is two.

Known limits: English; one occasion a sentence; one hour a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time

from rapidfuzz import fuzz

from mailer.articles.article import Flag
from mailer.articles.blocks import first_address, is_address, plain_of
from mailer.articles.dating import (
    MONTHS,
    WEEKDAYS,
    WrittenDate,
    find_dates,
    find_time,
    find_times,
    resolve,
    timed_sentences_of,
)
from mailer.articles.lettering import Vocabulary, is_caps, recase, title_case
from mailer.articles.occasions import are_apart
from mailer.articles.recurring import BELIEVED, find_recurrence, next_on

_LONGEST_LINE = 400
_CHECK = "The date was found in the text; check it."
_OCCASION = (
    r"demonstrations?|demo|march|rally|conference|congress|convention|meeting|assembly|vigil|"
    r"festival|fair|f[eê]te|gala|carnival|parade|procession|protest|workshop|school|seminar|"
    r"concert|gig|exhibition|launch|agm|fundraiser|walk|screening|talk|lecture|debate|hustings|"
    r"gathering|day of action|open day|bazaar|market|jumble sale|social|dinner|supper|quiz|"
    r"ceilidh|picnic|celebration|ceremony|tournament|swap|hearing|forum|summit|tour|show|"
    r"performance|clean-?up|training|drop-in|lobby"
)
_NOUN = re.compile(rf"\b({_OCCASION})\b")
_NOUN_ANY_CASE = re.compile(rf"\b({_OCCASION})\b", re.IGNORECASE)
_BACKWARDS = re.compile(
    r"\b(?:was|were|took place|had|saw|attended|marched|happened|gathered|drew|turned out|ended|"
    r"since|last (?:week|month|year)|yesterday)\b",
    re.IGNORECASE,
)
_FORWARDS = re.compile(
    r"\b(?:will|join|come|book|called|calls|assembl\w+|takes? place|to be held|is being held|"
    r"tickets?|register|starts?|begins?|opens?|meet at|doors|save the date|planned|see you)\b",
    re.IGNORECASE,
)
_STOP_WORDS = (
    "a an the this that our its their his her your my next annual's for of to on in at by with "
    "from into and or but as is are was were be been has have had will would can could called "
    "calls call called organised organise planned plan plans hold holds held join attend support "
    "back build book come adds announced announces another each every per"
)
_STOP = frozenset(_STOP_WORDS.split())
_AFTER = re.compile(
    r"^(?P<tail>\s+(?:around|against|for|about|on|of|in support of|in solidarity with|to)\s+"
    r"(?!\d)[^,.;:()–—]{2,60}?)(?=,|\.|;|:|\(|–|—|$|"
    r"\s+(?:on|at|in|from|will|is|assembl\w+|sets?|leaves|starts|begins|meets|takes)\b)"
)
_CAPITAL = r"[A-Z][\w'’&.-]*"
_SIDE = r"(?:central|north|south|east|west|upper|lower|inner|outer)"
_PLACE = re.compile(
    rf"\b(?i:in|at|on|outside|from)\s+(?P<place>(?:the\s+)?(?:{_SIDE}\s+)?{_CAPITAL}"
    rf"(?:,?\s+(?:(?:in|of|the|and|on|{_SIDE})\s+)*{_CAPITAL})*)"
)
_PLACE_LINE = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]?(?: ?\d[A-Z]{2})|road|rd|street|st|square|lane|avenue|ave|hall|"
    r"centre|center|park|house|church|chapel|pub|theatre|library|museum|rooms?|university|college"
    r"|school|club|cafe|café|quay|harbour|green|place|yard|works|arms|station)\b",
    re.IGNORECASE,
)
_NOT_A_PLACE = re.compile(
    rf"\b(?:{'|'.join(WEEKDAYS)}|eventbrite|facebook|zoom|day|week)\b"
    rf"|^(?:(?:{'|'.join(MONTHS)}|and|early|late|mid|the)\b[\s,.-]*)+$",
    re.IGNORECASE,
)
"""What a place is not; with a hall before it, a month is a town: "Parish Hall, March"."""
_NAMED = re.compile(
    rf",\s+(?P<place>(?:the\s+)?{_CAPITAL}(?:,?\s+(?:(?:in|of|the|and)\s+)*{_CAPITAL})*)(?=[,.;(]|$)"
)
_TOWN = re.compile(r",\s+march\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Happening:
    """A dated occasion as a text announces it; ``noun`` is its kind ("rally"), "" when unknown.

    ``until`` is its last day, where that is another; ``repeats`` a rule of ``recurring``.
    """

    title: str
    on: date
    at: time | None = None
    ends_at: time | None = None
    until: date | None = None
    repeats: str = ""
    place: str = ""
    url: str = ""
    noun: str = ""
    piece: int = -1
    flags: tuple[Flag, ...] = ()


def happenings_in_text(
    text: str, *, reference: date | None, today: date, piece: int = -1
) -> list[Happening]:
    """Return what running text announces; ``reference`` is the piece's own date, if known."""
    found = []
    for sentence in timed_sentences_of(text):
        if not _NOUN.search(sentence):
            # Nothing is held in it, and looking for dates takes longer than for a word.
            continue
        dates = find_dates(sentence)
        for written in dates:
            happening = _in_sentence(sentence, written, reference, today)
            if happening:
                found.append(replace(happening, piece=piece))
        repeating = None if dates else _repeating(sentence, reference or today)
        if repeating:
            found.append(replace(repeating, piece=piece))
    return found


def _repeating(sentence: str, begins: date) -> Happening | None:
    """Return what a sentence says is held again and again: it must name an occasion and an hour."""
    again = find_recurrence(sentence)
    nouns = list(_NOUN.finditer(sentence))
    at, ends_at = find_times(sentence)
    if again is None or at is None or not nouns or _BACKWARDS.search(sentence):
        return None
    noun = min(nouns, key=lambda found: abs(found.start() - again.start))
    written = WrittenDate(again.start, again.end, 1, 1)
    note = "It repeats, as the text says; check its next day."
    return Happening(
        title=_title(sentence, noun, written),
        on=next_on(again.rule, begins),
        at=at,
        ends_at=ends_at,
        until=begins + BELIEVED,
        repeats=again.rule,
        place=_place(sentence, written, noun),
        url=first_address(sentence),
        noun=noun[1].lower(),
        flags=(Flag("repeats", note), Flag("found-in-text", _CHECK)),
    )


def _in_sentence(
    sentence: str, written: WrittenDate, reference: date | None, today: date
) -> Happening | None:
    nouns = list(_NOUN.finditer(sentence))
    nouns = [noun for noun in nouns if not written.start <= noun.start() < written.end]
    if not nouns:
        return None
    is_announcing = _FORWARDS.search(sentence) is not None
    if _BACKWARDS.search(sentence) and not is_announcing:
        return None
    if reference is None and written.year is None and not is_announcing:
        # Without a date of its own a page's "15 March" may be any year's.
        return None
    if re.search(r"\b(?:by|before|until|since)\s+$", sentence[: written.start]):
        return None
    resolved = resolve(written, reference=reference, today=today)
    if resolved is None:
        return None
    until = written.last_after(resolved[0])
    if (until or resolved[0]) < (reference or today):
        return None
    at, ends_at = find_times(sentence)
    noun = min(nouns, key=lambda found: abs(found.start() - written.start))
    return Happening(
        title=_title(sentence, noun, written),
        on=resolved[0],
        at=at,
        ends_at=ends_at,
        until=until,
        place=_place(sentence, written, noun),
        url=first_address(sentence),
        noun=noun[1].lower(),
        flags=(*resolved[1], Flag("found-in-text", _CHECK)),
    )


def _title(sentence: str, noun: re.Match[str], written: WrittenDate) -> str:
    before = sentence[: noun.start()]
    if written.end <= noun.start():
        before = sentence[: written.start] + sentence[written.end : noun.start()]
    words = before.split()
    taken: list[str] = []
    while words and len(taken) < 7:
        word = words.pop()
        bare = word.strip("\"'“”‘’(")
        if word.endswith((",", ";", ":", ".", "'s", "’s")) and taken is not None:
            break
        if bare.lower() in _STOP and not _is_inside_name(words, taken):
            break
        taken.insert(0, bare)
    title = " ".join([*taken, noun[1]])
    after = sentence[noun.end() :]
    tail = _AFTER.match(after)
    if tail and not find_dates(tail["tail"]) and not find_time(tail["tail"]):
        title += tail["tail"].rstrip()
    return title[:1].upper() + title[1:]


def _is_inside_name(before: list[str], taken: list[str]) -> bool:
    """True for the small words of a name: "of the" in "Friends of the Ferry"."""
    if not taken or not taken[0][:1].isupper():
        return bool(taken) and taken[0].lower() in _STOP and bool(before[-1:]) and _is_name(before)
    return _is_name(before) or (before[-1:] == ["of"] and _is_name(before[:-1]))


def _is_name(words: list[str]) -> bool:
    return (
        bool(words) and words[-1][:1].isupper() and not words[-1].endswith((",", ".", "'s", "’s"))
    )


def _place(sentence: str, written: WrittenDate, noun: re.Match[str]) -> str:
    places = sentence
    for on in (written, *find_dates(sentence)):
        # "the Corn Exchange, Ely on Saturday 12 December" is no name as long as that.
        places = places[: on.start] + ";" * (on.end - on.start) + places[on.end :]
    for start in (max(written.end, noun.end()), min(written.end, noun.end())):
        for match in _PLACE.finditer(places, start):
            if not _NOT_A_PLACE.search(match["place"]):
                return match["place"].rstrip(".,")
    for match in _PLACE.finditer(places, 0, written.start):
        is_beside = re.fullmatch(r"[\s,]*(?:on\s+)?", places[match.end() : written.start])
        if is_beside and not _NOT_A_PLACE.search(match["place"]):
            return match["place"].rstrip(".,")
    for match in _NAMED.finditer(places):
        # Without a word before it, only what is called a hall or a street is a place.
        if _PLACE_LINE.search(match["place"]) and not _NOT_A_PLACE.search(match["place"]):
            return match["place"].rstrip(".")
    return ""


def happenings_in_advert(
    title: str,
    lines: Sequence[str],
    *,
    reference: date | None,
    today: date,
    vocabulary: Vocabulary,
) -> list[Happening]:
    """Return what an advert announces: its dates, with the occasion and place around them."""
    plain = [plain_of(line) for line in (*title.split("\n"), *lines)]
    whole = "\n".join(plain)
    found = []
    for on_line in plain:
        for written in find_dates(on_line[:_LONGEST_LINE]):
            resolved = resolve(written, reference=reference, today=today)
            if resolved is None:
                continue
            until = written.last_after(resolved[0])
            if (until or resolved[0]) < (reference or today):
                continue
            name, noun = _advert_title(plain, vocabulary)
            at, ends_at = find_times(whole)
            found.append(
                Happening(
                    title=name,
                    on=resolved[0],
                    at=at,
                    ends_at=ends_at,
                    until=until,
                    place=_advert_place(plain),
                    url=next((a for line in lines if (a := first_address(line))), ""),
                    noun=noun,
                    flags=resolved[1],
                )
            )
    return found


def _occasion_in(line: str) -> re.Match[str] | None:
    """Return an occasion that an advert's line names; a town called March is none."""
    return _NOUN_ANY_CASE.search(_TOWN.sub("", line))


def _advert_title(lines: Sequence[str], vocabulary: Vocabulary) -> tuple[str, str]:
    for line in lines:
        if _occasion_in(line) and not is_address(line):
            words = recase(line, vocabulary) if is_caps(line) else line
            # Recasing never changes the length of Latin text, so the match still stands.
            match = _occasion_in(words)
            dates = find_dates(words)
            if match and not any(d.start <= match.start() < d.end for d in dates):
                nothing = WrittenDate(len(words), len(words), 1, 1)
                return _title(words, match, dates[0] if dates else nothing), match[1].lower()
    first = recase(lines[0], vocabulary) if lines else ""
    for written in reversed(find_dates(first)):
        first = f"{first[: written.start]} {first[written.end :]}"
    return " ".join(first.split()), ""


def _advert_place(lines: Sequence[str]) -> str:
    places = []
    for line in lines:
        is_place = _PLACE_LINE.search(line) and not find_dates(line) and len(line.split()) <= 14
        if is_place and not _occasion_in(line) and not line.endswith((".", "!", "?")):
            places.append(title_case(line))
        elif places:
            break
    return ", ".join(place.strip(" ,") for place in places)


def merge(happenings: Iterable[Happening]) -> list[Happening]:
    """Join announcements of one occasion: the same day and the same kind or nearly one title."""
    merged: list[Happening] = []
    for new in happenings:
        for place, old in enumerate(merged):
            if old.on == new.on and old.repeats == new.repeats and _is_same(old, new):
                merged[place] = _joined(old, new)
                break
        else:
            merged.append(new)
    return sorted(merged, key=lambda h: (h.on, h.at or time(0), h.title))


def _is_same(one: Happening, other: Happening) -> bool:
    if are_apart(one, other):
        return False
    if one.noun and one.noun == other.noun:
        return True
    return fuzz.token_set_ratio(one.title.casefold(), other.title.casefold()) >= 80


def _joined(old: Happening, new: Happening) -> Happening:
    longest = max(old.title, new.title, key=lambda title: (len(title) <= 80, len(title)))
    flags = dict.fromkeys((*old.flags, *new.flags))
    if not all(any(f.code == "found-in-text" for f in h.flags) for h in (old, new)):
        # An advert names the day on purpose: nothing is left to check.
        flags = {flag: None for flag in flags if flag.code != "found-in-text"}
    return replace(
        old,
        title=longest,
        at=old.at or new.at,
        ends_at=old.ends_at or new.ends_at,
        until=old.until or new.until,
        place=old.place if len(old.place) >= len(new.place) else new.place,
        url=old.url or new.url,
        noun=old.noun or new.noun,
        piece=old.piece if old.piece >= 0 else new.piece,
        flags=tuple(flags),
    )
