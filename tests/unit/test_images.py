"""Pictures: sizes, weight, names by content, and files that must not get through."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mailer.articles.article import Picture
from mailer.editions import images
from mailer.editions.images import LEAD, THUMB, prepare_images
from mailer.editions.pictures import PreparedImages
from tests.browser.sampling import draw_picture, make_article


def prepare(root: Path, src: str, **changes: Any) -> PreparedImages:
    article = make_article(picture=Picture(src=src, alt="x", credit="y"))
    return prepare_images(root, [article], root / "var" / "images", **changes)


def opened(root: Path, name: str) -> Image.Image:
    return Image.open(io.BytesIO((root / "var" / "images" / name).read_bytes()))


def test_both_sizes_are_small_progressive_jpegs(tmp_path: Path) -> None:
    draw_picture(tmp_path / "images" / "a.png")
    picture = prepare(tmp_path, "images/a.png").pictures["images/a.png"]
    for prepared, size in ((picture.lead, LEAD), (picture.thumb, THUMB)):
        image = opened(tmp_path, prepared.name)
        assert image.format == "JPEG"
        assert image.info["progressive"]
        assert image.size == (prepared.width, prepared.height) == (size.width, size.height)
        path = tmp_path / "var" / "images" / prepared.name
        assert prepared.size_bytes == path.stat().st_size <= size.max_bytes


def test_noise_is_squeezed_into_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "images" / "noise.png"
    path.parent.mkdir()
    Image.effect_noise((1400, 900), 60).convert("RGB").save(path)
    picture = prepare(tmp_path, "images/noise.png").pictures["images/noise.png"]
    assert picture.thumb.size_bytes <= THUMB.max_bytes
    assert picture.lead.size_bytes <= LEAD.max_bytes


def test_names_follow_the_content(tmp_path: Path) -> None:
    draw_picture(tmp_path / "images" / "a.png")
    (tmp_path / "images" / "b.png").write_bytes((tmp_path / "images" / "a.png").read_bytes())
    draw_picture(tmp_path / "images" / "c.png", (1601, 1001))
    names = {
        name: prepare(tmp_path, f"images/{name}.png").pictures[f"images/{name}.png"].lead.name
        for name in "abc"
    }
    assert names["a"] == names["b"] != names["c"]


def test_doing_it_again_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_picture(tmp_path / "images" / "a.png")
    first = prepare(tmp_path, "images/a.png")
    monkeypatch.setattr(images, "_open", lambda raw: pytest.fail("decoded again"))
    assert prepare(tmp_path, "images/a.png") == first


def test_a_result_that_was_lost_is_made_again(tmp_path: Path) -> None:
    draw_picture(tmp_path / "images" / "a.png")
    first = prepare(tmp_path, "images/a.png")
    (tmp_path / "var" / "images" / first.pictures["images/a.png"].lead.name).unlink()
    assert prepare(tmp_path, "images/a.png") == first
    assert opened(tmp_path, first.pictures["images/a.png"].lead.name).size == (1200, 675)


def test_a_damaged_note_is_ignored(tmp_path: Path) -> None:
    draw_picture(tmp_path / "images" / "a.png")
    first = prepare(tmp_path, "images/a.png")
    for note in (tmp_path / "var" / "images" / ".sources").iterdir():
        note.write_text('{"lead": 1}')
    assert prepare(tmp_path, "images/a.png") == first


def test_exif_is_obeyed_and_dropped(tmp_path: Path) -> None:
    path = tmp_path / "images" / "a.jpg"
    path.parent.mkdir()
    image = Image.new("RGB", (1000, 1800), "#203040")
    image.paste("#f0d0a0", (0, 0, 1000, 900))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a secret place"
    image.save(path, exif=exif)
    picture = prepare(tmp_path, "images/a.jpg").pictures["images/a.jpg"]
    result = opened(tmp_path, picture.lead.name)
    assert not result.getexif()
    # Turned a quarter clockwise, the light half stands at the right.
    assert result.convert("RGB").getpixel((result.width - 20, 300))[0] > 200
    assert result.convert("RGB").getpixel((20, 300))[0] < 60


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    path = tmp_path / "images" / "a.png"
    path.parent.mkdir()
    Image.new("RGBA", (1300, 800), (0, 0, 0, 0)).save(path)
    picture = prepare(tmp_path, "images/a.png").pictures["images/a.png"]
    assert opened(tmp_path, picture.thumb.name).convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_a_small_picture_is_not_blown_up(tmp_path: Path) -> None:
    draw_picture(tmp_path / "images" / "a.png", (320, 300))
    picture = prepare(tmp_path, "images/a.png").pictures["images/a.png"]
    assert (picture.lead.width, picture.lead.height) == (320, 180)


def test_a_logo_stays_png_with_its_transparency(tmp_path: Path) -> None:
    path = tmp_path / "images" / "logo.png"
    path.parent.mkdir()
    Image.new("RGBA", (900, 400), (10, 20, 30, 0)).save(path)
    prepared = prepare_images(tmp_path, [], tmp_path / "var" / "images", logo="images/logo.png")
    logo = opened(tmp_path, prepared.pictures["images/logo.png"].lead.name)
    assert (logo.format, logo.mode) == ("PNG", "RGBA")
    assert logo.height <= 200


@pytest.mark.parametrize(
    ("src", "words"),
    [
        ("images/nowhere.png", "is not there"),
        ("../outside.png", "outside the publication"),
        ("/etc/hostname", "is not there"),
        (f"images/{'a' * 300}.png", "a name that no file can have"),
        (f"data:image/png;base64,{'A' * 5000}", "a name that no file can have"),
        ("images/a\0.png", "a name that no file can have"),
        ("images/text.png", "cannot be decoded"),
        ("images/cut.png", "cannot be decoded"),
        ("images/bomb.png", "million pixels"),
        ("images/vector.svg", "cannot be decoded"),
        ("http://a.example/a.png", "not at an https address"),
        ("file:///etc/passwd", "not at an https address"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_reported(tmp_path: Path, src: str, words: str) -> None:
    root = tmp_path / "publication"
    draw_picture(tmp_path / "outside.png", (40, 30))
    draw_picture(root / "images" / "whole.png", (400, 300))
    (root / "images" / "text.png").write_text("not a picture")
    whole = (root / "images" / "whole.png").read_bytes()
    (root / "images" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "images" / "vector.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (root / "images" / "bomb.png").write_bytes(_bomb(30_000, 30_000))
    prepared = prepare(root, src)
    assert prepared.pictures == {}
    (finding,) = prepared.findings
    assert words in finding.message
    assert len(finding.message) < 200
    assert "'ferry'" in finding.message
    assert finding.level == "warning"


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


REMOTE = "https://pictures.example/a.jpg"


def test_a_picture_at_an_address_is_fetched_once_and_served_like_the_others(tmp_path: Path) -> None:
    draw_picture(tmp_path / "source.png", (800, 500))
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return (tmp_path / "source.png").read_bytes()

    first = prepare(tmp_path, REMOTE, fetch=fetch)
    assert first.findings == ()
    assert opened(tmp_path, first.pictures[REMOTE].lead.name).format == "JPEG"
    # Known now, also where nothing may be fetched.
    assert prepare(tmp_path, REMOTE, fetch=fetch) == prepare(tmp_path, REMOTE) == first
    assert asked == [REMOTE]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("answered 404", "cannot be fetched: it answered 404, and is left out"),
        (b"<html>a page</html>", "cannot be decoded"),
        (None, "was not fetched"),
    ],
)
def test_one_that_cannot_be_had_is_left_out(
    tmp_path: Path, answer: bytes | str | None, words: str
) -> None:
    fetch = None if answer is None else (lambda _url: answer)
    prepared = prepare(tmp_path, REMOTE, fetch=fetch)
    assert prepared.pictures == {}
    (finding,) = prepared.findings
    assert words in finding.message
    assert (finding.level, finding.code) == ("warning", "picture-unusable")


def test_a_large_file_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_picture(tmp_path / "images" / "a.png", (40, 30))
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    (finding,) = prepare(tmp_path, "images/a.png").findings
    assert "larger than" in finding.message
