"""What the law and readers want: who, where, why, how to leave."""

from __future__ import annotations

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit
from mailer.editions.edition import Slot


def check_duties(given: Exhibit) -> Hits:
    """Yield what a mail must have and this one has not."""
    edition, publication = given.edition, given.publication
    for name, part, file in (
        ("HTML", edition.html, "body.mjml.j2"),
        ("text", edition.text, "body.txt.j2"),
    ):
        if Slot("unsubscribe_url") not in part:
            yield Hit("no-unsubscribe", f"the {name} part has no unsubscribe link", clue=file)
    if Slot("view_online_url") not in edition.html:
        yield Hit("no-view-online", "the HTML has no link to its page on the web")
    if Slot("preferences_url") not in edition.html:
        yield Hit("no-preferences", "the HTML has no link to the reader's preferences")
    for slot in sorted(edition.roster_slots, key=lambda slot: slot.name):
        if slot.default is None:
            yield Hit(
                "field-without-default",
                f"the roster's field {slot.column!r} has no default for readers without one",
                f'write {{{{ reader.field("{slot.column}", default="…") }}}}, or default=""',
                clue=slot.column,
            )
    if not publication.postal_address:
        yield Hit(
            "no-postal-address",
            "the publication has no postal address; it cannot be sent",
            setting="postal_address",
        )
    words = " ".join(given.words.split())
    for code, value in (
        ("postal-address-not-shown", publication.postal_address),
        ("publisher-not-shown", publication.publisher),
        ("reason-not-shown", publication.why_you_get_this),
    ):
        wanted = " ".join(value.split())
        if wanted and (wanted not in given.anatomy.words or wanted not in words):
            yield Hit(code, f"{wanted!r} is not in both parts", clue="parts/footer")
