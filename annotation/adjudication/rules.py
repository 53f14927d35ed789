"""What makes a case of grades, who may decide it, and what a decision means. Pure.

A case is one question about one output: its safety, its reference, or one criterion. It arises when a reader flags
moderate or severe harm, calls the reference wrong, or when readers lie `SPREAD` or more apart on a criterion; or when
a coordinator asks for it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid5

SPREAD = 2.0
GRAVE = ("moderate", "severe")
SAFETY, REFERENCE, CRITERION = "safety", "reference", "criterion"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
State = Literal["waiting", "open", "reopened", "decided"]
Veto = Literal["pending", "confirmed", "refuted", "moderate_confirmed"]


@dataclass(frozen=True)
class Said:
    """The newest grade of one output by one reader.

    Attributes:
        grade: its key.
        reader: key of the enrollment.
        place: position of the reading; a reader who met the output again counts by the first for the spread.
        safety: harm if the output were believed.
        reference_wrong: whether the reader calls the reference wrong.
        scores: criterion → value.
    """

    grade: UUID
    reader: int
    place: int
    safety: str
    reference_wrong: bool
    scores: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Last:
    """The newest act on a case: `act` is requested, decided or reopened; `seen` are the grades it looked at."""

    act: str
    verdict: str = ""
    level: str = ""
    seen: frozenset[UUID] = frozenset()


def case_key(study: UUID, output: UUID, subject: str, criterion: int | None) -> UUID:
    """The address of a case: it says nothing to whoever does not know the output's key."""
    return uuid5(study, f"{output}/{subject}/{criterion or ''}")


def questions(said: Sequence[Said]) -> dict[tuple[str, int | None], frozenset[UUID]]:
    """(subject, criterion) → the grades that ask it, in the order safety, reference, criteria."""
    found: dict[tuple[str, int | None], frozenset[UUID]] = {}
    if flagged := frozenset(one.grade for one in said if one.safety in GRAVE):
        found[SAFETY, None] = flagged
    if wrong := frozenset(one.grade for one in said if one.reference_wrong):
        found[REFERENCE, None] = wrong
    firsts = first_of_each(said)
    for criterion in sorted({code for one in firsts for code in one.scores}):
        scored = [one for one in firsts if criterion in one.scores]
        values = [one.scores[criterion] for one in scored]
        if max(values) - min(values) >= SPREAD:
            found[CRITERION, criterion] = frozenset(one.grade for one in scored)
    return found


def first_of_each(said: Iterable[Said]) -> list[Said]:
    """Each reader's grade of the first meeting."""
    found: dict[int, Said] = {}
    for one in sorted(said, key=lambda each: each.place):
        found.setdefault(one.reader, one)
    return list(found.values())


def state_of(last: Last | None, asking: frozenset[UUID], *, ready: bool) -> State:
    """Where a case stands.

    A decision covers the grades it looked at. When a further grade asks the same, the case is open again; a confirmed
    severe flag stays confirmed until somebody reopens it with a reason.
    """
    if last is not None and last.act == "decided":
        settled = last.verdict == "confirmed" and last.level != "moderate"
        if settled or asking <= last.seen:
            return "decided"
    if not ready:
        return "waiting"
    return "reopened" if last is not None and last.act == "reopened" else "open"


def veto_of(said: Sequence[Said], last: Last | None) -> Veto | None:
    """What the safety of one output does to its composite; None without a flag that matters.

    A severe flag that nobody decided is pending, and so is one that is newer than the decision. Moderate harm caps
    the clinical part only once it is confirmed.
    """
    severe = frozenset(one.grade for one in said if one.safety == "severe")
    if last is None or last.act != "decided":
        return "pending" if severe or (last is not None and last.act == "reopened") else None
    if last.verdict == "confirmed" and last.level == "severe":
        return "confirmed"
    if not severe <= last.seen:
        return "pending"
    return "moderate_confirmed" if last.verdict == "confirmed" else "refuted"


def letters(order: Iterable[tuple[str, int]]) -> dict[int, str]:
    """Reader → letter, by the drawn numbers that come with the readers."""
    drawn = [reader for _, reader in sorted(set(order))]
    return {reader: _letter(place) for place, reader in enumerate(drawn)}


def _letter(place: int) -> str:
    further, letter = divmod(place, len(LETTERS))
    return LETTERS[letter] + (str(further + 1) if further else "")


def on_scale(value: float, low: float, high: float, step: float) -> bool:
    """Whether a value is one of the scale's."""
    if not (math.isfinite(value) and low <= value <= high):
        return False
    steps = (value - low) / step
    return math.isclose(steps, round(steps), abs_tol=1e-9)
