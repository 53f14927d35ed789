"""Declaring the composite of a study: defaults, new versions, and the pure declaration made from the rows.

A component's source is `rubric:CODE:criterion` or `metric:code`; with `metric:first|second` the first metric that
applies to the task of an item is taken (token F1 does not apply to multiple choice, option accuracy does).
"""

from collections.abc import Iterable, Mapping
from math import isclose, isfinite

from django.db import transaction
from django.db.models import Max

from annotation.audit.record import chain_of, hold, record
from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.studies.models import Rubric, Study
from scoring.composites.combining import Component, Declaration
from scoring.composites.declaration import Direction
from scoring.composites.errors import CompositeError
from scoring.composites.models import Composite, CompositeComponent
from scoring.metrics.registry import METRICS

RUBRIC, METRIC = "rubric", "metric"
CLINICAL_CRITERION = "overall"
SHARES = {"clinical": 0.6, "semantic": 0.2, "pixel": 0.2}
SEMANTIC = ("metric:token_f1|option_accuracy", 0.0, 1.0)
PIXEL = (("metric:ssim", 0.0, 1.0), ("metric:psnr", 10.0, 40.0))


def study_formats(study: Study) -> list[str]:
    """Formats of the study's items, in the taxonomy's order."""
    present = set(study.study_items.values_list("revision__format", flat=True))
    known = [code for code in taxonomy.FORMATS if code in present]
    return known + sorted(present - set(known))


def clinical_rubric(study: Study) -> Rubric | None:
    """The study's first rubric that asks for the overall judgment."""
    return (
        Rubric.objects.filter(study_rubrics__study=study, criteria__code=CLINICAL_CRITERION)
        .order_by("study_rubrics__position")
        .first()
    )


def present_composite(study: Study) -> Composite:
    """The newest version, or the default, which is then made."""
    newest = study.composites.order_by("-version").first()
    return newest or default_composite(study=study, actor=None)


@transaction.atomic
def default_composite(*, study: Study, actor: User | None) -> Composite:
    """Clinical 0.6, semantic 0.2, pixel 0.2 where a format has all three, renormalized where it has not."""
    hold(chain_of(study))
    composite, new = Composite.objects.get_or_create(study=study, version=1, defaults={"created_by": actor})
    if not new:
        return composite
    rubric = clinical_rubric(study)
    rows = []
    for name in study_formats(study):
        rows += _default_components(composite, name, rubric)
    CompositeComponent.objects.bulk_create(rows)
    record("composite declared", actor=actor, subject=composite, version=1)
    return composite


def _default_components(composite: Composite, name: str, rubric: Rubric | None) -> list[CompositeComponent]:
    kind = taxonomy.FORMATS.get(name)
    parts: list[tuple[str, str, float, float, float]] = []
    if rubric is not None:
        source = f"{RUBRIC}:{rubric.code}:{CLINICAL_CRITERION}"
        parts.append(("clinical", source, rubric.scale_min, rubric.scale_max, SHARES["clinical"]))
    if kind is None or kind.produces_text:
        parts.append(("semantic", *SEMANTIC, SHARES["semantic"]))
    if kind is None or kind.produces_image:
        parts += [("pixel", *measure, SHARES["pixel"] / len(PIXEL)) for measure in PIXEL]
    total = sum(weight for *_, weight in parts)
    return [
        CompositeComponent(
            composite=composite,
            format=name,
            tier=tier,
            source=source,
            low=low,
            high=high,
            weight=weight / total,
            position=position,
        )
        for position, (tier, source, low, high, weight) in enumerate(parts)
    ]


