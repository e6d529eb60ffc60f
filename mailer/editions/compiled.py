"""What need not be done again when templates are read again: checking and compiling.

Who works on a template reads its set at every save, and of that set one file is new; the public
pages are compiled for each language and each time the publication's files change. What was checked
is known by its content, what was compiled by its name, for the content it was made of; both in this
process alone.
"""

from __future__ import annotations

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

Checked = tuple[str, str, str, frozenset[str]]
"""A file's name, path and text, and the names of the files beside it, which it may include."""

MOST_SOUND = 2000

_SOUND: set[Checked] = set()


def is_known_sound(checked: Checked) -> bool:
    """Say whether such a file was checked before, and nothing found."""
    return checked in _SOUND


def remember_sound(checked: Checked) -> None:
    """Keep that nothing was found."""
    if len(_SOUND) >= MOST_SOUND:
        _SOUND.clear()
    _SOUND.add(checked)


class Compiled(BytecodeCache):
    """Keeps compiled templates; a file's new version replaces the old one."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get(bucket.key)
        if kept is not None:
            # The bucket compares the source's checksum and refuses what is not of it.
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = {True: Compiled(), False: Compiled()}
"""By whether values are escaped, which is compiled in."""
