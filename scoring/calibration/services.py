"""Certificates and the courtroom of a study, computed once per state and the same for page, API and workbook."""

import hashlib
from collections import Counter
from typing import Any

import numpy as np

from annotation.grading.models import Grade
from annotation.studies import freezing
from annotation.studies.models import ReadingOutput, Study
from scoring.agreement.models import AnalysisRun
from scoring.agreement.ratings import Ratings
from scoring.calibration import courtroom as court
from scoring.calibration import stored
from scoring.calibration.limits import Limit, present_limit
from scoring.calibration.measures import Floats, Held, Measure, held, listed
from scoring.calibration.radar import cases_by_output, radar, radar_told
from scoring.calibration.stored import CODE_VERSION, SEED, Result
from scoring.calibration.telling import certificate_told, threshold_told
from scoring.statistics import (
    Certificate,
    PassThreshold,
    Refusal,
    UndefinedStatisticError,
    certify,
    expert_means,
    pass_threshold,
)
from scoring.statistics.association import KINDS
from scoring.statistics.calibration import SCOPES

CERTIFICATE, COURTROOM = AnalysisRun.Kind.CERTIFICATE.value, AnalysisRun.Kind.COURTROOM.value
POINTS = 400
WORKBOOK = 400
"""Up to this many outputs a score sheet has every certificate made; above it those that are there already."""

ROUNDED = 6

__all__ = ["CERTIFICATE", "COURTROOM", "certificate", "courtroom", "for_workbook", "tier_radar"]


def certificate(
    study: Study, measure: str, criterion: str = "", *, of: Held | None = None, state: str = ""
) -> Result:
    """The calibration certificate of one measure on one criterion.

    Args:
        study: whose experts.
        measure: key of the measure.
        criterion: `rubric:criterion`, `safety`, or "" for the judge's own, and the overall one for a metric.
        of: what `held` gave, when it is at hand.
        state: what `state_of` gave, when it is at hand.

    Raises:
        UnknownMeasureError: no such measure or criterion in this study.
    """
    asked = {"measure": measure, "criterion": criterion}

    def compute() -> Result:
        found = of if of is not None else held(study)
        judged = found.measure(measure)
        experts = found.criterion(criterion) if criterion else found.matching(judged)
        return certificate_of(found, judged, experts, present_limit(study))

    return stored.kept(study, CERTIFICATE, asked, compute, state=state) | heading(study)


def courtroom(study: Study, criterion: str = "", *, of: Held | None = None, state: str = "") -> Result:
    """Every metric and judge × task × modality against the experts on one criterion.

    Raises:
        UnknownMeasureError: no such criterion in this study.
    """

    def compute() -> Result:
        found = of if of is not None else held(study)
        experts = found.criterion(criterion)
        return court.try_all(found, experts, present_limit(study)) | {"data_hash": data_hash(found, experts)}

    return stored.kept(study, COURTROOM, {"criterion": criterion}, compute, state=state) | heading(study)


def tier_radar(study: Study, criterion: str = "", *, of: Held | None = None) -> Result:
    """Outputs on which metrics and readers part, with the adjudication cases about them; acts make a new state.

    Raises:
        UnknownMeasureError: no such criterion in this study.
    """

    def compute() -> Result:
        found = of if of is not None else held(study)
        experts = found.criterion(criterion)
        return radar_told(radar(study, found, experts), experts, cases_by_output(study))

    return stored.kept(study, COURTROOM, {"radar": criterion}, compute) | heading(study)


def for_workbook(study: Study) -> Result:
    """The courtroom and a certificate of every measure on the overall criterion; of large studies what is computed.

    Returns:
        `court` or None, `certificates`, and labels of measures whose certificate is `not_computed`.
    """
    empty: Result = {"court": None, "certificates": [], "not_computed": []}
    if not Grade.objects.filter(reading_output__reading__study=study).exists():
        return empty
    measures = listed(study)
    if not measures:
        return empty
    state = stored.state_of(study)
    wanted = {COURTROOM: stored.digest_of(state, COURTROOM, {"criterion": ""})} | {
        one.key: stored.digest_of(state, CERTIFICATE, {"measure": one.key, "criterion": ""}) for one in measures
    }
    known = stored.find_many(study, wanted)
    shown = ReadingOutput.objects.filter(reading__study=study).order_by()
    if len(known) < len(wanted) and shown.values("output").distinct().count() <= WORKBOOK:
        found = held(study)
        for one in found.measures:
            known[one.key] = known.get(one.key) or certificate(study, one.key, of=found, state=state)
        known[COURTROOM] = known.get(COURTROOM) or courtroom(study, of=found, state=state)
    head = heading(study)
    return {
        "court": known[COURTROOM] | head if COURTROOM in known else None,
        "certificates": [known[one.key] | head for one in measures if one.key in known],
        "not_computed": [one.label for one in measures if one.key not in known],
    }


def heading(study: Study) -> Result:
    """What stands over every result and may change without a new number: preview, freeze, the stated limit."""
    return {
        "study": study.slug,
        "preview": not study.is_final,
        "frozen": freezing.newest_hash(study),
        "limit": limit_told(present_limit(study)),
    }


def limit_told(limit: Limit) -> Result:
    row = limit.row
    return {
        "kind": limit.kind,
        "scope": limit.scope,
        "limit": limit.limit,
        "passes_from": limit.passes_from,
        "stated": row is not None,
        "stated_by": str(row.stated_by or "a command") if row is not None else None,
        "stated_at": row.created_at.isoformat(timespec="seconds") if row is not None else None,
        "n_grades_then": row.n_grades if row is not None else None,
    }


