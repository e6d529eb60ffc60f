"""Who last changed an issue's file: by git where it knows, else by the file's owner.

A publication under git has the answer in its history. Where the file differs from the last commit,
or git does not know it, whoever is set as git's user here is taken to have edited it; without git,
the owner of the file. This is a record between colleagues, not a lock against one who lies to git.

``is_same_person`` is careful to the other side: ``nora`` is Nora Whitfield until a name says more.

Failures: none; where git cannot be asked, the file's owner is named.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Editor:
    """A person, and how we know; both names may be empty."""

    name: str
    address: str = ""
    source: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.address else self.name


def read_editor(text: str, *, source: str = "") -> Editor:
    """Read ``Name``, ``Name <address>`` or an address."""
    name, address = parseaddr(text)
    if "@" not in address:
        return Editor(" ".join(text.split()), source=source)
    return Editor(name or address.partition("@")[0], address, source)


def last_editor(path: Path) -> Editor:
    """Return who changed a file last; an empty name where nobody can say."""
    folder = path.parent
    name = path.name
    committed = _git(folder, "log", "-1", "--format=%an <%ae>", "--", name)
    if committed is None:
        return _owner(path)
    # What differs from the last commit, or was never in one, is the work of whoever is here.
    status = _git(folder, "status", "--porcelain", "--", name)
    is_clean = committed != "" and status == ""
    if is_clean:
        return read_editor(committed, source="git")
    user = _git(folder, "config", "user.name") or ""
    address = _git(folder, "config", "user.email") or ""
    if user or address:
        return read_editor(f"{user} <{address}>" if address else user, source="git, not committed")
    return _owner(path)


def is_same_person(one: Editor, other: Editor) -> bool:
    """Say whether two may be one person: the same address, or names that do not contradict.

    ``nora``, ``Nora Whitfield`` and ``nora@lantern.example`` do not; ``Nora Whitfield`` and
    ``Nora Quill`` do. In doubt it is one person.
    """
    if one.address and one.address.casefold() == other.address.casefold():
        return True
    return any(
        first and second and (first <= second or second <= first)
        for first in _forms(one)
        for second in _forms(other)
    )


def _forms(editor: Editor) -> list[frozenset[str]]:
    """Return the words of the name, and those of the address before its @."""
    local = editor.address.partition("@")[0]
    return [frozenset(re.findall(r"[^\W\d_]+", text.casefold())) for text in (editor.name, local)]


def _owner(path: Path) -> Editor:
    try:
        return Editor(path.owner(), source="the file's owner")
    except (OSError, KeyError):
        # The file is gone, or its owner has no name on this machine.
        return Editor("")


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says, or None where it cannot be asked or knows no repository here."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    is_question = arguments[0] == "config"
    if done.returncode != 0:
        # An unset key is no failure, and neither is a repository without a commit.
        return "" if is_question or b"does not have any commits" in done.stderr else None
    return done.stdout.decode(errors="replace").strip()
