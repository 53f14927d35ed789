"""Immutable bytes, addressed by the checksum of what is stored."""
