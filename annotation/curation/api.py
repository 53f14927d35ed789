"""Curation for programs: the queue, reviews, fixes, where a dataset stands."""

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from annotation.curation import services
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.forms import FixForm
from annotation.curation.models import Review, ReviewAnswer
from annotation.curation.views import DISPUTED, disputed, waiting_for
from annotation.datasets.api import seen_dataset, seen_item
from annotation.datasets.models import Item
from annotation.datasets.services import refuse_unless_member
from annotation.rest.endpoint import Endpoint, form_refusal, operation, route
from annotation.rest.guards import curators_only, sees_items
from annotation.rest.problems import FieldError, ProblemError
from annotation.rest.serializers import Asked, Sent, Told

REFUSED = {ReviewError: 422, StaleRevisionError: 409}
VALUES = ReviewAnswer.Value.values
LIMIT = 20_000


class QueueAsked(Asked):
    state = serializers.ChoiceField(
        choices=[*Item.State.values, DISPUTED], required=False, help_text="left out: what waits for you"
    )


class QueuedTold(Told):
    id = serializers.UUIDField()
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=Item.State.values)
    instruction = serializers.CharField(source="current_revision.instruction", default="")
    n_reviews = serializers.IntegerField()


class StatusTold(Told):
    items = serializers.IntegerField()
    in_quarantine = serializers.IntegerField(help_text="items that show an image which waits for a curator's verdict")
    states = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.IntegerField())


class QuestionTold(Told):
    code = serializers.CharField()
    text = serializers.CharField()
    on_no = serializers.CharField(allow_blank=True)


class ChecklistTold(Told):
    code = serializers.CharField()
    version = serializers.CharField()
    name = serializers.CharField()
    questions = QuestionTold(many=True)


class ReviewTold(Told):
    id = serializers.UUIDField()
    item = serializers.UUIDField(source="revision.item_id")
    revision = serializers.UUIDField(source="revision_id")
    reviewer = serializers.CharField(source="reviewer.username")
    round = serializers.IntegerField()
    verdict = serializers.ChoiceField(choices=Review.Verdict.values)
    answers = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    synopsis = serializers.CharField(allow_blank=True)
    why_selected = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()

    def get_answers(self, review: Review) -> dict[str, str]:
        return {answer.question.code: answer.value for answer in review.answers.all()}

    def get_reasons(self, review: Review) -> list[str]:
        return [reason.code for reason in review.reasons.all()]


class ReviewSent(Sent):
    revision = serializers.UUIDField(required=False, help_text="the revision you looked at; another one now is a 409")
    verdict = serializers.ChoiceField(choices=Review.Verdict.values)
    answers = serializers.DictField(child=serializers.ChoiceField(choices=VALUES))
    synopsis = serializers.CharField(max_length=2000, allow_blank=True, default="")
    why_selected = serializers.CharField(max_length=2000, allow_blank=True, default="")
    comment = serializers.CharField(max_length=5000, allow_blank=True, default="")


class ChangesSent(Sent):
    instruction = serializers.CharField(max_length=LIMIT, required=False)
    reference_text = serializers.CharField(max_length=LIMIT, allow_blank=True, required=False)
    choices = serializers.ListField(child=serializers.CharField(max_length=2000), max_length=26, required=False)
    task = serializers.CharField(max_length=48, required=False)
    modality = serializers.CharField(max_length=16, allow_blank=True, required=False)
    source = serializers.CharField(max_length=200, allow_blank=True, required=False)  # type: ignore[assignment]
    license = serializers.CharField(max_length=120, allow_blank=True, required=False)
    redistributable = serializers.ChoiceField(choices=["yes", "no", "unknown"], required=False)
    synopsis = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    why_selected = serializers.CharField(max_length=2000, allow_blank=True, required=False)


class FixSent(Sent):
    revision = serializers.UUIDField(required=False, help_text="the revision you looked at; another one now is a 409")
    reason = serializers.CharField(min_length=3, max_length=1000)
    changes = ChangesSent()


class FixTold(Told):
    id = serializers.UUIDField()
    item = serializers.UUIDField(source="item_id")
    number = serializers.IntegerField()
    content_hash = serializers.CharField()


