r"""Template sets: the files that make an edition, read once and checked before use.

A set is a folder: ``subject.txt.j2``, ``body.mjml.j2`` and ``body.txt.j2``. What they include is
in ``parts/``, which all sets share; a set may have a part of its own in ``<set>/parts/``. The
publication's ``templates/`` replaces both file by file: ``templates/parts/`` for every set,
``templates/<set>/`` for one. With the files come the catalogues of what they say.
``load_templates`` is the only I/O; a ``TemplateSet`` renders from memory, so that rendering is
pure. A mistake is told with file, line, name and what to do: syntax and MJML mistakes when loading,
unknown names when rendering.

Everything printed into MJML is escaped and then written so that mrml cannot spoil it: mrml quotes
attributes as Rust does and would show a no-break space as ``\u{a0}``, therefore the characters it
would touch are printed as numeric entities. Templates run in Jinja's sandbox.

Known limits: literal text of a template does not pass through that printing; the linter holds
literal attribute values to ASCII instead.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailer.editions import text
from mailer.editions.compiled import COMPILED, is_known_sound, remember_sound
from mailer.editions.mjml import lint
from mailer.editions.prose import plain, styled
from mailer.errors import Fault, NotFound, RenderFailed
from mailer.languages import Languages, load_languages
from mailer.resources import templates_dir

SUBJECT = "subject.txt.j2"
BODY = "body.mjml.j2"
TEXT = "body.txt.j2"
REQUIRED = (SUBJECT, BODY, TEXT)
PARTS = "parts"
SIZE_BYTES = 200_000

_SPOILT = frozenset("\\\r\t\u115f\u1160\u3164\uff9e\uff9f\uffa0")
_SPOILT_CATEGORIES = frozenset({"Cf", "Cn", "Co", "Zs", "Zl", "Zp", "Mn", "Me", "Mc"})
_RUN_TIME = (TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Source:
    """One template file: its path as the user knows it, and its text."""

    path: str
    text: str


class _Memory(BaseLoader):
    """Serves the sources of a set under their paths, so that errors name the file."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source = self._sources.get(template)
        if source is None:
            raise TemplateNotFound(template)
        return source.text, source.path, lambda: True


