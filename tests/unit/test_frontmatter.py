"""Front matter of three tools: read, or refused with file, line and field."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles import frontmatter
from mailer.articles.article import Kind
from mailer.articles.conventions import read_fields
from mailer.articles.fields import Fields
from mailer.articles.frontmatter import FrontMatter, read_front_matter
from mailer.articles.intake import IngestPolicy
from mailer.errors import InvalidInput

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DESK = IngestPolicy(
    NOW,
    "Europe/London",
    Path("/nowhere"),
    {"wales": ("Wales",), "bristol": ("Bristol",)},
    ("lead", "news", "culture"),
)


def fields(text: str) -> Fields:
    front = read_front_matter(text, where="a.md")
    return read_fields(front, where="a.md", desk=DESK)


def fault_lines(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        fields(text)
    return [str(fault) for fault in caught.value.faults]


def test_yaml_with_lines() -> None:
    front = read_front_matter(
        "---\ntitle: A\nbriefing:\n  events:\n    - title: Fair\n      time: 19:30\n---\nBody\n",
        where="a.md",
    )
    assert front.data == {
        "title": "A",
        "briefing": {"events": [{"title": "Fair", "time": "19:30"}]},
    }
    assert front.lines["briefing.events.0.time"] == 6
    assert (front.body, front.body_line) == ("Body\n", 8)


def test_toml_with_lines() -> None:
    front = read_front_matter(
        '+++\ntitle = "A"\ndate = 2026-11-27\n[briefing]\nsection = "news"\n+++\nBody', where="a.md"
    )
    assert front.data["date"] == date(2026, 11, 27)
    assert front.lines["briefing.section"] == 5
    assert front.body_line == 7


def test_pelican_header() -> None:
    front = read_front_matter(
        "Title: A day: out\nDate: 2026-11-27 09:30\nSummary: Two\n    lines\n\nBody", where="a.md"
    )
    assert front.data == {"title": "A day: out", "date": "2026-11-27 09:30", "summary": "Two lines"}
    assert front.body == "Body"


@pytest.mark.parametrize(
    "text", ["Plain text.\n\nMore.", "Photo: somebody\n\nText", "Date: today\n\nText", ""]
)
def test_a_text_without_front_matter_is_all_body(text: str) -> None:
    front = read_front_matter(text, where="a.md")
    assert not front.is_present
    assert front.body == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: A\n", "a.md:1: the front matter that starts with --- has no end"),
        ("---\ntitle: A\ntitle: B\n---\n", "a.md:3: title: is given twice"),
        ("---\na: &x [1]\nb: *x\n---\n", "a.md:2: uses an anchor or alias"),
        ("---\na: [b\n---\n", "a.md:"),
        ("---\na: " + "[" * 5000 + "\n---\n", "nests over 12 levels"),
        ("---\n- a\n- b\n---\n", "a.md:2: the front matter is not a list of keys"),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", "is not allowed; remove it"),
        ("---\na: 2026-13-45\n---\n", "the YAML cannot be read"),
        ("---\nx: " + "y" * 70_000 + "\n---\n", "characters long"),
        ("+++\na = \n+++\n", "a.md:2: the TOML cannot be read"),
        ("---\n? [a]\n: b\n---\n", "a.md:2: a key is not text"),
    ],
)
def test_bad_front_matter_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_front_matter(text, where="a.md")
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.remedy


@given(st.text(max_size=400))
def test_any_yaml_is_read_or_refused(head: str) -> None:
    try:
        front = read_front_matter(f"---\n{head}\n---\nBody", where="a.md")
    except InvalidInput:
        return
    assert all(isinstance(key, str) for key in front.data)


_PIECES = ["a: ", "b:\n", "  - ", "- ", "c", "[x, y]", "{k: v}", "'q'", '"d"', "# r", "\n", "  ",
           "19:30", "1.5", "2026-11-27", "null", "yes", "|\n  text\n", "ß", ": "]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=15))
def test_both_yaml_readers_read_the_same(pieces: list[str]) -> None:
    """What is installed decides which is used; a fault is always told by the patient one."""
    head = "".join(pieces)

    def outcome(kind: Any) -> Any:
        try:
            return frontmatter._load(head, "a.md", kind)
        except InvalidInput as error:
            return str(error)
        except (yaml.YAMLError, ValueError):
            return None

    fast, patient = outcome(frontmatter._FAST), outcome(frontmatter._PATIENT)
    assert fast == patient or fast is None


@pytest.mark.parametrize(
    "line",
    [
        "date: 2026-11-27",
        "pubDate: '2026-11-27'",
        "publishDate: 2026-11-27T00:00:00Z",
        "published: 2026-11-27",
        "lastmod: 2026-11-27 00:00:00 +0000",
        "date: 2026-11-27 00:00",
        "Date: 2026-11-27T01:00:00+01:00",
    ],
)
def test_dates_under_every_name(line: str) -> None:
    found = fields(f"---\ntitle: A\n{line}\n---\n")
    assert found.published_at == datetime(2026, 11, 27, tzinfo=UTC)
    assert found.embargo_until is None


def test_a_date_is_local() -> None:
    assert fields("---\ndate: 2026-07-01\n---\n").published_at == datetime(
        2026, 6, 30, 23, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("draft: true", True),
        ("published: false", True),
        ("status: draft", True),
        ("Status: hidden", True),
        ("status: published", False),
        ("published: true", False),
        ("draft: no", False),
    ],
)
def test_drafts_under_every_name(line: str, *, expected: bool) -> None:
    assert fields(f"---\n{line}\n---\n").is_draft is expected


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("author: Ada Vine", ("Ada Vine",)),
        ("authors: [Ada Vine, Bo Lund]", ("Ada Vine", "Bo Lund")),
        ("author: Ada Vine and Bo Lund", ("Ada Vine", "Bo Lund")),
        ("authors: [{name: Ada Vine, role: editor}]", ("Ada Vine",)),
        ("authors: Ada Vine, Bo Lund", ("Ada Vine", "Bo Lund")),
    ],
)
def test_authors_in_every_form(yaml: str, expected: tuple[str, ...]) -> None:
    assert fields(f"---\n{yaml}\n---\n").authors == expected


@pytest.mark.parametrize(
    "yaml",
    [
        "image: images/a.jpg\nimage_alt: Boats\nimage_credit: Bo\nimage_licence: CC BY 4.0",
        "image: {src: images/a.jpg, alt: Boats, credit: Bo, license: CC BY 4.0}",
        "cover: {image: images/a.jpg, alt: Boats, credit: Bo, licence: CC BY 4.0}",
        "featured_image: /images/a.jpg\nimageAlt: Boats\nimage-credit: Bo\nimageLicense: CC BY 4.0",
        "resources: [{src: images/a.jpg, name: cover, params: *}]".replace(
            "*", "{alt: Boats, credit: Bo, licence: CC BY 4.0}"
        ),
    ],
)
def test_pictures_in_every_form(yaml: str) -> None:
    picture = fields(f"---\n{yaml}\n---\n").picture
    assert picture is not None
    assert (picture.src, picture.alt, picture.credit, picture.licence) == (
        "images/a.jpg",
        "Boats",
        "Bo",
        "CC BY 4.0",
    )


def test_an_empty_alt_is_decorative_and_a_missing_one_is_unknown() -> None:
    decorative = fields('---\nimage: a.jpg\nimage_alt: ""\n---\n').picture
    unknown = fields("---\nimage: a.jpg\n---\n").picture
    assert decorative is not None
    assert decorative.alt == ""
    assert unknown is not None
    assert unknown.alt is None


def test_our_own_keys() -> None:
    found = fields(
        "---\ntitle: A\nweight: 2\ntags: [x, y]\ncategories: [y, z]\nexpiryDate: 2026-12-24\n"
        "description: Long\nbriefing:\n  section: news\n  regions: [wales]\n  priority: 20\n"
        "  kind: call\n  embargo: 2026-11-28 06:00\n  deadline: 2026-12-04\n  standfirst: Short\n"
        "  url: https://lantern.example/a\n  source: Wire\n"
        "  events:\n  - {title: Fair, date: 2026-12-12, time: 7.30pm, place: Quay Hall}\n---\n"
    )
    assert (found.section, found.regions, found.priority) == ("news", ("wales",), 20)
    assert (found.kind, found.standfirst, found.source) == (Kind.CALL, "Short", "Wire")
    assert found.embargo_until == datetime(2026, 11, 28, 6, tzinfo=UTC)
    assert found.expires_at == datetime(2026, 12, 24, tzinfo=UTC)
    assert found.deadline == date(2026, 12, 4)
    assert found.url == "https://lantern.example/a"
    assert found.tags == ("x", "y", "z")
    (event,) = found.events
    assert (event.title, event.on, event.at, event.place) == (
        "Fair",
        date(2026, 12, 12),
        time(19, 30),
        "Quay Hall",
    )


def test_hugos_weight_is_a_priority_and_a_later_publish_date_an_embargo() -> None:
    found = fields("---\nweight: 1\ndate: 2026-11-20\npublishDate: 2026-12-01\n---\n")
    assert found.priority == 10
    assert found.embargo_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert fields("---\nweight: 400\n---\n").priority == 0


def test_a_path_as_url_is_no_address() -> None:
    assert fields("---\nurl: /posts/a/\n---\n").url == ""


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("title: [a]", "a.md:2: title: is a list, not text; write one line of text"),
        ("date: tomorrow", "a.md:2: date: 'tomorrow' is not a date"),
        ("author: {age: 3}", "a.md:2: author: is a list of keys, not a name"),
        ("draft: perhaps", "a.md:2: draft: is neither true nor false"),
        ("weight: heavy", "a.md:2: weight: 'heavy' is not a whole number"),
        ("image: ../../etc/passwd", "a.md:2: image: '../../etc/passwd' leaves the publication"),
        ("image: javascript:alert(1)", "is not a path or an https address"),
        ("image: http://a.example/b.jpg", "is not a path or an https address"),
        ("image: 7", "a.md:2: image: is a number, not a picture"),
        ("briefing: [x]", "a.md:2: briefing: is not a list of keys"),
        ("briefing:\n  sektion: news", "a.md:3: briefing.sektion: is not a key of ours; did you "),
        ("briefing:\n  section: newz", "a.md:3: briefing.section: 'newz' is not a section; did "),
        ("briefing:\n  regions: [whales]", "'whales' is not a region; did you mean wales?"),
        ("briefing:\n  priority: 500", "500 is not a whole number from -100 to 100"),
        ("briefing:\n  priority: true", "True is not a whole number"),
        ("briefing:\n  kind: poem", "'poem' is not a kind"),
        ("briefing:\n  url: javascript:alert(1)", "is not a web address; write https://"),
        ("briefing:\n  events: soon", "a.md:3: briefing.events: is not a list"),
        ("briefing:\n  events:\n  - date: 2026-12-12", "briefing.events.0.title: is missing"),
        ("briefing:\n  events:\n  - title: Fair", "a.md:4: briefing.events.0.date: is missing"),
        (
            "briefing:\n  events:\n  - {title: F, date: 2026-12-12, time: late}",
            "briefing.events.0.time: 'late' is not a time; write 19:30",
        ),
        ("briefing:\n  events:\n  - {title: F, date: 2026-12-12, plce: x}", "did you mean place?"),
    ],
)
def test_each_wrong_value_is_one_fault(yaml: str, said: str) -> None:
    (line,) = fault_lines(f"---\n{yaml}\n---\n")
    assert said in line


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    lines = fault_lines("---\ndate: x\nweight: y\nbriefing:\n  kind: z\n---\n")
    assert [line.split(":")[1] for line in lines] == ["2", "3", "5"]


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [*"title date author tags image weight draft status slug url resources expires".split()]  # noqa: SIM905
)
_OWN = st.sampled_from(
    [*"section regions priority embargo kind deadline events url standfirst".split()]  # noqa: SIM905
)


@given(
    st.dictionaries(_NAMES, _VALUES, max_size=5),
    st.dictionaries(_OWN, _VALUES, max_size=5) | _VALUES,
)
def test_wrong_types_never_crash(top: dict[str, Any], own: Any) -> None:
    try:
        read_fields(FrontMatter({**top, "briefing": own}), where="a.md", desk=DESK)
    except InvalidInput as error:
        faults = error.faults
    else:
        faults = ()
    assert all(fault.remedy and fault.field for fault in faults)


def test_a_word_of_ours_in_the_wrong_place_is_warned_of_and_not_read() -> None:
    found = fields(
        "---\ntitle: A\nembargo: 2026-12-24\nRegions: [wales]\npinned: true\nlayout: post\n---\n"
    )
    assert (found.embargo_until, found.regions) == (None, ())
    silent = "is not read here and has no effect; write it under `briefing:`, as"
    embargo, regions, pinned = map(str, found.warnings)
    assert embargo == f"a.md:3: embargo: {silent} `embargo:`"
    assert regions == f"a.md:4: Regions: {silent} `regions:`"
    assert pinned.startswith("a.md:5: pinned: is no key of an article and has no effect; write its")
