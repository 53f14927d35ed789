"""Tests of metrics and judges held against the experts."""