def certificate_of(found: Held, measure: Measure, experts: Ratings, limit: Limit) -> Result:
    """All parts, from columns to JSON."""
    values = found.values[measure.key]
    up = found.goes_up(measure, experts)
    asked: dict[str, Any] = {
        "systems": found.letters,
        "clusters": experts.clusters,
        "categories": experts.categories,
        "seed": SEED,
        "scale": measure.scale,
        "readers": experts.readers,
        "higher_is_better": up,
        "deciding": (limit.kind, limit.scope),
        "limit": limit.limit,
    }
    try:
        made = certify(values, experts.values, **asked)
    except UndefinedStatisticError as refusal:
        made = _refused(Refusal(reason=refusal.reason, message=str(refusal)), int((~np.isnan(values)).sum()))
    means = expert_means(experts.values)
    falling = experts.code in found.falling
    passing = limit.passing(experts.categories, falling=falling)
    graded = ~np.isnan(means)
    return {
        "measure": measure_told(measure),
        "criterion": criterion_told(experts, falling=falling),
        **certificate_told(made),
        "threshold": threshold_told(
            _threshold(measure, values, means, experts, passing, falling=falling),
            {"passes_from": passing, "passes_up_to": falling},
        ),
        "missing": found.missing(measure, graded & np.isnan(values)),
        "ties": _ties(values[graded & ~np.isnan(values)]),
        "points": _points(found, values, means) if not isinstance(made.limits, Refusal) else [],
        "seed": SEED,
        "code_version": CODE_VERSION,
        "data_hash": data_hash(found, experts, measure),
    }


def _refused(why: Refusal, n_without_grade: int) -> Certificate:
    """A certificate of nothing: no reader gave the criterion a value."""
    every = {(kind, scope): why for kind in KINDS for scope in SCOPES}
    return Certificate(
        verdict=why,
        correlations=every,
        ceilings=every,
        limits=why,
        gaps=why,
        kappa=why,
        n_outputs=0,
        n_without_value=0,
        n_without_grade=n_without_grade,
        n_readers=0,
    )


def measure_told(measure: Measure) -> Result:
    return {
        "key": measure.key,
        "label": measure.label,
        "tier": measure.tier,
        "direction": "higher is better" if measure.higher_is_better else "lower is better",
        "scale": list(measure.scale) if measure.scale else None,
        "unit": measure.unit,
        "about": measure.about,
        "circular": list(measure.circular),
    }


def criterion_told(experts: Ratings, *, falling: bool) -> Result:
    return {
        "code": experts.code,
        "label": experts.label,
        "scale": [experts.categories[0], experts.categories[-1]],
        "direction": "higher is worse" if falling else "higher is better",
    }


def _threshold(
    measure: Measure, values: Floats, means: Floats, experts: Ratings, passing: float, *, falling: bool
) -> PassThreshold | Refusal:
    slack = 1e-9
    verdicts: list[bool | None] = [
        None if np.isnan(mean) else bool(mean <= passing + slack if falling else mean >= passing - slack)
        for mean in means.tolist()
    ]
    try:
        return pass_threshold(
            values,
            verdicts,
            clusters=experts.clusters,
            seed=SEED,
            higher_is_better=measure.higher_is_better,
        )
    except UndefinedStatisticError as refusal:
        return Refusal(reason=refusal.reason, message=str(refusal))


def _ties(values: Floats) -> Result:
    """How often the measure gives two outputs one value: pairs of outputs, and distinct values."""
    counts = Counter(np.round(values, ROUNDED + 3).tolist())
    n, tied = values.size, sum(count * (count - 1) // 2 for count in counts.values())
    return {"n_distinct": len(counts), "n_pairs": n * (n - 1) // 2, "n_tied_pairs": tied}


def _points(found: Held, values: Floats, means: Floats) -> list[list[Any]]:
    """Mean and difference of each output for the plot, equal ones counted together, the most frequent first.

    Returns:
        [mean of both, measure − experts, letters, outputs], at most 400 rows.
    """
    both = np.nonzero(~np.isnan(values) & ~np.isnan(means))[0].tolist()
    places: dict[tuple[float, float], list[str]] = {}
    for place in both:
        center = round(float(values[place] + means[place]) / 2, ROUNDED)
        apart = round(float(values[place] - means[place]), ROUNDED)
        places.setdefault((center, apart), []).append(found.letters[place])
    listed = sorted(places.items(), key=lambda row: (-len(row[1]), row[0]))[:POINTS]
    return [[*key, "".join(sorted(set(letters))), len(letters)] for key, letters in sorted(listed)]


def data_hash(found: Held, experts: Ratings, measure: Measure | None = None) -> str:
    """Checksum of the columns that entered: the same data give the same hash in every home."""
    digest = hashlib.sha256(CODE_VERSION.encode())
    digest.update(repr((experts.code, experts.readers, experts.clusters, experts.categories)).encode())
    digest.update(repr([(unit.letter, unit.item) for unit in found.units]).encode())
    digest.update(np.ascontiguousarray(experts.values).tobytes())
    for one in found.measures if measure is None else (measure,):
        digest.update(one.key.encode() + np.ascontiguousarray(found.values[one.key]).tobytes())
    return digest.hexdigest()
