"""html-validate finds nothing in any set but what mail programs force on it, named here."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.golden.drawing import NAMES, draw, parts
from tests.golden.programs import node_program

EXCEPTIONS = {
    "no-inline-style": "many programs cut style sheets out; the layout must stand without them",
    "no-conditional-comment": "Outlook lays tables out by what stands in them",
    "no-deprecated-attr": "align, bgcolor, border, cellpadding, cellspacing, valign and width are "
    "all that Outlook's engine understands of a layout",
    "void-style": "MJML writes <br /> and <img />, which is as valid",
    "doctype-style": "MJML writes <!doctype html>, which is as valid",
    "prefer-native-element": "MJML writes role=article: programs without <article> ignore it",
    "attribute-allowed-values": "MJML writes height=auto on pictures: without it old versions of "
    "Outlook stretch them",
}


def test_nothing_is_found_outside_the_listed_exceptions(tmp_path: Path) -> None:
    program = node_program("html-validate", "bin/html-validate.mjs")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"root": True, "extends": ["html-validate:recommended"]}))
    files = []
    for name in NAMES:
        files.append(tmp_path / f"{name}.html")
        files[-1].write_text(parts(draw(name))["html"], encoding="utf-8")
    report = tmp_path / "report.json"
    # It ends before a pipe is read to its end; a file gets everything.
    with report.open("wb") as handle:
        command = [*program, "--config", str(settings), "--formatter", "json", *map(str, files)]
        subprocess.run(command, stdout=handle, check=False)
    results = json.loads(report.read_text(encoding="utf-8"))
    assert len(results) == len(NAMES)
    found = [message for result in results for message in result["messages"]]
    others = [
        (message["ruleId"], message["message"])
        for message in found
        if message["ruleId"] not in EXCEPTIONS
    ]
    assert others == []
    # An exception that nothing needs any more is taken off the list.
    assert set(Counter(message["ruleId"] for message in found)) == set(EXCEPTIONS)


@pytest.mark.parametrize("rule", EXCEPTIONS)
def test_every_exception_has_its_reason(rule: str) -> None:
    assert len(EXCEPTIONS[rule].split()) > 5
