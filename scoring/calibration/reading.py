"""A file of judgments, line by line: which output is meant, and what the judge said of it. Pure.

Two shapes of a line are read, both JSON: `{"sample_id": "…", "scores": {"overall": 8, …}}`, and the results of the
MedGEN-Bench evaluator, whose objects `vlm_judge_w_gt_result` and `vlm_judge_wo_gt_result` are taken for the view with
and without the reference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.formats.fields import Source, aliases_of
from annotation.formats.lines import Line, LineError, read_lines, strict_json
from annotation.formats.paths import Package
from annotation.formats.problems import Problem

SCORES, ITEM, SCALE, VIEW = "scores", "item", "scale", "view"
OFFICIAL = {"with_reference": "vlm_judge_w_gt_result", "without_reference": "vlm_judge_wo_gt_result"}
_OFFICIAL_WORDS = {"final_thoughts", "explanation", "reasoning", "summary", "raw_response"}
NO_SCORES = "the line has neither scores nor a judge's object of the declared view"


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared for all lines of a file: the ends of the scale and the view."""

    low: float
    high: float
    view: str

    @property
    def scale_words(self) -> str:
        return f"{self.low:g}-{self.high:g}"


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line.

    Attributes:
        number: of the line, from 1.
        ids: (scheme, value) of everything that names the item.
        said: answer by criterion.
        reply: the whole reply, when it is no object of scores; then `said` is empty.
        failed: whether the judge's object is empty.
    """

    number: int
    ids: tuple[tuple[str, str], ...]
    said: Mapping[str, Any]
    reply: str = ""
    failed: bool = False


def read_judged(path: Path, declared: Declared) -> Iterator[JudgedLine | Problem]:
    """Every line as what was judged, or as a problem.

    Raises:
        FormatError: there is no such file, or it is no text.
    """
    source = Source(path.name, "judgments", Package(path.parent))
    for line in read_lines(path, path.name):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            yield _judged(line, source, declared)
        except LineError as problem:
            yield problem.problem(path.name, line.number)


def _judged(line: Line, source: Source, declared: Declared) -> JudgedLine:
    data = line.data
    _refuse_other(data, declared)
    ids = list(aliases_of(data, source, line.number))
    named = data.get(ITEM)
    if isinstance(named, str) and named.strip():
        ids.append((ITEM, named.strip()))
    if not ids:
        raise LineError("sample_id", None, "no id names the item; give sample_id, id or item")
    said, official = _found(data, declared)
    if isinstance(said, str):
        said, reply = _unwrapped(said)
        if reply:
            return JudgedLine(line.number, tuple(ids), {}, reply=reply)
    if not isinstance(said, dict):
        raise LineError(SCORES, said, "must be an object of scores by criterion")
    if not said:
        return JudgedLine(line.number, tuple(ids), {}, failed=True)
    return JudgedLine(line.number, tuple(ids), _by_criterion(said) if official else said)


def _refuse_other(data: Mapping[str, object], declared: Declared) -> None:
    """A line that states another scale or view than was declared for the file belongs to another judge."""
    scale = data.get(SCALE)
    if scale is not None and str(scale).replace("–", "-").replace(" ", "") != declared.scale_words:
        raise LineError(SCALE, scale, f"the line says so, declared is {declared.scale_words}; nothing is rescaled")
    view = data.get(VIEW)
    if view is not None and view != declared.view:
        raise LineError(VIEW, view, f"the line says so, declared is {declared.view}; views are never pooled")


def _found(data: Mapping[str, object], declared: Declared) -> tuple[object, bool]:
    if SCORES in data:
        return data[SCORES], False
    name = OFFICIAL[declared.view]
    if name not in data:
        raise LineError(SCORES, None, f"{NO_SCORES} ({name})")
    return data[name], True


def _unwrapped(reply: str) -> tuple[object, str]:
    """The object in a reply that is JSON as text; or the reply itself, when it is prose."""
    try:
        found = strict_json(reply.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip())
    except LineError:
        return {}, reply
    return (found, "") if isinstance(found, dict) else ({}, reply)


def _by_criterion(said: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the evaluator: words are left out, `overall_score` is the criterion overall."""
    found = {}
    for name, value in said.items():
        if name not in _OFFICIAL_WORDS:
            found[name.removesuffix("_score") if name == "overall_score" else name] = value
    return found
