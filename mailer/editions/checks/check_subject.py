"""The subject, the preheader, and who it is from: what an inbox shows before a mail is opened."""

from __future__ import annotations

import re

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit

SUBJECT_LENGTH = 78
SUBJECT_LIMIT = 200
PREHEADER_LENGTHS = (30, 140)


def check_subject(given: Exhibit) -> Hits:
    """Yield what an inbox would show badly."""
    subject = given.edition.subject
    if not subject:
        yield Hit("subject-empty", "the subject is empty", clue="subject:")
    elif len(subject) > SUBJECT_LIMIT:
        yield Hit("subject-too-long", f"the subject has {len(subject)} characters", clue="subject:")
    elif len(subject) > SUBJECT_LENGTH:
        yield Hit(
            "subject-long",
            f"the subject has {len(subject)} characters; inboxes show about 60",
            clue="subject:",
        )
    if _shouts(subject):
        yield Hit("subject-shouts", f"the subject shouts: {subject!r}", clue="subject:")
    yield from _preheader(given)
    publication = given.publication
    if not (publication.from_name and publication.from_address):
        missing = "from_name" if not publication.from_name else "from_address"
        yield Hit("no-sender", f"the publication has no {missing}", setting=missing)


def _shouts(subject: str) -> bool:
    letters = [ch for ch in subject if ch.isalpha() and ch.upper() != ch.lower()]
    is_capitals = len(letters) > 8 and all(ch.isupper() for ch in letters)
    return is_capitals or bool(re.search(r"[!?]{2,}|[$£€]{2,}", subject))


def _preheader(given: Exhibit) -> Hits:
    preheader = given.edition.preheader
    shortest, longest = PREHEADER_LENGTHS
    if not preheader:
        yield Hit("preheader-empty", "there is no preheader", clue="preheader:")
    elif not shortest <= len(preheader) <= longest:
        yield Hit(
            "preheader-length",
            f"the preheader has {len(preheader)} characters",
            clue="preheader:",
        )
    if preheader and preheader.casefold() == given.edition.subject.casefold():
        yield Hit("preheader-repeats", "the preheader says the subject again", clue="preheader:")
    if given.issue is not None and not given.issue.preheader.strip():
        yield Hit("preheader-made", "the preheader is made of headlines", clue="preheader:")
