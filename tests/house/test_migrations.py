"""The database a new installation gets is the one the code describes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from mailer.storage.database import HEAD, Database, open_database
from mailer.storage.migrating import configuration
from mailer.storage.schema import metadata

ROOT = Path(__file__).parents[2]


def test_head_is_the_newest_revision() -> None:
    script = ScriptDirectory.from_config(configuration())
    assert script.get_heads() == [HEAD]
    assert [revision.revision for revision in script.walk_revisions()][-1] == "0001"


def test_a_migrated_database_is_what_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert found == HEAD


def test_an_open_database_does_not_cost_alembic(tmp_path: Path) -> None:
    open_database("", root=tmp_path).close()
    program = (
        "import sys; from pathlib import Path; from mailer.storage.database import open_database;"
        "open_database('', root=Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr
