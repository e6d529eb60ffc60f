"""The lock that ends with its holder, on both kinds of database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mailer.storage.database import Database, open_database

ROOT = Path(__file__).parents[2]

HOLD = """
import sys
from pathlib import Path
from mailer.storage.database import open_database
with open_database(sys.argv[1], root=Path(sys.argv[2])).exclusive("scheduler") as is_held:
    print(is_held, flush=True)
    sys.stdin.read()
"""


def test_one_holder_at_a_time_and_each_name_apart(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    other = open_database(database_url, root=tmp_path)
    with (
        database.exclusive("scheduler") as first,
        other.exclusive("scheduler") as second,
        other.exclusive("sender") as third,
    ):
        assert (first, second, third) == (True, False, True)
    with other.exclusive("scheduler") as again:
        assert again
    other.close()


def test_it_is_given_back_when_the_work_fails(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.exclusive("scheduler"):
        raise ZeroDivisionError
    with database.exclusive("scheduler") as is_held:
        assert is_held


def test_a_killed_holder_holds_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, database_url, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "True"
    with database.exclusive("scheduler") as is_held:
        assert not is_held
    process.kill()
    process.communicate()
    # PostgreSQL's server notices the lost session a moment after the kernel does.
    for _ in range(100):
        with database.exclusive("scheduler") as is_held:
            if is_held:
                return
        subprocess.run(["sleep", "0.05"])
    raise AssertionError("the lock outlived its holder")
