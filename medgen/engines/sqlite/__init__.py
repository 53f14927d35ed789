"""SQLite with searches and limits like those of PostgreSQL."""
