"""Segments as a user types them: counting, listing, exporting, and an issue for some readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mailer.app import open_app
from mailer.inbox.store import Store
from mailer.storage.schema import subscribers
from tests.cli.driving import ISSUE, Mailer, change

MEMBER = 'field.member = "yes"'


@pytest.fixture
def members(mailer: Mailer, publication: Path) -> set[str]:
    """Make every third reader of Wales a member; return their addresses."""
    rows = mailer("subscribers", "list", "-r", "wales", "--state", "confirmed", "--json").data
    chosen = {row["address"] for row in rows[::3]}
    assert 0 < len(chosen) < len(rows)
    with open_app(publication) as app, app.database.write() as connection:
        connection.execute(
            update(subscribers)
            .where(subscribers.c.address.in_(chosen))
            .values(fields={"member": "yes"}, language="cy")
        )
    return chosen


def test_count_list_and_export_agree(mailer: Mailer, members: set[str], tmp_path: Path) -> None:
    counted = mailer("subscribers", "count", "--where", MEMBER, "--region", "wales", "--json").data
    assert counted["readers"] == len(members)
    assert counted["lists"] == [
        {"region": "wales", "pending": 0, "confirmed": len(members), "unsubscribed": 0}
    ]
    listed = mailer("subscribers", "list", "-r", "wales", "--where", MEMBER, "--json").data
    assert {row["address"] for row in listed} == members
    out = tmp_path / "out.csv"
    assert mailer("subscribers", "export", "-r", "wales", "--where", MEMBER, "--out", out).code == 0
    assert {line.split(",")[0] for line in out.read_text().splitlines()[1:]} == members

    said = mailer("subscribers", "count", "--where", 'language = "cy" and region != "scotland"')
    assert said.code == 0
    assert f"{len(members)} readers may be mailed." in said.out


def test_a_field_that_nobody_has_is_named(mailer: Mailer, drafted: Path, members: set[str]) -> None:
    typo = "field.membre = 'yes' or field.member = 'no'"
    said = mailer("subscribers", "count", "--where", typo)
    assert said.code == 0
    assert "No reader has the field 'membre'" in said.err
    assert "'member'" not in said.err
    change(drafted, r"^sections:", f'audience: "{typo}"\nsections:')
    plan = mailer("send", "next", "--dry-run", "--json").data
    assert (plan["total"], plan["unknown_fields"]) == (0, ["membre"])
    assert "No reader has the field 'membre'" in mailer("send", "next", "--dry-run").err


@pytest.mark.parametrize(
    "words",
    [
        ("count", "--where", "town = 'x'"),
        ("list", "--where", "town = 'x'"),
        ("export", "--region", "wales", "--where", "town = 'x'"),
    ],
)
def test_a_mistake_is_one_line_with_its_column(mailer: Mailer, words: tuple[str, ...]) -> None:
    said = mailer("subscribers", *words)
    assert said.code == 1
    (line,) = said.error_lines
    assert "--where: column 1: there is no 'town'; a roster's field is field.town" in line
    assert said.out == ""


def planned(mailer: Mailer) -> Any:
    return mailer("send", "next", "--dry-run", "--json").data


def readers(plan: Any) -> set[str]:
    return {reader["address"] for row in plan["regions"] for reader in row["readers"]}


def test_an_issue_goes_to_its_segment_only(
    mailer: Mailer, inbox: Store, drafted: Path, publication: Path, members: set[str]
) -> None:
    everybody = readers(planned(mailer))
    change(drafted, r"^sections:", f"audience: '{MEMBER}'\nsections:")
    plan = planned(mailer)
    assert plan["audience"] == MEMBER
    assert readers(plan) == members & everybody
    assert f"Only to readers for whom: {MEMBER}" in mailer("send", "next", "--dry-run").out
    assert f"Only to readers for whom: {MEMBER}" in mailer("issue", "show", "next").out

    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert {message.recipients[0] for message in inbox.messages()} == members & everybody

    # Whoever becomes a member while the issue is out is planned late, by the rule as approved.
    drafted.write_text(drafted.read_text().replace(f"audience: '{MEMBER}'\n", ""))
    late = min(everybody - members)
    with open_app(publication) as app, app.database.write() as connection:
        connection.execute(
            update(subscribers)
            .where(subscribers.c.address == late)
            .values(fields={"member": "yes"})
        )
    assert readers(planned(mailer)) == {late}
    assert mailer("send", "next", "--yes").code == 0
    assert {m.recipients[0] for m in inbox.messages()} == {late, *(members & everybody)}


def test_changing_the_audience_voids_the_approval(
    mailer: Mailer, inbox: Store, drafted: Path, publication: Path
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    change(drafted, r"^sections:", f"audience: '{MEMBER}'\nsections:")
    said = mailer("send", "next", "--yes")
    assert said.code == 5
    assert "the audience rule" in said.err
    assert "its approval is void" in said.err

    assert mailer("issue", "approve", "next").code == 0
    change(publication / "subscribers" / "wales.toml", r"\A", "where = 'field.member is set'\n")
    said = mailer("send", "next", "--yes")
    assert said.code == 5
    assert "changed since it was approved (the audience rule)" in said.err
    assert inbox.ids() == []


def test_a_faulty_audience_is_said_with_file_and_line(mailer: Mailer, drafted: Path) -> None:
    change(drafted, r"^sections:", "audience: 'region = \"atlantis\"'\nsections:")
    line = drafted.read_text().splitlines().index("audience: 'region = \"atlantis\"'") + 1
    said = mailer("issue", "approve", "next")
    assert said.code == 1
    assert f"{ISSUE}.md:{line}: audience: column 1: there is no region 'atlantis'" in said.err


def test_a_list_is_narrowed_in_its_regions_file(
    mailer: Mailer, publication: Path, members: set[str]
) -> None:
    before = {row["region"]: len(row["readers"]) for row in planned(mailer)["regions"]}
    change(publication / "subscribers" / "wales.toml", r"\A", f"where = '{MEMBER}'\n")
    plan = planned(mailer)
    after = {row["region"]: len(row["readers"]) for row in plan["regions"]}
    assert 0 < after["wales"] < before["wales"]
    assert {r["where"] for r in plan["regions"] if r["region"] == "wales"} == {MEMBER}
    assert f"The list of wales is narrowed to: {MEMBER}" in mailer("send", "next", "--dry-run").out

    change(publication / "subscribers" / "wales.toml", r"\A.*$", "where = 'member = 5'")
    said = mailer("regions")
    assert said.code == 3
    assert "wales.toml:1: where: column 1: there is no 'member'" in said.err
