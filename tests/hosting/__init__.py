"""The database of hosting, on SQLite and on a real PostgreSQL."""
