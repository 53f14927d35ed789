"""What a case shows: the output as its readers saw it, and what they said, under letters. No system, no code."""

from typing import Any
from uuid import UUID

from annotation.adjudication import queue
from annotation.adjudication.access import criteria_of
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.datasets.models import ItemRevision
from annotation.grading import presentation
from annotation.grading.blanking import blanked_words
from annotation.grading.models import CriterionScore, Grade
from annotation.grading.presentation import Presentation
from annotation.grading.reading_json import Addresses, content_json
from annotation.preferences.flags import remarks
from annotation.studies.models import Criterion, Study

OUTPUT_LABEL = "Output"
SHOWN = ("item", "panes", "outputs")


def presented(output: UUID) -> Presentation:
    """Panes of the item and of this one output: three queries."""
    revision = ItemRevision.objects.get(outputs=output)
    return presentation.present(revision, presentation.parts_of_outputs([(OUTPUT_LABEL, output)]))


def content(study: Study, case: Case, frames: str) -> dict[str, Any]:
    """What readers saw, with the masked texts that they saw.

    Args:
        study: the study.
        case: which output.
        frames: address of the first pane's frames, as in `Addresses`.

    Raises:
        PermissionDenied: a picture of it is in quarantine.
    """
    shown = presented(case.output)
    presentation.refuse_shut(shown)
    told = content_json(study, shown, presentation.sheet_of(study.pk), Addresses(frames, {"study": None}))
    return {name: told[name] for name in SHOWN}


def grades_told(study: Study, case: Case) -> list[dict[str, Any]]:
    """The grades side by side, by letter: four queries."""
    letters = queue.letters_of(study, case)
    readers = {one.grade: one for one in case.said}
    if study.compares:
        return _remarks_told(study, case, letters)
    grades = Grade.objects.filter(pk__in=list(readers)).select_related("blanked_by")
    told = [
        _grade_told(grade, letters[readers[grade.pk].reader], asks=grade.pk in case.asking)
        for grade in grades.prefetch_related("scores__criterion__rubric", "error_marks__error_code")
    ]
    return sorted(told, key=lambda one: (one["letter"], one["submitted_at"]))


def _remarks_told(study: Study, case: Case, letters: dict[int, str]) -> list[dict[str, Any]]:
    """What readers who compare said of the output; their words name it by the label that they met it under."""
    told = [
        {
            "grade": one.preference,
            "letter": letters[one.reader],
            "version": one.version,
            "asks": one.preference in case.asking,
            "safety": one.safety,
            "reference_wrong": one.reference_wrong,
            "rationale": f"(shown as {one.label}) {one.rationale}" if one.rationale else "",
            "errors": [{"code": code, "label": label, "nowhere": nowhere} for code, label, nowhere in one.errors],
            "scores": [],
            "submitted_at": one.submitted_at,
        }
        for one in remarks(study, only=case.output)
        if one.reader in letters
    ]
    return sorted(told, key=lambda one: (one["letter"], one["submitted_at"]))


def _grade_told(grade: Grade, letter: str, *, asks: bool) -> dict[str, Any]:
    scores = [
        {
            "rubric": score.criterion.rubric.code,
            "criterion": score.criterion.code,
            "value": score.value,
            "na": score.na_reason,
        }
        for score in grade.scores.all()
    ]
    return {
        "grade": grade.pk,
        "letter": letter,
        "version": grade.version,
        "asks": asks,
        "safety": grade.safety,
        "reference_wrong": grade.reference_wrong,
        "rationale": blanked_words(grade.blanked_by) if grade.blanked_by is not None else grade.rationale,
        "errors": [
            {"code": mark.error_code_id, "label": mark.error_code.label, "nowhere": mark.nowhere}
            for mark in grade.error_marks.all()
        ],
        "scores": scores,
        "submitted_at": grade.submitted_at,
    }


def compared(study: Study, case: Case, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line per criterion with each grade's value, for a table; criteria that do not apply are left out."""
    lines = []
    for criterion in criteria_of(study):
        key = (criterion.rubric.code, criterion.code)
        values = [next((s for s in one["scores"] if (s["rubric"], s["criterion"]) == key), None) for one in told]
        if any(score is not None and score["na"] != CriterionScore.NotApplicable.NOT_APPLICABLE for score in values):
            asked = case.criterion is not None and case.criterion.pk == criterion.pk
            lines.append({"criterion": criterion, "values": values, "asked": asked})
    return lines


def acts_told(case: Case) -> list[dict[str, Any]]:
    """The chain of a case, oldest first."""
    return [
        {
            "version": act.version,
            "act": act.act,
            "by": str(act.author),
            "at": act.created_at,
            "decision": decision_words(act),
            "cause": act.get_cause_display() if act.cause else "",
            "rationale": act.rationale,
        }
        for act in case.acts
    ]


def decision_words(act: Adjudication | None) -> str:
    """A decision in words; empty for an act that decides nothing."""
    if act is None or act.act != Adjudication.Act.DECIDED:
        return ""
    if act.value is not None:
        return f"{act.value:g}"
    return f"{act.level} harm {act.verdict}" if act.level else str(act.verdict)


def subject_words(case: Case) -> str:
    """What is asked, in words."""
    if case.criterion is not None:
        return str(case.criterion.label)
    return {"safety": "Harm if believed", "reference": "Is the reference wrong?"}[case.subject]


def trigger_words(case: Case) -> str:
    """Why it is a case, with the values."""
    if case.trigger == Adjudication.Trigger.SPREAD and case.criterion is not None:
        values = sorted(one.scores[case.criterion.pk] for one in case.said if case.criterion.pk in one.scores)
        return "readers said " + " and ".join(f"{value:g}" for value in (values[0], values[-1]))
    if case.trigger == Adjudication.Trigger.SAFETY:
        n = sum(one.grade in case.asking for one in case.said)
        return f"harm flagged in {n} of {len(case.said)} grade{'' if len(case.said) == 1 else 's'}"
    return str(Adjudication.Trigger(case.trigger).label)


def scale_of(criterion: Criterion) -> list[tuple[str, str]]:
    """Values of a criterion's scale with their anchors, best first; empty for a scale too fine to list."""
    rubric = criterion.rubric
    n = round((rubric.scale_max - rubric.scale_min) / rubric.scale_step) + 1
    if n > 11:
        return []
    anchors = {anchor.value: anchor.description for anchor in criterion.anchors.all()}
    values = [rubric.scale_min + rubric.scale_step * step for step in range(n)]
    return [(f"{value:g}", anchors.get(value, "")) for value in reversed(values)]
