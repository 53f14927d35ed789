"""The JSON the workstation works from: the same number of queries whatever the size of the study."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.query import QuerySet
from django.urls import reverse

from annotation.grading import kinds, presentation
from annotation.grading.bases import draft_json
from annotation.grading.blanking import blanked_note
from annotation.grading.gates import why_it_waits
from annotation.grading.guessing import is_asked
from annotation.grading.models import CriterionScore, ErrorMark, Grade, SystemGuess
from annotation.grading.presentation import Pane, Presentation, Sheet
from annotation.grading.rules import NA, NA_REASONS, NOT_APPLICABLE, SAFETY_LEVELS, SKIP_REASONS, not_applicable
from annotation.grading.services import closed_reason, damage_reason
from annotation.grading.stages import WITH, WITHOUT, shows_reference, stage_of
from annotation.grading.training import feedback_of
from annotation.people.models import User
from annotation.studies.models import Criterion, Reading, Study
from annotation.studies.unblinding import masked_names
from annotation.systems.naming import masked


@dataclass(frozen=True)
class Addresses:
    """How the panes and pages of one reading or preview are addressed; every address is blind."""

    frames: str
    """Pattern with `0` as the number of the pane; see `pane_address`."""
    urls: dict[str, str | None]

    def pane_address(self, number: int) -> str:
        return self.frames.replace("/panes/0/", f"/panes/{number}/")


def readings_of(user: User) -> QuerySet[Reading]:
    """The reader's own readings, with what the workstation needs to know of their neighbors: one query."""
    siblings = Reading.objects.filter(enrollment=OuterRef("enrollment")).exclude(status=Reading.Status.VOID)
    pending = siblings.pending().exclude(pk=OuterRef("pk")).order_by("position")
    counted = siblings.order_by().values("enrollment").annotate(n=Count("pk")).values("n")
    return (
        Reading.objects.visible_to(user)
        .exclude(status=Reading.Status.VOID)
        .select_related("study", "draft")
        .annotate(
            next_after=Subquery(pending.filter(position__gt=OuterRef("position")).values("pk")[:1]),
            next_any=Subquery(pending.values("pk")[:1]),
            previous_pk=Subquery(
                siblings.filter(position__lt=OuterRef("position")).order_by("-position").values("pk")[:1]
            ),
            n_readings=Subquery(counted),
            n_submitted=Subquery(counted.filter(status=Reading.Status.SUBMITTED)),
            has_guesses=Exists(SystemGuess.objects.filter(reading_output__reading=OuterRef("pk"))),
        )
    )


def reading_json(reading: Reading, addresses: Addresses | None = None) -> dict[str, Any]:
    """What one reader sees of one reading; `reading` comes from `readings_of`."""
    sheet = presentation.sheet_of_open(reading.study_id)
    shown = presentation.presented(reading.pk)
    addresses = addresses or _addresses(reading)
    submitted = reading.status == Reading.Status.SUBMITTED
    draft = getattr(reading, "draft", None)
    return {
        "id": str(reading.pk),
        "position": reading.position,
        "of": getattr(reading, "n_readings", None) or 0,
        "submitted": getattr(reading, "n_submitted", None) or 0,
        "status": reading.status,
        "locked_reason": closed_reason(reading.study) or why_it_waits(reading) or damage_reason(shown),
        "preview": False,
        **content_json(reading.study, shown, sheet, addresses, reference=shows_reference(reading)),
        "draft": None if submitted or draft is None else draft_json(draft),
        "grade": _answered(reading) if submitted else None,
        "stage": _stage_json(reading),
        "training": reading.role == Reading.Role.TRAINING,
        "feedback": feedback_of(reading),
        "guess": is_asked(reading.study, reading.position, answered=getattr(reading, "has_guesses", False)),
        "urls": addresses.urls,
    }


def _answered(reading: Reading) -> dict[str, Any] | None:
    kind = kinds.kind_of(reading.study)
    return (kind.answered if kind else grade_json)(reading)


def _stage_json(reading: Reading) -> dict[str, Any] | None:
    """Which of two stages a reading is in, and what its reader said in the first; None where there is one."""
    if reading.study.stages == 1:
        return None
    code = stage_of(reading)
    first = grade_json(reading, stage=WITHOUT) if code == WITH else None
    return {"code": code, "number": 1 if code == WITHOUT else 2, "of": 2, "first": first and first["payload"]}


def content_json(
    study: Study, shown: Presentation, sheet: Sheet, addresses: Addresses, *, reference: bool = True
) -> dict[str, Any]:
    """The part of the JSON that a preview shares: item, panes, outputs, rubrics and the words of the choices.

    Panes keep their numbers, whether the reference is among them or not.
    """
    question = presentation.question_of(shown, sheet)
    kind = kinds.kind_of(study)
    hidden = masked_names([pane.output for pane in shown.panes if pane.output is not None], study.pk)
    return {
        "study": {"name": study.name, "url": addresses.urls["study"]},
        "item": _item_json(shown),
        "panes": [
            _pane_json(number, pane, addresses, hidden)
            for number, pane in enumerate(shown.panes)
            if reference or pane.role != presentation.REFERENCE
        ],
        "outputs": [
            {
                "label": output.label,
                "has_image": output.has_image,
                "has_text": output.has_text,
                "not_applicable": not_applicable(question, output),
            }
            for output in shown.outputs
        ],
        "preference": kind.asked(study, shown, sheet) if kind else None,
        "rubrics": _rubrics_json(sheet.criteria),
        "error_codes": [
            [code.code, code.code.replace("_", " ").capitalize(), code.localizable] for code in sheet.codes
        ],
        "safety_levels": [list(level) for level in SAFETY_LEVELS],
        "na_reasons": list(NA_REASONS),
        "skip_reasons": list(SKIP_REASONS),
    }


