"""Collect the English sentences of pages and mails, and bring every catalogue up to date.

    python tools/texts.py           # write templates/locales/*.po anew
    python tools/texts.py --check   # say which sentences lack a translation, change nothing

A sentence that is new gets an empty translation to fill in; one that is no longer used goes.
``locales/mail/*.po`` are of languages that only editions are in: they have the editions' sentences.
"""

# ruff: noqa: INP001
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from mailer.languages import is_whole, read_catalogue

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "templates" / "locales"
MAIL_LOCALES = LOCALES / "mail"
OF_EDITIONS = ("templates/parts/", "mailer/editions/", "mailer/issues/")
"""Where what an edition says stands."""
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
SOURCES = (
    ("jinja2.ext:babel_extract", "templates/**/*.j2", {"trimmed": "true", "silent": "false"}),
    ("python", "mailer/**/*.py", {}),
)

# Babel's own has the time of writing in it, which would differ after every run.
HEADER = """\
# The public pages and mails of briefing-mailer: {catalogue.locale.english_name}.
msgid ""
msgstr ""
"Project-Id-Version: briefing-mailer\\n"
"Language: {catalogue.locale_identifier}\\n"
"Plural-Forms: {catalogue.plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def collected() -> Catalog:
    """Return every sentence with the files it stands in."""
    found = Catalog(project="briefing-mailer", charset="utf-8", fuzzy=False)
    for method, pattern, options in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            for _, message, comments, _ in extract_from_file(
                _method(method), path, keywords=KEYWORDS, options=options
            ):
                found.add(message, locations=[(name, None)], auto_comments=comments)
    return found


def of_editions(sentences: Catalog) -> Catalog:
    """Return the sentences that editions say."""
    found = Catalog(project="briefing-mailer", charset="utf-8", fuzzy=False)
    for message in sentences:
        places = [place for place in message.locations if place[0].startswith(OF_EDITIONS)]
        if message.id and places:
            found.add(message.id, locations=places, flags=message.flags)
    return found


def _method(name: str) -> object:
    if ":" not in name:
        return name
    module, _, function = name.partition(":")
    return getattr(__import__(module, fromlist=[function]), function)


def lacking(sentences: Catalog, catalogue: Catalog) -> Iterator[str]:
    """Return what is wrong with a catalogue, one line a sentence."""
    for message in sentences:
        if not message.id:
            continue
        known = catalogue.get(message.id)
        one = message.id if isinstance(message.id, str) else message.id[0]
        if known is None or not is_whole(known):
            yield f"{one!r} is not translated"
            continue
        yield from (f"{one!r}: {error}" for error in known.check(catalogue))
    wanted = {message.id for message in sentences if message.id}
    yield from (
        f"{message.id!r} is no longer used"
        for message in catalogue
        if message.id not in wanted | {""}
    )


def main() -> int:
    """Update the catalogues, or check them."""
    every = collected()
    is_check = "--check" in sys.argv[1:]
    faults = 0
    for path in sorted([*LOCALES.glob("*.po"), *MAIL_LOCALES.glob("*.po")]):
        sentences = every if path.parent == LOCALES else of_editions(every)
        catalogue = read_catalogue(path)
        if not is_check:
            catalogue.update(sentences, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            with path.open("wb") as handle:
                handle.write(HEADER.format(catalogue=catalogue).encode())
                write_po(handle, catalogue, width=98, omit_header=True, include_lineno=False)
        for fault in lacking(sentences, catalogue):
            faults += 1
            sys.stderr.write(f"{path.relative_to(ROOT)}: {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
