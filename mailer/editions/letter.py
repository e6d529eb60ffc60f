"""A letter: a short mail to one person that is no issue, rendered from a template set of its own.

``templates/mail/<letter>/`` holds ``subject.txt.j2``, ``body.mjml.j2`` and ``body.txt.j2``; a
publication replaces them file by file. Templates get ``publication``, ``light``, ``dark``,
``language``, ``direction``, ``start``, the gettext function ``_`` and what the letter gives; fields
of the one reader are rendered as tokens nobody can guess and become slots, so that a letter is
rendered once for many readers and nothing a reader typed can break it. Pure.

Failures: every template mistake raises ``RenderFailed``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailer.editions.colours import palettes
from mailer.editions.edition import Segments, Slot
from mailer.editions.mjml import to_html
from mailer.editions.templates import BODY, TemplateSet
from mailer.errors import Fault, RenderFailed
from mailer.languages import Words
from mailer.publication import Publication

FOLDER = "mail"


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered letter; ``html`` and ``text`` have the reader's fields as slots."""

    language: str
    subject: str
    html: Segments
    text: Segments


def render_letter(
    templates: TemplateSet,
    publication: Publication,
    words: Words,
    *,
    fields: Sequence[str],
    values: Mapping[str, object],
) -> Letter:
    """Render a letter in a language.

    Args:
        fields: names under ``reader`` that become slots.
        values: what else the templates may name.

    Raises:
        RenderFailed: a template names what there is not, or changed a field's letters.
    """
    key = secrets.token_hex(16)
    light, dark = palettes(publication.theme)
    given: dict[str, object] = {
        "publication": publication,
        "light": light,
        "dark": dark,
        "language": words.tag,
        "direction": words.direction,
        "start": "left" if words.direction == "ltr" else "right",
        "_": words.gettext,
        "reader": {name: f"s{key}n{number}e" for number, name in enumerate(fields)},
        **values,
    }

    def split(output: str) -> Segments:
        parts = re.split(f"s{key}n(\\d+)e", output)
        cut = [Slot(fields[int(part)]) if at % 2 else part for at, part in enumerate(parts)]
        if any(isinstance(part, str) and key in part for part in cut):
            raise RenderFailed("a template changed the letters of a reader's field")
        return tuple(part for part in cut if part)

    subject = templates.subject(given)
    if key in subject or not subject:
        raise RenderFailed(
            Fault(
                "the subject is empty or names a field of the reader",
                where=templates.path("subject.txt.j2"),
                remedy="write a plain sentence",
            )
        )
    html = to_html(templates.body(given), where=templates.path(BODY))
    text = re.sub(r"\n{3,}", "\n\n", templates.text(given)).strip() + "\n"
    return Letter(words.tag, subject, split(html), split(text))
