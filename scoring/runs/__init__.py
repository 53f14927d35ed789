"""Metric settings, runs and values."""
