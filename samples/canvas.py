"""A canvas for the sample pictures: flat shapes, gradients, glows and grain, with Pillow alone.

Coordinates are those of a 1600 by 900 picture; everything is drawn at twice that and scaled down,
which smooths the edges. Chance comes from the picture's own seed, so the same script always draws
the same picture.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT, SCALE = 1600, 900, 2
MAX_BYTES = 145_000

Colour = tuple[int, ...]
Point = tuple[float, float]


def rgb(code: str, alpha: int | None = None) -> Colour:
    """Return ``#rrggbb`` as a colour, see-through where ``alpha`` says so."""
    parts = tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))
    return parts if alpha is None else (*parts, alpha)


def mix(one: str, other: str, share: float) -> str:
    """Return the colour ``share`` of the way from one to the other."""
    pairs = zip(rgb(one), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


class Canvas:
    """One picture in the making."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))

    @property
    def _pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image, "RGBA")

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * SCALE, y * SCALE) for x, y in points]

    def _fade(self, stops: Sequence[tuple[float, str]], top: float, bottom: float) -> Image.Image:
        column = Image.new("RGB", (1, HEIGHT * SCALE))
        for row in range(HEIGHT * SCALE):
            at = min(1.0, max(0.0, (row / SCALE - top) / max(1.0, bottom - top)))
            low = max((s for s in stops if s[0] <= at), key=lambda s: s[0])
            high = min((s for s in stops if s[0] >= at), key=lambda s: s[0])
            span = high[0] - low[0]
            share = (at - low[0]) / span if span else 0.0
            column.putpixel((0, row), rgb(mix(low[1], high[1], share)))
        return column.resize(self.image.size)

    def sky(self, *colours: str, bottom: float = HEIGHT) -> None:
        """Fill everything with a vertical gradient that is done at ``bottom``."""
        stops = [(i / (len(colours) - 1), c) for i, c in enumerate(colours)]
        self.image = self._fade(stops, 0, bottom)

    def poly(self, points: Sequence[Point], fill: str, alpha: int | None = None) -> None:
        self._pen.polygon(self._points(points), fill=rgb(fill, alpha))

    def fade_poly(self, points: Sequence[Point], *colours: str) -> None:
        """Fill a shape with a gradient from its top to its bottom."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon(self._points(points), fill=255)
        heights = [y for _, y in points]
        stops = [(i / (len(colours) - 1), c) for i, c in enumerate(colours)]
        self.image.paste(self._fade(stops, min(heights), max(heights)), (0, 0), mask)

    def fade_rect(self, x: float, y: float, w: float, h: float, *colours: str) -> None:
        self.fade_poly([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], *colours)

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: str,
        *,
        alpha: int | None = None,
        radius: float = 0,
    ) -> None:
        box = (x * SCALE, y * SCALE, (x + w) * SCALE - 1, (y + h) * SCALE - 1)
        self._pen.rounded_rectangle(box, radius=radius * SCALE, fill=rgb(fill, alpha))

    def oval(
        self, x: float, y: float, rx: float, ry: float, fill: str, alpha: int | None = None
    ) -> None:
        box = ((x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE)
        self._pen.ellipse(box, fill=rgb(fill, alpha))

    def ring(self, x: float, y: float, radius: float, colour: str, width: float) -> None:
        box = [(x - radius) * SCALE, (y - radius) * SCALE]
        box += [(x + radius) * SCALE, (y + radius) * SCALE]
        self._pen.ellipse(box, outline=rgb(colour), width=round(width * SCALE))

    def line(
        self, points: Sequence[Point], fill: str, width: float = 2, alpha: int | None = None
    ) -> None:
        self._pen.line(
            self._points(points), fill=rgb(fill, alpha), width=round(width * SCALE), joint="curve"
        )

    def glow(self, x: float, y: float, radius: float, colour: str, strength: float = 1.0) -> None:
        """Add light that is strongest at the point and gone at the radius."""
        size = round(radius * 2 * SCALE)
        spot = ImageChops.invert(Image.radial_gradient("L")).resize((size, size))
        # The gradient reaches the corners; light must end at the edge, and fall off softly.
        spot = spot.point(lambda v: round(max(0.0, (v - 76) / 179) ** 1.7 * 255 * strength))
        mask = Image.new("L", self.image.size)
        mask.paste(spot, (round(x * SCALE - size / 2), round(y * SCALE - size / 2)))
        self.image.paste(Image.new("RGB", self.image.size, rgb(colour)), (0, 0), mask)

    def ridge(
        self, y: float, height: float, *colours: str, wave: float = 500, roughness: float = 0.5
    ) -> list[Point]:
        """Draw hills to the bottom edge and return their outline."""
        waves = [
            (height * roughness**n, self.chance.uniform(0, math.tau), wave / 1.9**n)
            for n in range(5)
        ]
        outline = [
            (float(x), y - sum(a * math.sin(math.tau * x / w + p) for a, p, w in waves))
            for x in range(-10, WIDTH + 20, 5)
        ]
        shape = [*outline, (WIDTH + 10.0, HEIGHT + 10.0), (-10.0, HEIGHT + 10.0)]
        self.fade_poly(shape, *(colours if len(colours) > 1 else colours * 2))
        return outline

    def stars(self, count: int, bottom: float, colour: str = "#fdf3dc") -> None:
        for _ in range(count):
            x, y = self.chance.uniform(0, WIDTH), self.chance.uniform(0, bottom)
            size = self.chance.choice((0.8, 1.0, 1.0, 1.6))
            self.oval(x, y, size, size, colour, self.chance.randint(70, 210))

    def shimmer(
        self, x: float, top: float, bottom: float, width: float, colour: str, count: int
    ) -> None:
        """Draw the broken reflection of a light on water."""
        for _ in range(count):
            depth = self.chance.random() ** 0.8
            y = top + (bottom - top) * depth
            half = width * (0.25 + depth) * self.chance.uniform(0.15, 1)
            middle = x + self.chance.gauss(0, width * 0.22 * (0.4 + depth))
            alpha = round(210 * (1 - depth * 0.75) * self.chance.uniform(0.3, 1))
            self.oval(middle, y, half, 1.2 + 2.6 * depth, colour, alpha)

    def cloud(self, x: float, y: float, width: float, colour: str, alpha: int) -> None:
        for n in range(4):
            w = width * self.chance.uniform(0.5, 1)
            self.rect(
                x + self.chance.uniform(-0.3, 0.3) * width - w / 2,
                y + n * 9,
                w,
                9,
                colour,
                alpha=alpha,
                radius=4.5,
            )

    def tree(self, x: float, y: float, height: float, colour: str) -> None:
        self.rect(x - height * 0.03, y - height * 0.3, height * 0.06, height * 0.3, colour)
        for dx, dy, r in ((0, 0.62, 0.3), (-0.17, 0.46, 0.22), (0.17, 0.48, 0.23)):
            self.oval(x + dx * height, y - dy * height, r * height, r * height * 1.1, colour)

    def person(self, x: float, y: float, height: float, coat: str, skin: str = "#c98f6b") -> None:
        """Draw somebody standing on the point."""
        h = height
        self.rect(x - h * 0.09, y - h * 0.36, h * 0.075, h * 0.36, mix(coat, "#10131c", 0.6))
        self.rect(x + h * 0.015, y - h * 0.36, h * 0.075, h * 0.36, mix(coat, "#10131c", 0.6))
        self.rect(x - h * 0.14, y - h * 0.8, h * 0.28, h * 0.52, coat, radius=h * 0.09)
        self.oval(x, y - h * 0.9, h * 0.085, h * 0.1, skin)

    def blur(self, radius: float) -> None:
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * SCALE))

    def save(self, path: Path) -> int:
        """Scale down, darken the edges, add grain, and write a JPEG within the limit."""
        small = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        edge = Image.radial_gradient("L").resize((WIDTH, HEIGHT))
        edge = edge.point(lambda v: round(max(0, v - 120) * 0.38))
        small.paste(Image.new("RGB", small.size, rgb("#0d1220")), (0, 0), edge)
        noise = Image.frombytes("L", (WIDTH, HEIGHT), self.chance.randbytes(WIDTH * HEIGHT))
        noise = noise.filter(ImageFilter.GaussianBlur(0.9)).point(lambda v: 128 + (v - 128) // 7)
        small = ImageChops.overlay(small, Image.merge("RGB", (noise,) * 3))
        for quality in range(90, 59, -3):
            packed = io.BytesIO()
            small.save(packed, "JPEG", quality=quality, progressive=True, optimize=True)
            if packed.tell() <= MAX_BYTES:
                break
        path.write_bytes(packed.getvalue())
        return packed.tell()
