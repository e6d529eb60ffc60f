"""A new publication's folder, made from the sample one: what ``mailer init DIR`` writes.

The shipped samples carry date tokens, so that a publication made today has this week's news:

=========================  ==========================================
``%{date-3}``              ``2026-11-27``
``%{datetime-3 14:30}``    ``2026-11-27T14:30:00+00:00``
``%{day+12}``              ``Saturday 12 December``
``%{long+12}``             ``Saturday 12 December 2026``
=========================  ==========================================

The number counts days from the day of the issue. An unknown token is refused with file and line,
every one of them at once.

The folder is built beside its place and then moved there: it appears whole or not at all. No
file that exists is ever overwritten; with ``force`` only what is missing is added, and taken away
again should that fail halfway.

Failures: ``IllegalTransition`` for a folder that holds something already, ``InvalidInput`` for a
place or a value that cannot be used. Known limit: a power cut in the middle may leave a folder
named ``.mailer-init-…`` behind, which may be deleted.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from mailer.almanac import day_and_month, long_date
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.resources import samples_dir, subscribers_dir

FOLDERS = ("articles", "feeds", "images", "issues", "subscribers", "templates", "var")
"""The folders of every publication, whether or not a sample fills them."""

_TEXT_SUFFIXES = frozenset({".md", ".html", ".txt", ".toml", ".xml", ".json"})
_TOKEN = re.compile(r"%\{([^}\n]*)(\}?)")
_FORM = re.compile(r"(date|datetime|long|day)([+-]\d{1,4})?(?: ((?:[01]\d|2[0-3]):[0-5]\d))?")
_REMEDY = "write %{date-3}, %{datetime-3 14:30}, %{day+12} or %{long+12}"
# What a version-control tool leaves in a folder that is otherwise new.
_NOT_CONTENT = frozenset({".git", ".hg", ".jj"})

_TEMPLATES_README = """\
# Your own templates

The mail is drawn by the template set that ships with the program. To change one part of it, copy
that one file here, under the same name, and edit the copy:

    templates/briefing/subject.txt.j2   the subject line
    templates/briefing/body.mjml.j2     the HTML part (MJML with Jinja)
    templates/briefing/body.txt.j2      the text part

A file here stands in for the shipped file of the same name; the rest stay as they are. Remove the
copy, and the shipped one is back. `mailer preview latest --region wales` shows the result, and
names file and line where a template has a mistake.

A set of another name is a folder of that name beside `briefing/`; `templates = "name"` in
publication.toml chooses it.
"""

_GITIGNORE = """\
# The database, prepared pictures and the development inbox: made, not written.
var/
# The signing key and the relay's password.
.env
"""

_ENV = """\
# Secrets and machines of this publication. Never put this file into version control.
# These are the settings of the development inbox; the program's .env.example lists all of them.

# Signs unsubscribe links. Keep it: a new key makes the links in sent mail invalid.
MAILER_SECRET_KEY={secret}

# Where a reader's browser reaches you (`mailer serve`); https for real readers.
MAILER_WEB_URL=http://127.0.0.1:8080

# The mail relay: the built-in inbox (`mailer inbox`), which delivers to nobody.
MAILER_RELAY_HOST=127.0.0.1
MAILER_RELAY_PORT=2525
MAILER_RELAY_TLS=none
"""


def scaffold(target: Path, *, monday: date, secret: str, force: bool = False) -> list[Path]:
    """Make a publication that works at once in ``target``.

    Args:
        target: a folder that is missing or empty; its parents are made.
        monday: the day of the first issue, which the samples' dates count from.
        secret: the signing key to put into ``.env``, 32 characters or more.
        force: add what is missing to a folder that holds something already.
    Returns:
        The files that were written, sorted; existing ones are left alone and not named.
    Raises:
        IllegalTransition: the folder is not empty and ``force`` is off.
        InvalidInput: an unusable place, secret or date token; nothing was made.
    """
    if len(secret) < 32 or not re.fullmatch(r"[A-Za-z0-9_\-.~+/=]+", secret):
        raise InvalidInput(
            Fault(
                "must be 32 or more letters, digits and -_.~+/=, without spaces",
                field="MAILER_SECRET_KEY",
                remedy="leave it to `mailer init`, which makes one",
            )
        )
    target = target.absolute()
    try:
        is_new = not target.exists()
        if not is_new:
            _refuse_occupied(target, force=force)
        ground = target if not is_new else _existing_ancestor(target)
        with tempfile.TemporaryDirectory(prefix=".mailer-init-", dir=ground) as scratch:
            built = Path(scratch) / "publication"
            built.mkdir()
            _build(built, monday=monday, secret=secret)
            return _move_whole(built, target) if is_new else _move_missing(built, target)
    except OSError as error:
        raise InvalidInput(
            Fault(
                f"cannot be made: {error.strerror or error}",
                where=str(target),
                remedy="choose a folder that you may write to",
            )
        ) from error


def replace_tokens(text: str, *, monday: date, where: str) -> str:
    """Return ``text`` with its date tokens replaced.

    Raises:
        InvalidInput: one fault, with file and line, for each token that is not known.
    """
    faults: list[Fault] = []

    def value(match: re.Match[str]) -> str:
        form = _FORM.fullmatch(match[1]) if match[2] else None
        try:
            return _write_date(form, monday)
        except ValueError:
            line = text.count("\n", 0, match.start()) + 1
            problem = f"{match[0][:40]!r} is not a date token"
            faults.append(Fault(problem, where=where, line=line, remedy=_REMEDY))
            return match[0]

    replaced = _TOKEN.sub(value, text)
    if faults:
        raise InvalidInput(faults)
    return replaced


def sample_opening() -> str:
    """Return the columnist's text for the sample week, as Markdown."""
    return _read(samples_dir() / "opening.md")


