"""Collects the rooms' models; import them from the rooms themselves."""

from scoring.agreement.models import AnalysisRun
from scoring.calibration.models import Judge, Judgment, JudgmentImport, StatedLimit
from scoring.composites.models import Composite, CompositeComponent
from scoring.exports.models import ExportJob
from scoring.runs.models import MetricRun, MetricSettings, MetricValue

__all__ = [
    "AnalysisRun",
    "Composite",
    "CompositeComponent",
    "ExportJob",
    "Judge",
    "Judgment",
    "JudgmentImport",
    "MetricRun",
    "MetricSettings",
    "MetricValue",
    "StatedLimit",
]
