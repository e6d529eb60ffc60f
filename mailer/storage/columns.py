"""What the schema's tables share: names' convention, closed sets of words, partial indexes."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """Return the constraint that a column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def partial_index(name: str, *columns: str, where: str) -> Index:
    """Return an index of the rows of which a condition holds.

    SQLAlchemy reads PostgreSQL's dialect as soon as an index has a word for it, with every driver
    it knows, which costs a command on SQLite a fortieth of a second; so it has none until
    ``tell_postgresql`` is called, which migrations do.
    """
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


def tell_postgresql() -> None:
    """Give every partial index its condition for PostgreSQL too."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info["where"])
