"""Front matter: the data at the head of a file, with the line of every key.

YAML between ``---`` lines (Hugo, Jekyll), TOML between ``+++`` lines (Hugo) and Pelican's
``Key: value`` lines. A file without any gives empty data and its whole text.

YAML is read by a safe loader that refuses duplicate keys, anchors and aliases (a few of them can
stand for gigabytes), deep nesting, and tags that make objects. Keys are always text, and a time
such as 19:30 stays text instead of becoming YAML 1.1's number of minutes.

Failures: ``InvalidInput`` with file and line. Standards: YAML 1.1 as PyYAML reads it, TOML 1.0.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from mailer.errors import Fault, InvalidInput
from mailer.tomlfile import find_line

MAX_HEAD_CHARS = 64_000
MAX_DEPTH = 12

_PELICAN_KEYS_WORDS = (
    "title date modified author authors category tags slug summary status lang template save_as "
    "url keywords"
)
_PELICAN_KEYS = frozenset(_PELICAN_KEYS_WORDS.split())


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file's data and text.

    ``lines`` maps a dotted key (list items as ``key.0``) to its line, from 1; ``body_line`` is
    the line on which the body starts. ``is_present`` is False for a file without front matter.
    """

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1
    is_present: bool = False


def read_front_matter(text: str, *, where: str) -> FrontMatter:
    """Split a file into its data and its body.

    Raises:
        InvalidInput: broken, unsafe or too large front matter, with file and line.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0].rstrip()
    if first == "---":
        head, body, body_line = _cut(text, ("---", "..."), where)
        data, lines = _read_yaml(head, where)
    elif first == "+++":
        head, body, body_line = _cut(text, ("+++",), where)
        data, lines = _read_toml(head, where)
    else:
        return _read_pelican(text)
    return FrontMatter(data, lines, body, body_line, is_present=True)


def _cut(text: str, ends: tuple[str, ...], where: str) -> tuple[str, str, int]:
    lines = text.split("\n")
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ends:
            head = "\n".join(lines[1:number])
            if len(head) > MAX_HEAD_CHARS:
                raise _fault(
                    f"the front matter is {len(head):,} characters long",
                    where,
                    1,
                    f"keep it under {MAX_HEAD_CHARS:,}",
                )
            return head, "\n".join(lines[number + 1 :]), number + 2
    raise _fault(
        f"the front matter that starts with {ends[0]} has no end",
        where,
        1,
        f"add a line {ends[0]} after it",
    )


def _fault(problem: str, where: str, line: int | None, remedy: str, key: str = "") -> InvalidInput:
    return InvalidInput(Fault(problem, where=where, line=line, field=key, remedy=remedy))


_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


def _without_base_60(base: Any) -> Any:
    """Return a loader that knows YAML 1.1 but for its base-60 numbers and its other odd ones."""
    numbers = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
    loader: Any = type("_Loader", (base,), {})
    loader.yaml_implicit_resolvers = {
        first: [each for each in resolvers if each[0] not in numbers]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    signs = list("-+0123456789")
    whole, broken = re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), re.compile(r"^[-+]?[0-9]+\.[0-9]+$")
    loader.add_implicit_resolver("tag:yaml.org,2002:int", whole, signs)
    loader.add_implicit_resolver("tag:yaml.org,2002:float", broken, signs)
    return loader


_PATIENT = _without_base_60(yaml.SafeLoader)
_FAST = _without_base_60(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
"""libyaml's where PyYAML was built with it: ten times as fast, and short of words for a fault."""
_READ_OTHERWISE = re.compile("[!\t\ufeff\x85\u2028\u2029]")
"""What the two do not read alike. The rest they do, but for a ``?`` in an unquoted list item and a
comment that touches ``|`` or ``>``, which only libyaml takes."""


def _read_yaml(head: str, where: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        kind = _PATIENT if _READ_OTHERWISE.search(head) else _FAST
        data, lines = _load(head, where, kind)
    except (yaml.YAMLError, ValueError):
        data, lines = _read_patiently(head, where)
    if not isinstance(data, dict):
        raise _fault("the front matter is not a list of keys", where, 2, "write `key: value` lines")
    return data, lines


def _read_patiently(head: str, where: str) -> tuple[Any, dict[str, int]]:
    try:
        return _load(head, where, _PATIENT)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _fault(
            f"the YAML cannot be read: {error.problem or error.context}",
            where,
            mark.line + 2 if mark else None,
            "mend it there; quote a value that holds a colon or starts with a mark",
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _fault(
            f"the YAML cannot be read: {str(error).splitlines()[0]}", where, None, "mend it"
        ) from None


def _load(head: str, where: str, kind: Any) -> tuple[Any, dict[str, int]]:
    _refuse_bombs(head, where, kind)
    loader = kind(head)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}
        lines: dict[str, int] = {}
        return _build(loader, node, "", lines, where), lines
    finally:
        loader.dispose()


def _refuse_bombs(head: str, where: str, kind: Any) -> None:
    # The parser's events come one by one without recursion, so this is safe on any input.
    depth = 0
    for event in yaml.parse(head, Loader=kind):
        line = event.start_mark.line + 2 if event.start_mark else None
        is_anchored = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
        if is_anchored:
            raise _fault("uses an anchor or alias", where, line, "write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _fault(f"nests over {MAX_DEPTH} levels", where, line, "flatten it")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _build(loader: Any, node: yaml.Node, path: str, lines: dict[str, int], where: str) -> Any:
    if path:
        lines.setdefault(path, node.start_mark.line + 2)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        line = node.start_mark.line + 2
        raise _fault(f"the YAML tag {node.tag!r} is not allowed", where, line, "remove it", path)
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 2
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault("a key is not text", where, line, "write `key: value`", path)
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in data:
                raise _fault("is given twice", where, line, "keep one of them", inner)
            lines[inner] = line
            data[key] = _build(loader, value_node, inner, lines, where)
        return data
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, item, f"{path}.{place}" if path else str(place), lines, where)
            for place, item in enumerate(node.value)
        ]
    return loader.construct_object(node)


def _read_toml(head: str, where: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        data = tomllib.loads(head)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise _fault(
            "the TOML cannot be read: "
            + re.sub(r"\s*\(at (line \d+, column \d+|end of document)\)", "", str(error)),
            where,
            int(found[1]) + 1 if found else head.count("\n") + 2,
            "mend it there",
        ) from None
    lines = {}
    for location in _locations(data):
        line = find_line(head, location)
        if line is not None:
            lines[".".join(str(part) for part in location)] = line + 1
    return data, lines


def _locations(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from _locations(inner, (*path, key))


def _read_pelican(text: str) -> FrontMatter:
    data: dict[str, Any] = {}
    lines: dict[str, int] = {}
    all_lines = text.split("\n")
    last, number = "", 0
    for number, line in enumerate([*all_lines, ""], 1):
        match = re.match(r"([A-Za-z][\w-]*):\s*(.*)$", line)
        if match:
            last = match[1].lower()
            if not data and last not in _PELICAN_KEYS:
                break
            data.setdefault(last, match[2].strip())
            lines.setdefault(last, number)
        elif last and line[:1] in {" ", "\t"} and line.strip():
            data[last] = f"{data[last]} {line.strip()}".strip()
        else:
            break
    # Only a header with a title is one: raw text may open with "Photo: somebody".
    if "title" not in data or "".join(all_lines[number - 1 : number]).strip():
        return FrontMatter(body=text)
    return FrontMatter(data, lines, "\n".join(all_lines[number:]), number + 1, is_present=True)
