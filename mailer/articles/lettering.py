"""Letters and words: capitals undone, names recognised, slugs made.

A paper prints headlines and bylines in capitals. ``recase`` turns them back with the document's
own prose as the dictionary: a word that the prose writes with a capital inside a sentence keeps
it. Nothing here knows any particular paper.

Known limits: a proper name that stands only in the capitals of a headline comes out in lower
case (the splitter flags every recased title); Latin script only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMPOUND = re.compile(r"\b[^\W\d_]{1,40}(?:-[^\W\d_]{1,40}){1,5}\b")
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?(?: ?\d[A-Z]{2})?\b")
_SENTENCE_START = re.compile(r"(?:^|[.?!:;•\n]\s*)[\"'“‘(*_]*$")

_SMALL_WORDS_WORDS = (
    "a an and as at but by de der di for from in la le near nor of off on or over per the to up "
    "van von with"
)
SMALL_WORDS = frozenset(_SMALL_WORDS_WORDS.split())
_PARTICLES_WORDS = "al bin da de del della den der di dos du el ibn la le ter van von"
_PARTICLES = frozenset(_PARTICLES_WORDS.split())
_NOT_IN_NAMES_WORDS = (
    "a about above advert after all an and answers are around as at back be become before book "
    "briefing briefings buy by calendar call classified comment contact contents crossword "
    "culture daily dates debate diary directory donate editor editorial editors events every "
    "feature features fight find focus for free from front get give group groups guide health "
    "help here home how in inside international interview interviews is issue it its join late "
    "latest leader letter letters life listings local magazine meet meeting monthly more nation "
    "national new news newsletter no notes notice notices obituary of office on opinion or our "
    "out page pages paper people photo picture pictures poem politics puzzle quiz radio read "
    "readers region regional report reporter reporters reports review reviews round section "
    "sport sports staff standing stop stories story subscribe support team that the this times "
    "to today top voice voices vote we weather week weekend weekly welcome what when where who "
    "why win with work workers world you your"
)
_NOT_IN_NAMES = frozenset(_NOT_IN_NAMES_WORDS.split())

_IN_CAPTIONS = frozenset({"left", "right", "centre", "above", "below", "top", "bottom"})

Vocabulary = Mapping[str, Counter[str]]
"""For each word in lower case, how often the prose writes it in which way."""


def is_caps(text: str) -> bool:
    """True when there are at least two letters and none is lower case."""
    letters = [ch for ch in text if ch.isalpha()]
    return len(letters) >= 2 and not any(ch.islower() for ch in letters)


def vocabulary_of(paragraphs: Iterable[str]) -> dict[str, Counter[str]]:
    """Count how the prose writes its words, leaving out sentence starts and lines in capitals.

    A compound such as "rank-and-file" counts as a word as well.
    """
    found: dict[str, Counter[str]] = {}
    for paragraph in paragraphs:
        if is_caps(paragraph):
            continue
        for match in WORD.finditer(paragraph):
            word = match.group()
            before = paragraph[max(0, match.start() - 8) : match.start()]
            if _SENTENCE_START.search(before) and not _is_acronym(word):
                continue
            found.setdefault(word.lower(), Counter())[word] += 1
        for compound in _COMPOUND.findall(paragraph):
            found.setdefault(compound.lower(), Counter())[compound] += 1
    return found


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def recase(text: str, vocabulary: Vocabulary, *, unknown_capital: bool = False) -> str:
    """Write a text in capitals as a sentence; any other text is returned as it is.

    Args:
        text: a headline or a caption.
        vocabulary: of the piece's own prose, or of the whole paper.
        unknown_capital: give words the prose does not have a capital (captions name people).
    """
    if not is_caps(text):
        return text
    is_first = True

    def one(match: re.Match[str]) -> str:
        nonlocal is_first
        word = match.group()
        low = word.lower()
        written = low
        forms = vocabulary.get(low) or vocabulary.get(re.sub(r"['’]s$", "", low))
        if forms:
            written = forms.most_common(1)[0][0]
            if low.endswith(("'s", "’s")) and not written.lower().endswith(("'s", "’s")):
                written += low[-2:]
        elif unknown_capital and low not in SMALL_WORDS and not _has_kin(low, vocabulary):
            written = low.capitalize()
        if is_first:
            written = written[:1].upper() + written[1:]
        is_first = text[match.end() : match.end() + 2].strip()[:1] in set(".?!") - {""}
        return written

    return _keep_postcodes(text, WORD.sub(one, text))


def _has_kin(low: str, vocabulary: Vocabulary) -> bool:
    """True when the prose writes a near form in lower case: "workers" for "worker"."""
    stems = {re.sub(r"(?:s|es|ed|ing|er|ers|est|ly)$", "", low), low}
    return low in _IN_CAPTIONS or any(
        stem + end in vocabulary and vocabulary[stem + end].get(stem + end, 0)
        for stem in stems
        for end in ("", "e", "s", "es", "ed", "ing", "er", "ers", "ly")
        if len(stem) >= 3
    )


def title_case(text: str, vocabulary: Vocabulary | None = None) -> str:
    """Write a name, a place or an address in capitals with capital initials."""
    if not is_caps(text):
        return text
    is_first = True

    def one(match: re.Match[str]) -> str:
        nonlocal is_first
        low = match.group().lower()
        forms = (vocabulary or {}).get(low)
        written = forms.most_common(1)[0][0] if forms else low
        if written == low and (is_first or low not in SMALL_WORDS):
            written = _name_word(low)
        is_first = False
        return written

    return _keep_postcodes(text, WORD.sub(one, text))


def _name_word(low: str) -> str:
    parts = [part.capitalize() for part in re.split(r"(['’])", low)]
    if len(parts) == 3 and len(parts[0]) > 1:
        # O'Neill has a short first part; the s of a genitive stays small.
        parts[2] = parts[2].lower()
    word = "".join(parts)
    return f"Mc{word[2:].capitalize()}" if word.startswith("Mc") and len(word) > 4 else word


def _keep_postcodes(original: str, changed: str) -> str:
    if len(original) != len(changed):
        return changed
    letters = list(changed)
    for match in _POSTCODE.finditer(original):
        letters[match.start() : match.end()] = match.group()
    return "".join(letters)


def looks_like_name(text: str, vocabulary: Vocabulary | None = None) -> bool:
    """True when a text reads like one person's name: two to four words, none an everyday one."""
    words = text.strip().split()
    if not 2 <= len(words) <= 4 or len(text) > 50:
        return False
    common = 0
    for place, raw in enumerate(words):
        word = raw.strip(",")
        low = word.lower()
        if low in _PARTICLES and 0 < place < len(words) - 1:
            continue
        if low in _NOT_IN_NAMES or not re.fullmatch(
            r"[^\W\d_]\.?|[^\W\d_]+(?:[-'’.][^\W\d_]+)*\.?", word
        ):
            return False
        if not word[0].isupper():
            return False
        forms = (vocabulary or {}).get(low)
        if forms and forms.get(low, 0) * 2 > forms.total():
            # "Brown" may be a surname and a colour; a first name is seldom a word.
            common += 1
            if place == 0 or common > 1:
                return False
    return True


def split_names(text: str) -> list[str]:
    """Split "A, B and C" into its names."""
    return [name.strip() for name in re.split(r"\s*(?:,| and | & |;)\s*", text) if name.strip()]


@lru_cache(maxsize=2_000)
def slug_of(text: str, *, limit: int = 60) -> str:
    """Return lower-case ASCII words joined by hyphens, cut at a word; "" when none is left."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and "))
    plain = re.sub(r"['’]", "", plain).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:limit]
        if len(longer) > limit:
            break
        slug = longer
    return slug


def shorten(text: str, limit: int = 90) -> str:
    """Cut at a word and add an ellipsis when the text is longer than ``limit``."""
    plain = " ".join(text.split())
    if len(plain) <= limit:
        return plain
    return plain[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"
