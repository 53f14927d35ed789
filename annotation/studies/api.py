"""Studies for programs: make one from a design, run it, people, balance, progress, consent; rubrics."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.people.models import User
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import creators_only
from annotation.rest.problems import FieldError, ProblemError, shown
from annotation.rest.serializers import Sent, Told
from annotation.studies import balance, consent, progress, reminding, services
from annotation.studies.api_board import BalanceTold, StudyProgressTold
from annotation.studies.api_designs import DesignSent, DesignTold, WorkloadTold
from annotation.studies.design import (
    CAP_LIMITS,
    StudyDesign,
)
from annotation.studies.design_files import design_of
from annotation.studies.errors import DesignError, StudyError, StudyStateError
from annotation.studies.models import Enrollment, Study, StudyItem
from annotation.studies.seats import admit_reader, replace_reader
from annotation.studies.views import ACTS, coordinated_study, unread_study
from annotation.studies.workload import Workload, workload

REFUSED: Mapping[type[Exception], int] = {
    DesignError: 422,
    StudyStateError: 409,
    consent.StaleFormError: 409,
    StudyError: 422,
}


class StudyTold(Told):
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.values)
    due_on = serializers.DateField(allow_null=True)
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Enrollment.Role.values))
    mine = serializers.IntegerField(help_text="your readings")
    mine_submitted = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True, help_text="all readings; null for readers")
    submitted = serializers.IntegerField(allow_null=True)


class BoardTold(Told):
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.values)
    release = serializers.CharField()
    mode = serializers.ChoiceField(choices=Study.Mode.values, source="outputs_per_reading")
    pairs_per_item = serializers.IntegerField(allow_null=True)
    compare_criteria = serializers.BooleanField()
    readers_per_item = serializers.IntegerField()
    assignment = serializers.ChoiceField(choices=Study.Assignment.values)
    anchor_items = serializers.IntegerField()
    stages = serializers.IntegerField()
    repeats = serializers.IntegerField()
    washout_days = serializers.IntegerField()
    attention_items = serializers.IntegerField()
    pilot_items = serializers.IntegerField()
    admission = serializers.FloatField(allow_null=True)
    gap = serializers.IntegerField()
    seed = serializers.IntegerField()
    guess_block = serializers.IntegerField()
    instructions = serializers.CharField(allow_blank=True)
    due_on = serializers.DateField(allow_null=True)
    design_hash = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    piloted_at = serializers.DateTimeField(allow_null=True)
    opened_at = serializers.DateTimeField(allow_null=True)
    locked_at = serializers.DateTimeField(allow_null=True)
    unblinded_at = serializers.DateTimeField(allow_null=True)
    n_items = serializers.IntegerField()
    n_systems = serializers.IntegerField()
    rubrics = serializers.SerializerMethodField()

    def get_rubrics(self, study: Study) -> list[str]:
        return [str(row.rubric) for row in study.study_rubrics.all()]


class EnrollmentTold(Told):
    id = serializers.IntegerField()
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.name", allow_blank=True)
    role = serializers.ChoiceField(choices=Enrollment.Role.values)
    reader_code = serializers.CharField(allow_null=True)
    cap = serializers.IntegerField(allow_null=True)
    active = serializers.BooleanField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    admitted_at = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.SerializerMethodField()

    def get_replaced_by(self, held: Enrollment) -> str | None:
        return None if held.replaced_by is None else held.replaced_by.reader_code


class EnrollmentSent(Sent):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Enrollment.Role.values)
    cap = serializers.IntegerField(
        min_value=CAP_LIMITS[0], max_value=CAP_LIMITS[1], required=False, allow_null=True, default=None
    )


class AdmissionSent(Sent):
    reason = serializers.CharField(max_length=500)


class ReplacementSent(AdmissionSent):
    username = serializers.CharField(max_length=150, help_text="who takes over")


class EnrollmentActivitySent(Sent):
    active = serializers.BooleanField()


class ConsentTold(Told):
    version = serializers.IntegerField(allow_null=True)
    instructions = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    to_agree = serializers.BooleanField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class ConsentSent(Sent):
    version = serializers.IntegerField(min_value=1, max_value=32_767)


class Studies(Endpoint):
    noun = tag = "studies"
    scopes = ("study",)

    @operation(tells=StudyTold, many=True)
    def list(self, request: Request) -> list[dict[str, Any]]:
        """Studies in which you have a role."""
        rows = progress.my_studies(self.person)
        return [
            {
                **{name: getattr(row["study"], name) for name in ("slug", "name", "state", "due_on")},
                **{name: row[name] for name in ("roles", "mine", "mine_submitted")},
                **{name: row[name] if "coordinator" in row["roles"] else None for name in ("total", "submitted")},
            }
            for row in rows
        ]

    @operation(tells=BoardTold, takes=DesignSent, status=201, guard=creators_only, refuses=REFUSED)
    def create(self, request: Request) -> Study:
        """Make a study from a design; you coordinate it."""
        design = StudyDesign.from_json(dict(self.sent))
        return self._board(services.create_study(design=design, actor=self.person).slug)

    def _board(self, slug: str) -> Study:
        study = coordinated_study(self.person, slug)
        counted = Study.objects.annotate(
            n_items=Count("study_items", filter=Q(study_items__role=StudyItem.Role.MAIN), distinct=True),
            n_systems=Count("study_systems", distinct=True),
        )
        return counted.select_related("release__dataset").prefetch_related("study_rubrics__rubric").get(pk=study.pk)

    @operation(tells=BoardTold)
    def show(self, request: Request, slug: str) -> Study:
        """One study, for its coordinators."""
        return self._board(slug)

    def _move(self, slug: str, act: str) -> Study:
        ACTS[act][0](study=coordinated_study(self.person, slug), actor=self.person)
        return self._board(slug)

    @operation(tells=WorkloadTold, takes=DesignSent, guard=creators_only, refuses=REFUSED)
    def workload(self, request: Request) -> Workload:
        """What a design would ask of its readers, drawn and not made."""
        return workload(StudyDesign.from_json(dict(self.sent)), actor=self.person)

    @operation(tells=DesignTold, refuses={StudyStateError: 403})
    def design(self, request: Request, slug: str) -> dict[str, Any]:
        """The design of a study, as making one takes it; while it is a draft, and when its names are open."""
        return design_of(unread_study(self.person, slug))

    @operation(tells=BoardTold, refuses=REFUSED)
    def pilot(self, request: Request, slug: str) -> Study:
        """Let readers in for training and pilot readings, which enter no result."""
        return self._move(slug, "pilot")

    @operation(tells=BoardTold, refuses=REFUSED)
    def open(self, request: Request, slug: str) -> Study:
        """Draw the readings and let readers in."""
        return self._move(slug, "open")

    @operation(tells=BoardTold, refuses=REFUSED)
    def pause(self, request: Request, slug: str) -> Study:
        """Take no grades for a while; drafts are kept."""
        return self._move(slug, "pause")

    @operation(tells=BoardTold, refuses=REFUSED)
    def resume(self, request: Request, slug: str) -> Study:
        """Take grades again."""
        return self._move(slug, "resume")

    @operation(tells=BoardTold, refuses=REFUSED)
    def lock(self, request: Request, slug: str) -> Study:
        """End grading for good and freeze what the numbers depend on; systems keep their letters."""
        return self._move(slug, "lock")

    @operation(tells=StudyProgressTold)
    def progress(self, request: Request, slug: str) -> dict[str, Any]:
        """How far the readers are, and the pace of the last week."""
        study = coordinated_study(self.person, slug)
        return {
            "all": progress.overall(study),
            "readers": progress.by_reader(study),
            "strata": progress.by_stratum(study),
            "pace": progress.pace(study),
            "behind": reminding.behind(study),
        }

    @operation(tells=BalanceTold)
    def balance(self, request: Request, slug: str) -> Any:
        """What was drawn, or would be drawn if the study opened now."""
        return balance.study_balance(coordinated_study(self.person, slug))


class StudyPeople(Endpoint):
    noun = "enrollments"
    tag = "studies"
    scopes = ("study",)

    def _enrollments(self, slug: str) -> QuerySet[Enrollment]:
        study = coordinated_study(self.person, slug)
        return study.enrollments.select_related("user", "replaced_by").order_by(
            "role", "reader_code", "user__username"
        )

    @operation(tells=EnrollmentTold, many=True)
    def list(self, request: Request, slug: str) -> QuerySet[Enrollment]:
        """Who has which role in a study, ended ones too."""
        return self._enrollments(slug)

    @operation(tells=EnrollmentTold, takes=EnrollmentSent, status=201, refuses=REFUSED)
    def create(self, request: Request, slug: str) -> Enrollment:
        """Give a person a role in a study."""
        study = coordinated_study(self.person, slug)
        user = _person(self.body["username"])
        services.enroll_person(
            study=study, user=user, role=self.body["role"], cap=self.body["cap"], actor=self.person
        )
        return self._enrollments(slug).get(user=user, role=self.body["role"])

    @operation(tells=EnrollmentTold, takes=EnrollmentActivitySent, refuses=REFUSED)
    def set_activity(self, request: Request, slug: str, pk: int) -> Enrollment:
        """End a role, or take one up again."""
        study = coordinated_study(self.person, slug)
        if pk > 2**63 - 1:
            raise Http404
        held = get_object_or_404(self._enrollments(slug), pk=pk)
        if held.active == self.body["active"]:
            return held
        if held.active:
            services.end_enrollment(enrollment=held, actor=self.person)
        else:
            services.enroll_person(study=study, user=held.user, role=held.role, actor=self.person)
        return Enrollment.objects.select_related("user", "replaced_by").get(pk=held.pk)

    @operation(tells=EnrollmentTold, takes=ReplacementSent, status=201, refuses=REFUSED)
    def replace(self, request: Request, slug: str, pk: int) -> Enrollment:
        """Give what a reader has not submitted to another person; submitted readings stay with their author."""
        study = coordinated_study(self.person, slug)
        held = get_object_or_404(self._enrollments(slug), pk=min(pk, 2**63 - 1))
        user = _person(self.body["username"])
        done = replace_reader(enrollment=held, user=user, actor=self.person, reason=self.body["reason"])
        return Enrollment.objects.select_related("user", "replaced_by").get(study=study, pk=done.new.pk)

    @operation(tells=EnrollmentTold, takes=AdmissionSent, refuses=REFUSED)
    def admit(self, request: Request, slug: str, pk: int) -> Enrollment:
        """Let a reader go on who did not reach the share of right values in training."""
        held = get_object_or_404(self._enrollments(slug), pk=min(pk, 2**63 - 1))
        admit_reader(enrollment=held, actor=self.person, reason=self.body["reason"])
        return Enrollment.objects.select_related("user", "replaced_by").get(pk=held.pk)


def _person(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        error = FieldError("username", shown(name), "nobody has this user name")
        raise ProblemError(422, f"username: {error.value}: {error.rule}.", errors=[error])
    return user


class StudyConsent(Endpoint):
    noun = "consent"
    tag = "readings"
    scopes: ClassVar[tuple[str, ...]] = ("grade",)

    def _own(self, slug: str) -> Enrollment:
        study = get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), slug=slug)
        enrollment = consent.reader_enrollment(study, self.person)
        if enrollment is None or (not enrollment.active and enrollment.withdrawn_at is None):
            raise Http404
        return enrollment

    def _told(self, slug: str) -> dict[str, Any]:
        enrollment = self._own(slug)
        form = consent.newest_form(enrollment.study)
        return {
            "version": None if form is None else form.version,
            "instructions": "" if form is None else form.instructions,
            "text": "" if form is None else form.text,
            "to_agree": consent.form_to_agree(enrollment) is not None or enrollment.withdrawn_at is not None,
            "withdrawn_at": enrollment.withdrawn_at,
        }

    @operation(tells=ConsentTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """What a study says to its readers, and whether you have agreed to it."""
        return self._told(slug)

    @operation(tells=ConsentTold, takes=ConsentSent, refuses={**REFUSED, StudyError: 409})
    def give(self, request: Request, slug: str) -> dict[str, Any]:
        """Agree to the newest version."""
        consent.give_consent(enrollment=self._own(slug), version=self.body["version"], actor=self.person)
        return self._told(slug)

    @operation(tells=ConsentTold, refuses={**REFUSED, StudyError: 409})
    def withdraw(self, request: Request, slug: str) -> dict[str, Any]:
        """Leave a study; what you submitted stays under your code."""
        consent.withdraw(enrollment=self._own(slug), actor=self.person)
        return self._told(slug)


STUDY = "studies/<slug:slug>"
routes = [
    route("studies/", Studies, {"get": "list", "post": "create"}, "studies"),
    route("studies/workload/", Studies, {"post": "workload"}, "study-workload"),
    route(f"{STUDY}/", Studies, {"get": "show"}, "study"),
    route(f"{STUDY}/design/", Studies, {"get": "design"}, "study-design"),
    *[route(f"{STUDY}/{act}/", Studies, {"post": act}, f"study-{act}") for act in ACTS],
    route(f"{STUDY}/progress/", Studies, {"get": "progress"}, "study-progress"),
    route(f"{STUDY}/balance/", Studies, {"get": "balance"}, "study-balance"),
    route(f"{STUDY}/enrollments/", StudyPeople, {"get": "list", "post": "create"}, "enrollments"),
    route(f"{STUDY}/enrollments/<int:pk>/activity/", StudyPeople, {"post": "set_activity"}, "enrollment-activity"),
    route(f"{STUDY}/enrollments/<int:pk>/replacement/", StudyPeople, {"post": "replace"}, "enrollment-replacement"),
    route(f"{STUDY}/enrollments/<int:pk>/admission/", StudyPeople, {"post": "admit"}, "enrollment-admission"),
    route(f"{STUDY}/consent/", StudyConsent, {"get": "show", "post": "give"}, "consent"),
    route(f"{STUDY}/consent/withdraw/", StudyConsent, {"post": "withdraw"}, "consent-withdraw"),
]
