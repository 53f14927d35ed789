"""Worlds of any size, made of rows in bulk: how many queries a page needs must not depend on the size."""

import hashlib
import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from annotation.assets.models import Asset
from annotation.assets.storage import frames_path, thumbnail_path, write_once
from annotation.curation.models import Checklist, ChecklistQuestion, Review, ReviewAnswer, ReviewReason
from annotation.datasets.models import (
    Dataset,
    ImportJob,
    ImportProblem,
    Item,
    ItemAlias,
    ItemImage,
    ItemRevision,
)
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

_count = itertools.count(1)


def digest(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


@dataclass
class Many:
    """A study on one release of one dataset, with everything around it; `grow` adds rows of every kind."""

    staff: User
    reader: User
    size: int = 0
    first: dict[str, Any] = field(default_factory=dict)
    _some_readings: list[Reading] = field(default_factory=list)

    def rows(self, round: int) -> dict[str, Any]:
        """The rows to look at; each round (0 to 3) has readings that no earlier round has shown."""
        graded, waiting = self._some_readings[2 * round : 2 * round + 2]
        return self.first | {"graded": graded, "reading": waiting}

    def __post_init__(self) -> None:
        dataset = Dataset.objects.create(slug="main", name="Main")
        release = Release.objects.create(dataset=dataset, version="1.0", validation="here", content_hash="0" * 64)
        system = System.objects.create(slug="first", name="First", kind="vlm")
        job = ImportJob.objects.create(kind="items", dataset=dataset, state="done", requested_by=self.staff)
        submission = Submission.objects.create(
            number=1, system_version=SystemVersion.objects.create(system=system, version="1"), dataset=dataset,
            release=release, import_job=job,
        )  # fmt: skip
        study = Study.objects.create(slug="main", name="Main", release=release, state="running")
        StudySystem.objects.create(study=study, submission=submission, letter="A")
        for position, code in enumerate(("T1", "T6")):
            StudyRubric.objects.create(
                study=study, rubric=Rubric.objects.get(code=code, version="1.0"), position=position
            )
        enrolled = Enrollment.objects.create(study=study, user=self.reader, role="reader", reader_code="R01")
        Enrollment.objects.create(study=study, user=self.staff, role="coordinator")
        self.first = {
            "dataset": dataset, "release": release, "system": system, "submission": submission, "job": job,
            "study": study, "enrollment": enrolled, "person": self.reader, "letter": "A",
        }  # fmt: skip

    def grow(self, size: int) -> None:
        """Add rows until there are `size` of each kind."""
        numbers = range(self.size + 1, size + 1)
        self.size = size
        people = self._people(numbers)
        revisions = self._items(numbers)
        self._reviews(people)
        self._around(numbers)
        self._outputs(revisions)
        self._studies(numbers, people)

    def _people(self, numbers: range) -> list[User]:
        made = [User(username=f"person{n}", name=f"Person {n}", password="!", is_curator=n % 2 == 0) for n in numbers]
        return User.objects.bulk_create(made)

    def _items(self, numbers: range) -> list[ItemRevision]:
        dataset = self.first["dataset"]
        items = [Item(dataset=dataset, number=n, state=STATES[n % 3], case_key="same") for n in numbers]
        Item.objects.bulk_create(items)
        revisions = [
            ItemRevision(
                item=item, instruction=f"Question {item.number}?", reference_text="Yes.", format="image_editing",
                task="contrast-enhancement", modality="ct", author=self.staff,
                content_hash=digest("item", item.number),
                raw_terms={"modality": f"raw {item.number}"},
            )
            for item in items
        ]  # fmt: skip
        ItemRevision.objects.bulk_create(revisions)
        for item, revision in zip(items, revisions, strict=True):
            item.current_revision = revision
        Item.objects.bulk_update(items, ["current_revision"])
        assets = Asset.objects.bulk_create([asset() for _ in range(2 * len(items))])
        ItemImage.objects.bulk_create(
            ItemImage(revision=revision, role=role, asset=assets[2 * place + side])
            for place, revision in enumerate(revisions)
            for side, role in enumerate(("input", "reference"))
        )
        ItemAlias.objects.bulk_create(
            ItemAlias(dataset=dataset, item=item, scheme="sample_id", value=f"t:{item.number}") for item in items
        )
        ReleaseItem.objects.bulk_create(
            ReleaseItem(release=self.first["release"], revision=revision, content_hash=revision.content_hash)
            for revision in revisions
        )
        if "item" not in self.first:
            self.first |= {"item": items[0], "revision": revisions[0]}
            for made in assets[:16]:
                write_once(frames_path(made), b"\0" * 64)
                write_once(thumbnail_path(made), b"\0" * 64)
        else:
            self._age_the_first_item(numbers, items)
        return revisions

    def _age_the_first_item(self, numbers: range, items: list[Item]) -> None:
        """More revisions and more ids of the one item that is looked at."""
        item, dataset = self.first["item"], self.first["dataset"]
        ItemRevision.objects.bulk_create(
            ItemRevision(
                item=item, number=n, instruction="Older.", format="image_editing", task="contrast-enhancement",
                content_hash=digest("old", n), author=self.staff, reason="better words",
            )
            for n in numbers
        )  # fmt: skip
        ItemAlias.objects.bulk_create(
            ItemAlias(dataset=dataset, item=item, scheme="id", value=f"older:{other.number}") for other in items
        )

    def _reviews(self, people: list[User]) -> None:
        """Everybody has reviewed the one item that is looked at."""
        checklist = Checklist.objects.order_by("code", "version").first()
        question = ChecklistQuestion.objects.filter(checklist=checklist).first()
        reviews = Review.objects.bulk_create(
            Review(
                revision=self.first["revision"], reviewer=person, checklist=checklist, verdict="fix", comment="Look.",
            )
            for person in people
        )  # fmt: skip
        ReviewAnswer.objects.bulk_create(ReviewAnswer(review=r, question=question, value="no") for r in reviews)
        ReviewReason.objects.bulk_create(ReviewReason(review=r, code="wrong_answer") for r in reviews)

    def _around(self, numbers: range) -> None:
        """Other datasets, systems with submissions, imports with problems."""
        datasets = Dataset.objects.bulk_create(Dataset(slug=f"set-{n}", name=f"Set {n}") for n in numbers)
        releases = Release.objects.bulk_create(
            Release(dataset=of, version="1.0", validation="here", content_hash="1" * 64, frozen_by=self.staff)
            for of in datasets
        )
        Release.objects.bulk_create(
            Release(
                dataset=self.first["dataset"], version=f"0.{n}", validation="here", content_hash="2" * 64,
                frozen_by=self.staff,
            )
            for n in numbers
        )  # fmt: skip
        systems = System.objects.bulk_create(
            System(slug=f"system-{n}", name=f"System {n}", kind="vlm") for n in numbers
        )
        versions = SystemVersion.objects.bulk_create(SystemVersion(system=of, version="1") for of in systems)
        SystemVersion.objects.bulk_create(
            SystemVersion(system=self.first["system"], version=f"2.{n}") for n in numbers
        )
        more = SystemVersion.objects.filter(system=self.first["system"], version__in=[f"2.{n}" for n in numbers])
        pairs = [*zip(versions, releases, strict=True), *((version, self.first["release"]) for version in more)]
        Submission.objects.bulk_create(
            Submission(number=1000 + next(_count), system_version=version, dataset=release.dataset, release=release)
            for version, release in pairs
        )
        ImportJob.objects.bulk_create(
            ImportJob(kind=kind, dataset=self.first["dataset"], state="done", requested_by=self.staff)
            for _ in numbers
            for kind in ("items", "outputs")
        )
        ImportProblem.objects.bulk_create(
            ImportProblem(job=self.first["job"], file="a.jsonl", line=n, field="answer", value="x", rule="wrong")
            for n in numbers
        )

    def _outputs(self, revisions: list[ItemRevision]) -> None:
        """Every item has an output in the submission and a reading in the study; half of them are graded."""
        study, enrolled = self.first["study"], self.first["enrollment"]
        outputs = Output.objects.bulk_create(
            Output(
                submission=self.first["submission"], revision=revision, status="ok", content_hash=digest(revision.pk)
            )
            for revision in revisions
        )
        assets = Asset.objects.bulk_create([asset() for _ in outputs])
        OutputPart.objects.bulk_create(
            OutputPart(output=of, kind="image", asset=made) for of, made in zip(outputs, assets, strict=True)
        )
        items = StudyItem.objects.bulk_create(
            StudyItem(study=study, revision=revision, stratum="contrast · ct", cluster=str(place))
            for place, revision in enumerate(revisions)
        )
        done = enrolled.readings.count()
        readings = Reading.objects.bulk_create(
            Reading(
                study=study, enrollment=enrolled, study_item=item, position=done + place,
                status="submitted" if place % 2 else "queued", submitted_at=timezone.now() if place % 2 else None,
            )
            for place, item in enumerate(items, start=1)
        )  # fmt: skip
        shown = ReadingOutput.objects.bulk_create(
            ReadingOutput(reading=reading, output=of, label="A", position=0)
            for reading, of in zip(readings, outputs, strict=True)
        )
        self._grades([one for one in shown if one.reading.status == "submitted"])
        self._some_readings = self._some_readings or readings[:8]
        self.first.setdefault("output", outputs[0])

    def _grades(self, shown: list[ReadingOutput]) -> None:
        grades = Grade.objects.bulk_create(
            Grade(reading_output=one, author=self.reader, safety="severe", submit_key=uuid.uuid4(), active_ms=900)
            for one in shown
        )
        criteria = list(Criterion.objects.filter(rubric__code="T1"))
        CriterionScore.objects.bulk_create(
            CriterionScore(grade=grade, criterion=criterion, value=4) for grade in grades for criterion in criteria
        )

    def _studies(self, numbers: range, people: list[User]) -> None:
        studies = Study.objects.bulk_create(
            Study(slug=f"study-{n}", name=f"Study {n}", release=self.first["release"], state="running")
            for n in numbers
        )
        rows = []
        for study in studies:
            rows.append(Enrollment(study=study, user=self.staff, role="coordinator"))
            rows.append(Enrollment(study=study, user=self.reader, role="reader", reader_code="R01"))
        main = self.first["study"]
        rows += [
            Enrollment(study=main, user=person, role="reader", reader_code=f"P{person.username[6:]}")
            for person in people
        ]
        Enrollment.objects.bulk_create(rows)


STATES = (Item.State.ACCEPTED, Item.State.IMPORTED, Item.State.NEEDS_FIX)


def asset() -> Asset:
    name = digest("asset", next(_count))
    return Asset(
        sha256=name, pixel_digest=name, kind="image", media_type="image/png", suffix=".png", size_bytes=64, width=8,
        height=8, bits=8, unit="gray", data_low=0, data_high=255,
        frames_header={"version": 1, "rows": 8, "cols": 8, "frames": 1, "channels": 1},
    )  # fmt: skip
