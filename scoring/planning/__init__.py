"""How many items and readers a study needs."""
