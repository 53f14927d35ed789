"""Coordinates of the charts of boards; the number is always printed beside the mark."""

from scoring.agreement.charts import MARGIN, WIDTH, Dot, axis, dot, place

__all__ = ["MARGIN", "WIDTH", "Dot", "axis", "dot", "place"]
