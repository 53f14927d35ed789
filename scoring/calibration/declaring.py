"""What has to be declared before a score is imported: who judged, by which rubric, on which scale, in which view."""

import re
from dataclasses import dataclass

from annotation.formats.problems import shown
from annotation.studies.models import Criterion, Rubric
from scoring.calibration.errors import JudgmentError
from scoring.calibration.models import Judge
from scoring.calibration.reading import Declared

NAME_LIMIT, PROMPT_LIMIT = 80, 64
_SCALE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[-–]\s*(-?\d+(?:\.\d+)?)\s*\Z")


@dataclass(frozen=True)
class Declaration:
    """Who judged, and how; all but the prompt must be said.

    Attributes:
        judge: identity of the judge, such as a model with its version.
        rubric: CODE@VERSION of the rubric it was given.
        scale: MIN-MAX of the scale it was told.
        view: with_reference or without_reference.
        prompt: checksum or name of the prompt; empty when it is not known.
    """

    judge: str = ""
    rubric: str = ""
    scale: str = ""
    view: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class Checked:
    """A declaration that fits."""

    name: str
    rubric: Rubric
    criteria: dict[str, Criterion]
    scale: Declared
    prompt: str

    def row(self) -> Judge:
        wanted = {
            "name": self.name, "rubric": self.rubric, "scale_min": self.scale.low, "scale_max": self.scale.high,
            "view": self.scale.view, "prompt": self.prompt,
        }  # fmt: skip
        return Judge.objects.filter(**wanted).first() or Judge(**wanted)


def check_declaration(said: Declaration) -> Checked:
    """Raises JudgmentError: a declaration is absent, or none that can be."""
    absent = [name for name in ("judge", "rubric", "scale", "view") if not getattr(said, name).strip()]
    if absent:
        raise JudgmentError(
            f"{', '.join(absent)}: not declared. Scores are imported only with judge, rubric (CODE@VERSION), scale "
            "(MIN-MAX) and view (with_reference or without_reference): without them nobody can say what they mean."
        )
    name, prompt = said.judge.strip(), said.prompt.strip()
    for what, text, limit in (("judge", name, NAME_LIMIT), ("prompt", prompt, PROMPT_LIMIT)):
        if len(text) > limit or not text.isprintable():
            raise JudgmentError(f"{what}: {shown(text)}: at most {limit} characters on one line.")
    if said.view not in Judge.View.values:
        raise JudgmentError(f"view: {shown(said.view)}: choose {' or '.join(Judge.View.values)}.")
    code, _, version = said.rubric.strip().partition("@")
    rubric = Rubric.objects.filter(code=code, version=version).first()
    if rubric is None:
        known = ", ".join(str(one) for one in Rubric.objects.all()) or "none"
        raise JudgmentError(f"rubric: {shown(said.rubric)}: no such version; known: {known}.")
    criteria = {one.code: one for one in rubric.criteria.all()}
    return Checked(name, rubric, criteria, _scale(said), prompt)


def _scale(said: Declaration) -> Declared:
    found = _SCALE.match(said.scale)
    if found is None:
        raise JudgmentError(f"scale: {shown(said.scale)}: write MIN-MAX, such as 1-10.")
    low, high = float(found[1]), float(found[2])
    if not low < high:
        raise JudgmentError(f"scale: {shown(said.scale)}: the first number must be below the second.")
    return Declared(low, high, said.view)
