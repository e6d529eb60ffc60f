"""The doors of the public site: every route with who may use it and what it may give away.

A ``Door`` is one path, its methods and its access policy; the site is a table of doors and has no
other routes. The policy decides the headers (see ``guards``) and what the log may say:

- ``PAGE``: anybody may read it, search engines too.
- ``TOKEN``: the path itself is the key. Never stored, never indexed, and the log names the door,
  not the key.
- ``MACHINE``: fetched by programs (feeds, pictures, one-click posts); still nothing that a token
  would be needed for, unless the path has one.

A path parameter whose name begins with ``token`` makes any door secret. GET and HEAD never change
anything, whatever the door.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

Endpoint = Callable[[Request], Response | Awaitable[Response]]
"""A plain function runs in a thread and may use the database; a coroutine may not."""


class Access(StrEnum):
    """Who a door is for."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - the name of a policy
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Door:
    """One way in. ``path`` is in Starlette's form; a door for GET answers HEAD as well."""

    path: str
    endpoint: Endpoint
    access: Access
    methods: tuple[str, ...] = ("GET",)

    @property
    def is_secret(self) -> bool:
        """True when the path carries a key."""
        return self.access is Access.TOKEN or "{token" in self.path

    @property
    def stem(self) -> str:
        """Return the part of the path before its first parameter."""
        return self.path.partition("{")[0]


class Doors:
    """The table of doors, in order: of two that match a path the first one answers."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self._doors = tuple(doors)
        self._patterns: list[tuple[re.Pattern[str], Door]] = [
            (compile_path(door.path)[0], door) for door in self._doors
        ]
        # Paths without a parameter are asked for most, and twice a request.
        self._known: dict[str, list[Door]] = {}
        self._known = {path: self.matching(path) for path in self.paths if "{" not in path}

    def __iter__(self) -> Iterator[Door]:
        return iter(self._doors)

    @property
    def paths(self) -> frozenset[str]:
        """Return every path without parameters, for links that depend on what there is."""
        return frozenset(door.path for door in self._doors)

    def matching(self, path: str) -> list[Door]:
        """Return the doors of a path, whatever their methods."""
        known = self._known.get(path)
        if known is not None:
            return known
        return [door for pattern, door in self._patterns if pattern.match(path)]

    def find(self, path: str, method: str) -> Door | None:
        """Return the door that answers, or the path's first when none takes the method."""
        found = self.matching(path)
        for door in found:
            if method in door.methods or (method == "HEAD" and "GET" in door.methods):
                return door
        return found[0] if found else None

    def routes(self) -> list[Route]:
        """Return Starlette's routes."""
        return [Route(door.path, door.endpoint, methods=list(door.methods)) for door in self._doors]

    def told(self, path: str, method: str) -> str:
        """Return a path as the log may name it: whole for pages, without its key otherwise."""
        door = self.find(path, method)
        if door is not None:
            return door.path if door.is_secret else _printable(path)
        for each in self._doors:
            if each.is_secret and len(each.stem) > 1 and path.startswith(each.stem):
                return f"{each.stem}…"
        # A mistyped link may carry a key as well: whatever looks like one is left out.
        return _printable(re.sub(r"[A-Za-z0-9_-]{20,}", "…", path))


def _printable(path: str) -> str:
    return "".join(ch if ch.isprintable() and not ch.isspace() else "?" for ch in path)[:200]
