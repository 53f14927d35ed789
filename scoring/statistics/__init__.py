"""Agreement, intervals, tests and ranks from numbers alone. `docs/statistics.md` says which to use when.

Every statistic is a finite float or an `UndefinedStatisticError` with a reason, never NaN.
"""

from scoring.statistics.agreement import (
    PairAgreement,
    pairwise_agreement,
    percent_agreement,
    positive_agreement,
)
from scoring.statistics.alpha import alpha_from_counts, alpha_interval, krippendorff_alpha
from scoring.statistics.blinding import BlindingIndex, bang_index, james_index
from scoring.statistics.calibration import (
    ExpertCorrelation,
    Gaps,
    Verdict,
    expert_correlation,
    expert_means,
    gaps,
    verdict,
)
from scoring.statistics.ceiling import Ceiling, SameTarget, human_ceiling, judge_kappa
from scoring.statistics.certificate import Certificate, Refusal, certify
from scoring.statistics.composite_fit import CompositeFit, FittedWeight, OutOfCluster, fit_composite
from scoring.statistics.correlation import kendall_tau_b, spearman
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.facets import (
    AdjustedDifference,
    AdjustedSystem,
    FacetFit,
    FacetLevel,
    adjusted_difference,
    many_facet,
)
from scoring.statistics.gwet import gwet_ac
from scoring.statistics.icc import icc, icc_interval
from scoring.statistics.icc_bootstrap import icc_cluster_interval
from scoring.statistics.intervals import (
    Interval,
    bootstrap_interval,
    paired_difference_interval,
    reader_cluster_interval,
    wilson_interval,
)
from scoring.statistics.kappa import cohen_kappa, fleiss_kappa
from scoring.statistics.limits import LimitsOfAgreement, limits_of_agreement
from scoring.statistics.measured_coverage import MeasuredCoverage, measured_coverage
from scoring.statistics.mixed import icc_reml
from scoring.statistics.planning import (
    ExpectedWidth,
    closed_form_width,
    expected_width,
    require_frequent,
    smallest_study,
)
from scoring.statistics.planning_grades import Components, StudySize, typical_components
from scoring.statistics.prediction_powered import (
    PredictionPowered,
    prediction_powered_difference,
    prediction_powered_mean,
    rectified_mean,
)
from scoring.statistics.preferences import (
    PairCounts,
    StrengthIntervals,
    pair_counts,
    strength_intervals,
    values_of_first,
)
from scoring.statistics.ranking import (
    Comparison,
    RankInterval,
    Strengths,
    bradley_terry,
    rank_intervals,
    ranks,
)
from scoring.statistics.significance import holm, sign_flip_test
from scoring.statistics.summary import PassShare, pass_share, standard_deviation
from scoring.statistics.thresholds import Accuracy, PassThreshold, accuracy_at, pass_threshold

__all__ = [
    "Accuracy",
    "AdjustedDifference",
    "AdjustedSystem",
    "BlindingIndex",
    "Ceiling",
    "Certificate",
    "Comparison",
    "Components",
    "CompositeFit",
    "ExpectedWidth",
    "ExpertCorrelation",
    "FacetFit",
    "FacetLevel",
    "FittedWeight",
    "Gaps",
    "Interval",
    "LimitsOfAgreement",
    "MeasuredCoverage",
    "OutOfCluster",
    "PairAgreement",
    "PairCounts",
    "PassShare",
    "PassThreshold",
    "PredictionPowered",
    "RankInterval",
    "Refusal",
    "SameTarget",
    "StrengthIntervals",
    "Strengths",
    "StudySize",
    "UndefinedStatisticError",
    "Verdict",
    "accuracy_at",
    "adjusted_difference",
    "alpha_from_counts",
    "alpha_interval",
    "bang_index",
    "bootstrap_interval",
    "bradley_terry",
    "certify",
    "closed_form_width",
    "cohen_kappa",
    "expected_width",
    "expert_correlation",
    "expert_means",
    "fit_composite",
    "fleiss_kappa",
    "gaps",
    "gwet_ac",
    "holm",
    "human_ceiling",
    "icc",
    "icc_cluster_interval",
    "icc_interval",
    "icc_reml",
    "james_index",
    "judge_kappa",
    "kendall_tau_b",
    "krippendorff_alpha",
    "limits_of_agreement",
    "many_facet",
    "measured_coverage",
    "pair_counts",
    "paired_difference_interval",
    "pairwise_agreement",
    "pass_share",
    "pass_threshold",
    "percent_agreement",
    "positive_agreement",
    "prediction_powered_difference",
    "prediction_powered_mean",
    "rank_intervals",
    "ranks",
    "reader_cluster_interval",
    "rectified_mean",
    "require_frequent",
    "sign_flip_test",
    "smallest_study",
    "spearman",
    "standard_deviation",
    "strength_intervals",
    "typical_components",
    "values_of_first",
    "verdict",
    "wilson_interval",
]
