"""Pictures for an edition: local files in, small progressive JPEGs named by content out.

Each picture is made in two sizes, for the lead (1200x675, at most 150 kB) and for a thumbnail
(640x360, at most 40 kB), both shown at half their size or less so that they are sharp on dense
screens. Turned as its EXIF says, then every bit of EXIF is dropped; transparency is laid on
white. Quality steps down from 78 until the size fits.

A result is named by the SHA-256 of its bytes, so that a picture that was mailed never changes;
a note beside it under ``.sources/`` remembers which source gave it, so that doing it again costs
one hash. Refused: files outside the publication, more than 40 million pixels, more than 30 MB.
A picture that cannot be used is left out of the edition and reported, never a failure. One at an
https address is fetched once, by whoever hands in ``fetch`` and guards it, and served like the
others: no reader's program ever asks a stranger's server.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageOps

from mailer.articles.article import Article
from mailer.editions.checks.rulebook import found
from mailer.editions.finding import Finding
from mailer.editions.pictures import PreparedImage, PreparedImages, PreparedPicture
from mailer.editions.text import safe_url

MAX_PIXELS = 40_000_000
MAX_BYTES = 30_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITIES = (78, 72, 66, 60, 52, 44, 36, 28)
SHOWN_CHARS = 100
"""So much of a picture's name or address is repeated; one can hold a whole picture."""
RECIPE = "2"
"""Counts up when the steps here change, so that remembered results are made anew."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one use of a picture may measure and weigh."""

    width: int
    height: int
    max_bytes: int


LEAD = Size(1200, 675, 150_000)
THUMB = Size(640, 360, 40_000)
LOGO = Size(520, 200, 40_000)


class _Unusable(Exception):
    """A picture that cannot be used; the message says why."""


Fetch = Callable[[str], bytes | str]
"""Gives what an https address holds, or why not, as the end of a sentence about it."""

AT_ONCE = 6


def prepare_images(
    root: Path,
    articles: Iterable[Article],
    out: Path,
    *,
    logo: str = "",
    fetch: Fetch | None = None,
) -> PreparedImages:
    """Make every picture of the articles ready to be served.

    Args:
        root: the publication's folder; pictures are found below it.
        out: the folder of finished pictures; made when missing.
        logo: ``publication.theme.logo``; kept as PNG with its transparency.
        fetch: asked for https addresses that are not known yet, several at once; without it they
            are left out.
    Returns:
        Both sizes by ``src``, and one finding a picture that had to be left out.
    """
    pictures: dict[str, PreparedPicture] = {}
    findings: list[Finding] = []
    if logo:
        try:
            pictures[logo] = _prepare(_local(root, logo), out, is_logo=True)
        except _Unusable as error:
            findings.append(_left_out("publication.toml: theme.logo", logo, str(error)))
    with_pictures = [article for article in articles if article.picture and article.picture.src]
    fetched = _fetched([_src(article) for article in with_pictures], out, fetch)
    for article in with_pictures:
        src = _src(article)
        if src in pictures:
            continue
        try:
            if "://" in src:
                pictures[src] = _remote(src, out, fetched)
            else:
                pictures[src] = _prepare(_local(root, src), out, is_logo=False)
        except _Unusable as error:
            findings.append(_left_out(f"article {article.id!r}", src, str(error)))
    return PreparedImages(pictures, tuple(findings))


def _src(article: Article) -> str:
    return article.picture.src if article.picture else ""


def _left_out(whose: str, src: str, why: str) -> Finding:
    named = src if len(src) <= SHOWN_CHARS else f"{src[:SHOWN_CHARS]}…"
    said = f"{whose}: the picture {named} {why} and is left out"
    return found("picture-unusable", said, where=named)


def _fetched(sources: list[str], out: Path, fetch: Fetch | None) -> dict[str, bytes | str]:
    """Fetch what is at an https address and was never fetched, each address once."""
    wanted = [
        src
        for src in dict.fromkeys(sources)
        if safe_url(src, schemes=("https",)) and _remembered(_note_of(src, out), out) is None
    ]
    if not wanted or fetch is None:
        return {}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(fetch, wanted), strict=True))


def _note_of(url: str, out: Path) -> Path:
    name = hashlib.sha256(url.encode()).hexdigest()
    return out / ".sources" / f"{name}-address-{RECIPE}.json"


