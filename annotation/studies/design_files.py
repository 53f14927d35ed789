"""A study's design as a file: given out by its page, and read again to make the same study in any home."""

import json
from typing import Any

from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignError, DesignProblem, StudyStateError
from annotation.studies.models import Enrollment, Study, StudyItem

SIZE_LIMIT = 1024 * 1024
BLIND = (
    "A design names the systems, and its seed tells their letters: it is given out while the study is a draft, and "
    "again when its names are open."
)


def design_of(study: Study) -> dict[str, Any]:
    """The design of a study as it is now: what was declared, with its present people, words and training.

    Raises:
        StudyStateError: the study is open and its names are not.
    """
    if study.state != Study.State.DRAFT and not study.names_are_open:
        raise StudyStateError(BLIND)
    data = dict(study.design) if study.design else _from_rows(study)
    people = study.enrollments.filter(active=True).select_related("user").order_by("reader_code", "pk")
    data |= {
        "instructions": study.instructions,
        "consent_text": study.consent_text,
        "readers": [_reader(row) for row in people if row.role == Enrollment.Role.READER] or data["readers"],
        "training": _training(study),
    }
    return StudyDesign.from_json(data).to_json()


def _reader(row: Enrollment) -> Any:
    return row.user.username if row.cap is None else {"username": row.user.username, "cap": row.cap}


def _training(study: Study) -> list[Any]:
    codes = {row.letter: row.submission.code for row in study.study_systems.select_related("submission")}
    rows = study.study_items.filter(role=StudyItem.Role.TRAINING).select_related("revision__item")
    return [
        {
            "item": row.revision.item.code,
            "expected": {codes[letter]: values for letter, values in row.expected.items()},
            "feedback": row.feedback,
        }
        for row in rows.order_by("revision__item__number")
    ]


def _from_rows(study: Study) -> dict[str, Any]:
    """Of a study that was made before designs were kept: its items are all of the release that it holds."""
    return {
        "name": study.name,
        "slug": study.slug,
        "release": str(study.release),
        "submissions": [row.submission.code for row in study.study_systems.select_related("submission")],
        "rubrics": [str(row.rubric) for row in study.study_rubrics.select_related("rubric")],
        "readers": ["reader"],
        "mode": study.outputs_per_reading,
        "readers_per_item": study.readers_per_item,
        "gap": study.gap,
        "seed": study.seed,
        "guess_block": study.guess_block,
        "due_on": study.due_on.isoformat() if study.due_on else None,
    }


def read_design(data: bytes) -> StudyDesign:
    """The design in a file.

    Raises:
        DesignError: it is too large, no JSON, or not a design; every field is named.
    """
    if len(data) > SIZE_LIMIT:
        raise DesignError([DesignProblem("file", f"{len(data):,} bytes", f"is larger than {SIZE_LIMIT:,} bytes")])
    try:
        found = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise DesignError([DesignProblem("file", "", f"is not JSON: {problem}")]) from problem
    return StudyDesign.from_json(found)
