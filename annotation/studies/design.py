"""A study as its coordinator declares it, before anything is looked up: a file, a form and Python say the same.

    {"name": "Round one", "slug": "round-1", "release": "liver@1.0", "submissions": ["aurora", "SU-0002"],
     "rubrics": ["T1", "T6@1.0"], "mode": "one", "readers": ["anna", {"username": "ben", "cap": 40}],
     "analysts": ["dora"], "coordinators": ["emil"], "readers_per_item": 2, "gap": 20, "seed": 4711, "guess_block": 0,
     "formats": ["image_editing"], "tasks": [], "modalities": ["ct"], "sample": 30,
     "instructions": "…", "consent_text": "…", "due_on": "2026-12-24"}

`assignment` says who reads what: `even`, `crossed`, `incomplete` (balanced incomplete blocks) or `anchored` with
`anchor_items` for everybody. `stages` 2 lets readers grade without the reference, then with it. `repeats` are the
readings of each reader that come again hidden, `washout_days` after the first time at the earliest; `attention_items`
the mismatched cases mixed in; `pilot_items` and `training` items stay out of results, and `admission` is the share of
training values that must be right (`training`: codes, or {"item": "IT-000003", "expected": {"aurora": {"overall":
[1, 2]}}, "feedback": "…"}).

Name, slug, release, submissions, rubrics and readers are needed; the rest has the defaults of `StudyDesign`.
`guess_block` n asks readers after every n readings which system they believe it was; 0 never asks.
`sample` is the number of items drawn from each stratum (format, task and modality); null takes all.
`mode` is `one` or `all` outputs a reading to be graded, `pair` (which of two is better) or `rank` (which of all is
best). With `pair`, `pairs_per_item` is the number of pairs of an item that each of its readers compares; null takes
all. With `compare_criteria`, outputs are compared by each criterion of the rubrics too and not only overall.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from annotation.studies.errors import DesignError, DesignProblem
from annotation.studies.teams import PLANS
from annotation.studies.training_plans import TrainingPlan, misfits, read_training

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,60}")
RELEASE = re.compile(r"[-a-zA-Z0-9_]{1,60}@\S{1,40}")
RESERVED_SLUGS = ("new", "workload")
MODES = ("one", "all", "pair", "rank")
COMPARING = ("pair", "rank")
NAME_LIMIT, INSTRUCTIONS_LIMIT = 120, 20_000
LIMITS = {
    "readers_per_item": (1, 100), "gap": (0, 10_000), "guess_block": (0, 1_000), "seed": (0, 2**31 - 1),
    "anchor_items": (0, 100_000), "stages": (1, 2), "repeats": (0, 500), "washout_days": (0, 365),
    "attention_items": (0, 200), "pilot_items": (0, 500),
}  # fmt: skip
SAMPLE_LIMITS = (1, 100_000)
PAIRS_LIMITS = (1, 325)
CAP_LIMITS = (1, 100_000)


@dataclass(frozen=True)
class ReaderPlan:
    """A reader by user name; `cap` is the most items this reader is given."""

    username: str
    cap: int | None = None


@dataclass(frozen=True)
class StudyDesign:
    """What a study shall be. `submissions` are system slugs or submission codes, `rubrics` codes with or without
    a version (`T1` is its newest), `sample` items per stratum."""

    name: str
    slug: str
    release: str
    submissions: tuple[str, ...]
    rubrics: tuple[str, ...]
    readers: tuple[ReaderPlan, ...]
    mode: str = "one"
    pairs_per_item: int | None = None
    compare_criteria: bool = False
    formats: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    sample: int | None = None
    analysts: tuple[str, ...] = ()
    coordinators: tuple[str, ...] = ()
    readers_per_item: int = 2
    assignment: str = "even"
    anchor_items: int = 0
    stages: int = 1
    repeats: int = 0
    washout_days: int = 0
    attention_items: int = 0
    pilot_items: int = 0
    training: tuple[TrainingPlan, ...] = ()
    admission: float | None = None
    gap: int = 20
    seed: int = 1
    guess_block: int = 0
    instructions: str = ""
    consent_text: str = ""
    due_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """The design as it stands in a file; `from_json` gives it back."""
        data: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            data[each.name] = list(value) if isinstance(value, tuple) else value
        data["readers"] = [
            reader.username if reader.cap is None else {"username": reader.username, "cap": reader.cap}
            for reader in self.readers
        ]
        data["training"] = [each.to_json() for each in self.training]
        data["due_on"] = self.due_on.isoformat() if self.due_on else None
        return data

    @classmethod
    def from_json(cls, data: Any) -> "StudyDesign":
        """Read a design.

        Raises:
            DesignError: with every field that is missing, unknown or not what it should be.
        """
        if not isinstance(data, dict):
            raise DesignError([DesignProblem("design", _shown(data), "must be a JSON object")])
        known = {each.name: each for each in fields(cls)}
        problems = [
            DesignProblem(str(key)[:60], "", f"is not a field of a design; known: {', '.join(known)}")
            for key in data
            if key not in known
        ]
        values: dict[str, Any] = {}
        for name, read in _READERS.items():
            if data.get(name) is None:
                if name in _NEEDED:
                    problems.append(DesignProblem(name, "", "is missing"))
                continue
            try:
                values[name] = read(name, data[name])
            except DesignError as problem:
                problems += problem.problems
        problems += _misfits(values)
        if problems:
            raise DesignError(problems)
        return cls(**values)


def _misfits(values: dict[str, Any]) -> list[DesignProblem]:
    """Fields that do not fit the mode, or each other."""
    mode = values.get("mode", "one")
    found = misfits(values, comparing=mode in COMPARING)
    if values.get("pairs_per_item") is not None and mode != "pair":
        found.append(DesignProblem("pairs_per_item", str(values["pairs_per_item"]), f"only in mode pair, not {mode}"))
    if values.get("compare_criteria") and mode not in COMPARING:
        found.append(DesignProblem("compare_criteria", "true", f"only in modes pair and rank, not {mode}"))
    if mode in COMPARING and len(values.get("submissions", ("", ""))) < 2:
        found.append(
            DesignProblem("submissions", values["submissions"][0], f"mode {mode} compares two or more systems")
        )
    return found


_NEEDED = ("name", "slug", "release", "submissions", "rubrics", "readers")


def _refuse(name: str, value: Any, rule: str) -> DesignError:
    return DesignError([DesignProblem(name, _shown(value), rule)])


def _shown(value: Any) -> str:
    words = str(value)
    return words if len(words) <= 60 else f"{words[:60]}…"


def _text(limit: int) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise _refuse(name, value, "must be a text")
        if len(value) > limit:
            raise _refuse(name, value, f"has {len(value):,} characters, the limit is {limit:,}")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _refuse(name, "", "has a character that is none (NUL or a lone surrogate)")
        return value.strip()

    return read


def _name(name: str, value: Any) -> str:
    text = _text(NAME_LIMIT)(name, value)
    if not text:
        raise _refuse(name, value, "is empty")
    return text


def _slug(name: str, value: Any) -> str:
    if not isinstance(value, str) or not SLUG.fullmatch(value):
        raise _refuse(name, value, "must be 1 to 60 letters, digits, - and _")
    if value in RESERVED_SLUGS:
        raise _refuse(name, value, "is an address of the product; choose another one")
    return value


def _release(name: str, value: Any) -> str:
    if not isinstance(value, str) or not RELEASE.fullmatch(value):
        raise _refuse(name, value, "must be DATASET@VERSION, like liver@1.0")
    return value


def _words(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        raise _refuse(name, value, "must be a list of texts")
    if repeated := sorted({word for word in value if value.count(word) > 1}):
        raise _refuse(name, repeated[0], "is named twice")
    return tuple(word.strip() for word in value)


def _some_words(name: str, value: Any) -> tuple[str, ...]:
    words = _words(name, value)
    if not words:
        raise _refuse(name, value, "names nothing; name at least one")
    return words


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _refuse(name, value, f"must be a whole number from {low} to {high}")
        return value

    return read


def _mode(name: str, value: Any) -> str:
    if value not in MODES:
        raise _refuse(name, value, f"must be one of {', '.join(MODES)}")
    return str(value)


def _assignment(name: str, value: Any) -> str:
    if value not in PLANS:
        raise _refuse(name, value, f"must be one of {', '.join(PLANS)}")
    return str(value)


def _share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise _refuse(name, value, "must be a share above 0 and at most 1, like 0.8")
    return float(value)


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "must be true or false")
    return value


def _date(name: str, value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as problem:
        raise _refuse(name, value, "must be a date, like 2026-12-24") from problem


def _readers(name: str, value: Any) -> tuple[ReaderPlan, ...]:
    if not isinstance(value, list) or not value:
        raise _refuse(name, value, "must be a list with at least one reader")
    plans = tuple(_reader(name, each) for each in value)
    seen: set[str] = set()
    for plan in plans:
        if plan.username in seen:
            raise _refuse(name, plan.username, "is named twice")
        seen.add(plan.username)
    return plans


def _reader(name: str, value: Any) -> ReaderPlan:
    if isinstance(value, str) and value.strip():
        return ReaderPlan(value.strip())
    if not isinstance(value, dict) or not isinstance(value.get("username"), str) or set(value) - {"username", "cap"}:
        raise _refuse(name, value, 'must be a user name or {"username": …, "cap": …}')
    cap = value.get("cap")
    return ReaderPlan(value["username"].strip(), None if cap is None else _whole(*CAP_LIMITS)(f"{name}.cap", cap))


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "slug": _slug,
    "release": _release,
    "submissions": _some_words,
    "rubrics": _some_words,
    "readers": _readers,
    "mode": _mode,
    "pairs_per_item": _whole(*PAIRS_LIMITS),
    "compare_criteria": _yes_or_no,
    "formats": _words,
    "tasks": _words,
    "modalities": _words,
    "sample": _whole(*SAMPLE_LIMITS),
    "analysts": _words,
    "coordinators": _words,
    "readers_per_item": _whole(*LIMITS["readers_per_item"]),
    "assignment": _assignment,
    **{
        name: _whole(*LIMITS[name])
        for name in ("anchor_items", "stages", "repeats", "washout_days", "attention_items", "pilot_items")
    },
    "training": read_training,
    "admission": _share,
    "gap": _whole(*LIMITS["gap"]),
    "seed": _whole(*LIMITS["seed"]),
    "guess_block": _whole(*LIMITS["guess_block"]),
    "instructions": _text(INSTRUCTIONS_LIMIT),
    "consent_text": _text(INSTRUCTIONS_LIMIT),
    "due_on": _date,
}
