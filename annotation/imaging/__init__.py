"""Pixels: reading, cleaning and displaying medical images. Pure: no Django, database, settings or clock."""
