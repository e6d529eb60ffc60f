"""Colours of an edition: the theme's, and those derived from it, in light and dark.

The publisher chooses three colours a scheme (paper, ink, accent); the quieter ones (fine print,
rules, panels) are mixed from them so that they always fit, and fine print is darkened until it
can be read. Contrast is measured as WCAG 2.2 does (success criterion 1.4.3, relative luminance).
Colours are six-digit hex, the only form that mrml and every mail client take.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailer.policies import Theme

READABLE = 4.5
"""The least contrast of text with its ground; WCAG 2.2 level AA."""


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """Return ``one`` with a ``share`` (0 to 1) of ``other`` in it."""
    return "#" + "".join(
        f"{round(a + (b - a) * share):02x}" for a, b in zip(_rgb(one), _rgb(other), strict=True)
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    digits = colour.removeprefix("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True)
class Palette:
    """One scheme's colours, by what they are for.

    ``ground`` lies around the sheet of ``paper``; ``ink`` is text and ``muted`` fine print on
    either; ``accent`` marks links and labels; ``on_accent`` is text on a button; ``rule`` is a
    thin line; ``tint`` is a panel that text may stand on.
    """

    ground: str
    paper: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    rule: str
    tint: str

    def pairs(self) -> dict[str, float]:
        """Return the contrast of every text and ground that the templates put together."""
        return {
            f"{text} on {ground}": contrast(getattr(self, text), getattr(self, ground))
            for text, ground in (
                ("ink", "paper"),
                ("muted", "paper"),
                ("accent", "paper"),
                ("ink", "tint"),
                ("muted", "tint"),
                ("accent", "tint"),
                ("ink", "ground"),
                ("muted", "ground"),
                ("accent", "ground"),
                ("on_accent", "accent"),
            )
        }


def palettes(theme: Theme) -> tuple[Palette, Palette]:
    """Return the light and the dark palette of a theme."""
    # In the light the ground is a shade of ink; in the dark it recedes below the sheet.
    light = _palette(
        theme.paper, theme.ink, theme.accent, ground=mix(theme.paper, theme.ink, 0.045)
    )
    dark = _palette(
        theme.paper_dark,
        theme.ink_dark,
        theme.accent_dark,
        ground=mix(theme.paper_dark, "#000000", 0.3),
    )
    return light, dark


def _palette(paper: str, ink: str, accent: str, *, ground: str) -> Palette:
    tint = mix(mix(paper, ink, 0.02), accent, 0.06)
    muted = mix(ink, paper, 0.34)
    while min(contrast(muted, on) for on in (paper, tint, ground)) < READABLE + 0.3:
        darker = mix(muted, ink, 0.25)
        if darker == muted:
            break
        muted = darker
    on_accent = max((paper, ink), key=lambda colour: contrast(colour, accent))
    return Palette(
        ground=ground,
        paper=paper.lower(),
        ink=ink.lower(),
        muted=muted,
        accent=accent.lower(),
        on_accent=on_accent.lower(),
        rule=mix(paper, ink, 0.16),
        tint=tint,
    )
