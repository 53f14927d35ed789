"""What a correlation with the experts has to reach in a study: stated by an analyst, kept with who and when."""

from dataclasses import dataclass
from typing import cast

from django.db import transaction

from annotation.audit.record import chain_of, hold, record
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Study
from scoring.calibration.errors import LimitError
from scoring.calibration.models import StatedLimit
from scoring.calibration.seals import STATED, seal_of_limit
from scoring.statistics.association import KINDS, Kind
from scoring.statistics.calibration import ACCEPTABLE, SCOPES, Scope

PASSING_SHARE = 0.75
"""Where nothing is stated, an output passes for the experts from three quarters of the way to the best value."""


@dataclass(frozen=True)
class Limit:
    """The limit that holds now.

    Attributes:
        kind: pearson, spearman or kendall.
        scope: pooled or within system.
        limit: what the lower end of the interval has to reach.
        passes_from: stated value from which an output passes for the experts; None when none is.
        row: the statement; None while nobody made one.
    """

    kind: Kind
    scope: Scope
    limit: float
    passes_from: float | None = None
    row: StatedLimit | None = None

    @property
    def key(self) -> list[object]:
        return [self.kind, self.scope, self.limit, self.passes_from]

    def passing(self, categories: tuple[float, ...], *, falling: bool) -> float:
        """From which mean of the experts an output passes; up to which, where a higher value is worse."""
        low, high = categories[0], categories[-1]
        if self.passes_from is not None and low < self.passes_from <= high:
            return self.passes_from
        share = 1 - PASSING_SHARE if falling else PASSING_SHARE
        return low + share * (high - low)


def present_limit(study: Study) -> Limit:
    """The newest statement, or Spearman within systems of at least 0.7, as the benchmark's protocol has it."""
    row = StatedLimit.objects.filter(study=study).select_related("stated_by").first()
    if row is None:
        return Limit("spearman", "within system", ACCEPTABLE)
    return Limit(cast(Kind, row.kind), cast(Scope, row.scope), row.limit, row.passes_from, row)


@transaction.atomic
def state_limit(
    *, study: Study, kind: str, scope: str, limit: float, passes_from: float | None, actor: User | None
) -> StatedLimit:
    """State what a correlation has to reach; an earlier statement stays and is shown beside it.

    Raises:
        LimitError: a coefficient or scope that does not exist, or a number outside of its range.
    """
    if kind not in KINDS:
        raise LimitError(f"kind: {kind[:40]!r}: choose one of {', '.join(KINDS)}.")
    if scope not in SCOPES:
        raise LimitError(f"scope: {scope[:40]!r}: choose one of {', '.join(SCOPES)}.")
    if not 0 < limit < 1:
        raise LimitError(f"limit: {limit:g}: must lie between 0 and 1.")
    ends = [(one.rubric.scale_min, one.rubric.scale_max) for one in study.study_rubrics.select_related("rubric")]
    if passes_from is not None and not any(low < passes_from <= high for low, high in ends):
        words = " or ".join(f"{low:g} to {high:g}" for low, high in ends) or "none"
        raise LimitError(f"passes_from: {passes_from:g}: must lie within a scale of the study: {words}.")
    hold(chain_of(study))
    row = StatedLimit.objects.create(
        study=study,
        kind=kind,
        scope=scope,
        limit=limit,
        passes_from=passes_from,
        n_grades=Grade.objects.filter(reading_output__reading__study=study, version=1).count(),
        stated_by=actor,
    )
    record(STATED, actor=actor, subject=row, kind=kind, scope=scope, limit=limit, seals=seal_of_limit(row))
    return row
