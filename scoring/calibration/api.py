"""Courtroom, certificates and limits of a study for programs: the JSON of the pages."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Asked, Sent, Told
from annotation.work.api import JobTold
from annotation.work.models import Job
from scoring.agreement.api import analyzed_study
from scoring.calibration import services, work
from scoring.calibration.errors import LimitError, NotComputedError, UnknownMeasureError
from scoring.calibration.limits import present_limit, state_limit
from scoring.calibration.measures import listed
from scoring.calibration.stored import Result
from scoring.calibration.telling import KIND_WORDS
from scoring.calibration.views import criteria_offered
from scoring.statistics.calibration import SCOPES

CODE_LIMIT = 200
KINDS = list(KIND_WORDS)
LATER = "This study is large: ask for the result by calibration/jobs/, and come back when the job is done."


class LimitTold(Told):
    kind = serializers.ChoiceField(choices=KINDS)
    scope = serializers.ChoiceField(choices=list(SCOPES))
    limit = serializers.FloatField(help_text="what the lower end of the interval has to reach")
    passes_from = serializers.FloatField(allow_null=True)
    stated = serializers.BooleanField(help_text="false: nobody did, and the protocol's limit holds")
    stated_by = serializers.CharField(allow_null=True)
    stated_at = serializers.CharField(allow_null=True)
    n_grades_then = serializers.IntegerField(allow_null=True)


class LimitSent(Sent):
    kind = serializers.ChoiceField(choices=KINDS)
    scope = serializers.ChoiceField(choices=list(SCOPES))
    limit = serializers.FloatField(min_value=0.01, max_value=0.99)
    passes_from = serializers.FloatField(required=False, allow_null=True)


class MeasureTold(Told):
    key = serializers.CharField()
    name = serializers.CharField(source="label")
    tier = serializers.CharField()
    direction = serializers.SerializerMethodField()
    about = serializers.CharField()

    def get_direction(self, measure: Any) -> str:
        return "higher" if measure.higher_is_better else "lower"


class CalibrationTold(Told):
    study = serializers.CharField()
    preview = serializers.BooleanField()
    measures = MeasureTold(many=True)
    criteria = serializers.ListField(child=serializers.CharField())
    limit = LimitTold()


class CriterionAsked(Asked):
    criterion = serializers.CharField(max_length=CODE_LIMIT, default="", allow_blank=True, help_text="T1:overall")


class CertificateAsked(CriterionAsked):
    measure = serializers.CharField(
        max_length=CODE_LIMIT,
        default="",
        allow_blank=True,
        help_text="key, as calibration/ lists them; else the first",
    )


class CourtTold(Told):
    """Groups of outputs (everything, by task, by modality, by both), each with one cell per measure."""

    study = serializers.CharField()
    preview = serializers.BooleanField()
    frozen = serializers.CharField(allow_null=True)
    criterion = serializers.JSONField()
    limit = LimitTold()
    family = serializers.IntegerField(help_text="intervals that the simultaneous level is made for")
    simultaneous_level = serializers.FloatField(allow_null=True)
    measures = serializers.ListField(child=serializers.JSONField())
    groups = serializers.ListField(child=serializers.JSONField())
    data_hash = serializers.CharField()


class CertificateTold(Told):
    study = serializers.CharField()
    preview = serializers.BooleanField()
    frozen = serializers.CharField(allow_null=True)
    measure = serializers.JSONField()
    criterion = serializers.JSONField()
    limit = LimitTold()
    verdict = serializers.JSONField()
    correlations = serializers.ListField(child=serializers.JSONField())
    limits = serializers.JSONField(help_text="bias and limits of agreement")
    gaps = serializers.JSONField()
    kappa = serializers.JSONField()
    threshold = serializers.JSONField()
    n_outputs = serializers.IntegerField()
    n_without_value = serializers.IntegerField()
    n_without_grade = serializers.IntegerField()
    n_readers = serializers.IntegerField()
    missing = serializers.DictField(child=serializers.IntegerField())
    ties = serializers.JSONField()
    points = serializers.ListField(child=serializers.JSONField())
    seed = serializers.IntegerField()
    code_version = serializers.CharField()
    data_hash = serializers.CharField()


class ComputeSent(Sent):
    what = serializers.ChoiceField(choices=[services.COURTROOM, services.CERTIFICATE])
    measure = serializers.CharField(max_length=CODE_LIMIT, default="", allow_blank=True)
    criterion = serializers.CharField(max_length=CODE_LIMIT, default="", allow_blank=True)


class Calibration(Endpoint):
    noun = "calibration"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=CalibrationTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """What can be held against the experts of a study, and the limit that holds."""
        study = analyzed_study(self.person, slug)
        return {
            "study": study.slug,
            "preview": not study.is_final,
            "measures": listed(study),
            "criteria": [code for code, _ in criteria_offered(study)],
            "limit": services.limit_told(present_limit(study)),
        }

    @operation(tells=CourtTold, query=CriterionAsked, refuses={NotComputedError: 409})
    def courtroom(self, request: Request, slug: str) -> Result:
        """Every metric and judge by task and modality; a cell that does not exist has its reason."""
        return self._result(slug, services.COURTROOM, {"criterion": self.asked["criterion"]})

    @operation(tells=CertificateTold, query=CertificateAsked, refuses={NotComputedError: 409})
    def certificate(self, request: Request, slug: str) -> Result:
        """One metric or judge against the experts: every number with n, or why there is none."""
        measure = self.asked["measure"] or next((one.key for one in listed(analyzed_study(self.person, slug))), "")
        asked = {"measure": measure, "criterion": self.asked["criterion"]}
        return self._result(slug, services.CERTIFICATE, asked)

    @operation(tells=LimitTold, takes=LimitSent, status=201, refuses={LimitError: 422})
    def state(self, request: Request, slug: str) -> dict[str, Any]:
        """State what a correlation has to reach; who, when and at how many grades is kept."""
        study = analyzed_study(self.person, slug)
        body = {"passes_from": None, **self.body}
        state_limit(study=study, actor=self.person, **body)
        return services.limit_told(present_limit(study))

    @operation(tells=JobTold, takes=ComputeSent, status=202)
    def compute(self, request: Request, slug: str) -> Job:
        """Have a result of a large study made; a job does it."""
        study = analyzed_study(self.person, slug)
        names = ("criterion",) if self.body["what"] == services.COURTROOM else ("measure", "criterion")
        asked = {name: self.body[name] for name in names}
        return work.ask_for(study=study, what=self.body["what"], asked=asked, actor=self.person)

    def _result(self, slug: str, what: str, asked: dict[str, str]) -> Result:
        study = analyzed_study(self.person, slug)
        try:
            found = work.present(study, what, asked)
        except UnknownMeasureError as problem:
            raise Http404(str(problem)) from problem
        if found is None:
            raise NotComputedError(LATER)
        return found


STUDY = "studies/<slug:slug>"
routes = [
    route(f"{STUDY}/calibration/", Calibration, {"get": "show"}, "calibration"),
    route(f"{STUDY}/calibration/limits/", Calibration, {"post": "state"}, "calibration-limits"),
    route(f"{STUDY}/calibration/jobs/", Calibration, {"post": "compute"}, "calibration-jobs"),
    route(f"{STUDY}/courtroom/", Calibration, {"get": "courtroom"}, "courtroom"),
    route(f"{STUDY}/certificate/", Calibration, {"get": "certificate"}, "certificate"),
]
