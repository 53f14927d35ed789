"""The state of what was graded, told by a few counts, and analyses that are made once per state.

Reading 120,000 scores to learn that nothing changed takes longer than a page may. Grades and decisions are only ever
added, so their number and newest moment tell whether there is anything new; what may change in place is counted by
what it changes.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Count, Max

from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import ReadingOutput, Study
from scoring.agreement.models import AnalysisRun

Read = TypeVar("Read")
STATE = "state"


def grades_state(study: Study) -> str:
    """Checksum of counts that change with every grade, amendment, reading and item of a study."""
    grades = Grade.objects.filter(reading_output__reading__study=study)
    scores = CriterionScore.objects.filter(grade__reading_output__reading__study=study)
    shown = ReadingOutput.objects.filter(reading__study=study).order_by()
    roles = "reading__enrollment__role", "reading__role", "reading__status"
    return checksum(
        study.pk,
        study.opened_at,
        grades.aggregate(Count("pk"), Max("submitted_at"), Max("version")),
        scores.aggregate(Count("pk"), Max("pk")),
        sorted(shown.values_list(*roles).annotate(Count("pk"), Max("pk"))),
        study.study_items.aggregate(Count("pk"), Count("cluster", distinct=True)),
        sorted(study.study_rubrics.values_list("rubric_id", "position")),
    )


def checksum(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class Analysis(Generic[Read]):
    """An analysis that is stored under the hash of its inputs and found again by the state that led to it.

    Args:
        study: whose.
        kind: name of the analysis, at most 12 letters.
        code_version: of the computation; another one computes anew.
        seed: of resamples.
        parameters: what was asked, stored beside the result.
    """

    def __init__(
        self, *, study: Study, kind: str, code_version: str, seed: int, parameters: Mapping[str, Any] | None = None
    ) -> None:
        self.study, self.kind, self.seed, self.code_version = study, kind, seed, code_version
        self.parameters = dict(parameters or {})

    def result(
        self,
        state: str,
        *,
        read: Callable[[], Read],
        digest: Callable[[Read], str],
        compute: Callable[[Read], dict[str, Any]],
    ) -> tuple[dict[str, Any], str]:
        """The result and the hash of its inputs; inputs are read only in a state that was not seen before."""
        key = checksum(state, self.kind, self.code_version, sorted(self.parameters.items()))
        runs = AnalysisRun.objects.filter(study=self.study, kind=self.kind)
        known = runs.filter(**{f"parameters__{STATE}": key}).first()
        if known:
            return known.result, known.inputs_hash
        inputs = read()
        found = digest(inputs)
        stored = runs.filter(inputs_hash=found).first()
        result = stored.result if stored else compute(inputs)
        with transaction.atomic():
            AnalysisRun.objects.update_or_create(
                study=self.study,
                kind=self.kind,
                inputs_hash=found,
                defaults={
                    "seed": self.seed,
                    "code_version": self.code_version,
                    "result": result,
                    "parameters": self.parameters | {STATE: key},
                },
            )
        return result, found