def _addresses(reading: Reading) -> Addresses:
    following = getattr(reading, "next_after", None) or getattr(reading, "next_any", None)
    previous = getattr(reading, "previous_pk", None)
    return Addresses(
        frames=reverse("annotation:pane-frames", args=[reading.pk, 0]),
        urls={
            "self": _to("reading-json", reading.pk),
            "page": _to("reading-detail", reading.pk),
            "draft": _to("draft-save", reading.pk),
            "submit": _to("grade-submit", reading.pk),
            "skip": _to("reading-skip", reading.pk),
            "guess": _to("guess-save", reading.pk),
            "next": _to("reading-json", following),
            "next_page": _to("reading-detail", following),
            "previous_page": _to("reading-detail", previous),
            "study": reverse("annotation:reading-list", args=[reading.study.slug]),
            "home": reverse("home"),
        },
    )


def _to(name: str, pk: UUID | None) -> str | None:
    return None if pk is None else reverse(f"annotation:{name}", args=[pk])


def _item_json(shown: Presentation) -> dict[str, Any]:
    revision = shown.revision
    return {
        "instruction": shown.asks.instruction,
        "context": presentation.context_chips(revision.context),
        "choices": [str(choice) for choice in shown.asks.choices],
        "format": {"code": revision.format, "label": revision.format_label},
        "task": {"code": revision.task, "label": revision.task_label},
        "modality": {"code": revision.modality, "label": revision.modality_label},
    }


def _pane_json(number: int, pane: Pane, addresses: Addresses, hidden: Mapping[UUID, list[str]]) -> dict[str, Any]:
    names = hidden.get(pane.output) if pane.output is not None else None
    return {
        "role": pane.role,
        "label": pane.label,
        "frames": None if pane.asset is None else addresses.pane_address(number),
        "text": masked(pane.text, names) if pane.text and names else pane.text,
        "sections": pane.sections,
    }


def _rubrics_json(criteria: Iterable[Criterion]) -> list[dict[str, Any]]:
    rubrics: dict[int, dict[str, Any]] = {}
    for criterion in criteria:
        rubric = criterion.rubric
        entry = rubrics.setdefault(
            rubric.pk,
            {
                "code": rubric.code,
                "version": rubric.version,
                "name": rubric.name,
                "scale": {
                    "min": _number(rubric.scale_min),
                    "max": _number(rubric.scale_max),
                    "step": _number(rubric.scale_step),
                },
                "criteria": [],
            },
        )
        entry["criteria"].append(_criterion_json(criterion))
    return list(rubrics.values())


def _criterion_json(criterion: Criterion) -> dict[str, Any]:
    limit = criterion.rationale_at_most
    return {
        "code": criterion.code,
        "label": criterion.label,
        "definition": criterion.definition,
        "direction": criterion.direction,
        "required": criterion.required,
        "na_allowed": criterion.na_allowed,
        "rationale_if": None if limit is None else {"op": "<=", "value": _number(limit)},
        "anchors": {f"{anchor.value:g}": anchor.description for anchor in criterion.anchors.all()},
    }


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def grade_json(reading: Reading, *, stage: str = WITH) -> dict[str, Any] | None:
    """The newest version of what this reader submitted, as a payload, and whose words were emptied: three queries."""
    newest: dict[int, Grade] = {}
    grades = Grade.objects.filter(reading_output__reading=reading, stage=stage).select_related(
        "reading_output", "blanked_by"
    )
    for grade in grades.order_by("reading_output__position", "version"):
        newest[grade.reading_output_id] = grade
    if not newest:
        return None
    scores = CriterionScore.objects.filter(grade__in=newest.values()).select_related("criterion")
    marks = ErrorMark.objects.filter(grade__in=newest.values())
    outputs = {grade.pk: _entry_json(grade) for grade in newest.values()}
    for score in scores:
        entry = outputs[score.grade_id]
        if score.value is not None:
            entry["scores"][score.criterion.code] = _number(score.value)
        elif score.na_reason != NOT_APPLICABLE:
            entry["scores"][score.criterion.code] = NA
            entry["na"][score.criterion.code] = score.na_reason
    for mark in marks:
        outputs[mark.grade_id]["errors"].append({"code": mark.error_code_id, "nowhere": mark.nowhere})
    latest = max(newest.values(), key=lambda grade: grade.version)
    return {
        "payload": {"outputs": {grade.reading_output.label: outputs[grade.pk] for grade in newest.values()}},
        "version": latest.version,
        "submitted_at": latest.submitted_at.isoformat(),
        "blanked": {
            grade.reading_output.label: blanked_note(grade.blanked_by)
            for grade in newest.values()
            if grade.blanked_by is not None
        },
    }


def _entry_json(grade: Grade) -> dict[str, Any]:
    return {
        "scores": {},
        "na": {},
        "rationale": grade.rationale,
        "errors": [],
        "safety": grade.safety,
        "reference_wrong": grade.reference_wrong,
    }
