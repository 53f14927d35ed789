"""Invented grades of two readers, derived from the judgment tables by a seeded small disagreement."""

from typing import Any

import numpy as np

from medgen.demo import judgments_editing, judgments_generation, judgments_vqa
from medgen.demo.judgments import CONSISTENCY, SAFETY, T1, T6, Judgment
from medgen.demo.records import SYSTEMS

SEED = 20
NOTE = (
    "Invented for the demo: no clinician gave these grades. They show what honest readers could have said; two "
    "readers differ by a seeded small disagreement. Not evidence about any system."
)


def base_scores(code: str, judgment: Judgment) -> dict[str, int]:
    """The judgment's digits by criterion."""
    scores = {criterion: int(digit) for criterion, digit in zip(T1, judgment.t1, strict=True)}
    if code.startswith("E"):
        scores |= {criterion: int(digit) for criterion, digit in zip(T6, judgment.extra, strict=True)}
    elif code.startswith("G"):
        scores[CONSISTENCY] = int(judgment.extra)
    return scores


def jittered(scores: dict[str, int], lowest: int, generator: np.random.Generator) -> dict[str, int]:
    """Move about every sixth score by one level, inside lowest…5; a 1 stays a 1 in most cases."""
    moved = {}
    for criterion, score in scores.items():
        step = int(generator.choice([-1, 0, 1], p=[0.09, 0.83, 0.08]))
        moved[criterion] = min(5, max(min(lowest, score), score + step))
    return moved


def one_reader(code: str, judgment: Judgment, reader: int, generator: np.random.Generator) -> dict[str, Any]:
    """A reader's grade of one output: scores, harm, error codes and a rationale where the rubric asks for one."""
    level = SAFETY.index(judgment.safety)
    words = judgment.words[reader]
    if words and 0 < level < 3 and generator.random() < 0.2:
        level += int(generator.choice([-1, 1]))
    scores = jittered(base_scores(code, judgment), 1 if words else 3, generator)
    localized = not code.startswith("V")
    errors = [{"code": error, "nowhere": True} if localized else {"code": error} for error in judgment.errors]
    return {"scores": scores, "safety": SAFETY[level], "errors": errors, "rationale": words}


def invented_grades() -> dict[str, Any]:
    """Grades by reader, item code and system slug; the same on every machine."""
    generator = np.random.default_rng(SEED)
    tables = {**judgments_vqa.JUDGMENTS, **judgments_editing.JUDGMENTS, **judgments_generation.JUDGMENTS}
    readers: dict[str, Any] = {"reader1": {}, "reader2": {}}
    for code in sorted(tables):
        for index, name in enumerate(readers):
            readers[name][code] = {
                SYSTEMS[letter]: one_reader(code, judgment, index, generator)
                for letter, judgment in tables[code].items()
            }
    return {"note": NOTE, "seed": SEED, "readers": readers}
