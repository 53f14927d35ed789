"""Preferences of readers as numbers: who is better than whom, by how much, and what the side of the screen does."""
