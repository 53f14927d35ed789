"""Whether readers notice what does not belong together, and whether their severity drifts: for the board.

A value is turned to goodness, 0 at the bad end of its scale and 1 at the good end. An attention check is noticed when
its mean goodness is at most one half, when moderate or severe harm is flagged, or when most of its criteria are n/a.
Drift compares the main readings of the first, second and last third of what a reader has submitted.
"""

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from annotation.grading.models import CriterionScore, Grade
from annotation.grading.rules import GRAVE, NOT_APPLICABLE
from annotation.studies.models import Criterion, Reading, Study, StudyItem

NOTICED_AT_MOST = 0.5
THIRDS = 3


@dataclass(frozen=True)
class _Seen:
    """One reading of the board: mean goodness of its values (None without any), and what else was said."""

    role: str
    control: str
    goodness: float | None
    n_missing: int
    n_asked: int
    grave: bool

    @property
    def noticed(self) -> bool:
        mostly_missing = 2 * self.n_missing > self.n_asked
        return self.grave or mostly_missing or (self.goodness is not None and self.goodness <= NOTICED_AT_MOST)


def board_of_checks(study: Study) -> dict[str, Any]:
    """By reader checks noticed and drift; by control how much lower than main readings it is graded. Two queries."""
    seen = _seen(study)
    readers = [{"code": code, **_of_checks(rows), "thirds": _thirds(rows)} for code, rows in sorted(seen.items())]
    return {"checks": readers, "controls": _by_control([row for rows in seen.values() for row in rows])}


def _of_checks(rows: list[_Seen]) -> dict[str, int]:
    checks = [row for row in rows if row.role == Reading.Role.ATTENTION]
    return {"n_checks": len(checks), "noticed": sum(row.noticed for row in checks)}


def _thirds(rows: list[_Seen]) -> list[float | None]:
    """Mean goodness of main readings in three parts of their order; None for a part without a value."""
    means = [row.goodness for row in rows if row.role == Reading.Role.MAIN and row.goodness is not None]
    parts = [means[len(means) * part // THIRDS : len(means) * (part + 1) // THIRDS] for part in range(THIRDS)]
    return [fmean(part) if part else None for part in parts]


def _by_control(rows: list[_Seen]) -> list[dict[str, Any]]:
    main = [row.goodness for row in rows if row.role == Reading.Role.MAIN and row.goodness is not None]
    found = []
    for control in StudyItem.Control:
        own = [row for row in rows if row.control == control]
        graded = [row.goodness for row in own if row.goodness is not None]
        if own:
            drop = fmean(main) - fmean(graded) if main and graded else None
            noticed = sum(row.noticed for row in own)
            found.append({"control": str(control.label), "n": len(own), "noticed": noticed, "drop": drop})
    return found


def _seen(study: Study) -> dict[str, list[_Seen]]:
    """Reader → their submitted main and attention readings, in the order of submission."""
    place = "grade__reading_output__reading"
    rows = CriterionScore.objects.filter(
        **{f"{place}__study": study, f"{place}__role__in": [Reading.Role.MAIN, Reading.Role.ATTENTION]},
        grade__version=1,
        grade__stage=Grade.Stage.WITH,
    ).exclude(na_reason=NOT_APPLICABLE)
    rows = rows.exclude(**{f"{place}__status": Reading.Status.VOID}).order_by()
    scales = {
        row.pk: (row.rubric.scale_min, row.rubric.scale_max, row.direction == Criterion.Direction.HIGHER_WORSE)
        for row in Criterion.objects.filter(rubric__study_rubrics__study=study).select_related("rubric")
    }
    values: dict[Any, list[float | None]] = defaultdict(list)
    facts: dict[Any, tuple[Any, ...]] = {}
    grave: set[Any] = set()
    for reading, code, role, control, at, safety, criterion, value in rows.values_list(
        f"{place}_id", f"{place}__enrollment__reader_code", f"{place}__role", f"{place}__study_item__control",
        f"{place}__submitted_at", "grade__safety", "criterion", "value",
    ):  # fmt: skip
        low, high, turned = scales[criterion]
        share = None if value is None else (value - low) / (high - low)
        values[reading].append(share if share is None or not turned else 1 - share)
        facts[reading] = (at, str(code), role, control)
        if safety in GRAVE:
            grave.add(reading)
    found: dict[str, list[_Seen]] = defaultdict(list)
    for reading, (_, code, role, control) in sorted(facts.items(), key=lambda pair: (str(pair[1][0]), str(pair[0]))):
        given = [value for value in values[reading] if value is not None]
        missing = len(values[reading]) - len(given)
        mean = fmean(given) if given else None
        found[code].append(_Seen(role, control, mean, missing, len(values[reading]), reading in grave))
    return dict(found)
