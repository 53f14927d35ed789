"""A running study with two systems, two readers and planted names, made of rows; pictures have real bytes."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from annotation.assets.models import Asset
from annotation.assets.storage import frames_path, write_once
from annotation.datasets.models import Item, ItemImage
from annotation.people.models import User
from annotation.studies.models import Enrollment, Reading, Rubric, Study
from annotation.systems.models import Output, Submission, System, SystemVersion
from tests import factories

T1 = ("T1", "1.0")
T6 = ("T6", "1.0")


@dataclass
class World:
    study: Study
    submissions: list[Submission]
    readings: list[Reading] = field(default_factory=list)
    others: list[Reading] = field(default_factory=list)


def builtin(code: str, version: str) -> Rubric:
    return Rubric.objects.get(code=code, version=version)


def asset_with_frames(seed: str) -> Asset:
    """An asset whose frames lie on disk, as an import leaves them."""
    asset = factories.asset(seed)
    write_once(frames_path(asset), (seed * 40).encode()[:512])
    return asset


def give_pictures(item: Item) -> None:
    """Real bytes for the pictures of an item."""
    for image in ItemImage.objects.filter(revision=item.current_revision).select_related("asset"):
        write_once(frames_path(image.asset), uuid.uuid4().bytes * 16)


def hidden_system(slug: str, release: Any) -> Submission:
    """A submission whose system has names that must never reach a reader."""
    system = System.objects.create(slug=slug, name=f"{slug.title()} Werke", kind="unified")
    version = SystemVersion.objects.create(system=system, version=f"{slug}-v7")
    return Submission.objects.create(
        number=7000 + Submission.objects.count(), system_version=version, dataset=release.dataset, release=release
    )


def small_study(
    reader: User, *, formats: tuple[str, ...] = ("vqa",), mode: str = "one", other_reader: User | None = None
) -> World:
    """A study of one item per format; each reader reads both systems' outputs."""
    for name in formats:
        made = factories.item(format=name, task=TASKS[name], reference_image=name != "vqa", context=[["Age", "64"]])
        give_pictures(made)
    release = factories.release()
    submissions = [hidden_system("zephyrion", release), hidden_system("quasarnet", release)]
    for submission in submissions:
        for released in release.release_items.select_related("revision"):
            output_with_pictures(submission, released.revision)
    study = factories.study(
        release, submissions=submissions, rubrics=[builtin(*T1), builtin(*T6)], state="running",
        outputs_per_reading=mode,
    )  # fmt: skip
    Study.objects.filter(pk=study.pk).update(opened_at=study.created_at)
    world = World(study, submissions, give_readings(study, factories.enroll(study, reader), mode))
    if other_reader is not None:
        world.others = give_readings(study, factories.enroll(study, other_reader), mode)
    return world


TASKS = {
    "vqa": "question-answering",
    "image_editing": "noise-reconstruction",
    "multimodal_generation": "disease-prediction",
}


def output_with_pictures(submission: Submission, revision: Any) -> Output:
    made = factories.output(submission, revision)
    for part in made.parts.filter(kind="image").select_related("asset"):
        write_once(frames_path(part.asset), uuid.uuid4().bytes * 16)
    return made


def give_readings(study: Study, enrollment: Enrollment, mode: str = "one") -> list[Reading]:
    made = []
    for study_item in study.study_items.select_related("revision"):
        outputs = list(Output.objects.filter(revision=study_item.revision).order_by("submission__number"))
        groups = [outputs] if mode == "all" else [[output] for output in outputs]
        made += [factories.reading(enrollment, study_item, group) for group in groups]
    return made


VQA_CRITERIA = (
    "anatomical_accuracy", "clinical_finding_accuracy", "instruction_compliance", "hallucination_omission_control",
    "overall",
)  # fmt: skip
EDIT_CRITERIA = (*VQA_CRITERIA, "edit_achieved", "rest_unchanged", "visual_quality")
CMG_CRITERIA = (*VQA_CRITERIA, "cross_modal_consistency")
CRITERIA = {"vqa": VQA_CRITERIA, "image_editing": EDIT_CRITERIA, "multimodal_generation": CMG_CRITERIA}


def entry(value: float = 4, *, criteria: tuple[str, ...] = VQA_CRITERIA, **fields: Any) -> dict[str, Any]:
    """One output's part of a payload, every criterion at one value."""
    scores = {code: value for code in criteria} | fields.pop("scores", {})
    return {"scores": scores, "na": {}, "rationale": "", "errors": [], "safety": "none", **fields}


def payload(**outputs: dict[str, Any]) -> dict[str, Any]:
    return {"outputs": outputs or {"A": entry()}}


def submission_body(of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"payload": of or payload(), "submit_key": str(uuid.uuid4()), "active_ms": 0, "idle_ms": 0, **fields}


def draft_body(of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"payload": of or payload(), "client_id": "window-1", "revision": 1, "base_revision": 0, **fields}
