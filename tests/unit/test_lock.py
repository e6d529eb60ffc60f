"""What an approval keeps: recipes read back as they were, and differences have names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.recipe import Recipe, present_tools, unpack
from mailer.editions.templates import load_templates
from mailer.errors import InvalidInput
from mailer.issues.approval import approval_checksum, changed_parts
from mailer.issues.lock import Input, Tools, bound_checksums, changed_inputs
from mailer.issues.writing import write_issue
from tests.browser.sampling import (
    WEB_URL,
    make_articles,
    make_diary,
    make_images,
    make_issue,
    make_publication,
)

ISSUE = make_issue(diary=("supper", "walk"))
PUBLICATION = make_publication()


def recipe() -> Recipe:
    return Recipe(
        issue_id=ISSUE.id,
        issue_text=write_issue(ISSUE),
        publication=PUBLICATION,
        articles={name: make_articles()[name] for name in sorted(ISSUE.article_ids)},
        diary=make_diary(),
        images=make_images(),
        templates=load_templates("briefing"),
        web_url=WEB_URL,
    )


def test_what_was_packed_renders_to_the_same_bytes() -> None:
    given_ = recipe()
    again = unpack(ISSUE.id, given_.pack(), root=PUBLICATION.root)
    assert again.publication == given_.publication
    assert again.articles == given_.articles
    assert again.images == given_.images
    assert again.issue() == given_.issue()
    for region in PUBLICATION.region_map.values():
        one, other = (each.render(each.issue(), region) for each in (given_, again))
        assert one.to_json() == other.to_json()


def test_the_language_an_edition_is_in_is_kept_with_it() -> None:
    region = PUBLICATION.region("wales").model_copy(update={"language": "de"})
    publication = PUBLICATION.model_copy(
        update={"region_map": PUBLICATION.region_map | {"wales": region}}
    )
    german = replace(recipe(), publication=publication)
    packed = german.pack()
    assert [each.name for each in packed if each.kind == "catalogue"] == ["de"]
    again = unpack(ISSUE.id, packed, root=PUBLICATION.root)
    rendered = again.render(again.issue(), region).to_json()
    assert rendered == german.render(german.issue(), region).to_json()
    assert rendered != recipe().render(ISSUE, PUBLICATION.region("wales")).to_json()


def test_what_was_unpacked_packs_to_the_same_inputs() -> None:
    packed = recipe().pack()
    again = unpack(ISSUE.id, packed, root=PUBLICATION.root).pack()
    assert sorted(again, key=str) == sorted(packed, key=str)


def test_an_input_that_cannot_be_read_is_named() -> None:
    packed = [
        Input(each.kind, each.name, "{}") if each.kind == "article" else each
        for each in recipe().pack()
        if each.kind != "web address"
    ]
    with pytest.raises(InvalidInput) as caught:
        unpack(ISSUE.id, packed, root=PUBLICATION.root)
    said = str(caught.value)
    assert "the web address was not kept" in said
    assert "the article ferry cannot be read any more" in said


def test_templates_and_pictures_are_bound_and_articles_are_not() -> None:
    kinds = {label.split()[0] for label in bound_checksums(recipe().pack())}
    assert kinds == {"template", "picture"}


def test_changed_inputs_have_names() -> None:
    before = {"template a": "1", "template b": "1", "picture c": "1"}
    now = {"template a": "2", "picture c": "1", "picture d": "1"}
    assert changed_inputs(before, now) == [
        "the picture d, which is new",
        "the template a",
        "the template b, which is gone",
    ]
    changed = changed_parts(
        texts=("a", "a"), editions=({}, {}), rules=("", ""), inputs=(before, now)
    )
    assert changed == changed_inputs(before, now)


NAMES = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)


@given(NAMES, NAMES)
def test_the_checksum_covers_the_inputs(one: dict[str, str], other: dict[str, str]) -> None:
    first, second = (approval_checksum("text", {}, "all", each) for each in (one, other))
    assert (first == second) == (one == other)


def test_versions_that_differ_are_named() -> None:
    now = present_tools()
    assert Tools.from_json(now.to_json()) == now
    assert now.differences(now) == []
    before = Tools("0.0.1", {**now.libraries, "jinja2": "1.0", "gone": "2.0"})
    assert before.differences(now) == [
        f"the program was version 0.0.1 and is {now.program}",
        "gone was 2.0 and is absent",
        f"jinja2 was 1.0 and is {now.libraries['jinja2']}",
    ]
    assert json.loads(now.to_json())["libraries"]["mjml-python"] != "absent"