class TemplateSet:
    """A checked set of templates, rendering from memory."""

    def __init__(
        self, name: str, sources: Mapping[str, Source], languages: Languages | None = None
    ) -> None:
        self.name = name
        self.languages = languages or Languages({})
        self.sources = dict(sources)
        loader = _Memory(self.sources)
        self._markup = _environment(loader, autoescape=True, finalize=print_markup)
        self._plain = _environment(loader, autoescape=False, finalize=_print_plain)
        self._markup.filters["prose"] = lambda html, **styles: styled(str(html), styles)
        self._plain.filters["prose"] = lambda html: plain(str(html))
        for environment in (self._markup, self._plain):
            environment.filters["one_line"] = text.one_line
            environment.filters["bare"] = text.bare_url

    def body(self, values: Mapping[str, object]) -> str:
        """Render the MJML of an edition."""
        return self._render(self._markup, BODY, values)

    def text(self, values: Mapping[str, object]) -> str:
        """Render the text part."""
        return self._render(self._plain, TEXT, values)

    def subject(self, values: Mapping[str, object]) -> str:
        """Render the subject, on one line."""
        return text.one_line(self._render(self._plain, SUBJECT, values))

    def path(self, name: str) -> str:
        """Return a file's path for messages."""
        return self.sources[name].path

    def faults(self) -> list[Fault]:
        """Check every file: Jinja's syntax, includes that exist, MJML."""
        faults: list[Fault] = []
        names = frozenset(self.sources)
        for name, source in sorted(self.sources.items()):
            if is_known_sound(checked := (name, source.path, source.text, names)):
                continue
            environment = self._markup if name.endswith(".mjml.j2") else self._plain
            before = len(faults)
            try:
                tree = environment.parse(source.text, name, source.path)
            except TemplateSyntaxError as error:
                faults.append(
                    Fault(
                        f"is not valid Jinja: {error.message}",
                        where=source.path,
                        line=error.lineno,
                        remedy="check the braces, the names of tags and filters, and every end…",
                    )
                )
                continue
            faults.extend(self._names(tree, environment, source))
            if name.endswith(".mjml.j2"):
                faults.extend(lint(source.text, where=source.path))
            if len(faults) == before:
                remember_sound(checked)
        return faults

    def _names(
        self, tree: nodes.Template, environment: Environment, source: Source
    ) -> Iterator[Fault]:
        """Find filters, tests and files that do not exist, in branches never taken too."""
        for node in tree.find_all((nodes.Filter, nodes.Test)):
            what = "filter" if isinstance(node, nodes.Filter) else "test"
            known = environment.filters if what == "filter" else environment.tests
            if node.name not in known:
                near = get_close_matches(node.name, known, 1)
                yield Fault(
                    f"there is no {what} {node.name!r}",
                    where=source.path,
                    line=node.lineno,
                    field=node.name,
                    remedy=f"did you mean {near[0]!r}?" if near else "take it out",
                )
        for include in tree.find_all((nodes.Include, nodes.Extends, nodes.Import)):
            wanted = getattr(include, "template", None)
            if isinstance(wanted, nodes.Const) and wanted.value not in self.sources:
                yield self._missing(str(wanted.value), source.path, include.lineno)

    def _missing(self, wanted: str, where: str, line: int | None) -> Fault:
        near = get_close_matches(wanted, self.sources, 1)
        return Fault(
            f"includes {wanted!r}, which the set {self.name!r} does not have",
            where=where,
            line=line,
            field=wanted,
            remedy=f"did you mean {near[0]!r}?" if near else "add the file or the right name",
        )

    def _render(self, environment: Environment, name: str, values: Mapping[str, object]) -> str:
        try:
            return environment.get_template(name).render(values)
        except _RUN_TIME as error:
            raise RenderFailed(self._fault(error, name, values)) from None

    def _fault(self, error: Exception, name: str, values: Mapping[str, object]) -> Fault:
        where, line = self._place(error, name)
        if isinstance(error, TemplateSyntaxError):
            return Fault(
                f"is not valid Jinja: {error.message}",
                where=error.filename or where,
                line=error.lineno,
                remedy="mend the line",
            )
        if isinstance(error, TemplateNotFound):
            return self._missing(str(error.name), where, line)
        if isinstance(error, UndefinedError):
            missing = _missing_name(str(error))
            near = get_close_matches(missing, sorted(_known_names(values)), 1)
            return Fault(
                str(error.message or error),
                where=where,
                line=line,
                field=missing,
                remedy=(
                    f"did you mean {near[0]!r}?"
                    if near
                    else "templates/README.md lists every name a template may use"
                ),
            )
        return Fault(
            f"cannot be rendered: {error}",
            where=where,
            line=line,
            remedy="mend the expression in that line",
        )

    def _place(self, error: Exception, name: str) -> tuple[str, int | None]:
        paths = {source.path for source in self.sources.values()}
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename in paths:
                return frame.filename, frame.lineno
        return self.sources[name].path, None


def load_templates(
    set_name: str,
    *,
    override: Path | None = None,
    required: Sequence[str] = REQUIRED,
    has_parts: bool = True,
    named_in: tuple[str, str] = ("publication.toml", "templates"),
) -> TemplateSet:
    """Read a template set and check it.

    Args:
        set_name: the folder's name under the shipped templates.
        override: the publication's ``templates`` folder; its ``parts/`` and ``<set_name>/``
            replace files.
        required: files the set cannot do without.
        has_parts: the set is made of the shared parts; a letter is not.
        named_in: the file and the key that name the set, for the message that there is none.
    Raises:
        NotFound: there is no such set.
        RenderFailed: one fault a mistake in any file.
    """
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    roots = [templates_dir()]
    if override is not None and override.resolve() != templates_dir().resolve():
        roots.append(override)
    # The last one wins: the publication's before the shipped, the set's own before the shared.
    places = [(root, folder) for root in roots for folder in (PARTS, set_name)]
    has_files = False
    for root, folder in places:
        if folder == PARTS and not has_parts:
            continue
        for name, path in _files(root / folder):
            has_files = has_files or folder == set_name
            try:
                sources[f"{PARTS}/{name}" if folder == PARTS else name] = _read(path)
            except (OSError, UnicodeDecodeError, ValueError) as error:
                faults.append(
                    Fault(
                        f"cannot be read: {error}",
                        where=str(path),
                        remedy="save it as UTF-8 text of at most 200 kB",
                    )
                )
    if not has_files:
        where, field = named_in
        raise NotFound(
            Fault(
                f"there is no template set {set_name!r}",
                where=where,
                field=field,
                remedy=f"use {' or '.join(_sets(override)) or 'briefing'}",
            )
        )
    own = roots[-1] / set_name
    languages = load_languages(override, of_mail=True) if has_parts else Languages({})
    templates = TemplateSet(set_name, sources, languages)
    faults.extend(
        Fault(f"the set {set_name!r} lacks {name}", where=str(own), remedy="add the file")
        for name in required
        if name not in sources
    )
    faults.extend(templates.faults())
    if faults:
        raise RenderFailed(faults)
    return templates


