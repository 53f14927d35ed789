"""All outputs that systems delivered for a release, graded or not, with their metrics: what a sample stands for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from annotation.datasets.clusters import cluster_keys
from annotation.studies.models import Study
from annotation.systems.models import Output
from scoring.composites.combining import Component, Declaration
from scoring.composites.inputs import (
    GradedOutput,
    Measured,
    first_metric,
    graded_outputs,
    main_items,
    measured_values,
    study_outputs,
)
from scoring.composites.services import criterion_of, metric_codes

IDENTICAL = "identical"


@dataclass(frozen=True)
class Member:
    """One output of the population.

    Attributes:
        key: id of the output.
        system: letter.
        cluster: what moves together.
        stratum: task and modality, in which the sample was drawn.
        status: of the output.
        grades: values of the clinical criterion by readers; empty where nobody graded it.
        metrics: raw value of each metric component; None where there is none.
        scaled: the same through the fixed transforms, 0…1.
    """

    key: str
    system: str
    cluster: str
    stratum: str
    status: str
    grades: tuple[float, ...]
    metrics: tuple[float | None, ...]
    scaled: tuple[float | None, ...]

    @property
    def grade(self) -> float | None:
        return fsum(self.grades) / len(self.grades) if self.grades else None

    @property
    def measured(self) -> bool:
        return all(value is not None for value in self.metrics)


@dataclass(frozen=True)
class Population:
    """The outputs of one format, with the clinical criterion and the metrics of its composite."""

    format: str
    criterion: Component | None
    metrics: tuple[Component, ...]
    members: tuple[Member, ...]

    def of(self, system: str) -> list[Member]:
        return [one for one in self.members if one.system == system]

    @property
    def systems(self) -> list[str]:
        return sorted({one.system for one in self.members})


def populations(study: Study, declaration: Declaration) -> list[Population]:
    """One per format of the composite, in declared order."""
    rows = _outputs(study)
    clusters = cluster_keys({row["revision"] for row in rows})
    sources = [criterion_of(component.source) for component in declaration.components]
    graded = graded_outputs(study, {source for source in sources if source})
    measured = measured_values(Output.objects.filter(submission__study_systems__study=study))
    found = []
    for name in declaration.formats:
        parts = declaration.components_of(name)
        clinical = next((part for part in parts if criterion_of(part.source)), None)
        metrics = tuple(part for part in parts if not criterion_of(part.source))
        members = [
            _member(
                row,
                cluster=clusters[row["revision"]],
                grades=_grades(graded.get(row["pk"]), clinical),
                values=measured.get(row["pk"], {}),
                metrics=metrics,
            )
            for row in rows
            if row["format"] == name
        ]
        found.append(Population(name, clinical, metrics, tuple(members)))
    return found


def _outputs(study: Study) -> list[dict[str, Any]]:
    """Outputs of the study, then those for the rest of its release, of the same submissions."""
    letters = dict(study.study_systems.values_list("submission_id", "letter"))
    rows = [
        {
            "pk": row.output.pk,
            "revision": row.study_item.revision_id,
            "letter": row.letter,
            "format": row.study_item.revision.format,
            "task": row.study_item.revision.task,
            "modality": row.study_item.revision.modality,
            "status": row.output.status,
        }
        for row in study_outputs(study)
    ]
    others = (
        Output.objects.current()
        .filter(submission__in=letters, revision__release_items__release=study.release_id)
        .exclude(revision__in=main_items(study).values("revision"))
        .exclude(revision__study_items__study=study)
        .order_by("revision__item__number", "submission_id")
    )
    names = ("pk", "revision", "submission", "revision__format", "revision__task", "revision__modality", "status")
    for key, revision, submission, format_name, task, modality, status in others.values_list(*names):
        rows.append(
            {
                "pk": key,
                "revision": revision,
                "letter": letters[submission],
                "format": format_name,
                "task": task,
                "modality": modality,
                "status": status,
            }
        )
    return sorted(rows, key=lambda row: (row["letter"], str(row["pk"])))


def _grades(said: GradedOutput | None, clinical: Component | None) -> tuple[float, ...]:
    criterion = criterion_of(clinical.source) if clinical else None
    return tuple(said.scores.get(criterion, ())) if said and criterion else ()


def _member(
    row: Mapping[str, Any],
    *,
    cluster: str,
    grades: tuple[float, ...],
    values: Mapping[str, Measured],
    metrics: Sequence[Component],
) -> Member:
    raws = (
        [_raw(component, values) for component in metrics]
        if row["status"] == Output.Status.OK
        else [None] * len(metrics)
    )
    return Member(
        key=str(row["pk"]),
        system=row["letter"],
        cluster=cluster,
        stratum=f"{row['task']} · {row['modality']}",
        status=row["status"],
        grades=grades,
        metrics=tuple(raws),
        scaled=tuple(
            None if raw is None else component.transform(raw) for raw, component in zip(raws, metrics, strict=True)
        ),
    )


def _raw(component: Component, values: Mapping[str, Measured]) -> float | None:
    """The metric's value; an output identical to its reference takes the better end of the declared range."""
    found, reason = first_metric(metric_codes(component.source), values, "")
    if found:
        return found[0]
    if reason != IDENTICAL:
        return None
    return component.high if component.direction == "higher_better" else component.low


def left_out(members: Sequence[Member]) -> dict[str, int]:
    """Outputs that enter no estimate, by reason."""
    return dict(
        Counter(
            one.status if one.status != Output.Status.OK else "no metric value" for one in members if not one.measured
        )
    )
