"""Which items of a study stay out of its results: training, attention checks and pilot, one role an item.

An attention check shows an item with something that does not belong to it: one of five pairing controls, taken in
turn. Whoever reads carefully grades it low.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.datasets.models import ItemRevision
from annotation.studies.blueprint import DesignItem
from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignProblem
from annotation.studies.models import StudyItem
from annotation.studies.sampling import shuffled
from annotation.studies.teams import spread_over_strata

Candidate = tuple[str, ItemRevision]
"""Stratum and item."""
CONTROLS = tuple(StudyItem.Control)
PICTURED = (StudyItem.Control.BLANK, StudyItem.Control.IMAGE_SHUFFLE)


@dataclass(frozen=True, kw_only=True)
class AsideItem:
    """An item that enters no result, with what its role needs."""

    revision: ItemRevision
    stratum: str
    role: str
    control: str = ""
    partner: ItemRevision | None = None
    expected: dict[str, Any] = field(default_factory=dict)
    feedback: str = ""


@dataclass(frozen=True)
class SetAside:
    """What is set aside, what is left for the results, and what stands against it."""

    items: tuple[AsideItem, ...]
    rest: tuple[Candidate, ...]
    problems: tuple[DesignProblem, ...]


def set_aside(
    design: StudyDesign, candidates: Sequence[Candidate], *, pictured: set[Any], letters: Mapping[str, str]
) -> SetAside:
    """Choose what enters no result, before the sample is drawn from the rest.

    Args:
        design: what is asked.
        candidates: items with an output to show, in order of their numbers.
        pictured: keys of revisions with an input picture.
        letters: name of a system or submission, as a design writes it → its letter.
    """
    problems: list[DesignProblem] = []
    training = _training(design, candidates, letters, problems)
    taken = {one.revision.pk for one in training}
    free = [pair for pair in candidates if pair[1].pk not in taken]
    chosen: dict[str, list[Candidate]] = {}
    for name, role in (("attention_items", "attention"), ("pilot_items", "pilot")):
        n = getattr(design, name)
        if n and n >= len(free):
            problems.append(DesignProblem(name, str(n), f"only {len(free)} items are left, and one must be graded"))
            return SetAside((), (), tuple(problems))
        chosen[role] = _spread(free, n, seed=design.seed, purpose=role)
        taken |= {revision.pk for _, revision in chosen[role]}
        free = [pair for pair in free if pair[1].pk not in taken]
    attention = _controls(chosen["attention"], candidates, pictured, seed=design.seed, problems=problems)
    pilot = [AsideItem(revision=revision, stratum=stratum, role="pilot") for stratum, revision in chosen["pilot"]]
    return SetAside((*training, *attention, *pilot), tuple(free), tuple(problems))


def _training(
    design: StudyDesign,
    candidates: Sequence[Candidate],
    letters: Mapping[str, str],
    problems: list[DesignProblem],
) -> list[AsideItem]:
    by_code = {revision.item.code: (stratum, revision) for stratum, revision in candidates}
    found = []
    for plan in design.training:
        unknown = sorted(set(plan.expected) - set(letters))
        if plan.item not in by_code:
            rule = f"is no item of {design.release} that has an output to show and fits the filters"
            problems.append(DesignProblem("training", plan.item, rule))
        elif unknown:
            rule = f"{unknown[0]}: is no system of this study"
            problems.append(DesignProblem("training.expected", plan.item, rule))
        else:
            stratum, revision = by_code[plan.item]
            expected = {
                letters[system]: {criterion: list(limits) for criterion, limits in criteria.items()}
                for system, criteria in plan.expected.items()
            }
            found.append(
                AsideItem(
                    revision=revision, stratum=stratum, role="training", expected=expected, feedback=plan.feedback
                )
            )
    return found


def _spread(candidates: Sequence[Candidate], n: int, *, seed: int, purpose: str) -> list[Candidate]:
    if not n:
        return []
    items = [
        DesignItem(key=revision.item.code, stratum=stratum, cluster="", outputs={})
        for stratum, revision in candidates
    ]
    keys = set(spread_over_strata(items, n, seed=seed, purpose=purpose))
    return [pair for pair in candidates if pair[1].item.code in keys]


def _controls(
    chosen: Sequence[Candidate],
    candidates: Sequence[Candidate],
    pictured: set[Any],
    *,
    seed: int,
    problems: list[DesignProblem],
) -> list[AsideItem]:
    """A control for every chosen item, in turn; the next one where an item or the release does not allow it."""
    used = {revision.pk for _, revision in chosen}
    donors = [revision for _, revision in candidates if revision.pk not in used]
    found = []
    for turn, (stratum, revision) in enumerate(chosen):
        for step in range(len(CONTROLS)):
            control = CONTROLS[(turn + step) % len(CONTROLS)]
            if control in PICTURED and revision.pk not in pictured:
                continue
            fitting = [each for each in donors if _fits(control, revision, each, pictured)]
            if control != StudyItem.Control.BLANK and not fitting:
                continue
            purpose = f"partner {revision.item.code}"
            partner = None if control == StudyItem.Control.BLANK else shuffled(fitting, seed=seed, purpose=purpose)[0]
            found.append(
                AsideItem(
                    revision=revision, stratum=stratum, role="attention", control=control.value, partner=partner
                )
            )
            break
        else:
            rule = "no pairing control is possible: no picture, and no other item of its format"
            problems.append(DesignProblem("attention_items", revision.item.code, rule))
    return found


def _fits(control: str, revision: ItemRevision, other: ItemRevision, pictured: set[Any]) -> bool:
    """Whether something of the other item makes this control of the item."""
    if other.format != revision.format:
        return False
    same_modality = other.modality == revision.modality
    if control == StudyItem.Control.UNRELATED:
        return not same_modality
    if control == StudyItem.Control.SAME_MODALITY:
        return same_modality
    if control == StudyItem.Control.IMAGE_SHUFFLE:
        return other.pk in pictured
    return other.instruction != revision.instruction


__all__ = ["AsideItem", "Candidate", "SetAside", "set_aside"]
