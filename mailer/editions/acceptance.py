"""Accepted findings: warnings and notes that somebody looked at, so that new ones stand out.

The file is ``templates/accepted-findings.toml`` of the publication; the shipped one beside the
shipped templates says what was accepted in them.

    [[accept]]
    code = "client-support"
    about = ["CSS border-radius", "CSS box-shadow"]   # words of the message; left out: any
    reason = "Square corners are no loss."
    until = 2027-06-30                                # looked at again after that day; optional

An error is never accepted. An entry of the publication's that nothing came up for is a note, one
whose day is past a warning; then its findings show again.

Failures: ``ConfigurationError`` with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from mailer.checked import Line
from mailer.editions.checks.rulebook import RULES, found
from mailer.editions.finding import Finding, Level
from mailer.errors import ConfigurationError, Fault
from mailer.policies import PolicyModel
from mailer.resources import templates_dir
from mailer.tomlfile import faults_of, find_line, read_toml

FILE_NAME = "accepted-findings.toml"


class Acceptance(PolicyModel):
    """One entry: which findings are accepted, why, and for how long."""

    code: str
    about: tuple[Line, ...] = ()
    reason: Line = Field(min_length=1)
    until: date | None = None

    def covers(self, finding: Finding) -> bool:
        """Say whether a finding is what this entry is about."""
        if finding.level is Level.ERROR or finding.code != self.code:
            return False
        return not self.about or any(words in finding.message for words in self.about)


class _File(PolicyModel):
    accept: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file's entries, each with its line; ``is_ours`` where it ships with the program."""

    where: str = ""
    entries: Sequence[tuple[Acceptance, int | None]] = field(default_factory=tuple)
    is_ours: bool = False


def load_accepted(root: Path) -> list[Accepted]:
    """Read the publication's file, where there is one, and the shipped one.

    Raises:
        ConfigurationError: with every fault of both.
    """
    found_files = []
    shipped = templates_dir()
    own = root / "templates"
    for folder, is_ours in ((own, False), (shipped, True)):
        path = folder / FILE_NAME
        if not path.is_file() or (not is_ours and own.resolve() == shipped.resolve()):
            continue
        where = FILE_NAME if is_ours else f"templates/{FILE_NAME}"
        found_files.append(_read(path, where, is_ours=is_ours))
    return found_files


def _read(path: Path, where: str, *, is_ours: bool) -> Accepted:
    data, text = read_toml(path)
    try:
        entries = _File.model_validate(data).accept
    except ValidationError as error:
        raise ConfigurationError(faults_of(error, where=where, text=text)) from None
    lines = [find_line(text, ["accept", place, "code"]) for place in range(len(entries))]
    faults = [
        Fault(
            f"{entry.code!r} is not a finding that can be accepted",
            where=where,
            line=line,
            field="code",
            remedy="docs/preflight.md lists the codes; errors cannot be accepted",
        )
        for entry, line in zip(entries, lines, strict=True)
        if entry.code not in RULES or RULES[entry.code].level is Level.ERROR
    ]
    if faults:
        raise ConfigurationError(faults)
    return Accepted(where, tuple(zip(entries, lines, strict=True)), is_ours)


def set_aside(
    findings: Iterable[Finding], files: Iterable[Accepted], *, today: date
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Part findings into those that stand and those accepted, each with the reason.

    Args:
        today: entries whose day is past accept nothing.
    Returns:
        What stands, with a finding for each entry that is over or was not needed; what is accepted.
    """
    files = list(files)
    standing: list[Finding] = []
    accepted: list[tuple[Finding, str]] = []
    used: set[int] = set()
    entries = [(entry, line, file) for file in files for entry, line in file.entries]
    for finding in findings:
        covering = [
            (number, entry)
            for number, (entry, _line, _file) in enumerate(entries)
            if entry.covers(finding)
        ]
        used.update(number for number, _entry in covering)
        valid = [e for _number, e in covering if e.until is None or e.until >= today]
        if valid:
            accepted.append((finding, valid[0].reason))
        else:
            standing.append(finding)
    for number, (entry, line, file) in enumerate(entries):
        what = f"{entry.code}{f' ({entry.about[0]})' if entry.about else ''}"
        if entry.until is not None and entry.until < today and number in used:
            over = found("acceptance-over", f"{what} was accepted until {entry.until}")
            standing.append(_at(over, file.where, line))
        elif number not in used and not file.is_ours:
            unused = found("acceptance-unused", f"{what} did not come up")
            standing.append(_at(unused, file.where, line))
    return standing, accepted


def _at(finding: Finding, where: str, line: int | None) -> Finding:
    return Finding(finding.level, finding.code, finding.message, "", finding.remedy, where, line)
