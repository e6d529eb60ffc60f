"""The issue's file: every fault has its line, and what is written reads back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.articles.article import Article, DiaryEntry, Flag
from mailer.articles.frontmatter import MAX_HEAD_CHARS
from mailer.errors import Fault, InvalidInput
from mailer.issues.issue import Issue, Pick, RegionBlock, Wishes
from mailer.issues.manifest import PLACEHOLDER, read_issue, read_wishes, write_issue
from mailer.publication import Publication, Region, Section
from mailer.selection.reasons import Decision, Proposal

WHERE = "issues/2026-11-30.md"
SECTIONS = ("lead", "news", "culture")
REGIONS = ("national", "wales", "bristol")


def publication() -> Publication:
    return Publication(
        title="The Lantern",
        columnist="Nora Whitfield",
        time_zone="Europe/London",
        regions=REGIONS,
        sections=tuple(Section(slug=slug, title=slug.title(), quota=3) for slug in SECTIONS),
        root=Path("/nowhere"),
        region_map={
            slug: Region(
                slug=slug,
                name=slug.title(),
                list_id=f"{slug}.lantern.example",
                reply_to="desk@lantern.example",
                parent="" if slug == "national" else "national",
                time_zone="Europe/London",
            )
            for slug in REGIONS
        },
    )


PUBLICATION = publication()
KNOWN = ("tide-mill", "night-bus", "bell-tower", "2026", "yes")

GOOD = """\
---
number: 7
date: 2026-11-30
subject: >
  The mill turns again
sections:
  lead:
    - article: tide-mill
      headline: It turns
  news: [night-bus]
  culture:
regions:
  wales:
    note: |
      Croeso.

      - one
    picks: [bell-tower]
diary: [fair]
quote:
  text: "Water is patient."
  source: A miller
---
<!-- for Bo: is this
too long? -->

The first line.

