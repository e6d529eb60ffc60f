"""The lawful basis on which a roster's people may be mailed, as the publisher states it.

An import is refused without one. The words are those of article 6(1) of the GDPR, (a) to (f);
what is stated is kept with every consent that the import makes. For a newsletter it is nearly
always consent; legitimate interest covers existing customers where the ePrivacy rules allow it
("soft opt-in"). The program keeps the statement, it cannot judge it.
"""

from __future__ import annotations

from enum import StrEnum

from mailer.errors import Fault, InvalidInput


class LawfulBasis(StrEnum):
    """Article 6(1) of the GDPR, points (a) to (f)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"


BASES = tuple(basis.value for basis in LawfulBasis)


def lawful_basis(word: str) -> LawfulBasis:
    """Return the basis a publisher stated.

    Raises:
        InvalidInput: nothing was stated, or no word of article 6.
    """
    stated = "-".join(word.casefold().replace("_", " ").replace("-", " ").split())
    if stated == "legitimate-interests":
        stated = LawfulBasis.LEGITIMATE_INTEREST
    if stated in BASES:
        return LawfulBasis(stated)
    problem = f"{word!r} is no lawful basis" if stated else "an import needs a lawful basis"
    raise InvalidInput(
        Fault(
            f"{problem}: on what ground of GDPR article 6 may these people be mailed?",
            field="basis",
            remedy=(
                f"give --basis {'|'.join(BASES)}; for readers who asked for it, `--basis consent`"
            ),
        )
    )
