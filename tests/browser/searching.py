"""axe-core on a page that is open: what it finds there, or a visible skip where it is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOT_OF_MAIL = ("region", "landmark-one-main")
"""Rules that a mail cannot keep: it has no landmarks, the program around it has."""

# Every rule is run. What passed is neither described nor sent back, which is most of the work.
_RUN = """async ([context, rules]) => {
  const found = await axe.run(context ?? document, {resultTypes: ['violations'], rules: rules});
  return found.violations.map(each => [each.id, each.nodes.slice(0, 3).map(
    node => node.html.slice(0, 160))]);
}"""

Violations = list[tuple[str, list[str]]]


@cache
def _program() -> str:
    if importlib.util.find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is missing: pip install axe-playwright-python")
    from axe_playwright_python.base import AXE_SCRIPT

    return str(AXE_SCRIPT)


def search(page: Page, *, without: Sequence[str] = (), exclude: Sequence[str] = ()) -> Violations:
    """Return the rules that the page breaks as it is now, each with up to three elements.

    Args:
        without: rules that are not asked.
        exclude: selectors of what is not looked at.
    """
    program = _program()
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(program)
    context: Mapping[str, Any] = {"exclude": [[each] for each in exclude]}
    rules = {name: {"enabled": False} for name in without}
    found = page.evaluate(_RUN, [context if exclude else None, rules])
    return [(rule, nodes) for rule, nodes in found]
