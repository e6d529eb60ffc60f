"""MJML: the linter knows sound templates from unsound ones, rendering asserts on its output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.mjml import lint, to_html
from mailer.editions.templates import print_markup
from mailer.errors import RenderFailed

FRAME = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def test_a_sound_template_has_no_faults() -> None:
    source = FRAME.format(
        '{% for a in b %}\n<mj-text color="#112233" css-class="{{ c }}">\n'
        '<p style="margin:0">{{ a > b }}<br />x</p><img src="{{ s }}" alt="">'
        "</mj-text>\n{% endfor %}{# <mj-nothing> #}<!-- <mj-nothing> -->"
    )
    assert lint(source, where="x.j2") == []


def test_lines_are_the_files_own() -> None:
    faults = lint("<mj-text>\n{# a\nb #}\n{{ a\n}}\n<b>x</mj-text>\n<mj-nope>", where="x.j2")
    assert [(fault.line, fault.field) for fault in faults] == [
        (6, "b"),
        (7, "mj-nope"),
        (7, "mj-nope"),
    ]


def test_defaults_in_mj_attributes_may_name_any_component() -> None:
    source = (
        '<mj-head><mj-attributes><mj-all color="#112233" /><mj-text padding="0" />'
        '<mj-class name="a" anything="1" /></mj-attributes></mj-head>'
    )
    assert lint(source, where="x.j2") == []


def test_style_is_not_read_as_markup() -> None:
    assert lint("<mj-head><mj-style>.a > b { color: #abc }</mj-style></mj-head>", where="x") == []


@given(st.text(max_size=80))
def test_lint_never_fails_itself(source: str) -> None:
    for fault in lint(source, where="x"):
        assert fault.line is not None
        assert fault.remedy


def test_rendering_gives_html() -> None:
    html = to_html(FRAME.format("<mj-text>Grüße</mj-text>"), where="x")
    assert "Grüße" in html
    assert "fonts.googleapis" not in html


@pytest.mark.parametrize(
    "source",
    ["", "hello", "<mjml>", FRAME.format("<mj-text>a < b</mj-text>"), FRAME.format("<mj-text>")],
)
def test_broken_mjml_is_one_clear_fault(source: str) -> None:
    with pytest.raises(RenderFailed, match=r"body\.j2: the MJML cannot be rendered"):
        to_html(source, where="body.j2")


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ('<mj-image src="https://a.example/a.jpg" alt="a\u00a0b" />', r"\\u"),
        ('<mj-text><a href="https://a.example/\nx">y</a></mj-text>', "backslash"),
        ('<mj-text><p onclick="x">y</p></mj-text>', "attribute came out"),
        ("<mj-text><script>x</script></mj-text>", "script"),
    ],
)
def test_what_must_never_come_out(inner: str, problem: str) -> None:
    with pytest.raises(RenderFailed, match=problem):
        to_html(FRAME.format(inner), where="x")


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40))
def test_any_value_survives_in_an_attribute_and_in_text(value: str) -> None:
    from mailer.editions.anatomy import dissect

    printed = print_markup(value)
    html = to_html(
        FRAME.format(
            f'<mj-image src="https://a.example/a.jpg" alt="{printed}" />'
            f'<mj-text><a href="https://a.example/" title="{printed}">{printed}</a></mj-text>'
        ),
        where="x",
    )
    anatomy = dissect(html)
    assert len(anatomy.pictures) == 1
    assert len(anatomy.links) == 1
    assert (anatomy.pictures[0].alt or "").split() == _shown(value).split()
    assert anatomy.links[0].text.split() == _shown(value).split()


def _shown(value: str) -> str:
    return "".join(
        ch
        for ch in value
        if not ("\x00" <= ch < " " and ch not in "\n\r\t")
        and not "\x7f" <= ch <= "\x9f"
        and not 0xFDD0 <= ord(ch) <= 0xFDEF
        and ord(ch) & 0xFFFE != 0xFFFE
    )


@pytest.mark.parametrize(
    ("name", "attribute", "value", "remedy"),
    [
        ("mj-text", "padding", "24", "write one to four lengths"),
        ("mj-text", "padding-top", "1em", "write a length in px or %"),
        ("mj-text", "font-size", "1.2rem", "write a length in px"),
        ("mj-text", "color", "#12345g", "write a colour in six digits"),
        ("mj-text", "color", "rde", "write a colour in six digits"),
        ("mj-table", "cellpadding", "none", "write a whole number"),
        ("mj-text", "line-height", "1,5", "write a number"),
        ("mj-text", "align", "centre", "write left or right or center or justify"),
        ("mj-text", "font-weight", "heavy", "write 100 to 900"),
        ("mj-text", "text-transform", "small-caps", "write none or uppercase"),
        ("mj-divider", "border-style", "wavy", "write solid"),
        ("mj-image", "width", "wide", "write a length in px"),
        ("mj-image", "align", "justify", "write left or right or center"),
        ("mj-button", "border", "1px", "write width, style and colour"),
    ],
)
def test_a_value_of_the_wrong_form_is_told_with_the_right_one(
    name: str, attribute: str, value: str, remedy: str
) -> None:
    (fault,) = lint(FRAME.format(f'<{name} {attribute}="{value}"></{name}>'), where="x.j2")
    assert (fault.field, fault.line) == (attribute, 1)
    assert repr(value) in fault.problem
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("mj-text", "padding", "0 24px 10%"),
        ("mj-text", "line-height", "1.5"),
        ("mj-text", "letter-spacing", "0.04em"),
        ("mj-text", "color", "rgba(1, 2, 3, 0.5)"),
        ("mj-text", "padding", "{{ gap }}px"),
        ("mj-text", "align", "{{ start }}"),
        ("mj-button", "border", "1px solid #cccccc"),
        ("mj-image", "height", "auto"),
        ("mj-image", "width", "320px"),
    ],
)
def test_a_value_of_the_right_form_or_printed_by_jinja_is_no_fault(
    name: str, attribute: str, value: str
) -> None:
    assert lint(FRAME.format(f'<{name} {attribute}="{value}"></{name}>'), where="x.j2") == []


def test_defaults_and_classes_are_held_to_the_forms_too() -> None:
    source = '<mj-head><mj-attributes><mj-all padding="x" /></mj-attributes></mj-head>'
    (fault,) = lint(source, where="x.j2")
    assert fault.field == "padding"


def test_a_rule_is_no_wider_than_its_column_in_outlook() -> None:
    html = to_html(FRAME.format('<mj-divider /><mj-divider width="100px" />'), where="a")
    place = html.index("width:100px")
    whole, short = html[:place], html[place:]
    assert 'width="100%" style="border-top' in whole
    assert 'width="100px"' in short
