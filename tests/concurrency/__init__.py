"""Many at once against a real server process, on SQLite and on PostgreSQL, through the addresses that readers use."""
