"""MJML to HTML through mrml, and what must be checked because mrml does not.

``lint`` reads a template's source (Jinja and all) and reports file and line of unknown
components and attributes, tags that are never closed, and the forms mrml is known to render
wrongly: single-quoted, repeated or non-ASCII attribute values, short hex colours, a bare ``<``.
``to_html`` renders and then asserts on the output what no input may ever cause: no Rust escapes,
no event attributes, no scripts.

Known limits: each template file must close what it opens, also across ``{% if %}`` branches.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

import mjml as mrml

from mailer.editions.attribute_forms import form_of
from mailer.editions.components import COMPONENTS, REFUSED, VOID, Component
from mailer.errors import Fault, RenderFailed

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?)(?P<self>/?)>"
)
_ATTRIBUTE = re.compile(r"(?P<name>[^\s=/\"']+)(?:\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"']+))?")
_SHORT_HEX = re.compile(r"#[0-9a-fA-F]{3}(?![0-9a-fA-F])")
_STYLE_BODY = re.compile(r"(<mj-style\b[^>]*>)(.*?)(</mj-style>)", re.DOTALL)


def lint(source: str, *, where: str) -> list[Fault]:
    """Check one MJML template's source.

    Args:
        source: the file's text, with its Jinja.
        where: the file as the user knows it.
    Returns:
        One fault a mistake, in the file's order; empty when it is sound.
    """
    return _Linter(source, where).run()


class _Linter:
    """Walks the tags of one file."""

    def __init__(self, source: str, where: str) -> None:
        self.text = _STYLE_BODY.sub(
            lambda found: found[1] + re.sub(r"\S", " ", found[2]) + found[3],
            _blank(_COMMENT, _jinja_out(source)),
        )
        self.source = source
        self.where = where
        self.faults: list[Fault] = []
        self.open: list[tuple[str, int]] = []

    def run(self) -> list[Fault]:
        position = 0
        while (start := self.text.find("<", position)) >= 0:
            tag = _TAG.match(self.text, start)
            line = self.text.count("\n", 0, start) + 1
            if tag is None:
                self._bare(start, line)
                position = start + 1
                continue
            if tag["end"]:
                self._end(tag["name"], line)
            else:
                self._start(tag, line)
            position = tag.end()
        for name, line in self.open:
            self._fault(line, name, f"<{name}> is never closed", f"add </{name}>")
        return self.faults

    def _fault(self, line: int, field: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(problem, where=self.where, line=line, field=field, remedy=remedy))

    def _bare(self, start: int, line: int) -> None:
        rest = self.text[start : start + 12].split("\n")[0]
        if rest.startswith(("<!", "<?")):
            self._fault(line, rest, "a doctype or CDATA is not MJML", "remove it")
        else:
            self._fault(
                line, rest, "a tag is not finished, or a bare < stands in the text", "write &lt;"
            )

    def _end(self, name: str, line: int) -> None:
        if name in VOID:
            return
        names = [opened for opened, _ in self.open]
        if name not in names:
            self._fault(line, name, f"</{name}> closes nothing", "remove it or open it before")
            return
        while self.open:
            opened, opened_line = self.open.pop()
            if opened == name:
                return
            self._fault(
                opened_line,
                opened,
                f"<{opened}> is not closed before </{name}> in line {line}",
                f"add </{opened}>",
            )

    def _start(self, tag: re.Match[str], line: int) -> None:
        name = tag["name"]
        holder = next((opened for opened, _ in reversed(self.open) if opened in COMPONENTS), "")
        in_html = bool(holder) and COMPONENTS[holder].holds_html
        is_component = name == "mjml" or name.startswith("mj-")
        if name in REFUSED:
            self._fault(line, name, f"<{name}> must not be used", REFUSED[name])
        elif is_component and name not in COMPONENTS:
            near = get_close_matches(name, COMPONENTS, 1)
            self._fault(
                line,
                name,
                f"<{name}> is not an MJML component",
                f"did you mean <{near[0]}>?" if near else "see templates/README.md for the list",
            )
        elif is_component:
            self._place(name, holder, in_html=in_html, line=line)
        elif not in_html and holder not in {"", "mj-attributes"}:
            self._fault(
                line, name, f"<{name}> is HTML and stands in <{holder}>", "put it into an mj-text"
            )
        self._attributes(tag, line)
        if name not in VOID and not tag["self"]:
            self.open.append((name, line))

    def _place(self, name: str, holder: str, *, in_html: bool, line: int) -> None:
        parents = COMPONENTS[name].parents
        if in_html:
            self._fault(line, name, f"<{name}> stands in the text of <{holder}>", "close it first")
        elif holder and parents and holder not in parents and holder != "mj-attributes":
            wanted = " or ".join(f"<{parent}>" for parent in sorted(parents))
            self._fault(line, name, f"<{name}> stands in <{holder}>", f"put it into {wanted}")

    def _attributes(self, tag: re.Match[str], line: int) -> None:
        name = tag["name"]
        component = COMPONENTS.get(name)
        seen: set[str] = set()
        for found in _ATTRIBUTE.finditer(tag["rest"]):
            key, value = found["name"], found["value"] or ""
            at = line + tag["rest"].count("\n", 0, found.start())
            if key in seen:
                self._fault(at, key, f"{key} is given twice in <{name}>", "keep one")
            seen.add(key)
            if component and not component.takes_any_attribute:
                self._known(component, name, key, at)
            self._value(key, value, at)
            is_component = component is not None or name in {"mj-all", "mj-class"}
            if value and is_component and not self._is_printed(tag, found):
                self._form(name, key, value, at)

    def _is_printed(self, tag: re.Match[str], found: re.Match[str]) -> bool:
        """Say whether Jinja makes a value; the blanked text is as long as the source."""
        start = tag.start("rest")
        raw = self.source[start + found.start() : start + found.end()]
        return "{{" in raw or "{%" in raw

    def _form(self, name: str, key: str, value: str, line: int) -> None:
        form = form_of(name, key)
        bare = value.strip("\"'")
        # What has a fault of its own already is not told twice.
        is_told = bool(_SHORT_HEX.search(value)) or (key, bare) == ("full-width", "false")
        if form is None or form.pattern.fullmatch(bare) or is_told:
            return
        self._fault(line, key, f"{bare!r} is no value of {key} in <{name}>", form.said)

    def _known(self, component: Component, name: str, key: str, line: int) -> None:
        if key in component.attributes:
            return
        near = get_close_matches(key, component.attributes, 1)
        self._fault(
            line,
            key,
            f"{key} is not an attribute of <{name}>",
            f"did you mean {near[0]}?" if near else "remove it",
        )

    def _value(self, key: str, value: str, line: int) -> None:
        if key.lower().startswith("on"):
            self._fault(line, key, "event attributes have no place in a mail", "remove it")
        if value and not value.startswith('"'):
            self._fault(
                line, key, "the value is not in double quotes", f'write {key}="…": a quote gets out'
            )
        if not value.isascii() or "\\" in value or "\n" in value:
            self._fault(
                line,
                key,
                "the value has a line break, a backslash or a character outside ASCII",
                "keep it on one line and write characters as &#…;",
            )
        if key not in {"href", "src"} and _SHORT_HEX.search(value):
            self._fault(line, key, "a colour has three digits", "write all six")
        if key == "mj-class" and len(value.strip('"').split()) > 1:
            self._fault(line, key, "only the first mj-class would count", "give one class")
        if key == "full-width" and "false" in value:
            self._fault(line, key, 'full-width="false" is taken for true', "leave it out")


def _jinja_out(source: str) -> str:
    """Put a word where Jinja prints and blanks where it acts; every line stays where it is."""

    def blank(found: re.Match[str]) -> str:
        whole = found[0]
        filled = re.sub(r"[^\n]", " ", whole)
        # Line breaks inside an expression are Jinja's, not the attribute's around it.
        return "x" + filled.replace("\n", "\n")[1:] if whole.startswith("{{") else filled

    return _JINJA.sub(blank, source)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


_OUTPUT_TAG = re.compile(r"<[a-zA-Z](?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>")
_EVENT = re.compile(r"\son[a-z]+\s*=", re.IGNORECASE)
_WHOLE_RULE = re.compile(
    r'(;width:100%;"></p><!--\[if mso \| IE\]><table [^>]*?)'
    r' width="\d+px" style="([^"]*;)width:\d+px;"'
)
"""A rule across its column, with the table that draws it for Outlook."""


def to_html(source: str, *, where: str) -> str:
    """Render MJML.

    Args:
        source: MJML with everything filled in.
        where: the template's file, for messages.
    Raises:
        RenderFailed: mrml refused it, or the output holds what a mail must not.
    """
    try:
        html = str(mrml.mjml2html(source, fonts={}))
    except ValueError as error:
        raise RenderFailed(
            Fault(
                f"the MJML cannot be rendered: {error}{_near(source, str(error))}",
                where=where,
                remedy="check that every tag is closed and every value in double quotes",
            )
        ) from None
    # Taking every tag out costs more than rendering; hardly ever is there a reason to.
    tags = _OUTPUT_TAG.findall(html) if "\\" in html or _EVENT.search(html) else []
    faults = [
        Fault(problem, where=where, remedy=remedy)
        for is_bad, problem, remedy in (
            ("\\u{" in html, "a character came out as \\u{…}", "write it as &#…; in the template"),
            (
                any("\\" in tag for tag in tags),
                "a backslash came out inside a tag",
                "keep attribute values on one line and free of backslashes",
            ),
            (
                any(_has_event(tag) for tag in tags),
                "an on…= attribute came out",
                'quote values with "',
            ),
            ("<script" in html.lower(), "a script came out", "remove it from the templates"),
            ("<mj-" in html, "an MJML tag was not rendered", "check where it stands"),
        )
        if is_bad
    ]
    if faults:
        raise RenderFailed(faults)
    # mrml gives Outlook's rules the width of the mail, and not of the column that they stand in.
    html = _WHOLE_RULE.sub(r'\1 width="100%" style="\2width:100%;"', html)
    # Where one comment for Outlook ends and the next begins, the seam says nothing.
    return html.replace("<![endif]--><!--[if mso | IE]>", "")


def _has_event(tag: str) -> bool:
    # What stands in quotes is a value, where the same letters are only text.
    return bool(_EVENT.search(re.sub(r"\"[^\"]*\"", '""', tag)))


def _near(source: str, message: str) -> str:
    found = re.search(r"\b(\d+)\.\.(\d+)\b|position (\d+)", message)
    if not found:
        return ""
    offset = int(found[1] or found[3])
    raw = source.encode()[max(0, offset - 30) : offset + 30].decode(errors="ignore")
    return f" (near {' '.join(raw.split())!r})"
