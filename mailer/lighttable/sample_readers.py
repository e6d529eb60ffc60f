"""Readers who do not exist, as whom an issue is looked at: with a name, without, with the longest.

The longest name has as many letters as a roster may give one, so that whatever holds it for an
editor holds every reader's. No real reader's name is ever shown in a preview or a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailer.audience.addresses import LONGEST_NAME

_LONG = (
    "Maximiliana Ariadne Featherstonehaugh-Wolstenholme of the Lower Saltmarshes, née Quartermain "
)


@dataclass(frozen=True, slots=True)
class SampleReader:
    """One of them; ``label`` says what is special, ``name`` is what the roster would hold."""

    id: str
    label: str
    name: str


NAMED = SampleReader("named", "with a name", "Ada Reader")
NAMELESS = SampleReader("nameless", "no name", "")
LONGEST = SampleReader("longest", "longest name", (_LONG * 3)[: LONGEST_NAME - 1].strip() + ".")

SAMPLE_READERS = (NAMED, NAMELESS, LONGEST)
