"""Draw the pictures of the documents: a rendered edition on a desktop and on a phone, and the sets.

    .venv/bin/python tools/pictures.py [PUBLICATION [ISSUE]]

Without a folder it makes the sample publication in a scratch folder, drafts its first issue and
renders one region; with one it shows that publication's issue (the next one, or the one named).
Writes docs/pictures/edition.png (all beside each other), edition-{desktop,phone}[-dark].png and
sets.png (what each template set makes of the issue, on a phone).

Needs Chromium (`apt-get install chromium-headless-shell fonts-liberation fonts-noto-core`) and
playwright (`pip install playwright`). No network is used. Georgia is not free: in the pictures
Noto Serif, about as wide, stands in for it.
"""
# ruff: noqa: INP001

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from mailer.app import open_app
from mailer.cli.demonstration import edited
from mailer.errors import ConfigurationError, MailerError
from mailer.scaffold import scaffold
from mailer.settings import Settings
from mailer.usecases import editing, previewing, sourcing

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
MONDAY = date(2026, 11, 30)
FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
REGION = "wales"
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

DESKTOP = (960, 1000)
PHONE = (390, 844)
SHARP = 2
SMOOTH = Image.Resampling.LANCZOS
LEAD = "img[width='640']"
THUMBNAIL = "img[width='224']"
SHOTS = {
    "desktop": (DESKTOP, "light", ""),
    "desktop-dark": (DESKTOP, "dark", LEAD),
    "phone": (PHONE, "light", LEAD),
    "phone-dark": (PHONE, "dark", THUMBNAIL),
}
"""Of each picture: the window, the scheme, and what stands near its top ("" for the masthead)."""


SETS = {
    "briefing": "",
    "bulletin": "The week on one page, a minute each.",
    "single": "One story this week, and all of it.",
    "urgent": "What hangs at your stop is the only proof of what was promised.",
}
"""The template sets, and the opening that shows each at its best; "" keeps the sample's."""
CALL, OTHER = "call-what-does-your-bus-stop-say", "nine-towns-one-invoice"
"""The sample that has a deadline, and the one that leads the sample issue."""


def render(folder: Path | None, issue: str | None, out: Path) -> dict[str, Path]:
    """Return the HTML file of one region's edition by template set; "" is the issue's own."""
    root = folder
    if root is None:
        root = out / "publication"
        scaffold(root, monday=MONDAY, secret="only-for-a-picture" * 3)
    settings = Settings(fixed_now=FRIDAY) if folder is None else None
    with open_app(root, settings=settings) as app:
        name = issue
        if folder is None:
            sourcing.ingest(app, [])
            name = editing.draft(app, None).issue_id
            path = root / "issues" / f"{name}.md"
            path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
        slug = REGION if REGION in app.publication.region_map else app.publication.regions[-1]
        name = name or str(app.desk.next_issue_date(app.clock.now()))
        written = previewing.preview(app, name, regions=[slug], out=out / "editions")
        found = {"": written.files[slug]["html"]}
        for set_name in SETS if folder is None else ():
            path.write_text(drawn_by(set_name, path.read_text(encoding="utf-8")), encoding="utf-8")
            written = previewing.preview(app, name, regions=[slug], out=out / set_name)
            found[set_name] = written.files[slug]["html"]
        return found


