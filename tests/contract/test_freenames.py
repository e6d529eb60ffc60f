"""Free names are found without reading every name there is."""

from __future__ import annotations

from sqlalchemy import insert

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
