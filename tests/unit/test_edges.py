"""What is left out for a reader who was sent it before, and what never is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from mailer.delivery.message import compile_edition, letterhead
from mailer.editions.edition import Edge, Edition, Segments, Slot, merge_html, merge_text
from mailer.editions.templates import load_templates
from mailer.errors import RenderFailed
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.resources import templates_dir
from tests.browser.sampling import FIELDS, make_issue, make_publication, render

TWO = {"wales": RegionBlock(note="Bring boots.", picks=(Pick("tram"), Pick("atlas")))}


def issue(**changes: object) -> Issue:
    sections = {"lead": (Pick("ferry"),), "news": (Pick("pier"), Pick("light"))}
    return make_issue(sections=sections, regions=TWO, **changes)


def shown(edition: Edition) -> tuple[str, str]:
    return merge_html(edition.html, FIELDS), merge_text(edition.text, FIELDS)


def test_a_story_goes_and_the_rest_stays_to_the_letter() -> None:
    edition = render(issue())
    assert edition.separable == {"tram", "atlas"}
    whole_html, whole_text = shown(edition)
    less = edition.without(frozenset({"tram"}))
    html, text = shown(less)
    for part in (html, text):
        assert "The tram committee meets" not in part
        assert "The atlas committee meets" in part
        assert "Bring boots" in part
    assert less.article_ids == tuple(each for each in edition.article_ids if each != "tram")
    # Taking something out adds nothing: what is left is what was there, in order.
    assert len(html) < len(whole_html)
    start = next(at for at, (a, b) in enumerate(zip(html, whole_html, strict=False)) if a != b)
    assert whole_html.endswith(html[start:])
    assert "\n\n\n" not in text
    assert len(whole_text.splitlines()) > len(text.splitlines())


def test_without_anything_withheld_it_reads_as_it_is() -> None:
    edition = render(issue())
    assert shown(edition.without(frozenset())) == shown(edition)
    assert not any(isinstance(part, Edge) for part in edition.without(frozenset()).html)


def test_the_markup_stays_whole() -> None:
    edition = render(issue())
    for gone in ({"tram"}, {"atlas"}, {"tram", "atlas"}):
        html, _ = shown(edition.without(frozenset(gone)))
        for tag in ("table", "tr", "td", "div"):
            assert html.count(f"<{tag}") == html.count(f"</{tag}>"), (tag, gone)
        tree = lxml_html.document_fromstring(html)
        assert all(row.getparent().tag in ("tbody", "table") for row in tree.iter("tr"))


def test_a_block_of_nothing_but_stories_goes_whole() -> None:
    regions = {"national": RegionBlock(picks=(Pick("tram"), Pick("atlas")))}
    edition = render(replace(issue(), regions=regions), region="national")
    html, text = shown(edition.without(frozenset({"tram", "atlas"})))
    assert "All coasts ==" not in text
    assert "From the wider region" not in html
    assert "Where you are" not in html
    _, one_left = shown(edition.without(frozenset({"tram"})))
    assert "== All coasts ==" in one_left


def test_a_follow_up_is_never_left_out() -> None:
    picks = (Pick("tram", follow_up=True), Pick("atlas"))
    edition = render(replace(issue(), regions={"wales": RegionBlock(picks=picks)}))
    assert edition.separable == {"atlas"}
    assert edition.without(frozenset({"tram"})) == edition.without(frozenset())


def test_what_every_list_gets_is_never_left_out() -> None:
    edition = render(issue())
    assert edition.without(frozenset({"ferry", "pier"})) == edition.without(frozenset())


def test_edges_survive_the_archive() -> None:
    edition = render(issue())
    assert Edition.from_json(edition.to_json()) == edition
    assert render(issue()).checksum == edition.checksum


def test_a_shortened_message_is_another_message() -> None:
    publication = make_publication(bounce_domain="bounce.tidewater.example")
    head = letterhead(publication, publication.region("wales"))
    whole = compile_edition(render(issue()), head)
    less = whole.without("tram")
    assert less.without("tram atlas").edition.article_ids == ("ferry", "pier", "light")
    assert "tram" in whole.edition.article_ids
    assert "tram" not in less.edition.article_ids
    assert less.without("").edition == whole.edition


@pytest.mark.parametrize(
    "wrong",
    [
        "{{ story.end }}{{ story.start }}",
        "{{ story.end }}",
        "{{ story.start }}",
    ],
)
def test_marks_that_cross_are_refused(tmp_path: Path, wrong: str) -> None:
    shipped = (templates_dir() / "parts" / "region.txt.j2").read_text(encoding="utf-8")
    marked = shipped.replace("{{ story.end }}", "", 1).replace("{{ story.start }}", wrong, 1)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "region.txt.j2").write_text(marked, encoding="utf-8")
    with pytest.raises(RenderFailed) as caught:
        render(issue(), template_set=load_templates("briefing", override=tmp_path))
    assert "marks around a story" in str(caught.value)


def test_a_template_without_marks_repeats_and_breaks_nothing(tmp_path: Path) -> None:
    shipped = (templates_dir() / "parts" / "region.txt.j2").read_text(encoding="utf-8")
    (tmp_path / "parts").mkdir()
    plain = shipped.replace("{{ story.start }}", "").replace("{{ story.end }}", "")
    (tmp_path / "parts" / "region.txt.j2").write_text(plain, encoding="utf-8")
    edition = render(issue(), template_set=load_templates("briefing", override=tmp_path))
    assert edition.separable == frozenset()


IDS = st.sampled_from("abcd")


@st.composite
def nested(draw: st.DrawFn, depth: int = 0) -> list[str | Slot | Edge]:
    parts: list[str | Slot | Edge] = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(("text", "slot", "span") if depth < 3 else ("text", "slot")))
        if kind == "text":
            parts.append(draw(st.text("xyz", min_size=1, max_size=3)))
        elif kind == "slot":
            parts.append(Slot("name"))
        else:
            ids = tuple(sorted(draw(st.sets(IDS, min_size=1, max_size=2))))
            parts += [Edge(ids, is_start=True), *draw(nested(depth=depth + 1))]
            parts.append(Edge(ids, is_start=False))
    return parts


def by_hand(segments: Segments, gone: frozenset[str]) -> str:
    said, hidden = "", 0
    for part in segments:
        if isinstance(part, Edge):
            if set(part.article_ids) <= gone:
                hidden += 1 if part.is_start else -1
        elif not hidden:
            said += part if isinstance(part, str) else "N"
    return said


@given(nested(), st.frozensets(IDS))
def test_cutting_takes_exactly_the_spans_of_what_was_had(
    parts: list[str | Slot | Edge], gone: frozenset[str]
) -> None:
    segments = tuple(parts)
    singles = [(edge.article_ids[0],) for edge in parts if isinstance(edge, Edge)]
    # Only what stands alone somewhere, in both parts, can be left out.
    for ids in singles:
        segments += (Edge(ids, is_start=True), Edge(ids, is_start=False))
    edition = Edition("i", "wales", "en", "s", "", segments, segments, tuple("abcd"))
    cut = edition.without(gone)
    left = "".join(part if isinstance(part, str) else "N" for part in cut.html)
    assert left == by_hand(segments, gone & edition.separable)
    assert cut.html == cut.text
    assert Edition.from_json(edition.to_json()) == edition
