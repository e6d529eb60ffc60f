"""Preview: files that open without a network."""

from __future__ import annotations

import re
from pathlib import Path

from mailer.editions.edition import SLOTS
from mailer.editions.images import prepare_images
from mailer.editions.preview import PREVIEW_WEB_URL, sample_fields, write_preview
from tests.browser.sampling import (
    WEB_URL,
    draw_picture,
    make_articles,
    make_publication,
    render,
)


def written(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    for name in ("quay", "pier"):
        draw_picture(tmp_path / "images" / f"{name}.png")
    folder = tmp_path / "var" / "images"
    prepared = prepare_images(tmp_path, make_articles().values(), folder)
    publication = make_publication()
    out = tmp_path / "out"
    files = write_preview(
        render(images=prepared.pictures),
        out,
        fields=sample_fields(publication, publication.region("wales"), web_url=WEB_URL),
        images=folder,
        web_url=WEB_URL,
    )
    return out, files


def test_there_is_a_sample_value_for_every_slot() -> None:
    publication = make_publication()
    fields = sample_fields(publication, publication.region("wales"))
    assert set(fields) == set(SLOTS)
    assert all(fields.values())
    assert fields["unsubscribe_url"].startswith(PREVIEW_WEB_URL)
    assert fields["greeting"] == "Dear Ada Reader,"


def test_files_stand_alone(tmp_path: Path) -> None:
    out, files = written(tmp_path)
    assert files == {"html": out / "wales.html", "text": out / "wales.txt"}
    html = files["html"].read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]+)"', html)
    assert len(sources) == 2
    for source in sources:
        assert (out / source).is_file()
    assert "Dear Ada Reader," in files["text"].read_text(encoding="utf-8")


def test_writing_again_leaves_the_same_files_and_no_scraps(tmp_path: Path) -> None:
    out, files = written(tmp_path)
    before = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    written(tmp_path)
    after = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert before == after
    assert not [name for name in after if name.endswith(".part")]
    assert files["html"].name in after


def test_a_picture_that_is_gone_does_not_stop_a_preview(tmp_path: Path) -> None:
    publication = make_publication()
    files = write_preview(
        render(),
        tmp_path / "out",
        fields=sample_fields(publication, publication.region("wales")),
        images=tmp_path / "nowhere",
        web_url=WEB_URL,
    )
    assert files["html"].is_file()
