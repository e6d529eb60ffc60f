"""The publication's files: what is good, and every fault at once with file, line and key."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from mailer.audience.eligibility import most_specific_first
from mailer.errors import ConfigurationError, Fault
from mailer.publication import Publication, load_publication

MAIN = """\
title = "The Lantern"
publisher = "Lantern Press Co-operative"
postal_address = "12 Harbour Street,\u00a0Exbridge"
from_name = "The Lantern"
from_address = "briefing@lantern.example"
time_zone = "Europe/London"
regions = ["national", "wales", "cardiff"]

[schedule]
send_time = 07:00:00

[[sections]]
slug = "news"
title = "News"
quota = 5
"""


def region_file(slug: str, /, **keys: str) -> str:
    values = {
        "name": slug.title(),
        "list_id": f"{slug}.lantern.example",
        "reply_to": f"{slug}@lantern.example",
    } | keys
    return "".join(f'{key} = "{value}"\n' for key, value in values.items())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "publication.toml").write_text(MAIN, encoding="utf-8")
    (tmp_path / "subscribers").mkdir()
    put(tmp_path, "national")
    put(tmp_path, "wales", parent="national", send_time="07:30")
    put(tmp_path, "cardiff", parent="wales", time_zone="Europe/Lisbon")
    return tmp_path


def put(root: Path, slug: str, /, **keys: str) -> None:
    path = root / "subscribers" / f"{slug}.toml"
    path.write_text(region_file(slug, **keys), encoding="utf-8")


def change(root: Path, old: str, new: str) -> None:
    path = root / "publication.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults(root: Path) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load_publication(root)
    return list(caught.value.faults)


def only_fault(root: Path) -> Fault:
    (fault,) = faults(root)
    assert fault.where.startswith(str(root))
    return fault


def test_a_good_publication(root: Path) -> None:
    publication = load_publication(root)
    assert isinstance(publication, Publication)
    assert list(publication.region_map) == ["national", "wales", "cardiff"]
    assert publication.send_time(publication.region("national")) == time(7)
    assert publication.send_time(publication.region("wales")) == time(7, 30)
    assert publication.region("wales").time_zone == "Europe/London"
    assert publication.region("cardiff").time_zone == "Europe/Lisbon"
    assert publication.ladder("cardiff") == ("cardiff", "wales", "national")
    assert publication.faults_before_sending() == []
    with pytest.raises(KeyError):
        publication.region("atlantis")


def test_the_deeper_region_comes_first(root: Path) -> None:
    regions = load_publication(root).region_map
    assert most_specific_first(regions) == ("cardiff", "wales", "national")


def test_what_only_sending_needs_may_be_missing(root: Path) -> None:
    for key in ("publisher", "postal_address", "from_name", "from_address"):
        line = next(each for each in MAIN.splitlines() if each.startswith(key))
        change(root, line + "\n", "")
    lacking = load_publication(root).faults_before_sending()
    assert [fault.field for fault in lacking] == [
        "postal_address",
        "publisher",
        "from_name",
        "from_address",
    ]
    assert all(fault.where == str(root / "publication.toml") for fault in lacking)


@pytest.mark.parametrize(
    ("author", "envelope", "is_fine"),
    [
        ("lantern.example", "lantern.example", True),
        ("lantern.example", "bounce.lantern.example", True),
        ("news.lantern.example", "lantern.example", True),
        ("news.lantern.example", "a.bounce.lantern.example", True),
        ("Lantern.example", "bounce.LANTERN.example", True),
        ("bücher.example", "bounce.xn--bcher-kva.example", True),
        ("lantern.co.uk", "bounce.lantern.co.uk", True),
        ("lantern.example", "bounces.relay.example", False),
        ("lantern.example", "notlantern.example", False),
        ("lantern.co.uk", "relay.co.uk", False),
    ],
)
def test_bounces_come_back_to_the_authors_own_domain(
    root: Path, author: str, envelope: str, is_fine: bool
) -> None:
    loaded = load_publication(root).model_copy(
        update={"from_address": f"briefing@{author}", "bounce_domain": envelope}
    )
    found = [fault.field for fault in loaded.faults_before_sending()]
    assert found == ([] if is_fine else ["bounce_domain"])


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "problem"),
    [
        ('title = "The L', 'titel = "The L', 1, "titel", "not a known key"),
        ('"The Lantern"\npub', '"A\\nB"\npub', 1, "title", "line break"),
        ("briefing@lantern.example", "briefing", 5, "from_address", "not a mail address"),
        ("briefing@lantern.example", "b@l.example>", 5, "from_address", "not a mail address"),
        ("briefing@lantern.example", "b@l..example", 5, "from_address", "not a mail address"),
        ("briefing@lantern.example", "zoë@l.example", 5, "from_address", "not a mail address"),
        ("Europe/London", "Europe/Exbridge", 6, "time_zone", "not a time zone"),
        ("Europe/London", "../etc/passwd", 6, "time_zone", "not a time zone"),
        ("07:00:00", '"7 am"', 10, "schedule.send_time", "not a time of day"),
        ("07:00:00", '"24:00"', 10, "schedule.send_time", "not a time of day"),
        ("07:00:00", "7", 10, "schedule.send_time", "not a time of day"),
        ("quota = 5", "quota = 0", 15, "sections.0.quota", "must be 1 or more"),
        ("quota = 5", "quota = 5\nminimum = 6", 12, "sections.0", "minimum 6"),
        ("quota = 5", "quota = 5\nminimun = 1", 16, "sections.0.minimun", "not a known key"),
        ('slug = "news"', 'slug = "The News"', 13, "sections.0.slug", "not a slug"),
        ("quota = 5", "quota = 5\n[theme]\nink = 'red'", 17, "theme.ink", "is not a colour"),
        ("quota = 5", "quota = 5\n[theme]\nfont = 'x;y'", 17, "theme.font", "names no fonts"),
        ("quota = 5", "quota = 5\n[theme]\nradius = 99", 17, "theme.radius", "24"),
        ("quota = 5", "quota = 5\nlook = 'cards'", 16, "sections.0.look", "list"),
        (
            "quota = 5",
            "quota = 5\n[selection]\nhalf_life_days = inf",
            17,
            "selection.half_life_days",
            "finite",
        ),
        ('"cardiff"]', '"cardiff", "wales"]', None, "", "names wales twice"),
    ],
)
def test_a_fault_of_the_main_file(
    root: Path, old: str, new: str, line: int | None, field: str, problem: str
) -> None:
    change(root, old, new)
    found = faults(root)
    assert [(f.line, f.field) for f in found if problem in f.problem] == [(line, field)]
    # A misspelt key that is needed is missing, too; nothing else is ever said twice.
    assert len(found) == (2 if field == "titel" else 1)
    assert found[0].where == str(root / "publication.toml")


def test_one_bad_time_zone_is_one_fault_not_one_a_region(root: Path) -> None:
    change(root, "Europe/London", "Mars/Olympus")
    assert only_fault(root).field == "time_zone"
    change(root, 'time_zone = "Mars/Olympus"\n', "")
    assert only_fault(root).problem == "is missing"


def test_a_slug_never_leaves_the_folder(root: Path) -> None:
    (root / "secret.toml").write_text("password = 1\n")
    change(root, '"cardiff"]', '"cardiff", "../secret"]')
    fault = only_fault(root)
    assert fault.field == "regions.3"
    assert "password" not in str(fault)


@pytest.mark.parametrize(
    ("keys", "field", "problem"),
    [
        ({"parent": "atlantis"}, "parent", "not a region of the publication"),
        ({"parent": "wales"}, "parent", "wales > wales"),
        ({"slug": "cymru"}, "slug", "the file is named wales.toml"),
        ({"list_id": "The Wales List"}, "", "RFC 2919"),
        ({"list_id": "national.lantern.example"}, "list_id", "national's already"),
        ({"reply_to": "wales"}, "reply_to", "not a mail address"),
        ({"send_time": "dawn"}, "send_time", "not a time of day"),
        ({"time_zone": "Wales"}, "time_zone", "not a time zone"),
        ({"language": "Welsh!"}, "language", "is not a language's tag"),
        ({"colour": "red"}, "colour", "not a known key"),
    ],
)
def test_a_fault_of_a_region(root: Path, keys: dict[str, str], field: str, problem: str) -> None:
    put(root, "wales", **keys)
    fault = only_fault(root)
    assert fault.where == str(root / "subscribers" / "wales.toml")
    assert fault.field == field
    assert problem in fault.problem


def test_a_circle_of_parents_is_told_once(root: Path) -> None:
    put(root, "national", parent="cardiff")
    fault = only_fault(root)
    assert "national > cardiff > wales > national" in fault.problem


def test_a_faulty_parent_is_not_blamed_on_its_children(root: Path) -> None:
    (root / "subscribers" / "national.toml").write_text("name = \n")
    fault = only_fault(root)
    assert (fault.where, fault.line) == (str(root / "subscribers" / "national.toml"), 1)


def test_every_fault_of_every_file_at_once(root: Path) -> None:
    change(root, "quota = 5", "quota = 500")
    (root / "subscribers" / "wales.toml").unlink()
    put(root, "cardiff", parent="national", reply_to="nobody")
    assert [(Path(f.where).name, f.field) for f in faults(root)] == [
        ("publication.toml", "sections.0.quota"),
        ("wales.toml", ""),
        ("cardiff.toml", "reply_to"),
    ]


def test_no_publication_here(tmp_path: Path) -> None:
    fault = only_fault(tmp_path)
    assert fault.problem == "the file is missing"
    assert "mailer init" in fault.remedy


SOURCE = """
[[sources]]
name = "Town Feed"
url = "https://town.example/feed"
"""


def sourced(root: Path, text: str) -> None:
    path = root / "publication.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_source_has_defaults(root: Path) -> None:
    sourced(root, SOURCE)
    (source,) = load_publication(root).sources
    assert (source.name, source.place) == ("Town Feed", "https://town.example/feed")
    assert (source.weight, source.every_minutes, source.is_enabled) == (1.0, 60, True)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('file = "feeds/x.xml"', "not both"),
        ("weight = -1", "must be 0 or more"),
        ("weight = inf", "finite"),
        ("every_minutes = 1", "must be 5 or more"),
        ('section = "sport"', "which there is not; use one of news"),
        ('regions = ["mars"]', "use one of national, wales, cardiff"),
        ('cadence = "daily"', "is not a known key"),
        (SOURCE.replace("Town  Feed", "town feed"), "the name 'town feed' twice"),
        (SOURCE.replace("Town Feed", "Other"), "the place 'https://town.example/feed' twice"),
        ('[[sources]]\nname = "B"\nfile = "../x.xml"', "leads out of the publication's folder"),
        ('[[sources]]\nname = "B"\nfile = "/etc/passwd"', "leads out of the publication's folder"),
        ('[[sources]]\nname = "B"\nurl = "https://a:b@x.example/"', "name or password"),
        ('[[sources]]\nname = "B"\nurl = "file:///etc/passwd"', "is not a web address"),
        ('[[sources]]\nname = "B"', "needs a url or a file"),
    ],
)
def test_a_faulty_source_is_named(root: Path, more: str, says: str) -> None:
    sourced(root, SOURCE + more + "\n")
    with pytest.raises(ConfigurationError) as caught:
        load_publication(root)
    (fault,) = caught.value.faults
    assert says in str(fault)
