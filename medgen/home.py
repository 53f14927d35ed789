"""My work: what waits for the signed-in person. It may look into every room; each section is one query or two."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.curation.models import Review
from annotation.datasets.models import Dataset, Item
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Enrollment, Reading, Study
from annotation.systems.models import Submission

SECONDS_PER_READING = 60  # assumed until this reader has submitted some


@dataclass(frozen=True)
class ReaderWork:
    """One study in which this person grades."""

    study: Study
    submitted: int
    started: int
    total: int
    minutes: int
    is_assumed: bool

    @property
    def pending(self) -> int:
        return self.total - self.submitted


@dataclass(frozen=True)
class CuratorWork:
    """One dataset and what waits there for this curator."""

    dataset: Dataset
    to_review: int
    to_fix: int
    accepted: int
    total: int
    may_review: bool


@dataclass(frozen=True)
class StudyWork:
    """One study this person runs or analyzes."""

    study: Study
    submitted: int
    total: int
    readers: int
    runs_it: bool


@dataclass
class Work:
    reading: Sequence[ReaderWork] = field(default_factory=list)
    curating: Sequence[CuratorWork] | None = None
    running: Sequence[StudyWork] = field(default_factory=list)
    n_submissions: int = 0
    n_waiting_people: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.reading and not self.running and self.curating is None and self.n_waiting_people is None


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    return render(request, "home.html", {"work": work_of(request.user)})


def work_of(user: User) -> Work:
    """Everything that waits for one person; the number of queries does not grow with the rows."""
    work = Work(reading=_reading(user), running=_running(user))
    if user.may_see_items:
        work.curating = _curating(user)
        work.n_submissions = Submission.objects.visible_to(user).count()
    if user.is_operator:
        work.n_waiting_people = User.objects.filter(is_active=True, last_login=None).exclude(pk=user.pk).count()
    return work


def _reading(user: User) -> list[ReaderWork]:
    of_mine = Q(readings__enrollment__user=user) & ~Q(readings__status=Reading.Status.VOID)
    studies = (
        Study.objects.filter(enrollments__user=user, enrollments__role="reader", enrollments__active=True)
        .exclude(state=Study.State.DRAFT)
        .annotate(
            n=Count("readings", of_mine, distinct=True),
            done=Count("readings", of_mine & Q(readings__status=Reading.Status.SUBMITTED), distinct=True),
            begun=Count("readings", of_mine & Q(readings__status=Reading.Status.IN_PROGRESS), distinct=True),
        )
        .order_by("due_on", "name")
    )
    pace = Grade.objects.filter(author=user, version=1).aggregate(mean=Avg("active_ms"))["mean"]
    seconds = pace / 1000 if pace else SECONDS_PER_READING
    return [
        ReaderWork(
            study=study,
            submitted=counts["done"],
            started=counts["begun"],
            total=counts["n"],
            minutes=max(1, round((counts["n"] - counts["done"]) * seconds / 60)),
            is_assumed=not pace,
        )
        for study, counts in _counted(studies, "n", "done", "begun")
    ]


def _counted(studies: Iterable[Study], *names: str) -> Iterator[tuple[Study, dict[str, int]]]:
    """Studies with the counts that a query annotated."""
    for study in studies:
        yield study, {name: getattr(study, name) for name in names}


def _curating(user: User) -> list[CuratorWork]:
    mine = Review.objects.filter(revision=OuterRef("current_revision"), reviewer=user)
    rows: dict[Any, dict[str, int]] = {}
    counted = (
        Item.objects.visible_to(user)
        .values("dataset_id", "state", seen=Exists(mine))
        .annotate(n=Count("pk"))
        .order_by("dataset_id")
    )
    for row in counted:
        counts = rows.setdefault(row["dataset_id"], {"to_review": 0, "to_fix": 0, "accepted": 0, "total": 0})
        counts["total"] += row["n"]
        if row["state"] in {Item.State.IMPORTED, Item.State.IN_REVIEW} and not row["seen"]:
            counts["to_review"] += row["n"]
        elif row["state"] == Item.State.NEEDS_FIX:
            counts["to_fix"] += row["n"]
        elif row["state"] == Item.State.ACCEPTED:
            counts["accepted"] += row["n"]
    none = {"to_review": 0, "to_fix": 0, "accepted": 0, "total": 0}
    own = set(Dataset.objects.curated_by(user).values_list("pk", flat=True))
    return [
        CuratorWork(dataset, **rows.get(dataset.pk, none), may_review=dataset.pk in own)
        for dataset in Dataset.objects.visible_to(user)
    ]


def _running(user: User) -> list[StudyWork]:
    counted = ~Q(readings__status=Reading.Status.VOID)
    roles = Enrollment.objects.filter(study=OuterRef("pk"), user=user, active=True)
    studies = (
        Study.objects.annotate(
            runs_it=Exists(roles.filter(role=Enrollment.Role.COORDINATOR)),
            analyzes_it=Exists(roles.filter(role=Enrollment.Role.ANALYST)),
        )
        .filter(Q(runs_it=True) | Q(analyzes_it=True))
        .annotate(
            n=Count("readings", counted, distinct=True),
            done=Count("readings", Q(readings__status=Reading.Status.SUBMITTED), distinct=True),
            n_readers=Count(
                "enrollments",
                Q(enrollments__role=Enrollment.Role.READER, enrollments__active=True),
                distinct=True,
            ),
        )
    )
    return [
        StudyWork(
            study=study,
            submitted=counts["done"],
            total=counts["n"],
            readers=counts["n_readers"],
            runs_it=bool(counts["runs_it"]),
        )
        for study, counts in _counted(studies, "n", "done", "n_readers", "runs_it")
    ]
