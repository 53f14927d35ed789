"""Metrics over the stored pixels of an output and its reference."""
