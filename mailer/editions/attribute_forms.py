"""What the values of MJML's attributes may look like: units, colours, words.

The renderer writes whatever it is given into a style; a value of the wrong form is dropped by the
mail program without a word. The forms are those of MJML's documentation; where a component is
stricter than the others, the stricter form stands under its name. Units and words are lower case,
as the official validator wants them, which faults nothing that passes here (``tests/golden``).
Values that Jinja prints are not known before rendering and are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL.ImageColor import colormap


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern that a whole value must fit, and how to say it."""

    pattern: re.Pattern[str]
    said: str


def _form(pattern: str, said: str) -> Form:
    return Form(re.compile(pattern), said)


def _one_of(words: str) -> Form:
    listed = words.split()
    return _form("|".join(re.escape(word) for word in listed), f"write {' or '.join(listed)}")


_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_LENGTH = rf"(?:{_NUMBER}(?:px|%)|0)"
_PART = r"\d{1,3}, ?"

LENGTHS = _form(rf"{_LENGTH}(?: {_LENGTH}){{0,3}}", "write one to four lengths, such as 0 24px")
LENGTH = _form(_LENGTH, "write a length in px or %, such as 24px")
PIXELS = _form(rf"{_NUMBER}px|0", "write a length in px, such as 16px")
WIDTH = _form(rf"{_LENGTH}|auto", "write a width in px or %, or auto")
HEIGHT = _form(rf"{_NUMBER}px|0|auto", "write a length in px, or auto")
SPACING = _form(rf"-?{_NUMBER}(?:px|em)|0", "write a length in px or em")
LINE = _form(rf"{_NUMBER}(?:px|%)?", "write a number, or a length in px or %")
WEIGHT = _form(r"[1-9]00|normal|bold|bolder|lighter", "write 100 to 900, normal or bold")
COUNT = _form(r"\d+", "write a whole number, such as 0")
COLOUR = _form(
    rf"#[0-9a-fA-F]{{6}}|rgb\({_PART}{_PART}\d{{1,3}}\)"
    rf"|rgba\({_PART}{_PART}{_PART}\d(?:\.\d{{1,3}})?\)"
    rf"|transparent|inherit|{'|'.join(sorted(colormap))}",
    "write a colour in six digits, such as #1f2430",
)
BORDER = _form(
    rf"none|0|{_NUMBER}px +(?:solid|dashed|dotted|double|none) +\S.*",
    "write width, style and colour, such as 1px solid #cccccc",
)

ATTRIBUTE_FORMS: dict[str, Form] = {
    **dict.fromkeys(("padding", "inner-padding", "icon-padding", "text-padding"), LENGTHS),
    **dict.fromkeys(("border-radius", "inner-border-radius"), LENGTHS),
    **{f"padding-{side}": LENGTH for side in ("top", "right", "bottom", "left")},
    **dict.fromkeys(
        (
            "background-color", "border-color", "color", "container-background-color",
            "inner-background-color",
        ),
        COLOUR,
    ),
    **dict.fromkeys(("border", "inner-border"), BORDER),
    **{f"border-{side}": BORDER for side in ("top", "right", "bottom", "left")},
    "font-size": PIXELS,
    "border-width": PIXELS,
    "gap": PIXELS,
    "icon-size": LENGTH,
    "icon-height": LENGTH,
    "max-height": LENGTH,
    "background-width": LENGTH,
    "background-height": LENGTH,
    "height": LENGTH,
    "width": LENGTH,
    "cellpadding": COUNT,
    "cellspacing": COUNT,
    "letter-spacing": SPACING,
    "line-height": LINE,
    "font-weight": WEIGHT,
    "font-style": _one_of("normal italic oblique"),
    "text-transform": _one_of("none uppercase lowercase capitalize"),
    "text-align": _one_of("left right center"),
    "align": _one_of("left right center"),
    "vertical-align": _one_of("top middle bottom"),
    "direction": _one_of("ltr rtl"),
    "dir": _one_of("ltr rtl auto"),
    "border-style": _one_of("solid dashed dotted double none"),
    "background-repeat": _one_of("repeat no-repeat"),
    "table-layout": _one_of("auto fixed initial inherit"),
    "fluid-on-mobile": _one_of("true"),
    "full-width": _one_of("full-width"),
    "role": _one_of("presentation none"),
}  # fmt: skip
"""By attribute, whatever component it stands in."""

COMPONENT_FORMS: dict[tuple[str, str], Form] = {
    ("mj-body", "width"): PIXELS,
    ("mj-breakpoint", "width"): PIXELS,
    ("mj-image", "width"): PIXELS,
    ("mj-image", "height"): HEIGHT,
    ("mj-table", "width"): WIDTH,
    ("mj-text", "height"): PIXELS,
    ("mj-text", "align"): _one_of("left right center justify"),
    ("mj-social", "mode"): _one_of("horizontal vertical"),
    ("mj-hero", "mode"): _one_of("fixed-height fluid-height"),
    ("mj-raw", "position"): _one_of("file-start"),
    ("mj-style", "inline"): _one_of("inline"),
}
"""Where one component wants another form."""


def form_of(component: str, attribute: str) -> Form | None:
    """Return the form of an attribute's value, None where any text will do."""
    return COMPONENT_FORMS.get((component, attribute)) or ATTRIBUTE_FORMS.get(attribute)
