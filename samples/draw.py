"""Draw the pictures of the sample publication: ``python samples/draw.py [name ...]``.

The pictures are the project's own. They are kept in ``samples/images`` so that nobody has to run
this; it is here because a picture with a source can be mended.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from canvas import Canvas
from country_scenes import COUNTRY_SCENES
from PIL import Image, ImageDraw, ImageFilter
from shore_scenes import SHORE_SCENES
from town_scenes import TOWN_SCENES
from work_scenes import WORK_SCENES

IMAGES = Path(__file__).parent / "images"

SCENES: dict[str, Callable[[Canvas], None]] = (
    SHORE_SCENES | COUNTRY_SCENES | TOWN_SCENES | WORK_SCENES
)


def draw_logo(path: Path) -> None:
    """Draw the masthead's lantern with a pale halo, so that it stands on dark paper too."""
    size, zoom = (320, 320), 4
    mark = Image.new("RGBA", (size[0] * zoom, size[1] * zoom))
    pen = ImageDraw.Draw(mark)

    def at(*numbers: float) -> list[float]:
        return [n * zoom for n in numbers]

    pen.ellipse(at(138, 18, 182, 62), outline="#1f2430", width=9 * zoom)
    pen.polygon(at(84, 104, 160, 48, 236, 104), fill="#1f2430")
    pen.rounded_rectangle(at(76, 100, 244, 118), radius=5 * zoom, fill="#1f2430")
    pen.polygon(at(92, 118, 228, 118, 212, 256, 108, 256), fill="#f2b04c")
    pen.polygon(at(112, 118, 208, 118, 196, 256, 124, 256), fill="#fbd88a")
    pen.ellipse(at(138, 170, 182, 240), fill="#d9734e")
    pen.polygon(at(140, 196, 160, 138, 180, 196), fill="#d9734e")
    pen.ellipse(at(149, 196, 171, 236), fill="#fff3d0")
    for top, bottom in ((92, 108), (160, 160), (228, 212)):
        if top != bottom:
            pen.line(at(top, 118, bottom, 256), fill="#1f2430", width=9 * zoom)
    pen.rounded_rectangle(at(96, 252, 224, 272), radius=5 * zoom, fill="#1f2430")
    pen.rounded_rectangle(at(82, 270, 238, 292), radius=7 * zoom, fill="#1f2430")
    halo = mark.getchannel("A").filter(ImageFilter.MaxFilter(9 * zoom // 2 * 2 + 1))
    halo = halo.filter(ImageFilter.GaussianBlur(2 * zoom))
    whole = Image.new("RGBA", mark.size, (251, 247, 239, 0))
    whole.putalpha(halo)
    whole.alpha_composite(mark)
    whole.resize(size, Image.Resampling.LANCZOS).save(path, optimize=True)


def main(names: list[str]) -> None:
    """Draw the named pictures, or all of them."""
    IMAGES.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        if names and name not in names:
            continue
        canvas = Canvas(zlib.crc32(name.encode()))
        scene(canvas)
        print(f"{name}.jpg {canvas.save(IMAGES / f'{name}.jpg')} bytes")
    if not names or "logo" in names:
        draw_logo(IMAGES / "logo.png")


if __name__ == "__main__":
    main(sys.argv[1:])
