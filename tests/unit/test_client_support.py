"""What mail programs know: features found by their forms, judged by the vendored data."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from mailer.editions.anatomy import dissect
from mailer.editions.checks.check_support import check_support, features, support_data
from mailer.editions.checks.exhibit import Exhibit
from tests.browser.sampling import make_publication, render

ROOT = Path(__file__).parents[2]
PAGE = "<html><head><style>%s</style></head><body>%s</body></html>"


def exhibit(style: str = "", body: str = "") -> Exhibit:
    html = PAGE % (style, body)
    publication = make_publication()
    edition = replace(render(), html=(html,))
    region = publication.region("wales")
    return Exhibit(edition, html, "", dissect(html), publication, region)


@pytest.mark.parametrize(
    ("style", "body", "feature"),
    [
        ("", '<p style="border-top-left-radius:3px">x</p>', "css-border-radius"),
        ("", '<p style="padding-left:3px">x</p>', "css-padding"),
        ("", '<p style="display:flex">x</p>', "css-display-flex"),
        ("", '<p style="width:calc(10vw + 1rem)">x</p>', "css-unit-calc"),
        ("", '<p style="width:10vw">x</p>', "css-unit-vw"),
        ("", '<p style="color:var(--a)">x</p>', "css-variables"),
        ("p{color:red !important}", "", "css-important"),
        ("@media (prefers-color-scheme:dark){p{color:red}}", "", "css-at-media"),
        (
            "@media (prefers-color-scheme:dark){p{color:red}}",
            "",
            "css-at-media-prefers-color-scheme",
        ),
        ("a:hover{color:red}", "", "css-pseudo-class-hover"),
        ("p::before{content:'x'}", "", "css-pseudo-element-before"),
        ("p > a{color:red}", "", "css-selector-child"),
        ("", "<video></video>", "html-video"),
        ("", "<h4>x</h4>", "html-h1-h6"),
        ("", "<ul><li>x</li></ul>", "html-lists"),
        ("", '<img srcset="x 2x" alt="">', "html-srcset"),
    ],
)
def test_a_feature_is_found_by_its_form(style: str, body: str, feature: str) -> None:
    assert feature in features(exhibit(style, body).anatomy)
    assert feature not in features(exhibit().anatomy)
    assert feature in support_data()["features"]


def test_what_a_program_does_not_know_is_a_warning_that_names_it() -> None:
    hits = {
        hit.message.split(":")[0]: hit for hit in check_support(exhibit(body="<video></video>"))
    }
    assert hits["HTML video"].code == "client-support"
    assert "Gmail (web)" in hits["HTML video"].message
    assert not [hit for name, hit in hits.items() if name == "p"]


def test_the_data_says_where_it_is_from_and_is_whole() -> None:
    data = support_data()
    assert data["package"].startswith("caniemail ")
    assert data["dated"]
    assert "MIT" in data["licence"]
    licence = ROOT / "mailer" / "editions" / "vendored" / "LICENSE.caniemail"
    assert licence.read_text().startswith("MIT License")
    lengths = {len(words) for words in data["features"].values()}
    assert lengths == {len(data["clients"])}
    assert set("".join(data["features"].values())) <= set("yanu")


def test_the_tool_takes_the_newest_version_of_a_program(tmp_path: Path) -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "client_support.py"))
    stats = {"outlook": {"windows": {"2007": "n", "2019": "a #1"}}}
    data = {
        "last_update_date": "2026-01-02 03:04:05",
        "data": [
            {"slug": "css-x", "category": "css", "stats": stats},
            {"slug": "image-x", "category": "image", "stats": stats},
        ],
    }
    made = tool["trimmed"](data, "9.9.9")
    assert made["package"] == "caniemail 9.9.9"
    assert made["dated"] == "2026-01-02"
    assert list(made["features"]) == ["css-x"]
    assert made["features"]["css-x"] == "uuuuuauuuuuuu"
    assert json.dumps(made)
