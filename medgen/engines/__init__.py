"""SQLite and PostgreSQL made alike: what either would store, cut or refuse alone, both refuse in equal words."""
