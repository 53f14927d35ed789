"""What this home keeps about people, since when, and what can be removed: an operator's report."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotation.audit.models import Event
from annotation.curation.models import Review
from annotation.grading.models import Draft, Grade
from annotation.people.erasure import is_erased
from annotation.people.models import ApiToken, User
from annotation.studies.models import Enrollment, Study
from scoring.exports.models import ExportJob


@dataclass(frozen=True)
class PersonKept:
    """One account and what hangs on it."""

    id: str
    username: str
    state: str
    holds: list[str]
    last_sign_in: datetime | None
    grades: int
    reviews: int
    open_studies: int
    advice: str


@dataclass(frozen=True)
class StudyKept:
    """One study and what it keeps of its readers."""

    slug: str
    name: str
    state: str
    locked_at: datetime | None
    readers: int
    left: int
    written_texts: int
    drafts: int
    handed_out: int
    first_handed_out: datetime | None


@dataclass(frozen=True)
class Retention:
    made_at: datetime
    people: list[PersonKept]
    studies: list[StudyKept]
    sessions: int
    ended_sessions: int
    keys: int
    ended_keys: int
    events: int
    first_event: datetime | None
    last_backup: datetime | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def retention() -> Retention:
    """The report as of now; the number of queries does not grow with the rows."""
    now = timezone.now()
    sessions = Session.objects.aggregate(n=Count("pk"), ended=Count("pk", Q(expire_date__lt=now)))
    keys = ApiToken.objects.aggregate(n=Count("pk"), ended=Count("pk", Q(expires_at__lt=now) | ~Q(revoked_at=None)))
    events = Event.objects.aggregate(n=Count("pk"), first=Min("at"), backup=Max("at", filter=Q(verb="backup made")))
    return Retention(
        made_at=now,
        people=_people(),
        studies=_studies(),
        sessions=sessions["n"],
        ended_sessions=sessions["ended"],
        keys=keys["n"],
        ended_keys=keys["ended"],
        events=events["n"],
        first_event=events["first"],
        last_backup=events["backup"],
    )


def _counted(rows: Any, key: str) -> Subquery:
    """How many of these rows belong to the row outside."""
    own = rows.filter(**{key: OuterRef("pk")}).order_by().values(key).annotate(n=Count("pk"))
    return Subquery(own.values("n"))


def _people() -> list[PersonKept]:
    open_parts = Enrollment.objects.filter(active=True, study__state__in=Study.OPEN_STATES)
    people = User.objects.annotate(
        n_grades=_counted(Grade.objects.all(), "author"),
        n_reviews=_counted(Review.objects.all(), "reviewer"),
        n_open=_counted(open_parts, "user"),
    ).order_by("username")
    return [_person(user) for user in people]


def _person(user: Any) -> PersonKept:
    kept = {"name": user.name, "e-mail": user.email, "specialty": user.specialty}
    n_open = user.n_open or 0
    if is_erased(user):
        state, advice = "erased", "names nobody; nothing to do"
    elif user.is_active:
        state = "active"
        advice = (
            f"takes part in {n_open} open stud{'y' if n_open == 1 else 'ies'}"
            if n_open
            else "deactivate when no longer needed"
        )
    else:
        state, advice = "deactivated", "can be erased on the person's page"
    return PersonKept(
        id=str(user.pk),
        username=user.username,
        state=state,
        holds=[what for what, value in kept.items() if value],
        last_sign_in=user.last_login,
        grades=user.n_grades or 0,
        reviews=user.n_reviews or 0,
        open_studies=n_open,
        advice=advice,
    )


def _studies() -> list[StudyKept]:
    readers = Enrollment.objects.filter(role=Enrollment.Role.READER)
    texts = Grade.objects.exclude(rationale="", reason_for_change="").exclude(blanked_by__isnull=False)
    studies = Study.objects.annotate(
        n_readers=_counted(readers, "study"),
        n_left=_counted(readers.exclude(withdrawn_at=None), "study"),
        n_texts=_counted(texts, "reading_output__reading__study"),
        n_drafts=_counted(Draft.objects.all(), "reading__study"),
        n_files=_counted(ExportJob.objects.all(), "study"),
        first_file=Subquery(
            ExportJob.objects.filter(study=OuterRef("pk")).order_by("created_at").values("created_at")[:1]
        ),
    ).order_by("name")
    return [_study(study) for study in studies]


def _study(study: Any) -> StudyKept:
    return StudyKept(
        slug=study.slug,
        name=study.name,
        state=study.state,
        locked_at=study.locked_at,
        readers=study.n_readers or 0,
        left=study.n_left or 0,
        written_texts=study.n_texts or 0,
        drafts=study.n_drafts or 0,
        handed_out=study.n_files or 0,
        first_handed_out=study.first_file,
    )


@require_safe
def show_retention(request: HttpRequest) -> HttpResponse:
    if not (isinstance(request.user, User) and request.user.is_operator):
        raise PermissionDenied("Only an operator sees what is kept about people.")
    report = retention()
    if request.GET.get("as") == "json":
        return JsonResponse(report.as_json())
    return render(request, "retention.html", {"report": report})