def drawn_by(set_name: str, text: str) -> str:
    """Return an issue's file with another template set, and for a call with a call as its lead."""
    text = re.sub(r"^template: .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("\nsections:", f"\ntemplate: {set_name}\n\nsections:", 1)
    if set_name == "urgent":
        text, swapped = text.replace(f"- {OTHER}", "- ?", 1), f"- {CALL}"
        text = text.replace(swapped, f"- {OTHER}", 1).replace("- ?", swapped, 1)
    head, _, opening = text.rpartition("---\n")
    return f"{head}---\n\n{SETS[set_name] or opening}\n"


def shoot(html: Path, size: tuple[int, int], scheme: str, at: str) -> Image.Image:
    """Return what a window of that size shows, scrolled to the first ``at``."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        raise ConfigurationError("Chromium is missing: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        )
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            device_scale_factor=SHARP,
            offline=True,
        )
        page = context.new_page()
        page.goto(html.as_uri())
        if at:
            page.evaluate(
                "at => { const e = document.querySelector(at);"
                " if (e) scrollTo(0, e.getBoundingClientRect().top - 104) }",
                at,
            )
        shot = page.screenshot()
        browser.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def framed(shot: Image.Image, *, radius: int, border: int, colour: str) -> Image.Image:
    """Put a rounded frame around a screenshot, on transparency, with a soft shadow."""
    width, height = shot.width + 2 * border, shot.height + 2 * border
    spread = 48
    canvas = Image.new("RGBA", (width + 2 * spread, height + 2 * spread), (0, 0, 0, 0))
    shadow = Image.new("L", canvas.size, 0)
    box = (spread, spread + 14, spread + width, spread + height + 14)
    ImageDraw.Draw(shadow).rounded_rectangle(box, radius, fill=70)
    canvas.putalpha(shadow.filter(ImageFilter.GaussianBlur(22)))
    body = Image.new("RGBA", (width, height), colour)
    body.paste(shot, (border, border), _rounded(shot.size, max(4, radius - border)))
    canvas.paste(body, (spread, spread), _rounded(body.size, radius))
    return canvas


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius, fill=255)
    return mask


def together(desktop: Image.Image, phone: Image.Image, phone_dark: Image.Image) -> Image.Image:
    """Compose the README's picture: a desktop window, a phone by day and one by night."""
    window = framed(desktop, radius=18, border=2, colour="#cfc9bd")
    day = framed(phone, radius=64, border=20, colour="#26282e")
    night = framed(phone_dark, radius=64, border=20, colour="#3b3e46")
    width = window.width + 2 * day.width - 40
    height = max(window.height, day.height) + 60
    canvas = Image.new("RGBA", (width, height), "#ddd6c9")
    left = 20
    for piece in (window, day, night):
        canvas.alpha_composite(piece, (left, (height - piece.height) // 2))
        left += piece.width - 30
    flat = canvas.convert("RGB")
    return flat.resize((1600, round(1600 * height / width)), SMOOTH)


def in_a_row(phones: list[Image.Image]) -> Image.Image:
    """Compose a picture of phones beside each other."""
    frames = [framed(phone, radius=64, border=20, colour="#26282e") for phone in phones]
    width = sum(frame.width - 56 for frame in frames) + 96
    height = max(frame.height for frame in frames) + 40
    canvas = Image.new("RGBA", (width, height), "#ddd6c9")
    left = 20
    for frame in frames:
        canvas.alpha_composite(frame, (left, (height - frame.height) // 2))
        left += frame.width - 56
    return canvas.convert("RGB").resize((1600, round(1600 * height / width)), SMOOTH)


def save(image: Image.Image, name: str) -> Path:
    """Write a picture as a small PNG."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    return path


def main(arguments: list[str]) -> int:
    """Make every picture; 0 when all were written."""
    folder = Path(arguments[0]) if arguments else None
    issue = arguments[1] if len(arguments) > 1 else None
    try:
        with tempfile.TemporaryDirectory(prefix="mailer-pictures-") as scratch:
            files = render(folder, issue, Path(scratch))
            for html in files.values():
                text = html.read_text(encoding="utf-8")
                html.write_text(text.replace("Georgia,", "Noto Serif,"), encoding="utf-8")
            shots = {name: shoot(files[""], *how) for name, how in SHOTS.items()}
            phones = [shoot(files[name], PHONE, "light", "") for name in SETS if name in files]
    except (MailerError, ConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, shot in shots.items():
        half = (shot.width // SHARP, shot.height // SHARP)
        kept = shot if name.startswith("phone") else shot.resize(half, SMOOTH)
        sys.stdout.write(f"{save(kept, f'edition-{name}')}\n")
    both = together(shots["desktop"], shots["phone"], shots["phone-dark"])
    sys.stdout.write(f"{save(both, 'edition')}\n")
    if phones:
        sys.stdout.write(f"{save(in_a_row(phones), 'sets')}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
