"""The lock of an approval: everything an edition was made of, by checksum.

A lock names each *input* (the publication, each template, article, diary entry and picture, the
issue's file itself) with the SHA-256 of what it held, and the versions of the program and of the
libraries that turn inputs into bytes. The inputs are kept with it, so that the editions can be made
again later and compared byte for byte; where they differ, the lock says what is not the same.

Pure: values in, values out. ``vault`` keeps them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

BOUND_KINDS = frozenset({"template", "picture"})
"""Kinds of input whose change voids an approval even where no edition shows it."""


WEB_ADDRESS = "web address"
"""The kind of the one input that is no text of anybody's but a setting."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that editions are made of; ``content`` is its text as it was kept."""

    kind: str
    name: str
    content: str

    @property
    def checksum(self) -> str:
        """SHA-256 hex of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Tools:
    """What turned the inputs into bytes: the program and the libraries that matter."""

    program: str
    libraries: Mapping[str, str]

    def to_json(self) -> str:
        """Return the canonical form."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Tools:
        """Read the canonical form back."""
        return cls(**json.loads(text))

    def differences(self, now: Tools) -> list[str]:
        """Say which versions are not those of the approval."""
        said = []
        if self.program != now.program:
            said.append(f"the program was version {self.program} and is {now.program}")
        for name in sorted({*self.libraries, *now.libraries}):
            before, after = self.libraries.get(name), now.libraries.get(name)
            if before != after:
                said.append(f"{name} was {before or 'absent'} and is {after or 'absent'}")
        return said


def is_moved(before: Mapping[tuple[str, str], str], now: Iterable[Input]) -> bool:
    """Say whether the readers' web address is another: what every link and picture begins with.

    Args:
        before: the checksums that an approval kept, by kind and name.
        now: what the editions would be made of.
    """
    here = {each.checksum for each in now if each.kind == WEB_ADDRESS}
    return bool(here) and before.get((WEB_ADDRESS, "")) not in {None, *here}


def bound_checksums(inputs: Iterable[Input]) -> dict[str, str]:
    """Return the checksums that an approval binds beside the editions', by label."""
    return {each.label: each.checksum for each in inputs if each.kind in BOUND_KINDS}


def changed_inputs(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name the inputs that are not what they were; both are checksums by label."""
    said = []
    for label in sorted({*before, *now}):
        if label not in now:
            said.append(f"the {label}, which is gone")
        elif label not in before:
            said.append(f"the {label}, which is new")
        elif before[label] != now[label]:
            said.append(f"the {label}")
    return said
