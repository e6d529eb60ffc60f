"""Free names are found without reading every name there is."""

from __future__ import annotations

from sqlalchemy import event, insert

from mailer.articles.freenames import FreeNames
from mailer.storage.database import Database
from mailer.storage.schema import directory_entries as table


def put(database: Database, *names: str) -> None:
    rows = [{"name": n, "address": "", "phone": "", "region": "", "origin": ""} for n in names]
    with database.write() as connection:
        connection.execute(insert(table), rows)


def free(database: Database, *wanted: str, held: tuple[str, ...] = ()) -> list[str]:
    with database.read() as connection:
        names = FreeNames(connection, table.c.name, wanted)
        names.take(held)
        return [names.free(name) for name in wanted]


def test_a_free_name_stays_and_a_taken_one_gets_a_number(database: Database) -> None:
    put(database, "boats", "boats-2", "boats-and-bridges", "quay")
    assert free(database, "boats", "mud", "mud", "quay") == ["boats-3", "mud", "mud-2", "quay-2"]
    assert free(database, "mud", held=("mud",)) == ["mud-2"]
    assert free(database, "boats", "boats", "boats") == ["boats-3", "boats-4", "boats-5"]


def test_a_gap_is_used_and_many_are_no_trouble(database: Database) -> None:
    put(database, "w", *(f"w-{n}" for n in range(2, 500) if n != 7))
    assert free(database, "w") == ["w-7"]
    put(database, "w-7")
    assert free(database, "w", "w") == ["w-500", "w-501"]


def test_a_long_name_is_cut_for_its_number(database: Database) -> None:
    long = "x" * 90
    put(database, long[:80])
    (found,) = free(database, long)
    assert found == f"{'x' * 75}-2"


def test_many_names_are_asked_for_together(database: Database) -> None:
    stems = [f"club-{letter}" for letter in "abcdefghijklmnopqrst"]
    put(database, *stems, *(f"{stem}-{n}" for stem in stems for n in range(2, 90)))
    asked: list[str] = []
    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        names = FreeNames(connection, table.c.name, stems)
        assert [names.free(stem) for stem in stems] == [f"{stem}-90" for stem in stems]
    # The names, their first numbers, doubles of those, and what is between two of them.
    assert len(asked) < len(stems) / 2
