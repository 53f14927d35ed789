"""PostgreSQL with the same refusals as SQLite."""
