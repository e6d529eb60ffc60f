"""The folder of issue files: reading them, and replacing one without ever losing an edit.

A file appears whole or not at all, and the version that a forced draft replaces is kept beside
it as ``2026-11-30.md.~1~``, ``.~2~`` and so on; an existing one is never overwritten.

Known limit: an editor who saves in the moment between the last look and the renaming loses that
save to the draft; editors' own backup files cover it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.issues.issue import is_correction, is_issue_id, issue_day


class IssueFolder:
    """``issues/`` of one publication."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "issues"

    def path(self, issue_id: str) -> Path:
        """Return the issue's file, whether or not it exists.

        Raises:
            NotFound: the id is none, so it can name no issue (and no other folder's file).
        """
        if not is_issue_id(issue_id):
            raise NotFound(
                Fault(f"there is no issue {issue_id!r}", remedy="an issue is named by its date")
            )
        return self._folder / f"{issue_id}.md"

    def ids(self) -> list[str]:
        """Return the ids of all files, oldest first."""
        return sorted(path.stem for path in self._folder.glob("*.md") if is_issue_id(path.stem))

    def content(self, issue_id: str) -> bytes | None:
        """Return a file's bytes, or None where there is no file."""
        try:
            return self.path(issue_id).read_bytes()
        except FileNotFoundError:
            return None

    def text(self, issue_id: str) -> str:
        """Return a file's text exactly, line ends and all.

        Raises:
            NotFound: there is no file.
            InvalidInput: it is not UTF-8; with the line.
        """
        path = self.path(issue_id)
        content = self.content(issue_id)
        if content is None:
            raise NotFound(
                Fault(
                    f"there is no issue {issue_id}",
                    where=str(path),
                    remedy=f"run `mailer issue {_how(issue_id)}`",
                )
            )
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(
                Fault(
                    "is not UTF-8",
                    where=str(path),
                    line=content[: error.start].count(b"\n") + 1,
                    remedy="save it as UTF-8",
                )
            ) from None

    def free_name(self, issue_id: str) -> Path:
        """Return the first unused name for keeping the present version."""
        path = self.path(issue_id)
        number = 1
        while (kept := path.with_name(f"{path.name}.~{number}~")).exists():
            number += 1
        return kept

    def replace(
        self, issue_id: str, content: bytes, *, standing: bytes | None, kept: Path | None
    ) -> None:
        """Put a file in its place.

        Args:
            issue_id: which.
            content: the new bytes.
            standing: what was there when the decision to replace it was made.
            kept: where to keep that; None throws it away.
        Raises:
            IllegalTransition: something else is there by now.
        """
        path = self.path(issue_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        _write_new(fresh, content)
        if self.content(issue_id) != standing:
            fresh.unlink()
            raise edited(path, "was saved while the draft was made")
        if kept is not None and standing is not None:
            _write_new(kept, standing)
        fresh.replace(path)


def _how(issue_id: str) -> str:
    """Return the command that drafts an issue of that name."""
    return f"correct {issue_day(issue_id)}" if is_correction(issue_id) else f"draft {issue_id}"


def file_checksum(content: bytes) -> str:
    """Return by what a draft of ours is known again."""
    return hashlib.sha256(content).hexdigest()


def edited(path: Path, what: str) -> IllegalTransition:
    """Return the refusal to draft over somebody's work."""
    return IllegalTransition(
        Fault(
            what,
            where=str(path),
            remedy=f"keep it, or run `mailer issue draft {path.stem} --force` to draft anew "
            "with your version kept beside it",
        )
    )


def _write_new(path: Path, content: bytes) -> None:
    with path.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
