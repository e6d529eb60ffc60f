"""`mailer form`: what a publisher pastes into their own website."""

from __future__ import annotations

from pathlib import Path

from tests.cli.driving import Mailer, change


def test_the_form_leads_to_the_regions_page(mailer: Mailer, publication: Path) -> None:
    change(
        publication / ".env", r"^MAILER_WEB_URL=.*$", "MAILER_WEB_URL=https://lantern.example/post"
    )
    said = mailer("form", "wales")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith('<form action="https://lantern.example/post/join/wales"')
    assert said.out.rstrip().endswith("</form>")
    for name in ("address", "name"):
        assert f' name="{name}"' in said.out
    assert "<script" not in said.out


def test_a_form_needs_a_region_and_the_readers_web_address(
    mailer: Mailer, publication: Path
) -> None:
    unknown = mailer("form", "atlantis")
    assert (unknown.code, unknown.out) == (4, "")
    assert len(unknown.error_lines) == 1
    assert "atlantis" in unknown.err

    change(publication / ".env", r"^MAILER_WEB_URL=.*$", "MAILER_WEB_URL=")
    homeless = mailer("form", "wales")
    assert (homeless.code, homeless.out) == (3, "")
    assert len(homeless.error_lines) == 1
    assert "MAILER_WEB_URL" in homeless.err
