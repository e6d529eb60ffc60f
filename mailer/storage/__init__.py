"""The database: engine, schema, migrations. SQLite by default, PostgreSQL by its URL."""
