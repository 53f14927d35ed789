"""Datasets, items, their revisions, images and aliases; import of items."""
