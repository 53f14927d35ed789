"""Metrics over the words of an output and its reference."""