def _files(folder: Path) -> Iterable[tuple[str, Path]]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*.j2")):
        # A link out of the folder would let a template print any file of the machine.
        if path.is_file() and path.resolve().is_relative_to(root):
            yield path.relative_to(folder).as_posix(), path


def _read(path: Path) -> Source:
    raw = path.read_bytes()
    if len(raw) > SIZE_BYTES:
        raise ValueError(f"it has {len(raw)} bytes")
    return Source(str(path), raw.decode("utf-8-sig").replace("\r\n", "\n"))


def _sets(override: Path | None) -> list[str]:
    folders = [templates_dir(), *([override] if override else [])]
    return sorted(
        {
            child.name
            for folder in folders
            if folder.is_dir()
            for child in folder.iterdir()
            if (child / BODY).is_file()
        }
    )


def _environment(
    loader: BaseLoader, *, autoescape: bool, finalize: Callable[[object], object]
) -> Environment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=autoescape,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=COMPILED[autoescape],
    )


# Nearly every character is plain ASCII: only the others are worth a closer look.
_UNSAFE_IN_MARKUP = re.compile(r"[^ -\[\]-~\n]")
_UNSAFE_IN_TEXT = re.compile(r"[^ -\[\]-~]")


def print_markup(value: object) -> Markup:
    """Print one value into MJML: escaped, and with what mrml would spoil as numeric entities.

    Markup keeps its line ends (they separate tags); in text a line end becomes an entity, because
    the text may stand in an attribute.
    """
    is_markup = hasattr(value, "__html__")
    unsafe = _UNSAFE_IN_MARKUP if is_markup else _UNSAFE_IN_TEXT
    escaped = str(value if is_markup else escape(value))
    return Markup(  # noqa: S704 - escaped just before
        unsafe.sub(lambda match: _entity(match[0]), escaped)
    )


def _entity(character: str) -> str:
    if "\u0020" <= character <= "\u007e" and character != "\\":
        return character
    if character in "\n\r\t" or character in _SPOILT:
        return f"&#{ord(character)};"
    category = unicodedata.category(character)
    # A numeric entity for a C1 control is read as Windows-1252, so controls go altogether.
    if category in {"Cc", "Cs"} or text.is_noncharacter(character):
        return ""
    return f"&#{ord(character)};" if category in _SPOILT_CATEGORIES else character


_NOT_PLAIN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def _print_plain(value: object) -> str:
    return _NOT_PLAIN.sub("", str(value))


def _missing_name(message: str) -> str:
    parts = message.split("'")
    if "has no attribute" in message and len(parts) >= 4:
        return parts[3]
    return parts[1] if len(parts) >= 2 else ""


def _known_names(values: Mapping[str, object]) -> set[str]:
    names, seen = set[str](), set[int]()
    pending: list[object] = [values]
    while pending and len(seen) < 2000:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            names.update(str(key) for key in value)
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
        elif is_dataclass(value) and not isinstance(value, type):
            own = [field.name for field in fields(value)]
            names.update(own)
            pending.extend(getattr(value, name) for name in own)
    return names
