"""Acts of curation: review an item, fix it, count where a dataset stands."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.audit.links import digest
from annotation.audit.record import record
from annotation.curation import seals, workflow
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.models import Checklist, Review, ReviewAnswer, ReviewReason
from annotation.datasets.content import revision_hash
from annotation.datasets.models import Dataset, Item, ItemImage, ItemRevision
from annotation.datasets.selections import shows_quarantined
from annotation.datasets.services import refuse_unless_member
from annotation.people.models import User

CHECKLIST = "T3"
MIN_REASON = 3
FIXABLE = (
    "instruction",
    "reference_text",
    "reference_sections",
    "choices",
    "context",
    "task",
    "modality",
    "observed_subtask",
    "source",
    "license",
    "redistributable",
    "synopsis",
    "why_selected",
)
COPIED = (*FIXABLE, "format", "declared_subtask", "raw_terms", "notes", "is_fixture")


def present_checklist() -> Checklist:
    """The newest version of the item checklist."""
    return Checklist.objects.filter(code=CHECKLIST).order_by("-version").prefetch_related("questions")[:1].get()


@transaction.atomic
def review_item(
    *,
    revision: ItemRevision,
    reviewer: User,
    verdict: str,
    answers: Mapping[str, str],
    synopsis: str = "",
    why_selected: str = "",
    comment: str = "",
) -> Review:
    """Store one curator's verdict on the present revision and move the item accordingly.

    Raises:
        ReviewError: answers missing or contradicting the verdict.
        StaleRevisionError: the item has a newer revision.
    """
    item = Item.objects.select_for_update().get(pk=revision.item_id)
    refuse_unless_member(reviewer, item.dataset)
    if item.current_revision_id != revision.pk:
        raise StaleRevisionError(f"{item.code} has a newer revision; look at it again before you decide.")
    checklist = present_checklist()
    questions = {question.code: question for question in checklist.questions.all()}
    problems = workflow.review_problems(verdict=verdict, answers=answers, questions=list(questions), comment=comment)
    if verdict == workflow.ACCEPT and (shut := quarantined_places(revision)):
        where = reverse("annotation:quarantine-list", args=[item.dataset.slug])
        rule = f"cannot be accepted while an image is in quarantine ({', '.join(shut)}): decide at {where} first"
        problems.append(("verdict", rule))
    if problems:
        raise ReviewError(problems)
    number = Review.objects.filter(revision=revision, reviewer=reviewer).count() + 1
    try:
        with transaction.atomic():
            review = Review.objects.create(
                revision=revision,
                reviewer=reviewer,
                checklist=checklist,
                round=number,
                verdict=verdict,
                synopsis=synopsis.strip(),
                why_selected=why_selected.strip(),
                comment=comment.strip(),
            )
    except IntegrityError as problem:
        raise StaleRevisionError("You reviewed this item in another window a moment ago.") from problem
    ReviewAnswer.objects.bulk_create(
        ReviewAnswer(review=review, question=questions[code], value=value) for code, value in answers.items()
    )
    reasons = _reasons(verdict, answers)
    ReviewReason.objects.bulk_create(ReviewReason(review=review, code=code) for code in reasons)
    _move(item, actor=reviewer)
    facts = seals.facts_of(vars(review), (checklist.code, checklist.version), answers, reasons)
    named = {"verdict": verdict, "revision": str(revision.pk), "review": str(review.pk), "seal": digest(facts)}
    record(seals.REVIEWED, actor=reviewer, subject=item, **named)
    return review


def quarantined_places(revision: ItemRevision) -> list[str]:
    """The places of a revision's pictures that wait for a curator's verdict on text in their pixels."""
    shut = Asset.objects.in_quarantine().values("pk")
    images = ItemImage.objects.filter(revision=revision, asset__in=shut).order_by("role", "position")
    return [f"{image.role} {image.position + 1}" for image in images]


def _reasons(verdict: str, answers: Mapping[str, str]) -> list[str]:
    if verdict == workflow.ACCEPT:
        return []
    return [code for code, value in answers.items() if value in {workflow.NO, workflow.UNSURE}] or ["other"]


def _move(item: Item, *, actor: User) -> None:
    """Set the state that the reviews of the present revision give."""
    if item.state == Item.State.WITHDRAWN:
        return
    state = workflow.next_state(opinions_on(item))
    if state == item.state:
        return
    before, item.state = item.state, state
    item.save(update_fields=["state"])
    record("item moved", actor=actor, subject=item, before=before, after=state)


def opinions_on(item: Item) -> list[workflow.Opinion]:
    """All opinions on the present revision, oldest first."""
    reviews = Review.objects.filter(revision=item.current_revision_id).order_by("created_at", "round")
    refused = set(
        ReviewAnswer.objects.filter(
            review__revision=item.current_revision_id, question__code=workflow.IDENTITY, value=workflow.NO
        ).values_list("review_id", flat=True)
    )
    return [workflow.Opinion(str(row.reviewer_id), row.verdict, row.pk in refused) for row in reviews]


@transaction.atomic
def fix_item(*, item: Item, author: User, changes: Mapping[str, Any], reason: str) -> ItemRevision:
    """Make a new revision with the changed fields; the item starts its review anew.

    Raises:
        ReviewError: nothing changed, no reason, or a field that a fix cannot change.
    """
    problems = [(field, "cannot be changed by a fix") for field in changes if field not in FIXABLE]
    if len(reason.strip()) < MIN_REASON:
        problems.append(("reason", f"say why in at least {MIN_REASON} characters"))
    item = Item.objects.select_for_update(of=("self",)).select_related("current_revision").get(pk=item.pk)
    refuse_unless_member(author, item.dataset)
    old = item.current_revision
    assert old is not None
    changed = {field: value for field, value in changes.items() if getattr(old, field, None) != value}
    if not problems and not changed:
        problems.append(("instruction", "nothing was changed"))
    if problems:
        raise ReviewError(problems)
    values = {field: getattr(old, field) for field in COPIED} | changed
    images = list(old.images.select_related("asset"))
    new = ItemRevision(item=item, number=old.number + 1, author=author, reason=reason.strip(), **values)
    new.content_hash = revision_hash(new, [(image.role, image.position, image.asset.sha256) for image in images])
    new.save(force_insert=True)
    ItemImage.objects.bulk_create(
        ItemImage(revision=new, role=image.role, position=image.position, asset=image.asset) for image in images
    )
    item.current_revision = new
    item.state = Item.State.IN_REVIEW
    item.save(update_fields=["current_revision", "state"])
    record("item fixed", actor=author, subject=item, revision=str(new.pk), fields=sorted(changed))
    return new


def review_status(dataset: Dataset) -> dict[str, Any]:
    """Counts of a dataset: {"items": n, "in_quarantine": n, "states": {state: n}, "reasons": {code: n}}.

    in_quarantine: items, in whatever state, that show a picture which waits for a curator's verdict.
    """
    states = dict.fromkeys(Item.State.values, 0)
    states |= dict(dataset.items.values_list("state").annotate(n=Count("pk")).order_by())
    reasons = dict(
        ReviewReason.objects.filter(review__revision__item__dataset=dataset)
        .values_list("code")
        .annotate(n=Count("pk"))
        .order_by("-n", "code")
    )
    shut = dataset.items.filter(shows_quarantined()).count()
    return {"items": sum(states.values()), "in_quarantine": shut, "states": states, "reasons": reasons}