def _check_seen(item: Item, revision: UUID | None) -> None:
    if revision is not None and revision != item.current_revision_id:
        raise StaleRevisionError(f"{item.code} has a newer revision; look at it again before you decide.")


class Curation(Endpoint):
    noun = "curation"
    tag = "reviews"
    scopes = ("curate",)

    @operation(tells=StatusTold, guard=sees_items)
    def status(self, request: Request, slug: str) -> dict[str, Any]:
        """Where a dataset stands: items by state, reasons named in reviews."""
        return services.review_status(seen_dataset(self.person, slug))

    @operation(tells=QueuedTold, many=True, query=QueueAsked, guard=curators_only)
    def queue(self, request: Request, slug: str) -> QuerySet[Item]:
        """Items that wait for your review; or those of a state, or on which people disagree."""
        dataset, state = seen_dataset(self.person, slug), self.asked.get("state")
        refuse_unless_member(self.person, dataset)
        if state == DISPUTED:
            items = disputed(dataset)
        elif state:
            items = dataset.items.filter(state=state).order_by("number")
        else:
            items = waiting_for(self.person, dataset)
        return items.select_related("current_revision").annotate(n_reviews=Count("current_revision__reviews"))

    @operation(tells=ChecklistTold, guard=sees_items)
    def checklist(self, request: Request) -> dict[str, Any]:
        """The questions that a review answers."""
        found = services.present_checklist()
        return {"code": found.code, "version": found.version, "name": found.name, "questions": found.questions.all()}

    @operation(tells=ReviewTold, many=True, guard=curators_only)
    def list_reviews(self, request: Request, pk: UUID) -> QuerySet[Review]:
        """Reviews of all revisions of an item, oldest first."""
        item = seen_item(self.person, pk)
        refuse_unless_member(self.person, item.dataset)
        reviews = Review.objects.filter(revision__item=item).select_related("reviewer", "revision")
        return reviews.prefetch_related("answers__question", "reasons").order_by("created_at", "round")

    @operation(tells=ReviewTold, takes=ReviewSent, status=201, guard=curators_only, refuses=REFUSED)
    def review(self, request: Request, pk: UUID) -> Review:
        """Judge the present revision of an item."""
        item = seen_item(self.person, pk)
        said = dict(self.body)
        _check_seen(item, said.pop("revision", None))
        assert item.current_revision is not None
        return services.review_item(revision=item.current_revision, reviewer=self.person, **said)

    @operation(tells=FixTold, takes=FixSent, status=201, guard=curators_only, refuses=REFUSED)
    def fix(self, request: Request, pk: UUID) -> Any:
        """Make a new revision of an item; it starts its review anew."""
        item = seen_item(self.person, pk)
        _check_seen(item, self.body.get("revision"))
        changes = dict(self.body["changes"])
        form = _fix_form(item, changes, self.body["reason"])
        if not form.is_valid():
            raise form_refusal(form)
        checked = form.changes()
        return services.fix_item(
            item=item,
            author=self.person,
            changes={name: checked[name] for name in changes},
            reason=form.cleaned_data["reason"],
        )


def _fix_form(item: Item, changes: dict[str, Any], reason: str) -> FixForm:
    """The page's form, filled with the item as it is and what shall change."""
    stored = item.current_revision
    assert stored is not None
    if any("\n" in choice for choice in changes.get("choices", [])):
        error = FieldError("changes.choices", "", "a choice is one line")
        raise ProblemError(422, "changes.choices: a choice is one line.", errors=[error])
    typed = {name: getattr(stored, name) for name in FixForm.Meta.fields} | changes
    typed["choices_text"] = "\n".join(changes.get("choices", stored.choices))
    return FixForm({**typed, "reason": reason}, instance=stored)


routes = [
    route("datasets/<slug:slug>/review-status/", Curation, {"get": "status"}, "review-status"),
    route("datasets/<slug:slug>/review-queue/", Curation, {"get": "queue"}, "review-queue"),
    route("checklist/", Curation, {"get": "checklist"}, "checklist"),
    route("items/<uuid:pk>/reviews/", Curation, {"get": "list_reviews", "post": "review"}, "reviews"),
    route("items/<uuid:pk>/fixes/", Curation, {"post": "fix"}, "fixes"),
]
