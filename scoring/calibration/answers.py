"""One answer of a judge as a number of the declared scale, or the typed reason why it is none. Pure."""

import math
import re
from dataclasses import dataclass

from scoring.metrics.base import REASONS as METRIC_REASONS

RAW_LIMIT = 20_000
TIE = "tie"
REASONS = {
    code: METRIC_REASONS[code]
    for code in (
        "unparsable", "invalid", "out_of_range", "refused", "failed", "missing_criterion", "not_applicable",
    )
} | {
    "unparsable": "The answer holds no number that stands for a score.",
    "failed": "The call of the judge failed: there is no answer.",
    TIE: "The answer is a tie between outputs, which is no score of one output.",
}  # fmt: skip

_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*\Z")
_OF = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:/|out of|of)\s*(\d+(?:\.\d+)?)\s*\Z", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b(?:cannot|can not|can['’]t|unable to|not able to|will not|won['’]t|declin\w*|refus\w*|sorry)\b", re.IGNORECASE
)
_TIED = re.compile(r"\s*(?:(?:a |it is a |it's a )?tie|tied|equal|draw|both(?: (?:are )?(?:good|bad))?)\W*\Z", re.I)
_OUTSIDE = re.compile(r"\s*(?:n\s*/\s*a|na|not[ _]applicable)\W*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one answer.

    Attributes:
        value: the number, None with a reason.
        reason: code of `REASONS`, "" with a number.
        raw: the answer as it stood, where it is not simply the number; shortened to 20,000 characters.
        coerced: the number was read out of words that say the same, such as "8/10".
        rule: what the answer breaks, in words; "" for a number and where nothing was said.
    """

    value: float | None
    reason: str = ""
    raw: str = ""
    coerced: bool = False
    rule: str = ""


MISSING = Answer(None, "missing_criterion")
FAILED = Answer(None, "failed", rule="the judge's object is empty: the call failed")


def read_answer(said: object, *, low: float, high: float) -> Answer:
    """Read one answer on a declared scale.

    A number within the scale is taken. A text that is a number is taken; "8/10" is taken as 8, marked `coerced`, when
    10 is the upper end of the scale, and is `invalid` otherwise: nothing is rescaled. A number outside of the scale
    is `out_of_range` and kept as it stood. An object stands for its field `score`.

    Args:
        said: the answer as the file has it.
        low: declared lower end.
        high: declared upper end.
    """
    if isinstance(said, dict):
        return read_answer(said["score"], low=low, high=high) if "score" in said else _object(said)
    if said is None or (isinstance(said, str) and not said.strip()):
        return MISSING
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return Answer(None, "invalid", _kept(said), rule="must be a number, or text that is one")
    if isinstance(said, str):
        return _read_text(said, low, high)
    return _in_range(_as_float(said), str(said), low, high)


def _as_float(number: int | float) -> float:
    """As a float; a whole number beyond all floats becomes an infinity, which lies outside of every scale."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _object(said: dict[str, object]) -> Answer:
    return Answer(None, "invalid", _kept(said), rule="the object has no field score") if said else FAILED


def _read_text(said: str, low: float, high: float) -> Answer:
    if plain := _NUMBER.match(said):
        return _in_range(float(plain[1]), said, low, high)
    if of := _OF.match(said):
        if float(of[2]) != high:
            rule = f"is of {float(of[2]):g}, the declared scale ends at {high:g}; nothing is rescaled"
            return Answer(None, "invalid", _kept(said), rule=rule)
        found = _in_range(float(of[1]), said, low, high)
        return found if found.value is None else Answer(found.value, raw=_kept(said), coerced=True)
    for pattern, reason, rule in (
        (_TIED, TIE, "is a tie: one output has no score by it"),
        (_OUTSIDE, "not_applicable", "the judge calls the criterion not applicable"),
        (_REFUSED, "refused", "is a refusal, not a score"),
    ):
        if pattern.search(said) if pattern is _REFUSED else pattern.match(said):
            return Answer(None, reason, _kept(said), rule=rule)
    return Answer(None, "unparsable", _kept(said), rule="no number that stands for a score")


def _in_range(value: float, said: str, low: float, high: float) -> Answer:
    if low <= value <= high:
        return Answer(value)
    return Answer(None, "out_of_range", _kept(said), rule=f"must lie within the declared scale {low:g} to {high:g}")


def _kept(said: object) -> str:
    text = said if isinstance(said, str) else repr(said)
    return text[:RAW_LIMIT]
