"""The doctor warns of languages that nobody has translated the house's sentences into."""

from __future__ import annotations

from pathlib import Path

from tests.cli.driving import Mailer, change


def test_a_language_without_a_catalogue_is_warned_of(mailer: Mailer, publication: Path) -> None:
    def warned() -> list[str]:
        rows = mailer("doctor", "--json").data
        return [row["message"] for row in rows if "catalogue" in row["message"]]

    assert warned() == []
    change(publication / "publication.toml", r'^language = ".*"', 'language = "xx-notreal"')
    path = publication / "subscribers" / "wales.toml"
    path.write_text('language = "cy"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert warned() == [
        "publication.toml: language: there is no catalogue for 'xx-notreal'; English stands in",
        "subscribers/wales.toml: language: there is no catalogue for 'cy'; English stands in",
    ]
