"""Drafts, grades and the workstation."""
