"""What training items expect: entered while the study is a draft, by the labels that readers will see."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from annotation.audit.record import record
from annotation.people.models import User
from annotation.studies import drawing
from annotation.studies.errors import DesignError, DesignProblem, StudyStateError
from annotation.studies.mixing import training_of
from annotation.studies.models import Criterion, Study, StudyItem
from annotation.studies.training_plans import FEEDBACK_LIMIT

Range = tuple[float, float]


@dataclass(frozen=True)
class TrainingItem:
    """A training item as readers will meet it: the labels of its outputs, and what is expected of each."""

    code: str
    number: int
    item: StudyItem
    letters: dict[str, str]
    expected: dict[str, dict[str, list[float]]]


def training_items(study: Study) -> list[TrainingItem]:
    """Every training item with label → letter of what is shown, and label → criterion → range."""
    inputs = drawing.inputs_of(study)
    order = list(study.study_items.order_by("revision__item__number").values_list("pk", flat=True))
    labels: dict[str, dict[str, str]] = {}
    for one in training_of(study, inputs, readers=["any"])["any"]:
        labels.setdefault(one.item, {}).update({shown.label: shown.system for shown in one.placements})
    found = []
    for code, row in sorted(inputs.items.items()):
        if row.role != StudyItem.Role.TRAINING:
            continue
        own = labels.get(code, {})
        expected = {label: row.expected.get(letter, {}) for label, letter in own.items()}
        found.append(TrainingItem(code, 1 + order.index(row.pk), row, own, expected))
    return found


def criteria_of(study: Study) -> list[Criterion]:
    rows = Criterion.objects.filter(rubric__study_rubrics__study=study).select_related("rubric")
    return list(rows.order_by("rubric__study_rubrics__position", "position"))


@transaction.atomic
def expect(
    *, study: Study, code: str, expected: dict[str, dict[str, Any]], feedback: str, actor: User | None
) -> StudyItem:
    """Say what counts as right in a training item, and what readers are told after it.

    Args:
        study: a draft.
        code: of the item.
        expected: label → criterion → [lowest, highest].
        feedback: words for the reader.
        actor: who says so.

    Raises:
        StudyStateError: the study is no draft.
        DesignError: with `field: value: rule` for everything that does not fit.
    """
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.state != Study.State.DRAFT:
        raise StudyStateError(f"This study is {held.state}; what training expects is said while it is a draft.")
    one = next((each for each in training_items(held) if each.code == code), None)
    if one is None:
        raise DesignError([DesignProblem("item", code[:40], "is no training item of this study")])
    problems: list[DesignProblem] = []
    scales = {row.code: (row.rubric.scale_min, row.rubric.scale_max) for row in criteria_of(held)}
    stored: dict[str, dict[str, list[float]]] = {}
    for label, criteria in expected.items():
        if label not in one.letters:
            rule = f"is not shown; shown: {', '.join(one.letters)}"
            problems.append(DesignProblem("expected", str(label)[:10], rule))
            continue
        for criterion, limits in criteria.items():
            if problem := _problem(scales, label, criterion, limits):
                problems.append(problem)
            else:
                own = stored.setdefault(one.letters[label], {})
                own[criterion] = [float(limits[0]), float(limits[1])]
    if len(feedback) > FEEDBACK_LIMIT:
        rule = f"has {len(feedback):,} characters, the limit is {FEEDBACK_LIMIT:,}"
        problems.append(DesignProblem("feedback", code, rule))
    if problems:
        raise DesignError(problems)
    StudyItem.objects.filter(pk=one.item.pk).update(expected=stored, feedback=feedback.strip())
    record("training expected", actor=actor, subject=held, item=code, expected=stored)
    return StudyItem.objects.get(pk=one.item.pk)


def _problem(scales: dict[str, Range], label: str, criterion: str, limits: Any) -> DesignProblem | None:
    where = f"expected.{label}.{criterion}"[:80]
    if criterion not in scales:
        return DesignProblem(where, "", "is not a criterion of this study")
    numbers = isinstance(limits, list) and len(limits) == 2
    if not numbers or any(isinstance(one, bool) or not isinstance(one, int | float) for one in limits):
        return DesignProblem(where, str(limits)[:40], "must be [lowest, highest]")
    low, high = scales[criterion]
    if not low <= limits[0] <= limits[1] <= high:
        return DesignProblem(where, f"{limits[0]:g} to {limits[1]:g}", f"must rise within {low:g} to {high:g}")
    return None
