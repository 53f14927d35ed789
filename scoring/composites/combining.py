"""The arithmetic of a composite, one door for pages, workbook and JSON. Pure: no database, no settings, no clock.

Order, fixed: readings → mean over readers per output → transform → weights → veto → mean over outputs with the
declared weighting. `combine` gives one system's number with counts, bounds and receipt; `compare_systems` adds
intervals, paired differences and ranks from shared resamples; `tier_columns` shows the tiers beside it;
`simplex_winners` and `rank_changes_within` show what other weights would do.
"""

from scoring.composites.comparing import PairDifference, Standing, SystemComparison, compare_systems
from scoring.composites.declaration import (
    STATUSES,
    TIERS,
    VETOES,
    WEIGHTINGS,
    CombiningError,
    Component,
    Declaration,
    OutputRow,
    inputs_hash,
)
from scoring.composites.scores import OutputScore, Part, score_output
from scoring.composites.simplex import RankStability, SimplexPoint, rank_changes_within, simplex_winners
from scoring.composites.tiers import TierColumn, cannot_rank, tier_columns
from scoring.composites.totals import HEADLINE, Counts, ReceiptRow, SystemComposite, combine

__all__ = [
    "HEADLINE",
    "STATUSES",
    "TIERS",
    "VETOES",
    "WEIGHTINGS",
    "CombiningError",
    "Component",
    "Counts",
    "Declaration",
    "OutputRow",
    "OutputScore",
    "PairDifference",
    "Part",
    "RankStability",
    "ReceiptRow",
    "SimplexPoint",
    "Standing",
    "SystemComparison",
    "SystemComposite",
    "TierColumn",
    "cannot_rank",
    "combine",
    "compare_systems",
    "inputs_hash",
    "rank_changes_within",
    "score_output",
    "simplex_winners",
    "tier_columns",
]