def sample_notes() -> dict[str, Any]:
    """Return what an editor adds to the sample draft.

    Keys: ``subject``, ``preheader``, ``quote`` and ``quote_source`` (strings), and ``regions``,
    a region's slug to its note in Markdown.
    """
    notes = tomllib.loads(_read(samples_dir() / "notes.toml"))
    return {
        "subject": notes["subject"],
        "preheader": notes["preheader"],
        "quote": notes["quote"]["text"],
        "quote_source": notes["quote"]["source"],
        "regions": notes["regions"],
    }


def _write_date(form: re.Match[str] | None, monday: date) -> str:
    if form is None or (form[1] == "datetime") != (form[3] is not None):
        raise ValueError
    try:
        day = monday + timedelta(days=int(form[2] or 0))
    except OverflowError:
        raise ValueError from None
    written = {
        "date": day.isoformat(),
        "datetime": f"{day.isoformat()}T{form[3]}:00+00:00",
        "day": day_and_month(day),
        "long": long_date(day),
    }
    return written[form[1]]


def _refuse_occupied(target: Path, *, force: bool) -> None:
    if not target.is_dir():
        raise InvalidInput(
            Fault("is a file, not a folder", where=str(target), remedy="choose another name")
        )
    if not force and any(entry.name not in _NOT_CONTENT for entry in target.iterdir()):
        raise IllegalTransition(
            Fault(
                "the folder is not empty",
                where=str(target),
                remedy="choose a new one, or add only what is missing with --force",
            )
        )


def _existing_ancestor(target: Path) -> Path:
    return next(parent for parent in target.parents if parent.exists())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidInput(
            Fault("the sample is missing", where=str(path), remedy="install the program again")
        ) from None


def _sample_files() -> Iterator[tuple[Path, str]]:
    """Yield each shipped file with its place in a publication, sorted."""
    samples = samples_dir()
    yield samples / "publication.toml", "publication.toml"
    for folder, root in (
        ("articles", samples / "articles"),
        ("feeds", samples / "feeds"),
        ("images", samples / "images"),
        ("subscribers", subscribers_dir()),
    ):
        for path in sorted(root.iterdir()) if root.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                yield path, f"{folder}/{path.name}"


def _build(root: Path, *, monday: date, secret: str) -> None:
    faults: list[Fault] = []
    for folder in FOLDERS:
        (root / folder).mkdir()
    # The database holds addresses: nobody else on the machine reads it.
    (root / "var").chmod(0o700)
    for source, place in _sample_files():
        copy = root / place
        if source.suffix not in _TEXT_SUFFIXES:
            shutil.copyfile(source, copy)
            continue
        try:
            text = replace_tokens(_read(source), monday=monday, where=place)
        except InvalidInput as error:
            faults.extend(error.faults)
        else:
            copy.write_text(text, encoding="utf-8")
    if faults:
        raise InvalidInput(faults)
    (root / "templates" / "README.md").write_text(_TEMPLATES_README, encoding="utf-8")
    (root / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    env = root / ".env"
    env.touch(mode=0o600)
    env.write_text(_ENV.format(secret=secret), encoding="utf-8")


def _move_whole(built: Path, target: Path) -> list[Path]:
    parents = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A folder that somebody else made meanwhile is only replaced when it is empty.
        built.rename(target)
    except OSError:
        for parent in parents:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise
    return sorted(path for path in target.rglob("*") if path.is_file())


def _move_missing(built: Path, target: Path) -> list[Path]:
    made: list[Path] = []
    folders: list[Path] = []
    try:
        for source in sorted(built.rglob("*")):
            place = target / source.relative_to(built)
            if source.is_dir():
                if not place.is_dir():
                    place.mkdir(mode=source.stat().st_mode & 0o777)
                    folders.append(place)
            elif not place.exists() and not place.is_symlink():
                source.rename(place)
                made.append(place)
    except OSError:
        for path in made:
            path.unlink(missing_ok=True)
        for folder in reversed(folders):
            if not any(folder.iterdir()):
                folder.rmdir()
        raise
    return made
