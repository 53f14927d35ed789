"""Frozen, checksummed sets of item revisions."""
