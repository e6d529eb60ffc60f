"""MJML's components: which attributes each knows and what it may stand in.

The renderer itself silently drops what it does not know, so templates are checked against this
table. It covers what a briefing is made of; ``REFUSED`` names what exists in MJML but must not be
used here, with the reason a template's author is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PADDING = _words("padding padding-top padding-right padding-bottom padding-left")
_BORDER = _words("border border-top border-right border-bottom border-left border-radius")
_BLOCK = _PADDING | _words("css-class mj-class container-background-color")
_BACKGROUND = _words(
    "background-color background-url background-repeat background-size background-position "
    "background-position-x background-position-y"
)
_TYPE = _words(
    "align color font-family font-size font-style font-weight line-height text-decoration"
)
_LETTERS = _words("height letter-spacing text-transform")
_BAND = (
    _PADDING
    | _BORDER
    | _BACKGROUND
    | _words("css-class mj-class direction full-width text-align text-padding")
)


@dataclass(frozen=True, slots=True)
class Component:
    """What a component takes: attributes, parents, and whether its content is HTML."""

    attributes: frozenset[str] = frozenset()
    parents: frozenset[str] = field(default_factory=frozenset)
    holds_html: bool = False
    takes_any_attribute: bool = False


_HEAD = _words("mj-head")
_CONTENT = _words("mj-column mj-hero")

COMPONENTS: dict[str, Component] = {
    "mjml": Component(_words("lang dir owa")),
    "mj-head": Component(parents=_words("mjml")),
    "mj-title": Component(parents=_HEAD, holds_html=True),
    "mj-preview": Component(parents=_HEAD, holds_html=True),
    "mj-attributes": Component(parents=_HEAD),
    "mj-all": Component(parents=_words("mj-attributes"), takes_any_attribute=True),
    "mj-class": Component(parents=_words("mj-attributes"), takes_any_attribute=True),
    "mj-breakpoint": Component(_words("width"), parents=_HEAD),
    "mj-font": Component(_words("name href"), parents=_HEAD),
    "mj-style": Component(_words("inline"), parents=_HEAD, holds_html=True),
    "mj-raw": Component(
        _words("position"),
        parents=_words(
            "mjml mj-head mj-body mj-wrapper mj-section mj-group mj-column mj-hero mj-social"
        ),
        holds_html=True,
    ),
    "mj-body": Component(_words("background-color css-class width"), parents=_words("mjml")),
    "mj-wrapper": Component(_BAND | {"gap"}, parents=_words("mj-body")),
    "mj-section": Component(_BAND, parents=_words("mj-body mj-wrapper")),
    "mj-group": Component(
        _words("background-color css-class mj-class direction vertical-align width"),
        parents=_words("mj-section"),
    ),
    "mj-column": Component(
        _PADDING
        | _BORDER
        | _words(
            "background-color css-class mj-class direction inner-background-color inner-border "
            "inner-border-radius vertical-align width"
        ),
        parents=_words("mj-section mj-group"),
    ),
    "mj-hero": Component(
        _PADDING
        | _words(
            "background-color background-height background-position background-url "
            "background-width css-class mj-class height inner-background-color inner-padding mode "
            "vertical-align"
        ),
        parents=_words("mj-body mj-wrapper"),
    ),
    "mj-text": Component(_BLOCK | _TYPE | _LETTERS, parents=_CONTENT, holds_html=True),
    "mj-button": Component(
        _BLOCK
        | _BORDER
        | _TYPE
        | _LETTERS
        | _words("background-color href inner-padding name rel target text-align title width")
        | {"vertical-align"},
        parents=_CONTENT,
        holds_html=True,
    ),
    "mj-image": Component(
        _BLOCK
        | _BORDER
        | _words(
            "align alt fluid-on-mobile font-size height href max-height name rel sizes src srcset "
            "target title usemap width"
        ),
        parents=_CONTENT,
    ),
    "mj-divider": Component(
        _BLOCK | _words("align border-color border-style border-width width"), parents=_CONTENT
    ),
    "mj-spacer": Component(_BLOCK | {"height"}, parents=_CONTENT),
    "mj-table": Component(
        _BLOCK
        | _words(
            "align border cellpadding cellspacing color font-family font-size line-height role "
            "table-layout width"
        ),
        parents=_CONTENT,
        holds_html=True,
    ),
    "mj-social": Component(
        _BLOCK
        | _TYPE
        | _words(
            "border-radius icon-height icon-padding icon-size inner-padding mode text-padding"
        ),
        parents=_CONTENT,
    ),
    "mj-social-element": Component(
        _PADDING
        | _TYPE
        | _words(
            "alt background-color border-radius css-class mj-class href icon-height icon-padding "
            "icon-size name rel src target text-padding title vertical-align"
        ),
        parents=_words("mj-social"),
        holds_html=True,
    ),
}

REFUSED: dict[str, str] = {
    "mj-include": "use a Jinja include instead",
    "mj-carousel": "mail clients show its first picture only; use mj-image",
    "mj-accordion": "most mail clients cannot open it; show the text",
    "mj-navbar": "it needs a menu that mail clients drop; use links in mj-text",
    "mj-html-attributes": "the renderer ignores it; write the attribute where it belongs",
}

VOID = _words("area base br col embed hr img input link meta source track wbr")
"""HTML elements that have no end tag."""
