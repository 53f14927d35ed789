"""Rows for tests, made directly: the cast of people and a small world from dataset to study.

Every function makes one thing with sensible defaults; keyword arguments change a field. Assets made here have
no bytes on disk; tests that need real pixels store them through `annotation.assets.services`.
"""

import hashlib
import itertools
import uuid
from typing import Any

from annotation.assets.models import Asset
from annotation.datasets.models import Dataset, Item, ItemImage, ItemRevision
from annotation.grading.models import CriterionScore, Grade
from annotation.people.models import User
from annotation.releases.models import Release, ReleaseItem
from annotation.studies.models import (
    Criterion,
    Enrollment,
    Reading,
    ReadingOutput,
    Rubric,
    Study,
    StudyItem,
    StudyRubric,
    StudySystem,
)
from annotation.systems.models import Output, OutputPart, Submission, System, SystemVersion

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def person(username: str, **fields: Any) -> User:
    user = User(username=username, name=fields.pop("name", username.replace("_", " ").title()), **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def dataset(slug: str = "liver", **fields: Any) -> Dataset:
    return Dataset.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def asset(seed: str | None = None, **fields: Any) -> Asset:
    digest = hashlib.sha256((seed or uuid.uuid4().hex).encode()).hexdigest()
    values: dict[str, Any] = {
        "sha256": digest, "pixel_digest": digest, "kind": "image", "media_type": "image/png", "suffix": ".png",
        "size_bytes": 10, "width": 64, "height": 64, "bits": 8, "unit": "gray", "data_low": 0, "data_high": 255,
        "frames_header": {"version": 1, "rows": 64, "cols": 64, "frames": 1, "channels": 1},
    }  # fmt: skip
    return Asset.objects.create(**(values | fields))


def item(
    of: Dataset | None = None,
    *,
    state: str = Item.State.ACCEPTED,
    case_key: str = "",
    images: bool = True,
    reference_image: bool = False,
    **fields: Any,
) -> Item:
    """An item with one revision; fields go to the revision."""
    of = of or dataset()
    number = of.items.count() + 1
    made = Item.objects.create(dataset=of, number=number, state=state, case_key=case_key)
    values: dict[str, Any] = {
        "instruction": f"Question {number}?", "reference_text": f"Answer {number}", "format": "vqa",
        "task": "question-answering", "modality": "ct", "license": "CC0-1.0", "source": "test",
        "content_hash": hashlib.sha256(f"{of.pk}{number}{next(_numbers)}".encode()).hexdigest(),
    }  # fmt: skip
    revision = ItemRevision.objects.create(item=made, **(values | fields))
    made.current_revision = revision
    made.save()
    if images:
        ItemImage.objects.create(revision=revision, role="input", position=0, asset=asset())
    if reference_image:
        ItemImage.objects.create(revision=revision, role="reference", position=0, asset=asset())
    return made


def release(of: Dataset | None = None, version: str = "1.0", **fields: Any) -> Release:
    """A frozen release of all accepted items of a dataset."""
    of = of or dataset()
    values = {"validation": "here", "content_hash": "0" * 64} | fields
    made = Release.objects.create(dataset=of, version=version, **values)
    for accepted in of.items.filter(state=Item.State.ACCEPTED).select_related("current_revision"):
        ReleaseItem.objects.create(
            release=made,
            revision=accepted.current_revision,
            content_hash=accepted.current_revision.content_hash,
        )
    return made


def submission(of: Release, slug: str = "aurora", *, outputs: bool = True, **fields: Any) -> Submission:
    """A submission with one text output per released item (image outputs for edits)."""
    system = System.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "kind": "unified"})[0]
    version = SystemVersion.objects.get_or_create(system=system, version="1.0")[0]
    made = Submission.objects.create(
        number=Submission.objects.count() + 1,
        system_version=version,
        dataset=of.dataset,
        release=of,
        **fields,
    )
    if outputs:
        for released in of.release_items.select_related("revision"):
            output(made, released.revision)
    return made


def output(of: Submission, revision: ItemRevision, *, status: str = "ok", **fields: Any) -> Output:
    made = Output.objects.create(
        submission=of, revision=revision, status=status, content_hash=uuid.uuid4().hex * 2, **fields
    )
    if status != "ok":
        return made
    position = 0
    if revision.format != "image_editing":
        OutputPart.objects.create(output=made, position=position, kind="text", text=f"Answer of {of.number}")
        position = 1
    if revision.format != "vqa":
        OutputPart.objects.create(output=made, position=position, kind="image", asset=asset())
    return made


def rubric(code: str = "T1", version: str = "1.0", *, criteria: tuple[str, ...] = ("overall",)) -> Rubric:
    made, new = Rubric.objects.get_or_create(
        code=code, version=version, defaults={"name": f"Rubric {code}", "scale_min": 1, "scale_max": 5}
    )
    if new:
        for position, name in enumerate(criteria):
            Criterion.objects.create(
                rubric=made, code=name, label=name.replace("_", " ").capitalize(), definition="…",
                position=position, rationale_at_most=2,
            )  # fmt: skip
    return made


def study(
    of: Release | None = None,
    *,
    slug: str = "round-1",
    submissions: list[Submission] | None = None,
    rubrics: list[Rubric] | None = None,
    **fields: Any,
) -> Study:
    of = of or release()
    made = Study.objects.create(slug=slug, name=slug.replace("-", " ").title(), release=of, **fields)
    for position, used in enumerate(rubrics or [rubric()]):
        StudyRubric.objects.create(study=made, rubric=used, position=position)
    for letter, used_submission in zip("ABCDEFGH", submissions or [], strict=False):
        StudySystem.objects.create(study=made, submission=used_submission, letter=letter)
    for released in of.release_items.select_related("revision__item"):
        StudyItem.objects.create(
            study=made, revision=released.revision,
            stratum=f"{released.revision.task} · {released.revision.modality}",
            cluster=released.revision.item.case_key or str(released.revision_id),
        )  # fmt: skip
    return made


def enroll(of: Study, user: User, role: str = "reader", **fields: Any) -> Enrollment:
    if role == "reader" and "reader_code" not in fields:
        fields["reader_code"] = f"R{of.enrollments.filter(role='reader').count() + 1:02d}"
    return Enrollment.objects.create(study=of, user=user, role=role, **fields)


def reading(of: Enrollment, study_item: StudyItem, outputs: list[Output], **fields: Any) -> Reading:
    made = Reading.objects.create(
        study=of.study, enrollment=of, study_item=study_item, position=of.readings.count() + 1, **fields
    )
    for position, (label, shown) in enumerate(zip("ABCDEFGH", outputs, strict=False)):
        ReadingOutput.objects.create(reading=made, output=shown, label=label, position=position)
    return made


def grade(of: ReadingOutput, *, scores: dict[str, float] | None = None, **fields: Any) -> Grade:
    """A submitted grade; scores by criterion code over the study's rubrics."""
    made = Grade.objects.create(
        reading_output=of, author=of.reading.enrollment.user, submit_key=uuid.uuid4(), **fields
    )
    by_code = {
        criterion.code: criterion
        for criterion in Criterion.objects.filter(rubric__study_rubrics__study=of.reading.study)
    }
    for code, value in (scores or {"overall": 4}).items():
        CriterionScore.objects.create(grade=made, criterion=by_code[code], value=value)
    Reading.objects.filter(pk=of.reading_id).update(status=Reading.Status.SUBMITTED, submitted_at=made.submitted_at)
    return made
