"""Whatever the official MJML validator faults, the linter of templates faults in the same line.

Every component is put before both with every attribute that any component has, right and wrong
values of each, and in every other component. Where they differ, the difference is listed here: ours
is stricter for what our renderer or mail programs make of it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from mailer.editions import letter, rendering
from mailer.editions.components import COMPONENTS, REFUSED
from mailer.editions.mjml import lint
from mailer.editions.templates import load_templates
from mailer.languages import load_languages
from mailer.usecases.confirming import FIELDS
from tests.browser.sampling import WEB_URL, make_publication
from tests.golden.drawing import NAMES, draw
from tests.golden.programs import validator_program

Fault = tuple[int, str, str]

FOREIGN = {"gutter", "icon-position", "id", "inner-padding-top", "nonsense"}
"""Attributes of components we do not have, or of none."""

VALUES = (
    "24", "24px", "1em", "-4px", "10%", "1.5", "1,5", "auto", "0", "0 24px", "1px 2px 3px 4px 5px",
    " 24px ", "24PX", "px", "", "red", "rde", "transparent", "#1234", "#12345g", "#123456",
    "#12345678", "rgb(1, 2, 3)", "rgba(1,2,3,.5)", "rgba(1, 2, 3, 0.5)", "hsl(1,2%,3%)", "left",
    "centre", "justify", "top", "TOP", "repeat", "ltr", "full-width", "normal", "file-start",
    "fixed", "horizontal", "1px solid #cccccc",
)  # fmt: skip

MISTAKES = {
    "an unknown tag": "<mj-body>\n<mj-secton></mj-secton></mj-body>",
    "a tag of HTML among components": "<mj-body>\n<div></div></mj-body>",
    "an unknown attribute": '<mj-body>\n<mj-section colour="#123456"></mj-section></mj-body>',
    "one in upper case": '<mj-body>\n<mj-section Padding="0"></mj-section></mj-body>',
    "one of a default": '<mj-head><mj-attributes>\n<mj-text colour="x" /></mj-attributes></mj-head>'
    "<mj-body></mj-body>",
    "a default for nothing": '<mj-head><mj-attributes>\n<mj-txt color="red" /></mj-attributes>'
    "</mj-head><mj-body></mj-body>",
    "a wrong unit": '<mj-body>\n<mj-section padding="1em"></mj-section></mj-body>',
    "a bad colour": '<mj-body>\n<mj-section background-color="#12345"></mj-section></mj-body>',
    "a word that is no choice": '<mj-body>\n<mj-section direction="up"></mj-section></mj-body>',
    "a wrong parent": "<mj-body>\n<mj-column></mj-column></mj-body>",
    "content in the body": "<mj-body>\n<mj-text>words</mj-text></mj-body>",
    "a head's part in the body": "<mj-body>\n<mj-title>words</mj-title></mj-body>",
}
"""Mistakes, each in the second line."""

OURS_ALONE = {
    "a file to take in": '<mj-body>\n<mj-include path="./nowhere.mjml" /></mj-body>',
    "a tag that is never closed": "<mj-body><mj-section>\n<mj-column></mj-section></mj-body>",
    "an end without a beginning": "<mj-body><mj-section>\n</mj-column></mj-section></mj-body>",
    "a value in single quotes": "<mj-body>\n<mj-section padding='0'></mj-section></mj-body>",
    "an attribute given twice": '<mj-body>\n<mj-section padding="0" padding="0"></mj-section>'
    "</mj-body>",
    "a colour of three digits": '<mj-body>\n<mj-section background-color="#abc"></mj-section>'
    "</mj-body>",
    "a border that is none": '<mj-body>\n<mj-section border="1px"></mj-section></mj-body>',
    "two classes": '<mj-body>\n<mj-section mj-class="a b"></mj-section></mj-body>',
    "a yes or no": '<mj-body>\n<mj-section full-width="false"></mj-section></mj-body>',
    "a component in the words of another": "<mj-body><mj-section><mj-column><mj-text>\n"
    "<mj-image /></mj-text></mj-column></mj-section></mj-body>",
    "an event attribute": "<mj-body><mj-section><mj-column><mj-text>\n"
    '<a href="https://a.example/" onclick="x">y</a></mj-text></mj-column></mj-section></mj-body>',
    "a value that the renderer spoils": "<mj-body><mj-section><mj-column>\n"
    '<mj-image alt="a\u00a0b" /></mj-column></mj-section></mj-body>',
    "a component that mail programs drop": "<mj-body><mj-section><mj-column>\n"
    "<mj-navbar></mj-navbar></mj-column></mj-section></mj-body>",
    "an attribute that our renderer drops": '<mj-body>\n<mj-section gutter="8px"></mj-section>'
    "</mj-body>",
}
"""What only we fault, each in the second line."""

THEIRS_ALONE = {
    'css-class="true"': "it reads a yes and fails over it in drawing; a class may be so named",
}


def document(inner: str) -> str:
    return f"<mjml>{inner}</mjml>"


@cache
def judged(sources: tuple[str, ...]) -> list[list[Fault]]:
    """Return what the official validator says of each source."""
    done = subprocess.run(
        validator_program(),
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return [[(line, tag, said) for line, tag, said in each] for each in json.loads(done.stdout)]


def around(name: str) -> tuple[str, str]:
    """Return what stands before and after a component, so that it stands where it may."""
    opened: list[str] = []
    while name != "mjml":
        parents = COMPONENTS[name].parents - {"mj-hero"}
        name = "mj-section" if "mj-section" in parents else min(parents)
        opened.insert(0, name)
    before = "".join(f"<{each}>" for each in opened)
    after = "".join(f"</{each}>" for each in reversed(opened))
    if "mj-body" not in opened:
        after = after.removesuffix("</mjml>") + "<mj-body></mj-body></mjml>"
    return before, after


def sheets(name: str, tags: Sequence[str]) -> Iterator[str]:
    """Yield documents that have a component's tags, one a line."""
    before, after = around(name)
    if name == "mj-body":
        after = "</mjml>"
    # A document has one head and one body; of all else any number.
    at_once = 1 if name in {"mj-head", "mj-body"} else 400
    for start in range(0, len(tags), at_once):
        yield before + "\n" + "\n".join(tags[start : start + at_once]) + "\n" + after


