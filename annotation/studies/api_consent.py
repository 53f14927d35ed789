"""Versions of a study's consent for programs: what readers agree to, how many did, and the next version."""

from django.db.models import Count, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Sent, Told
from annotation.studies import consent
from annotation.studies.errors import StudyError
from annotation.studies.models import Consent, ConsentForm, Study
from annotation.studies.views import coordinated_study


class ConsentFormTold(Told):
    version = serializers.IntegerField()
    instructions = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    n_given = serializers.IntegerField(help_text="readers who agreed to this version")


class ConsentFormSent(Sent):
    """Both texts as they shall be from now on."""

    instructions = serializers.CharField(
        max_length=consent.TEXT_LIMIT, allow_blank=True, default="", help_text="how to grade"
    )
    text = serializers.CharField(
        max_length=consent.TEXT_LIMIT, allow_blank=True, default="", help_text="what readers agree to"
    )


class ConsentForms(Endpoint):
    noun = "consent_forms"
    tag = "studies"
    scopes = ("study",)

    def _forms(self, study: Study) -> QuerySet[ConsentForm]:
        given = Count("consents__enrollment", Q(consents__act=Consent.Act.GIVEN), distinct=True)
        forms = ConsentForm.objects.filter(study=study).select_related("created_by")
        return forms.annotate(n_given=given).order_by("-version")

    @operation(tells=ConsentFormTold, many=True)
    def list(self, request: Request, slug: str) -> QuerySet[ConsentForm]:
        """Versions of what readers of a study agree to, newest first."""
        return self._forms(coordinated_study(self.person, slug))

    @operation(tells=ConsentFormTold, takes=ConsentFormSent, status=201, refuses={StudyError: 422})
    def publish(self, request: Request, slug: str) -> ConsentForm:
        """Publish a further version; readers meet it before their next reading."""
        study = coordinated_study(self.person, slug)
        made = consent.publish_form(study=study, actor=self.person, **self.body)
        return self._forms(study).get(pk=made.pk)


routes = [
    route("studies/<slug:slug>/consent-forms/", ConsentForms, {"get": "list", "post": "publish"}, "consent-forms")
]
