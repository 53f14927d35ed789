"""Metrics and judges held against the experts."""