@transaction.atomic
def change_composite(
    *,
    study: Study,
    weights: Mapping[int, float],
    weighting: str,
    actor: User,
    transforms: Mapping[int, tuple[float, float]] | None = None,
) -> Composite:
    """A new version with other weights or transforms; the old one stays. Refused once the study is locked.

    Args:
        study: whose composite.
        weights: component id of the present version → weight; each format's weights sum to 1.
        weighting: how outputs are averaged.
        actor: who declares.
        transforms: component id → raw values worth 0 and 1; those left out stay as they are.

    Raises:
        CompositeError: a weight below 0, a sum other than 1, a transform without a span, or a locked study.
    """
    hold(chain_of(study))
    present = present_composite(study)
    components = list(present.components.all())
    ends = {row.pk: (row.low, row.high) for row in components} | dict(transforms or {})
    problems = weight_problems(components, weights) + transform_problems(components, ends)
    if weighting not in Composite.Weighting.values:
        problems.append(("weighting", f"{weighting!r} is not a weighting"))
    if study.is_final or present.state == Composite.State.LOCKED:
        problems.append(("weights", "the study is locked; its composite was declared before"))
    if problems:
        raise CompositeError(problems)
    version = (study.composites.aggregate(last=Max("version"))["last"] or 0) + 1
    composite = Composite.objects.create(study=study, version=version, weighting=weighting, created_by=actor)
    CompositeComponent.objects.bulk_create(
        CompositeComponent(
            composite=composite,
            format=row.format,
            tier=row.tier,
            source=row.source,
            low=ends[row.pk][0],
            high=ends[row.pk][1],
            weight=weights[row.pk],
            position=row.position,
        )
        for row in components
    )
    record("composite declared", actor=actor, subject=composite, version=version)
    return composite


def transform_problems(
    components: Iterable[CompositeComponent], ends: Mapping[int, tuple[float, float]]
) -> list[tuple[str, str]]:
    """What is wrong with transforms, as (field, words); fields are `low-<component id>`, or `component`."""
    problems = []
    known = {row.pk: row for row in components}
    for key, (low, high) in ends.items():
        if key not in known:
            problems.append(("component", f"{key} is not a component of the present version"))
        elif not (isfinite(low) and isfinite(high)):
            problems.append((f"low-{key}", f"{low} and {high} are not finite numbers"))
        elif low == high:
            problems.append((f"low-{key}", f"0 and 1 are both at {low:g}; the transform needs a span"))
        elif low > high and _direction(known[key]) != "higher_better":
            problems.append((f"low-{key}", f"{low:g} is above {high:g}; lower values are better here already"))
    return problems


def weight_problems(components: Iterable[CompositeComponent], weights: Mapping[int, float]) -> list[tuple[str, str]]:
    """What is wrong with weights, as (field, words); fields are `weight-<component id>` or a format's code."""
    problems = []
    sums: dict[str, float] = {}
    for component in components:
        weight = weights.get(component.pk)
        if weight is None or not isfinite(weight) or weight < 0:
            problems.append((f"weight-{component.pk}", f"{weight} is not a number from 0 to 1"))
            continue
        sums[component.format] = sums.get(component.format, 0.0) + weight
    for name, total in sums.items():
        if not isclose(total, 1.0, abs_tol=1e-6):
            problems.append((name, f"the weights sum to {total:g}, not to 1"))
    return problems


def declaration_of(composite: Composite) -> Declaration:
    """The pure declaration; a component is named by its tier, or by tier and source where a tier has several."""
    rows = list(composite.components.order_by("format", "position"))
    components = [
        Component(
            code=component_code(row),
            tier=row.tier,  # type: ignore[arg-type]
            source=row.source,
            low=row.low,
            high=row.high,
            weight=row.weight,
            direction=_direction(row),
            formats=(row.format,),
        )
        for row in rows
    ]
    formats = {row.format: 1.0 for row in rows}
    return Declaration(
        code=f"{composite.study.slug}",
        version=str(composite.version),
        components=tuple(components),
        formats=formats,
        weighting=composite.weighting,  # type: ignore[arg-type]
    )


def component_code(row: CompositeComponent) -> str:
    """Short name of a component: `clinical:overall`, `semantic:token_f1`, `pixel:psnr`."""
    last = row.source.split(":")[-1].split("|")[0]
    return f"{row.tier}:{last}"


def metric_codes(source: str) -> list[str]:
    """The metrics a source names, in the order in which the first applicable one is taken."""
    kind, _, codes = source.partition(":")
    return codes.split("|") if kind == METRIC else []


def criterion_of(source: str) -> tuple[str, str] | None:
    """(rubric code, criterion code) of a clinical source."""
    kind, _, rest = source.partition(":")
    if kind != RUBRIC:
        return None
    rubric, _, criterion = rest.partition(":")
    return rubric, criterion


def _direction(row: CompositeComponent) -> Direction:
    codes = metric_codes(row.source)
    if codes and codes[0] in METRICS and METRICS[codes[0]].direction == "lower":
        return "lower_better"
    return "higher_better"
