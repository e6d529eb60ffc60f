"""Rendering an edition: what is shown, for whom, and that hostile text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.articles.article import DiaryEntry, Kind, Picture
from mailer.editions.anatomy import dissect
from mailer.editions.edition import Edition, Slot, merge_html, merge_text
from mailer.editions.preflight import check_edition
from mailer.editions.rendering import render_edition
from mailer.editions.text import one_line
from mailer.errors import RenderFailed
from mailer.issues.issue import Pick, RegionBlock
from mailer.policies import Theme
from tests.browser.sampling import (
    FIELDS,
    MONDAY,
    WEB_URL,
    make_article,
    make_articles,
    make_images,
    make_issue,
    make_picture,
    make_publication,
    render,
    templates,
)

SET = templates()
HOSTILE = [
    "{{7*7}}",
    "{% raw %}",
    "<mj-raw><b>x</b></mj-raw>",
    "</mj-text><mj-include path='/etc/passwd'/>",
    "<script>alert(1)</script>",
    '" onclick="alert(1)',
    "' onmouseover='alert(1)",
    "line\r\nBcc: x@y.example",
    "a\u00a0b\u00adc\u200dd",
    "\\u{a0} \\n \\",
    "\u115f\u3164\uff9e\uffa0",
    "\x00\x07\x85\u2028\u2029",
    "s0123456789abcdef0123456789abcdefn1e",
    "]]> <!-- x --> & &amp; &#x3c;",
    "\u202egnp.exe",
    "a < b > c",
]


def html_of(edition, fields=FIELDS) -> str:
    return merge_html(edition.html, fields)


def text_of(edition, fields=FIELDS) -> str:
    return merge_text(edition.text, fields)


def test_two_renders_are_the_same_although_their_tokens_differ() -> None:
    one, other = render(template_set=SET), render(template_set=SET)
    assert one == other
    assert one.checksum == other.checksum


def test_readers_fields_become_slots_and_no_token_is_left() -> None:
    edition = render(template_set=SET)
    for part in (edition.html, edition.text):
        names = {piece.name for piece in part if isinstance(piece, Slot)}
        assert {"greeting", "address", "unsubscribe_url", "preferences_url"} <= names
        literal = "".join(piece for piece in part if isinstance(piece, str))
        assert not re.search(r"[0-9a-f]{32}n\d", literal)
        assert "" not in part


def test_everything_stands_in_the_order_of_a_briefing() -> None:
    words = dissect(html_of(render(template_set=SET))).words
    order = [
        "View in your browser",
        "Tidewater",
        "Issue 7",
        "Monday 30 November 2026",
        "Dear Ada,",
        "In this issue",
        "Drawing: Tidewater Studio",
        "The ferry committee meets",
        "Read the full report",
        "The pier committee meets",
        "A light, renamed",
        "Worth reading",
        "Wales",
        "The tram committee meets",
        "Diary",
        "Harbour supper",
        "A quay is a promise",
        "Keep the lamp lit",
        "Pictures",
        "You asked for this briefing",
        "ada@reader.example",
        "Unsubscribe from this briefing",
        "3 Quay Lane",
    ]
    place = 0
    for item in order:
        place = words.index(item, place)


def test_headings_nest_and_the_masthead_is_the_only_first() -> None:
    headings = dissect(html_of(render(template_set=SET))).headings
    assert headings[0] == (1, "Tidewater")
    assert [text for level, text in headings if level == 2] == [
        "From the slipway", "In this issue", "The ferry committee meets", "News",
        "Worth reading", "Wales", "Diary", "Keep the lamp lit", "Pictures",
    ]  # fmt: skip


def test_article_ids_are_in_reading_order() -> None:
    edition = render(template_set=SET)
    assert edition.article_ids == ("ferry", "pier", "light", "call", "atlas", "tram")


def test_a_region_without_a_block_gets_its_parents() -> None:
    edition = render(region="cardiff", template_set=SET)
    assert edition.article_ids[-1] == "tram"
    words = dissect(html_of(edition)).words
    assert "From the wider region Wales" in words
    assert "group-cardiff@tidewater.example" in words


@pytest.mark.parametrize(
    ("own", "above", "shown"),
    [
        # Stories of its own: the parent's note stays with the parent.
        (RegionBlock(picks=(Pick("light"),)), RegionBlock("Firth."), ""),
        (RegionBlock("Here.", (Pick("light"),)), RegionBlock("Firth."), "Here."),
        # The parent's block stands in, with its stories, lent ones, or its note alone.
        (RegionBlock(), RegionBlock("Firth.", (Pick("tram"),)), "Firth."),
        (RegionBlock(picks=(Pick("tram"),), lent_from="wales"), RegionBlock("Firth."), "Firth."),
        (RegionBlock(), RegionBlock("Firth."), "Firth."),
        # A note of its own is shown in any case.
        (RegionBlock("Here."), RegionBlock("Firth.", (Pick("tram"),)), "Here."),
    ],
)
def test_a_parents_note_stands_where_its_block_stands_in(
    own: RegionBlock, above: RegionBlock, shown: str
) -> None:
    issue = make_issue(regions={"cardiff": own, "wales": above})
    words = dissect(html_of(render(issue, region="cardiff", template_set=SET))).words
    assert [note for note in ("Here.", "Firth.") if note in words] == ([shown] if shown else [])


def test_the_parent_does_not_get_a_childs_block() -> None:
    edition = render(region="national", template_set=SET)
    assert "tram" not in edition.article_ids
    assert "boots" not in html_of(edition)


def test_a_piece_is_shown_once() -> None:
    issue = make_issue(regions={"wales": RegionBlock(picks=(Pick("pier"), Pick("tram")))})
    edition = render(issue, template_set=SET)
    assert edition.article_ids.count("pier") == 1
    assert edition.article_ids[-1] == "tram"


def test_the_diary_leaves_out_the_past_other_regions_and_the_unknown() -> None:
    issue = make_issue(diary=("supper", "walk", "gone", "scots", "nowhere"))
    here = html_of(render(issue, template_set=SET))
    assert "Harbour supper" in here
    assert "Shore walk" in here
    assert "Long gone fair" not in here
    assert "Northern ball" not in here
    elsewhere = html_of(render(issue, region="national", template_set=SET))
    assert "Shore walk" not in elsewhere


def with_diary(*entries: DiaryEntry, region: str = "wales") -> Edition:
    publication = make_publication()
    return render_edition(
        make_issue(diary=tuple(entry.id for entry in entries)),
        region=publication.region(region),
        publication=publication,
        articles=make_articles(),
        diary=entries,
        images={},
        web_url=WEB_URL,
        templates=SET,
    )


def test_an_event_is_shown_until_it_has_begun_when_the_edition_leaves() -> None:
    publication = make_publication()
    leaves = publication.send_time(publication.region("wales"))
    later = (datetime.combine(MONDAY, leaves) + timedelta(minutes=1)).time()
    edition = with_diary(
        DiaryEntry("today", "Tonight at the lock", MONDAY),
        DiaryEntry("begun", "Dawn at the lock", MONDAY, leaves),
        DiaryEntry("soon", "Breakfast at the lock", MONDAY, later),
        DiaryEntry("week", "A week at the lock", MONDAY - timedelta(2), until=MONDAY),
    )
    words = html_of(edition)
    assert "Tonight at the lock" in words
    assert "Breakfast at the lock" in words
    assert "A week at the lock" in words
    assert "Dawn at the lock" not in words


def test_each_happening_can_be_added_under_words_of_its_own() -> None:
    day = date(2026, 12, 5)
    edition = with_diary(
        DiaryEntry("supper", "Supper", day, time(19, 30), ends_at=time(22)),
        DiaryEntry("quiz", "Quiz", day, time(19, 30)),
        DiaryEntry("fair", "Fair", day, until=day + timedelta(2)),
        DiaryEntry("choir", "Choir", day, repeats="FREQ=WEEKLY;BYDAY=SA"),
    )
    links = {
        link.text: link.href
        for link in dissect(html_of(edition)).links
        if link.href.endswith(".ics")
    }
    assert links == {
        "Add Supper to your calendar": f"{WEB_URL}/diary/supper.ics",
        "Add Quiz to your calendar": f"{WEB_URL}/diary/quiz.ics",
        "Add Fair to your calendar": f"{WEB_URL}/diary/fair.ics",
        "Add Choir to your calendar": f"{WEB_URL}/diary/choir.ics",
    }
    words = text_of(edition)
    assert all(f"\n{href}\n" in words for href in links.values())
    assert "Saturday 5 December, 7.30pm to 10pm: Supper" in words
    assert "until Monday 7 December: Fair" in words
    assert "every Saturday: Choir" in words
    alone = text_of(with_diary(DiaryEntry("x", "Supper", day, time(19))))
    assert "Add 5 December at 7pm to your calendar:" in alone


def test_a_call_says_by_when() -> None:
    edition = render(template_set=SET)
    assert "Call, by Friday 4 December" in dissect(html_of(edition)).words
    assert "Call, by Friday 4 December" in text_of(edition)


def test_a_piece_without_a_page_is_shown_whole_and_not_linked() -> None:
    anatomy = dissect(html_of(render(template_set=SET)))
    assert "fitted on the back of a ticket" in anatomy.words
    assert not any("atlas" in link.text for link in anatomy.links)


def test_overrides_of_a_pick_win() -> None:
    issue = make_issue(sections={"lead": (Pick("ferry", "New words", "New standfirst."),)})
    edition = render(issue, template_set=SET)
    assert "New words" in html_of(edition)
    assert "New standfirst." in text_of(edition)
    assert "The ferry committee meets" not in html_of(edition)


def test_an_unsafe_address_is_no_link() -> None:
    articles = make_articles()
    articles["ferry"] = replace(articles["ferry"], url="javascript:alert(1)")
    html = html_of(render(articles=articles, template_set=SET))
    assert "javascript:" not in html


def test_pictures_are_used_in_the_size_of_their_place() -> None:
    images = make_images()
    html = html_of(render(template_set=SET))
    assert f"{WEB_URL}/images/{images['images/quay.png'].lead.name}" in html
    assert images["images/quay.png"].thumb.name not in html
    assert f"{WEB_URL}/images/{images['images/pier.png'].thumb.name}" in html


def test_a_picture_that_could_not_be_prepared_is_left_out() -> None:
    edition = render(images={}, template_set=SET)
    anatomy = dissect(html_of(edition))
    assert anatomy.pictures == []
    assert "Tidewater Studio" not in anatomy.words


def test_a_picture_that_is_not_on_our_server_is_left_out_whole() -> None:
    articles = make_articles()
    picture = Picture(src="https://pictures.example/a.jpg", alt="A boat", credit="Somebody")
    articles["ferry"] = replace(articles["ferry"], picture=picture)
    html = html_of(render(articles=articles, images={}, template_set=SET))
    assert dissect(html).pictures == []
    assert "Somebody" not in html


def test_an_interview_stands_alone_with_its_first_questions() -> None:
    articles = make_articles()
    articles["light"] = replace(
        articles["light"], kind=Kind.INTERVIEW, parts=("One?", "Two?", "Three?", "Four?")
    )
    edition = render(articles=articles, template_set=SET)
    anatomy = dissect(html_of(edition))
    assert "Three?" in anatomy.words
    assert "Four?" not in anatomy.words
    assert "- Three?\n" in text_of(edition)


def test_the_regions_first_story_has_the_large_picture_and_no_other_has_any() -> None:
    articles = make_articles()
    for name in ("tram", "light"):
        articles[name] = replace(articles[name], picture=make_picture("pier", credit=name))
    issue = make_issue(
        sections={"lead": (Pick("ferry"),)},
        regions={"wales": RegionBlock(picks=(Pick("tram"), Pick("light")))},
    )
    images = make_images()
    html = html_of(render(issue, articles=articles, images=images, template_set=SET))
    pictures = dissect(html).pictures
    assert [picture.width for picture in pictures] == [640, 480]
    assert pictures[1].src.endswith(images["images/pier.png"].lead.name)
    assert "tram, CC BY 4.0" in html
    assert "light, CC BY 4.0" not in html


def test_a_pick_may_describe_credit_or_leave_out_its_picture() -> None:
    said = Pick("ferry", image_alt="A pier, really", image_credit="Ivo")
    html = html_of(render(make_issue(sections={"lead": (said,)}), template_set=SET))
    assert 'alt="A pier, really"' in html
    assert "Ivo, CC BY 4.0" in html
    without = make_issue(sections={"lead": (Pick("ferry", has_image=False),)})
    assert dissect(html_of(render(without, template_set=SET))).pictures == []


def test_the_theme_sets_fonts_and_corners() -> None:
    theme = Theme(heading_font="Garamond, serif", small_font="Arial", radius=17, button_radius=31)
    html = html_of(render(publication=make_publication(theme=theme), template_set=SET))
    for sign in ("Garamond", "border-radius:17px", "border-radius:31px"):
        assert sign in html
    assert "Helvetica" not in html


def test_every_unknown_article_is_named() -> None:
    issue = make_issue(
        sections={"lead": (Pick("nobody"),), "sports": (Pick("ferry"),)},
        regions={"wales": RegionBlock(picks=(Pick("nothing"),))},
    )
    with pytest.raises(RenderFailed) as caught:
        render(issue, template_set=SET)
    lines = [str(fault) for fault in caught.value.faults]
    assert len(lines) == 3
    assert "issues/2026-11-30.md: sections.lead: there is no article 'nobody'" in lines[0]
    assert "regions.wales.picks" in lines[1]
    assert "no section 'sports'" in lines[2]


def test_the_opening_is_signed_once() -> None:
    signed = make_issue(opening="It rained.\n\n*Wren Holloway*")
    assert html_of(render(signed, template_set=SET)).count("Wren Holloway") == 1
    unsigned = make_issue(opening="It rained.")
    assert html_of(render(unsigned, template_set=SET)).count("Wren Holloway") == 1


def test_a_bare_issue_renders() -> None:
    issue = make_issue(
        opening="", sections={}, regions={}, diary=(), quote="", quote_source="", subject="",
        preheader="",
    )  # fmt: skip
    edition = render(issue, region="national", template_set=SET)
    assert edition.subject == "Tidewater, Monday 30 November 2026"
    assert edition.article_ids == ()
    assert "Diary" not in html_of(edition)


def test_right_to_left_reaches_sections_and_text() -> None:
    publication = make_publication(language="ar")
    html = html_of(render(publication=publication, template_set=SET))
    anatomy = dissect(html)
    assert (anatomy.language, anatomy.direction) == ("ar", "rtl")
    assert "direction:ltr" not in html
    assert 'align="left"' not in html
    assert "line-height:1.6;text-align:left" not in html


def test_what_outlook_sees_is_balanced() -> None:
    html = html_of(render(template_set=SET))
    assert html.count("<!--[if") == html.count("<![endif]-->")
    seen = re.sub(r"<!--\[if mso[^>]*>|<!\[endif\]-->", "", html)
    for tag in ("table", "tr", "td", "div"):
        assert len(re.findall(f"<{tag}[ >]", seen)) == seen.count(f"</{tag}>"), tag


def test_fourteen_articles_stay_below_what_gmail_shows() -> None:
    articles = {
        f"piece-{number}": make_article(
            f"piece-{number}", picture=make_picture("pier") if number % 2 else None
        )
        for number in range(14)
    }
    names = list(articles)
    issue = make_issue(
        opening="\n\n".join(["A paragraph of the opening with some length to it. " * 5] * 7),
        sections={
            "lead": (Pick(names[0]),),
            "news": tuple(Pick(name) for name in names[1:8]),
            "reading": tuple(Pick(name) for name in names[8:12]),
        },
        regions={"wales": RegionBlock("A note.", tuple(Pick(name) for name in names[12:]))},
    )
    publication = make_publication()
    edition = render(issue, articles=articles, template_set=SET)
    assert len(edition.article_ids) == 14
    found = check_edition(edition, publication=publication, region=publication.region("wales"))
    assert not [finding for finding in found if finding.code == "html-too-large"]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_stays_text(words: str) -> None:
    _assert_harmless(words)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30),
        ),
        min_size=1,
        max_size=4,
    ).map("".join)
)
def test_any_text_stays_text(words: str) -> None:
    _assert_harmless(words)


def _assert_harmless(words: str) -> None:
    """Put the words everywhere an article or an editor can, and compare with a harmless twin."""
    plain, hostile = (_with_words(value) for value in ("word", f"w {words} w"))
    before, after = dissect(html_of(plain)), dissect(html_of(hostile))
    assert [level for level, _ in after.headings] == [level for level, _ in before.headings]
    assert [link.href for link in after.links] == [link.href for link in before.links]
    assert len(after.pictures) == len(before.pictures)
    html = html_of(hostile)
    assert "\\u{" not in html
    assert "<script" not in html.lower()
    assert "<mj-" not in html
    assert "\r" not in html
    assert [part for part in hostile.html if isinstance(part, Slot)] == [
        part for part in plain.html if isinstance(part, Slot)
    ]
    assert one_line(f"w {words} w") in dict(enumerate(_headlines(after))).values()
    lines = text_of(hostile).split("\n")
    assert not any(line.startswith("Bcc:") for line in lines)
    assert len(lines) == len(text_of(plain).split("\n"))
    assert "\n" not in hostile.subject
    assert "\r" not in hostile.subject


def _headlines(anatomy) -> list[str]:
    return [text for level, text in anatomy.headings if level == 3]


def _with_words(words: str):
    picture = make_picture("pier", alt=words, caption=words, credit=words, licence=words)
    articles = make_articles()
    articles["pier"] = replace(
        articles["pier"], title=words, standfirst=words, authors=(words,), picture=picture
    )
    articles["ferry"] = replace(articles["ferry"], picture=replace(picture, src="images/quay.png"))
    issue = make_issue(
        subject=words, preheader=words, quote=words, quote_source=words, opening="Plain."
    )
    return render(issue, articles=articles, template_set=SET)


def test_hostile_markdown_in_the_opening_does_no_harm() -> None:
    issue = make_issue(
        opening=(
            '<script>x</script><p onclick="x">a</p><mj-raw>b</mj-raw> {{7*7}}\n\n'
            "[bad](javascript:alert) [good](https://x.example/?a=1&b=2)\n\n" + "> " * 60 + "deep"
        )
    )
    html = html_of(render(issue, template_set=SET))
    assert "<script" not in html
    assert "onclick" not in html
    assert 'href="javascript' not in html
    assert "{{7*7}}" in html
    assert "https://x.example/?a=1&amp;b=2" in html


def test_embargo_is_not_the_renderers_business_but_preflights() -> None:
    articles = make_articles()
    articles["pier"] = replace(
        articles["pier"],
        embargo_until=datetime(2026, 12, 9, tzinfo=UTC),
        deadline=date(2026, 11, 2),
        is_draft=True,
    )
    publication = make_publication()
    edition = render(articles=articles, template_set=SET)
    codes = {
        finding.code
        for finding in check_edition(
            edition,
            publication=publication,
            region=publication.region("wales"),
            issue=make_issue(),
            articles=articles,
        )
    }
    assert {"article-embargo", "deadline-past", "article-draft"} <= codes


def test_what_is_lent_is_not_called_where_you_are() -> None:
    own = {"wales": RegionBlock(picks=(Pick("tram"),))}
    lent = {"wales": RegionBlock(picks=(Pick("tram"),), lent_from="national")}
    assert "Where you are" in merge_html(render(make_issue(regions=own)).html, FIELDS)
    told = merge_html(render(make_issue(regions=lent)).html, FIELDS)
    assert "Where you are" not in told
    assert "From the wider region" in told
    assert "All coasts" in told
