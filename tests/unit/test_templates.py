"""Template sets: loading, overriding file by file, printing values, telling mistakes."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.edition import merge_html, merge_text
from mailer.editions.templates import BODY, SUBJECT, TEXT, load_templates, print_markup
from mailer.errors import NotFound, RenderFailed
from mailer.resources import templates_dir
from tests.browser.sampling import FIELDS, make_issue, make_publication, render

SHIPPED = templates_dir() / "briefing"
SETS = ("briefing", "bulletin", "single", "urgent")


def override(root: Path, name: str, text: str) -> Path:
    path = root / "briefing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def changed(root: Path, name: str, old: str, new: str) -> Path:
    shipped = (SHIPPED.parent if name.startswith("parts/") else SHIPPED) / name
    text = shipped.read_text(encoding="utf-8")
    assert old in text
    return override(root, name, text.replace(old, new, 1))


def line_of(path: Path, needle: str) -> int:
    return path.read_text(encoding="utf-8").split(needle)[0].count("\n") + 1


@pytest.mark.parametrize("name", SETS)
def test_the_shipped_sets_are_sound_and_share_their_parts(name: str) -> None:
    loaded = load_templates(name)
    assert {SUBJECT, BODY, TEXT} <= set(loaded.sources)
    assert loaded.faults() == []
    own = {path for path in loaded.sources if not path.startswith("parts/")}
    assert own == {SUBJECT, BODY, TEXT}


def test_a_publication_overrides_file_by_file(tmp_path: Path) -> None:
    override(tmp_path, SUBJECT, "No. {{ issue.number }}: {{ issue.subject }}\n")
    loaded = load_templates("briefing", override=tmp_path)
    edition = render(template_set=loaded)
    assert edition.subject == "No. 7: A plan on the back of a ticket"
    assert loaded.path(BODY) == str(SHIPPED / BODY)


def test_a_part_is_overridden_for_every_set_or_for_one(tmp_path: Path) -> None:
    part = "parts/quote.txt.j2"
    (tmp_path / "parts").mkdir()
    (tmp_path / part).write_text("for all\n")
    override(tmp_path, part, "for one\n")
    texts = {
        name: merge_text(render(template_set=load_templates(name, override=tmp_path)).text, FIELDS)
        for name in ("briefing", "bulletin")
    }
    assert "for one\n" in texts["briefing"]
    assert "for all\n" in texts["bulletin"]


def test_an_unknown_set_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"'brefing'.*use briefing or bulletin or single or urgent"):
        load_templates("brefing", override=tmp_path)


def test_a_set_that_lacks_files_says_which(tmp_path: Path) -> None:
    path = tmp_path / "mine" / SUBJECT
    path.parent.mkdir()
    path.write_text("x")
    with pytest.raises(RenderFailed) as caught:
        load_templates("mine", override=tmp_path)
    assert [fault.problem for fault in caught.value.faults] == [
        "the set 'mine' lacks body.mjml.j2",
        "the set 'mine' lacks body.txt.j2",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "field", "remedy"),
    [
        (
            "parts/words.mjml.j2",
            "{{ story.signature }}",
            "{{ story.signatur }}",
            "signatur",
            "signature",
        ),
        (
            "parts/view_online.mjml.j2",
            "{{ reader.view_online_url }}",
            "{{ raeder.x }}",
            "raeder",
            "reader",
        ),
        ("parts/masthead.txt.j2", "{{ issue.date }}", "{{ issue.dat }}", "dat", "date"),
        ("parts/subject.txt.j2", "{{ issue.subject", "{{ isue.subject", "isue", "issue"),
    ],
)
def test_an_unknown_name_is_told_with_file_and_line(
    tmp_path: Path, name: str, old: str, new: str, field: str, remedy: str
) -> None:
    path = changed(tmp_path, name, old, new)
    loaded = load_templates("briefing", override=tmp_path)
    with pytest.raises(RenderFailed) as caught:
        render(template_set=loaded)
    (fault,) = caught.value.faults
    assert fault.where == str(path)
    assert fault.line == line_of(path, new)
    assert fault.field == field
    assert remedy in fault.remedy
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        (BODY, "{% endfor %}", "{% endfro %}", "endfro"),
        ("parts/lead.mjml.j2", "{% if lead %}", "{% if lead %", "Jinja"),
        ("parts/opening.txt.j2", "|prose", "|prosa", "prosa"),
        ("parts/quote.mjml.j2", "<mj-text ", "<mj-txt ", "did you mean <mj-text>?"),
        ("parts/quote.mjml.j2", "line-height=", "lineheight=", "did you mean line-height?"),
        ("parts/quote.mjml.j2", "</mj-column>", "", "add </mj-column>"),
        ("parts/appeal.mjml.j2", "</p>{%", "{%", "add </p>"),
        ("parts/view_online.mjml.j2", 'align="center"', "align='center'", "double quotes"),
        (
            "parts/view_online.mjml.j2",
            'align="center"',
            'align="center" align="left"',
            "given twice",
        ),
        ("parts/view_online.mjml.j2", 'align="center"', 'color="#abc"', "write all six"),
        ("parts/view_online.mjml.j2", 'css-class="m"', 'css-class="m\u00a0n"', "ASCII"),
        ("parts/view_online.mjml.j2", 'mj-class="fine"', 'mj-class="fine serif"', "first mj-class"),
        (
            "parts/view_online.mjml.j2",
            "<mj-column>",
            "<mj-column><p>x</p>",
            "put it into an mj-text",
        ),
        (
            "parts/view_online.mjml.j2",
            "<mj-column>",
            "<mj-column><mj-section></mj-section>",
            "stands in",
        ),
        (
            "parts/view_online.mjml.j2",
            "<mj-column>",
            "<mj-column><mj-carousel />",
            "must not be used",
        ),
        ("parts/view_online.mjml.j2", "{{ _(", "a < b {{ _(", "write &lt;"),
        ("parts/view_online.mjml.j2", "{{ _(", "<![CDATA[ x ]]>{{ _(", "remove it"),
        ("parts/view_online.mjml.j2", "<a href=", '<a onclick="x" href=', "event attributes"),
        ("parts/contents.mjml.j2", "<mj-section ", '<mj-section full-width="false" ', "leave it"),
    ],
)
def test_a_mistake_is_told_when_loading(
    tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    path = changed(tmp_path, name, old, new)
    with pytest.raises(RenderFailed) as caught:
        load_templates("briefing", override=tmp_path)
    assert any(words in str(fault) for fault in caught.value.faults), caught.value
    for fault in caught.value.faults:
        assert fault.where == str(path)
        assert fault.line
        assert fault.remedy


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    changed(tmp_path, BODY, "{% endfor %}", "{% endfro %}")
    changed(tmp_path, "parts/quote.mjml.j2", "line-height=", "lineheight=")
    changed(tmp_path, "parts/view_online.mjml.j2", "</mj-column>", "")
    with pytest.raises(RenderFailed) as caught:
        load_templates("briefing", override=tmp_path)
    assert len({fault.where for fault in caught.value.faults}) == 3


def test_a_missing_include_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    path = changed(tmp_path, BODY, "parts/diary.mjml.j2", "parts/dairy.mjml.j2")
    with pytest.raises(RenderFailed) as caught:
        load_templates("briefing", override=tmp_path)
    (fault,) = caught.value.faults
    assert fault.where == str(path)
    assert fault.line == line_of(path, "parts/dairy")
    assert "parts/diary.mjml.j2" in fault.remedy


def test_an_include_whose_name_is_computed_is_told_when_rendering(tmp_path: Path) -> None:
    path = changed(tmp_path, BODY, '"parts/diary.mjml.j2"', '"parts/dairy" ~ ".mjml.j2"')
    with pytest.raises(RenderFailed) as caught:
        render(template_set=load_templates("briefing", override=tmp_path))
    (fault,) = caught.value.faults
    assert (fault.where, fault.line) == (str(path), line_of(path, "parts/dairy"))


def test_an_error_inside_an_expression_has_its_line(tmp_path: Path) -> None:
    path = changed(
        tmp_path, "parts/subject.txt.j2", "{{ issue.subject", "\n{{ 1 // 0 }}{{ issue.subject"
    )
    with pytest.raises(RenderFailed) as caught:
        render(template_set=load_templates("briefing", override=tmp_path))
    assert str(caught.value.faults[0]).startswith(f"{path}:2: cannot be rendered")


def test_the_subject_may_not_name_the_reader(tmp_path: Path) -> None:
    override(tmp_path, SUBJECT, "For {{ reader.name }}")
    with pytest.raises(RenderFailed, match="the subject is the same for everybody"):
        render(template_set=load_templates("briefing", override=tmp_path))


def test_a_filter_that_breaks_a_token_is_refused(tmp_path: Path) -> None:
    changed(tmp_path, "parts/opening.txt.j2", "{{ reader.greeting }}", "{{ reader.greeting[:-1] }}")
    with pytest.raises(RenderFailed, match="reader's field"):
        render(template_set=load_templates("briefing", override=tmp_path))


def test_templates_run_in_a_sandbox(tmp_path: Path) -> None:
    override(tmp_path, SUBJECT, "{{ issue.__class__.__mro__ }}")
    with pytest.raises(RenderFailed):
        render(template_set=load_templates("briefing", override=tmp_path))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.j2"
    secret.write_text("secret")
    folder = tmp_path / "templates" / "briefing"
    folder.mkdir(parents=True)
    (folder / SUBJECT).symlink_to(secret)
    loaded = load_templates("briefing", override=tmp_path / "templates")
    assert loaded.path(SUBJECT) == str(SHIPPED / SUBJECT)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", b"x" * 300_000])
def test_an_unreadable_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "briefing" / SUBJECT
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RenderFailed, match="cannot be read"):
        load_templates("briefing", override=tmp_path)


@given(st.text())
def test_printing_is_escaping_that_a_browser_undoes(text: str) -> None:
    printed = str(print_markup(text))
    assert not set(printed) & set("<>\"'\\\n\r\t\u00a0\u115f\u3164\u200d")
    # Controls that mail may not carry are gone; every other character comes back.
    assert html.unescape(printed) == "".join(ch for ch in text if not _is_unmailable(ord(ch)))


def _is_unmailable(code: int) -> bool:
    is_control = (code < 0x20 and chr(code) not in "\n\r\t") or 0x7F <= code <= 0x9F
    return is_control or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def test_literal_text_and_macros_pass_through(tmp_path: Path) -> None:
    changed(
        tmp_path,
        "parts/quote.mjml.j2",
        "{% if quote.text %}",
        "{% macro band(words) %}\n<mj-section>\n<mj-column>\n<mj-text>{{ words }}</mj-text>\n"
        "</mj-column>\n</mj-section>\n{% endmacro %}{{ band('a < b') }}{% if quote.text %}",
    )
    edition = render(template_set=load_templates("briefing", override=tmp_path))
    assert "a &lt; b" in merge_html(edition.html, FIELDS)


def test_the_tables_of_names_in_the_readme_are_true() -> None:
    from dataclasses import fields

    from mailer.editions import viewmodel

    readme = (templates_dir() / "README.md").read_text(encoding="utf-8")
    for kind in (
        viewmodel.EditionView, viewmodel.PublicationView, viewmodel.IssueView, viewmodel.Story,
        viewmodel.RegionView, viewmodel.DiaryView, viewmodel.SupportView, viewmodel.ReaderView,
        viewmodel.Image, viewmodel.SectionView, viewmodel.OpeningView, viewmodel.QuoteView,
        viewmodel.ThemeView,
    ):  # fmt: skip
        for field in fields(kind):
            assert f"`{field.name}`" in readme, f"{kind.__name__}.{field.name}"


def test_rendering_needs_no_issue_specific_state() -> None:
    loaded = load_templates("briefing")
    first = render(template_set=loaded, publication=make_publication())
    render(make_issue(subject="Other"), template_set=loaded)
    assert render(template_set=loaded, publication=make_publication()) == first
