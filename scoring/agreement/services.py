"""Agreement between the readers of a study: coefficients with intervals, per criterion and pair."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from annotation.studies.models import Study
from scoring.agreement.coefficients import LEVEL, SEED, bland_altman, criterion_agreement
from scoring.agreement.models import AnalysisRun
from scoring.agreement.ratings import FINAL_STAGE, Ratings, study_ratings
from scoring.agreement.selection import Selection, choices, selection_of
from scoring.agreement.state import Analysis, grades_state

CODE_VERSION = "7"
STAGES = ("without_reference", FINAL_STAGE)


def agreement(study: Study, asked: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every coefficient with interval, n and the number missing; recomputed only when a grade came in.

    Only first final grades enter: amendments after a discussion never do. Readers are fixed: the intervals speak of
    these readers on other cases.

    Args:
        study: whose readers.
        asked: task, modality, stage, first and second reader; what is absent selects everything.

    Raises:
        SelectionError: a task, modality, stage or reader that the study does not have.
    """
    wanted = {name: str(value) for name, value in (asked or {}).items() if value}
    analysis = Analysis[list[Ratings]](
        study=study, kind=AnalysisRun.Kind.AGREEMENT, code_version=CODE_VERSION, seed=SEED, parameters=wanted
    )
    stages = STAGES if study.stages > 1 else (FINAL_STAGE,)
    stage = wanted.get("stage", FINAL_STAGE)
    result, digest = analysis.result(
        grades_state(study),
        read=lambda: study_ratings(study, stage=stage if stage in stages else FINAL_STAGE),
        digest=lambda ratings: _selected_hash(ratings, wanted),
        compute=lambda ratings: _compute(ratings, wanted, stages),
    )
    return result | {"preview": not study.is_final, "study": study.slug, "inputs_hash": digest}


def _compute(ratings: list[Ratings], wanted: Mapping[str, str], stages: tuple[str, ...]) -> dict[str, Any]:
    known = choices(ratings, stages=stages)
    selection = selection_of(wanted, known)
    selected = [selection.of(one) for one in ratings]
    return {
        "seed": SEED,
        "level": LEVEL,
        "selection": asdict(selection),
        "choices": known,
        "criteria": [_criterion(one, selection) for one in selected],
    }


def _criterion(ratings: Ratings, selection: Selection) -> dict[str, Any]:
    found = criterion_agreement(ratings)
    return found | {"bland_altman": bland_altman(ratings) if selection.pair or len(ratings.readers) == 2 else None}


def _selected_hash(ratings: list[Ratings], wanted: Mapping[str, str]) -> str:
    whole = inputs_hash(ratings)
    return whole if not wanted else hashlib.sha256(repr((whole, sorted(wanted.items()))).encode()).hexdigest()


def inputs_hash(ratings: list[Ratings]) -> str:
    digest = hashlib.sha256(CODE_VERSION.encode())
    for one in ratings:
        digest.update(repr((one.code, one.readers, one.outputs, one.categories, one.absent)).encode())
        for table in (one.values, one.again, one.assigned, one.graded):
            digest.update(np.ascontiguousarray(table).tobytes())
    return digest.hexdigest()
