"""Readers of benchmark items and of what systems generated: every layout, one line at a time."""