A second paragraph. <!-- really? -->
"""


def read(text: str, *, where: str = WHERE) -> Issue:
    return read_issue(text, where=where, publication=PUBLICATION, known_articles=KNOWN)


def faults(text: str, *, where: str = WHERE) -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        read(text, where=where)
    return list(caught.value.faults)


def test_a_good_file_is_read_whole() -> None:
    assert read(GOOD) == Issue(
        id="2026-11-30",
        date=date(2026, 11, 30),
        number=7,
        subject="The mill turns again",
        preheader="",
        opening="The first line.\n\nA second paragraph.",
        columnist="Nora Whitfield",
        opening_title="This week",
        sections={
            "lead": (Pick("tide-mill", headline="It turns"),),
            "news": (Pick("night-bus"),),
            "culture": (),
        },
        regions={"wales": RegionBlock(note="Croeso.\n\n- one", picks=(Pick("bell-tower"),))},
        diary=("fair",),
        quote="Water is patient.",
        quote_source="A miller",
    )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert read("\ufeff" + GOOD.replace("\n", "\r\n")) == read(GOOD)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("night-bus", "nigt-bus", 10, "sections.news.0", "did you mean night-bus?"),
        (
            "- article: tide-mill",
            "- article: zzz",
            8,
            "sections.lead.0.article",
            "`mailer articles`",
        ),
        ("  news:", "  newz:", 10, "sections.newz", "did you mean news?"),
        ("  wales:", "  whales:", 13, "regions.whales", "did you mean wales?"),
        ("[fair]", "[fair, fair]", 19, "diary.1", "is listed already"),
        ("[fair]", "fair", 19, "diary", "not a list of diary entries"),
        ("[night-bus]", "[tide-mill]", 10, "sections.news.0", "at sections.lead.0, line 8"),
        ("[bell-tower]", "[night-bus]", 18, "regions.wales.picks.0", "at sections.news.0, line 10"),
        ("[bell-tower]", "[bell-tower, bell-tower]", 18, "regions.wales.picks.1", "picked already"),
        ("number: 7", "number: seven", 2, "number", "is seven; write a whole number"),
        ("number: 7", "number: true", 2, "number", "is true"),
        ("number: 7", "number: 0", 2, "number", "is 0"),
        ("number: 7\n", "", 1, "number", "is missing"),
        ("date: 2026-11-30", "date: Monday", 3, "date", "is not a date; write date: 2026-11-30"),
        ("date: 2026-11-30\n", "", 1, "date", "is missing"),
        ("date: 2026-11-30", "date: 2026-12-07", 3, "date", "but the file is named 2026-11-30"),
        ("subject: >\n  The mill turns again\n", "", 1, "subject", "is missing"),
        ("subject: >\n  The mill turns again\n", "subject: 12\n", 4, "subject", "not text"),
        ("subject: >", "subject: |\n  One\n", 4, "subject", "a line break (U+000A)"),
        (">\n  The mill turns again", '"a\\tb"', 4, "subject", "a control character (U+0009)"),
        (">\n  The mill turns again", '"a\\u202eb"', 4, "subject", "(U+202E)"),
        ("headline: It turns", 'headline: "a\\rb"', 9, "sections.lead.0.headline", "U+000D"),
        ("headline: It turns", "headlin: It", 9, "sections.lead.0.headlin", "mean headline?"),
        ("[night-bus]", "night-bus", 10, "sections.news", "not a list of articles"),
        ("[night-bus]", "[2026]", 10, "sections.news.0", "is 2026, not the id"),
        ("[night-bus]", "[yes]", 10, "sections.news.0", "is true, not the id of an article"),
        ("[night-bus]", "[{headline: A}]", 10, "sections.news.0", "names no article"),
        (
            "[night-bus]",
            "[{article: night-bus, image: maybe}]",
            10,
            "sections.news.0.image",
            "neither true nor false",
        ),
        ("number: 7", 'number: 7\ntemplate: "My Own"', 3, "template", "a folder under templates/"),
        ("quote:\n  text", "quotes:\n  text", 20, "quotes", "did you mean quote?"),
        ("    picks:", "    pics:", 18, "regions.wales.pics", "did you mean picks?"),
        (" <!-- really? -->", " <!-- really?", 29, "", "never closed"),
    ],
)
def test_every_fault_has_file_line_and_field(
    old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in GOOD
    [fault] = faults(GOOD.replace(old, new, 1))
    assert (fault.where, fault.line, fault.field) == (WHERE, line, field)
    assert says in str(fault)


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    broken = (
        GOOD.replace("number: 7", "number: x")
        .replace("night-bus", "nobus")
        .replace("  wales:", "  atlantis:")
    )
    assert [fault.line for fault in faults(broken)] == [2, 10, 13]


def test_a_file_that_is_not_named_by_its_date_says_so() -> None:
    [fault] = faults(GOOD, where="issues/draft.md")
    assert "the file is named draft" in fault.problem


def test_a_file_without_front_matter_says_so() -> None:
    [fault] = faults("Just a column.\n")
    assert (fault.where, fault.line) == (WHERE, 1)
    assert "no front matter" in fault.problem


def test_the_placeholder_is_no_opening() -> None:
    text = GOOD[: GOOD.rindex("---")] + f"---\n\n{PLACEHOLDER}\n"
    assert read(text).opening == ""


def test_emoji_made_of_several_signs_and_long_subjects_are_fine() -> None:
    subject = "👩\u200d🌾 " + "long " * 60
    assert read(GOOD.replace("The mill turns again", subject)).subject == subject.strip()


def test_two_regions_may_share_a_story() -> None:
    text = GOOD.replace("regions:\n", "regions:\n  bristol: {picks: [bell-tower]}\n")
    assert read(text).regions["bristol"].picks == read(text).regions["wales"].picks


def lines(alphabet: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[str]:
    marks = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    characters = alphabet or st.characters(
        exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=marks
    )
    return st.text(characters, max_size=40).map(str.strip)


paragraphs = st.lists(lines(), max_size=4).map("\n".join).map(str.strip)
picks = st.builds(
    Pick,
    st.sampled_from(["tide-mill", "2026", "yes", "x" * 80]),
    headline=lines(),
    standfirst=paragraphs,
    follow_up=st.booleans(),
    has_image=st.booleans(),
    image_alt=st.none() | lines(),
    image_credit=lines(),
)


def _openings() -> st.SearchStrategy[str]:
    def is_plain(text: str) -> bool:
        return "<!--" not in text

    return st.lists(lines(), max_size=4).map("\n".join).map(str.strip).filter(is_plain)


issues = st.builds(
    Issue,
    id=st.just("2026-11-30"),
    date=st.just(date(2026, 11, 30)),
    number=st.integers(1, 10**6),
    subject=lines().filter(bool),
    preheader=lines(),
    opening=_openings(),
    columnist=lines(),
    opening_title=lines(),
    sections=st.fixed_dictionaries(
        {}, optional={slug: st.tuples(picks) | st.just(()) for slug in ("lead", "news")}
    ).map(lambda found: {"lead": found["lead"]} if "lead" in found else found),
    regions=st.fixed_dictionaries(
        {}, optional={slug: st.builds(RegionBlock, note=paragraphs) for slug in REGIONS}
    ),
    diary=st.lists(st.sampled_from(["fair", "null", "1"]), unique=True).map(tuple),
    quote=paragraphs,
    quote_source=lines(),
    template=st.sampled_from(["", "urgent", "on", "my-own-2"]),
)


@settings(max_examples=150, deadline=None)
@given(issues)
def test_what_is_written_reads_back_the_same(issue: Issue) -> None:
    text = write_issue(issue)
    assert read_issue(text, where=WHERE, publication=PUBLICATION) == issue
    assert write_issue(read_issue(text, where=WHERE, publication=PUBLICATION)) == text


NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def article(id_: str, title: str) -> Article:
    return Article(
        id=id_,
        title=title,
        body_html="",
        body_text="one two three",
        content_hash="",
        first_seen_at=NOW - timedelta(days=1),
        authors=("Ada Finch",),
        flags=(Flag("no-date", "No date was found."),),
    )


def proposal(left_out: int = 1) -> Proposal:
    chosen = Decision("tide-mill", "lead", True, 1.5, rank=1, reasons=("chosen", "recency 0.79"))
    other = Decision("night-bus", "region:wales", True, 1.0, rank=1, reasons=("chosen for wales",))
    rejected = [
        Decision(f"left-{n:02}", "news", False, 1 - n / 100, rule="quota", reasons=("left out: q",))
        for n in range(left_out)
    ]
    old = Decision("old", "", False, 0.1, rule="window", reasons=("left out: too old",))
    return Proposal(
        {"lead": ("tide-mill",)}, {"wales": ("night-bus",)}, (chosen, other, *rejected, old)
    )


def drafted(found: Proposal, **texts: str) -> tuple[Issue, str]:
    issue = Issue(
        id="2026-11-30",
        date=date(2026, 11, 30),
        number=1,
        subject="S",
        preheader="",
        opening="",
        sections={"lead": (Pick("tide-mill"),), "news": ()},
        regions={"wales": RegionBlock(picks=(Pick("night-bus"),))},
        diary=("fair",),
        **texts,
    )
    entry = DiaryEntry("fair", "Winter fair", date(2026, 12, 12), time(14, 30), "Corn Hall")
    text = write_issue(
        issue,
        found,
        {"tide-mill": article("tide-mill", "Mill: it\n\u2028turns # again")},
        diary={"fair": entry},
        preface=["Issue 1\n---"],
    )
    return issue, text


def test_reasons_stand_above_each_pick_and_what_was_left_out_at_the_end() -> None:
    _, text = drafted(proposal())
    assert (
        "  lead:\n"
        "    # Mill: it turns # again; by Ada Finch; 3 words; score 1.50\n"
        "    #   chosen\n"
        "    #   recency 0.79\n"
        "    #   look at: No date was found.\n"
        "    - tide-mill\n"
        "  news: []\n"
    ) in text
    assert "      #   chosen for wales\n      - night-bus\n" in text
    assert "  # Saturday 12 December 2026, 14:30: Winter fair, Corn Hall\n  - fair\n" in text
    assert text.startswith("---\n# Issue 1 ---\nnumber: 1\n")
    tail = text[text.index("# Left out") : text.rindex("---")]
    assert "# - left-00; score 1.00\n#     left out: q\n# And 1 more: 1 by window.\n" in tail
    assert text.endswith(f"---\n\n{PLACEHOLDER}\n")


def test_comments_change_nothing_of_what_is_read() -> None:
    issue, text = drafted(proposal(40))
    assert read_issue(text, where=WHERE, publication=PUBLICATION) == issue
    assert "# And 29 more: 28 by quota, 1 by window." in text


def test_reasons_give_way_before_the_front_matter_grows_too_large() -> None:
    wordy = tuple("why " * 400 for _ in range(60))
    found = proposal()
    huge = Decision("tide-mill", "lead", True, 1.5, rank=1, reasons=wordy)
    issue, text = drafted(Proposal(found.sections, found.regions, (huge,)))
    assert len(text) < MAX_HEAD_CHARS
    assert "# Mill: it turns" in text
    assert read_issue(text, where=WHERE, publication=PUBLICATION) == issue


def test_a_story_left_out_twice_is_told_where_it_came_nearest() -> None:
    decisions = (
        Decision("bus", "lead", False, 2.0, rule="no-picture", reasons=("left out: no picture",)),
        Decision("bus", "news", False, 1.0, rule="quota", reasons=("left out: full",)),
    )
    _, text = drafted(Proposal({}, {}, decisions))
    assert "# - bus; score 1.00\n#     left out: full\n" in text
    assert "no picture" not in text


WISHES = """---
number: 1
date: 2026-11-30
subject: "A week"
regions:
  wales: {from: national, picks: [night-bus]}