def _remote(url: str, out: Path, fetched: Mapping[str, bytes | str]) -> PreparedPicture:
    if not safe_url(url, schemes=("https",)):
        raise _Unusable("is not at an https address")
    note = _note_of(url, out)
    remembered = _remembered(note, out)
    if remembered:
        return remembered
    raw = fetched.get(url, "was not fetched")
    if isinstance(raw, str):
        raise _Unusable(f"cannot be fetched: it {raw},")
    return _made(raw, note, out, is_logo=False)


def _local(root: Path, src: str) -> Path:
    try:
        path = (root / src.lstrip("/")).resolve()
        is_there = path.is_file()
    except (OSError, ValueError):
        # A picture written into the address (data:…) is longer than a file's name may be.
        raise _Unusable("has a name that no file can have") from None
    if not path.is_relative_to(root.resolve()):
        raise _Unusable("is outside the publication's folder")
    if not is_there:
        raise _Unusable("is not there")
    return path


def _prepare(path: Path, out: Path, *, is_logo: bool) -> PreparedPicture:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _Unusable(f"is larger than {MAX_BYTES // 1_000_000} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise _Unusable(f"cannot be read ({error.strerror})") from None
    source = hashlib.sha256(raw).hexdigest()
    note = out / ".sources" / f"{source}-{'logo' if is_logo else 'photo'}-{RECIPE}.json"
    return _remembered(note, out) or _made(raw, note, out, is_logo=is_logo)


def _made(raw: bytes, note: Path, out: Path, *, is_logo: bool) -> PreparedPicture:
    if len(raw) > MAX_BYTES:
        raise _Unusable(f"is larger than {MAX_BYTES // 1_000_000} MB")
    image = _open(raw)
    if is_logo:
        lead = thumb = _keep(*_logo(image), out)
    else:
        lead, thumb = (_keep(*_photo(image, size), out) for size in (LEAD, THUMB))
    picture = PreparedPicture(lead, thumb)
    _write(note, json.dumps(asdict(picture), sort_keys=True).encode())
    return picture


def _remembered(note: Path, out: Path) -> PreparedPicture | None:
    try:
        data = json.loads(note.read_text(encoding="utf-8"))
        picture = PreparedPicture(PreparedImage(**data["lead"]), PreparedImage(**data["thumb"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_whole = all(
        (out / image.name).is_file() and (out / image.name).stat().st_size == image.size_bytes
        for image in (picture.lead, picture.thumb)
    )
    return picture if is_whole else None


def _open(raw: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels; our own limit is lower and comes first.
            warnings.simplefilter("ignore")
            image: Image.Image = Image.open(io.BytesIO(raw), formats=FORMATS)
            if image.width * image.height <= MAX_PIXELS:
                if image.format == "JPEG":
                    image.draft("RGB", (LEAD.width * 2, LEAD.height * 2))
                image.load()
                return ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:
        pass
    except Exception as error:  # noqa: BLE001 - decoders raise anything on broken files
        raise _Unusable(f"cannot be decoded ({type(error).__name__})") from None
    raise _Unusable(f"has more than {MAX_PIXELS // 1_000_000} million pixels")


def _photo(image: Image.Image, size: Size) -> tuple[bytes, int, int, str]:
    flat = _flatten(image)
    # A small picture is not blown up: it keeps the shape and as many pixels as it has.
    scale = min(1.0, flat.width / size.width, flat.height / size.height)
    target = (max(1, round(size.width * scale)), max(1, round(size.height * scale)))
    fitted = ImageOps.fit(flat, target, Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    for quality in QUALITIES:
        data = _jpeg(fitted, quality)
        if len(data) <= size.max_bytes:
            break
    while len(data) > size.max_bytes:
        # Grain that no quality can tame: fewer pixels then.
        fitted = fitted.resize((max(1, fitted.width // 2), max(1, fitted.height // 2)))
        data = _jpeg(fitted, QUALITIES[0])
    return data, fitted.width, fitted.height, "jpg"


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
    return buffer.getvalue()


def _logo(image: Image.Image) -> tuple[bytes, int, int, str]:
    kept = image.convert("RGBA")
    kept.thumbnail((LOGO.width, LOGO.height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    kept.save(buffer, "PNG", optimize=True)
    return buffer.getvalue(), kept.width, kept.height, "png"


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "#ffffff")
        ground.alpha_composite(layer)
        return ground.convert("RGB")
    return image.convert("RGB")


def _keep(data: bytes, width: int, height: int, suffix: str, out: Path) -> PreparedImage:
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
    path = out / name
    if not path.is_file() or path.stat().st_size != len(data):
        _write(path, data)
    return PreparedImage(name, width, height, len(data))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Renaming makes the file appear whole or not at all, also when two renders meet.
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    partial.write_bytes(data)
    partial.replace(path)
