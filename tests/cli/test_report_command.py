"""`mailer report audience`: the table, the figures and the picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.cli.driving import Mailer, change

SVG = "{http://www.w3.org/2000/svg}"


def test_joins_and_leaves_of_a_week(mailer: Mailer) -> None:
    before = mailer("report", "audience", "--weeks", "2", "--json").data
    wales = next(row for row in before["lists"] if row["region"] == "wales")
    assert wales["weeks"][-1]["joins"].keys() == {"roster"}
    assert wales["readers"] == wales["net"] > 0
    assert before["all"]["readers"] == sum(row["readers"] for row in before["lists"])

    assert mailer("subscribers", "add", "zed@reader.example", "-r", "wales").code == 0
    one = mailer("subscribers", "list", "-r", "wales", "--json").data[0]["address"]
    assert mailer("subscribers", "remove", one, "-r", "wales", "--yes").code == 0
    after = mailer("report", "audience", "-r", "wales", "--weeks", "1", "--json").data
    (week,) = after["all"]["weeks"]
    assert week["joins"]["operator"] == 1
    assert (week["left"], after["all"]["readers"]) == (1, wales["readers"])

    assert mailer("subscribers", "forget", "zed@reader.example", "--yes").code == 0
    (erased,) = mailer("report", "audience", "-r", "wales", "--weeks", "1", "--json").data["lists"]
    assert erased["joined"] == week["joined"]
    assert erased["weeks"][0]["leaves"]["erased"] == 1
    assert erased["readers"] == wales["readers"] - 1


def test_the_table_names_weeks_channels_and_lists(mailer: Mailer) -> None:
    said = mailer("report", "audience", "--weeks", "3")
    assert said.code == 0
    for word in ("2026-11-09", "2026-11-23", "roster", "operator", "Each list", "south-yorkshire"):
        assert word in said.out
    assert "Each list" not in mailer("report", "audience", "-r", "wales").out
    assert mailer("report", "audience", "-r", "atlantis").code == 4


def test_the_picture_is_one_file_with_words_in_it(
    mailer: Mailer, publication: Path, tmp_path: Path
) -> None:
    change(publication / "publication.toml", r"^title = .*$", 'title = "Lamp & <b>Light</b>"')
    picture = tmp_path / "growth.svg"
    said = mailer("report", "audience", "--svg", picture)
    assert said.code == 0
    root = ET.fromstring(picture.read_text(encoding="utf-8"))
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    ids = {child.attrib.get("id"): child.text or "" for child in root}
    title, described = (ids[each] for each in root.attrib["aria-labelledby"].split())
    assert title.startswith("Readers of Lamp & <b>Light</b>, all lists")
    assert "Week of 23 Nov 2026" in described
    assert "prefers-color-scheme: dark" in picture.read_text()
    names = [text.text for text in root.iter(f"{SVG}text")]
    assert "Wales" in names
    for word in ("http://", "https://", "<script", "url("):
        assert word not in picture.read_text().replace("http://www.w3.org/2000/svg", "")
    assert list(tmp_path.glob(".*")) == []
