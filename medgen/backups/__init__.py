"""Backups: everything a home holds in one archive that either database can be restored from."""
