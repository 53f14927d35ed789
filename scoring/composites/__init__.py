"""Declared combinations of the three tiers."""
