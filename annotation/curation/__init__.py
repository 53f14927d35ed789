"""Checklists, reviews and the states an item passes through."""