def own_components() -> list[str]:
    return [name for name in COMPONENTS if name not in {"mjml", "mj-all", "mj-class"}]


def with_attributes() -> Iterator[str]:
    """Yield documents with every component, every attribute and every value."""
    every = FOREIGN.union(*(component.attributes for component in COMPONENTS.values()))
    for name in own_components():
        tags = [
            f'<{name} {attribute}="{value}"></{name}>'
            for attribute in sorted(every)
            for value in (VALUES if attribute in COMPONENTS[name].attributes else ("24px",))
        ]
        yield from sheets(name, tags)


def within_each_other() -> Iterator[str]:
    """Yield documents with every component in every other."""
    children = [*own_components(), *REFUSED, "mj-unknown"]
    for parent in own_components():
        # Any component may stand there, to have its defaults.
        if parent == "mj-attributes":
            continue
        inner = (f"<{name}></{name}>" for name in children if name != "mj-include")
        yield from sheets(parent, [f"<{parent}>{each}</{parent}>" for each in inner])


@pytest.mark.parametrize("make", [with_attributes, within_each_other])
def test_the_linter_finds_at_least_what_the_official_validator_finds(make: object) -> None:
    sources = tuple(make())  # type: ignore[operator]
    missed: list[tuple[str, str]] = []
    count = 0
    for source, faults in zip(sources, judged(sources), strict=True):
        ours = {fault.line for fault in lint(source, where="x")}
        lines = source.splitlines()
        for line, _, said in faults:
            count += 1
            if line not in ours:
                missed.append((lines[line - 1] if line else source[:200], said))
    assert missed == []
    # It was asked, and had much to say.
    assert count > 200


def test_it_finds_every_mistake_of_the_table_in_its_line() -> None:
    sources = tuple(map(document, MISTAKES.values()))
    for what, source, faults in zip(MISTAKES, sources, judged(sources), strict=True):
        assert {line for line, _, _ in faults} == {2}, what
        assert {fault.line for fault in lint(source, where="x")} == {2}, what


def test_where_only_we_find_fault_is_listed() -> None:
    sources = tuple(map(document, OURS_ALONE.values()))
    for what, source, faults in zip(OURS_ALONE, sources, judged(sources), strict=True):
        assert faults == [], what
        assert 2 in {fault.line for fault in lint(source, where="x")}, what


@pytest.mark.parametrize("attribute", THEIRS_ALONE)
def test_where_only_the_official_validator_finds_fault_is_listed(attribute: str) -> None:
    source = document(f"<mj-body><mj-section {attribute}></mj-section></mj-body>")
    assert lint(source, where="x") == []
    ((line, _, said),) = judged((source,))[0]
    assert (line, said) == (0, "classes.split is not a function")


def test_neither_finds_fault_with_what_the_sets_make(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[str] = []
    ours = rendering.to_html

    def kept(source: str, *, where: str) -> str:
        sources.append(source)
        return ours(source, where=where)

    monkeypatch.setattr(rendering, "to_html", kept)
    monkeypatch.setattr(letter, "to_html", kept)
    for name in NAMES:
        draw(name)
    letter.render_letter(
        load_templates("mail/confirm", has_parts=False),
        make_publication(),
        load_languages().words("de"),
        fields=FIELDS,
        values={"regions": ["Wales", "Bristol"], "web_url": WEB_URL},
    )
    assert len(sources) == len(NAMES) + 1
    for source, faults in zip(sources, judged(tuple(sources)), strict=True):
        assert faults == []
        assert [str(fault) for fault in lint(source, where="x")] == []