pins:
  lead: [tide-mill]
  wales: [night-bus, bell-tower]
blocked: [other]
---
"""


def test_what_is_pinned_blocked_and_lent_is_read_and_written() -> None:
    issue = read_issue(WISHES, where=WHERE, publication=publication())
    assert issue.wishes == Wishes(
        {"lead": ("tide-mill",), "wales": ("night-bus", "bell-tower")}, ("other",)
    )
    assert issue.regions["wales"].lent_from == "national"
    assert issue.article_ids == {"night-bus"}
    text = write_issue(issue)
    assert "nothing of its own" in text
    assert read_issue(text, where=WHERE, publication=publication()) == issue


@pytest.mark.parametrize(
    ("given_", "field", "said"),
    [
        ("  lead: [tide-mill]", "pins.lead.0", "there is no article 'tide-mill'"),
        ("  lead: [tide-mill]\n  sport: []", "pins.sport", "not a section or region"),
        ("blocked: [other]", "blocked.0", "there is no article 'other'"),
    ],
)
def test_what_cannot_be_wished_for_says_where(given_: str, field: str, said: str) -> None:
    text = WISHES if given_ in WISHES else WISHES.replace("  lead: [tide-mill]", given_)
    with pytest.raises(InvalidInput) as caught:
        read_wishes(text, where=WHERE, publication=publication(), known_articles=["night-bus"])
    fault = next(each for each in caught.value.faults if each.field == field)
    assert said in str(fault)
    assert fault.line


def test_the_rest_of_a_file_does_not_keep_it_from_being_drafted_anew() -> None:
    broken = WISHES.replace("number: 1", "number: none")
    ids = ["tide-mill", "night-bus", "bell-tower", "other"]
    wishes = read_wishes(broken, where=WHERE, publication=publication(), known_articles=ids)
    assert wishes.blocked == ("other",)
    assert (
        read_wishes("---\n: [", where=WHERE, publication=publication(), known_articles=())
        == Wishes()
    )


@pytest.mark.parametrize("lender", ["bristol", "wales", "moon"])
def test_a_region_is_lent_only_from_up_its_ladder(lender: str) -> None:
    with pytest.raises(InvalidInput, match="is not above wales on its ladder"):
        read_issue(
            WISHES.replace("from: national", f"from: {lender}"),
            where=WHERE,
            publication=publication(),
        )
