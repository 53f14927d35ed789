"""Automated metrics as pure functions: a finite float, or a typed reason why there is none."""
