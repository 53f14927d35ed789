"""Agreement between readers."""
