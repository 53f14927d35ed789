"""Tests of the pure metrics: hand-worked numbers, published recipes, independent implementations."""
