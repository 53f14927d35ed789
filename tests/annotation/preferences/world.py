"""A running study in which one reader compares the outputs of two systems, made of rows."""

import uuid
from typing import Any

from annotation.people.models import User
from annotation.studies.models import Study
from tests.annotation.grading import world
from tests.annotation.grading.world import World

CODES = ("anatomical_accuracy", "clinical_finding_accuracy", "instruction_compliance")


def comparing_study(reader: User, *, mode: str = "pair", criteria: bool = False, **more: Any) -> World:
    made = world.small_study(reader, mode="all", **more)
    Study.objects.filter(pk=made.study.pk).update(outputs_per_reading=mode, compare_criteria=criteria)
    made.study.refresh_from_db()
    return made


def preferred(overall: str = "left", **fields: Any) -> dict[str, Any]:
    """A payload with one overall choice; `outputs` say what stands beside single outputs."""
    outputs = fields.pop("outputs", {})
    choices = {"overall": overall} | fields.pop("choices", {})
    return {"preference": {"choices": choices, **fields}, "outputs": outputs}


def body(of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"payload": of or preferred(), "submit_key": str(uuid.uuid4()), "active_ms": 0, "idle_ms": 0, **fields}
