"""Preferences: which output of a reading is better, said blind."""
