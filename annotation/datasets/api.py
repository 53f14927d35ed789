"""Datasets, items and their pictures for programs, and the first half of an import of items: upload and preview."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.assets.quarantine import held_among, refuse_quarantined
from annotation.datasets.errors import DatasetError
from annotation.datasets.forms import ItemUploadForm
from annotation.datasets.import_views import KIND
from annotation.datasets.importing import import_items
from annotation.datasets.jobs import ImportSummary
from annotation.datasets.known import INPUT_NAMES
from annotation.datasets.models import Dataset, Item, ItemImage, ItemRevision
from annotation.datasets.selections import UNMAPPED, ItemFilter, filtered_items, tallies
from annotation.datasets.services import may_curate
from annotation.datasets.uploads import Upload, discard_upload, stage_upload
from annotation.formats import LAYOUTS, taxonomy
from annotation.people.models import User
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, form_refusal, operation, route, served
from annotation.rest.guards import curators_only, sees_items
from annotation.rest.parsing import UploadParser
from annotation.rest.serializers import Asked, LabeledTold, Sent, Told

PROBLEMS_SHOWN = 100
FORMATS, TASKS, MODALITIES = list(taxonomy.FORMATS), list(taxonomy.TASKS), [*taxonomy.MODALITIES, UNMAPPED]


class DatasetTold(Told):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    members_only = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    n_items = serializers.IntegerField()
    n_accepted = serializers.IntegerField()


class TallyTold(Told):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    n = serializers.IntegerField()


class TalliesTold(Told):
    state = TallyTold(many=True)
    format = TallyTold(many=True)
    task = TallyTold(many=True)
    modality = TallyTold(many=True)


class DatasetDetailTold(DatasetTold):
    tallies = TalliesTold()


class ItemAsked(Asked):
    state = serializers.ChoiceField(choices=Item.State.values, required=False)
    format = serializers.ChoiceField(choices=FORMATS, required=False)
    task = serializers.ChoiceField(choices=TASKS, required=False)
    modality = serializers.ChoiceField(choices=MODALITIES, required=False)
    q = serializers.CharField(max_length=300, required=False, help_text="code, id or words")


class ItemTold(Told):
    id = serializers.UUIDField()
    code = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Item.State.values)
    revision = serializers.IntegerField(source="current_revision.number", allow_null=True, default=None)
    instruction = serializers.CharField(source="current_revision.instruction", default="")
    format = serializers.CharField(source="current_revision.format", default="")
    task = serializers.CharField(source="current_revision.task", default="")
    modality = serializers.CharField(source="current_revision.modality", allow_blank=True, default="")


class ImageTold(Told):
    index = serializers.IntegerField()
    role = serializers.ChoiceField(choices=ItemImage.Role.values)
    position = serializers.IntegerField()
    sha256 = serializers.CharField()
    media_type = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField())
    text_risk = serializers.ChoiceField(choices=Asset.TextRisk.values)
    in_quarantine = serializers.BooleanField(help_text="its pixels are given to curators only")
    frames = serializers.CharField()
    data = serializers.CharField()  # type: ignore[assignment]
    thumbnail = serializers.CharField()


class AliasTold(Told):
    scheme = serializers.CharField()
    value = serializers.CharField()


class RevisionRowTold(Told):
    number = serializers.IntegerField()
    author = serializers.CharField(source="author.username", default=None, allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class RevisionTold(Told):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    instruction = serializers.CharField()
    reference_text = serializers.CharField(allow_blank=True)
    reference_sections = serializers.JSONField(allow_null=True)
    choices = serializers.JSONField()
    context = serializers.JSONField()  # type: ignore[assignment]
    format = LabeledTold()
    task = LabeledTold()
    modality = LabeledTold()
    declared_subtask = serializers.CharField(allow_blank=True)
    observed_subtask = serializers.CharField(allow_blank=True)
    raw_terms = serializers.JSONField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    license = serializers.CharField(allow_blank=True)
    redistributable = serializers.ChoiceField(choices=ItemRevision.Redistributable.values)
    synopsis = serializers.CharField(allow_blank=True)
    why_selected = serializers.CharField(allow_blank=True)
    notes = serializers.JSONField()
    is_fixture = serializers.BooleanField()
    content_hash = serializers.CharField()
    created_at = serializers.DateTimeField()


class ItemDetailTold(Told):
    id = serializers.UUIDField()
    code = serializers.CharField()
    number = serializers.IntegerField()
    dataset = serializers.CharField()
    state = serializers.ChoiceField(choices=Item.State.values)
    created_at = serializers.DateTimeField()
    revision = RevisionTold()
    images = ImageTold(many=True)
    aliases = AliasTold(many=True)
    revisions = RevisionRowTold(many=True)


class FramesTold(Told):
    """The viewer's header of frames; `data` is where the frames are."""

    version = serializers.IntegerField()
    rows = serializers.IntegerField()
    cols = serializers.IntegerField()
    frames = serializers.IntegerField()
    channels = serializers.IntegerField()
    data = serializers.CharField()  # type: ignore[assignment]


class ItemUploadSent(Sent):
    file = serializers.FileField()
    dataset = serializers.CharField(max_length=60, help_text="a dataset you see, or the short name of a new one")
    layout = serializers.ChoiceField(choices=list(LAYOUTS), default="auto")


class ProblemRowTold(Told):
    file = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(allow_null=True)
    field = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    rule = serializers.CharField()
    fatal = serializers.BooleanField()


class PreviewTold(Told):
    """What an import would do; confirm it by `upload` within a day."""

    upload = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["items", "outputs"])
    layout = serializers.CharField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    n_problems = serializers.IntegerField()
    problems = ProblemRowTold(many=True)


def seen_dataset(person: User, slug: str) -> Dataset:
    return get_object_or_404(Dataset.objects.visible_to(person), slug=slug)


def seen_item(person: User, pk: UUID) -> Item:
    visible = Item.objects.visible_to(person).select_related("dataset", "current_revision")
    item = get_object_or_404(visible, pk=pk)
    if item.current_revision is None:
        raise Http404
    return item


class Datasets(Endpoint):
    noun = tag = "datasets"
    scopes = ("curate", "submit", "study")

    def _counted(self) -> QuerySet[Dataset]:
        accepted = Count("items", filter=Q(items__state=Item.State.ACCEPTED))
        return Dataset.objects.visible_to(self.person).annotate(n_items=Count("items"), n_accepted=accepted)

    @operation(tells=DatasetTold, many=True, guard=sees_items)
    def list(self, request: Request) -> QuerySet[Dataset]:
        """Datasets you see."""
        return self._counted().order_by("slug")

    @operation(tells=DatasetDetailTold, guard=sees_items)
    def show(self, request: Request, slug: str) -> Dataset:
        """One dataset, with its items by state, format, task and modality."""
        dataset = get_object_or_404(self._counted(), slug=slug)
        dataset.tallies = tallies(dataset)  # type: ignore[attr-defined]
        return dataset

    @operation(tells=ItemTold, many=True, query=ItemAsked, guard=sees_items)
    def list_items(self, request: Request, slug: str) -> QuerySet[Item]:
        """Items of a dataset, by number."""
        return filtered_items(seen_dataset(self.person, slug), ItemFilter(**self.asked))


def _labeled(code: str, label: str) -> dict[str, str]:
    return {"code": code, "label": label}


def _revision(revision: ItemRevision) -> dict[str, Any]:
    names = [str(name) for name in RevisionTold().fields]
    return {name: getattr(revision, name) for name in names} | {
        "format": _labeled(revision.format, revision.format_label),
        "task": _labeled(revision.task, revision.task_label),
        "modality": _labeled(revision.modality, revision.modality_label),
        "raw_terms": {name: value for name, value in revision.raw_terms.items() if name != INPUT_NAMES},
    }


def _image(pk: UUID, index: int, image: ItemImage, shut: set[UUID]) -> dict[str, Any]:
    asset = image.asset
    return {
        "index": index,
        "role": image.role,
        "position": image.position,
        "sha256": asset.sha256,
        "media_type": asset.media_type,
        "width": asset.width,
        "height": asset.height,
        "flags": asset.flags,
        "text_risk": asset.text_risk,
        "in_quarantine": asset.pk in shut,
        "frames": api_address("item-frames", pk, index),
        "data": api_address("item-data", pk, index),
        "thumbnail": api_address("item-thumbnail", pk, index),
    }


class Items(Endpoint):
    noun = tag = "items"
    scopes = ("curate",)

    @operation(tells=ItemDetailTold, guard=sees_items)
    def show(self, request: Request, pk: UUID) -> dict[str, Any]:
        """One item as it stands, with its pictures, ids and history."""
        item = seen_item(self.person, pk)
        revision = item.current_revision
        assert revision is not None
        images = list(revision.images.select_related("asset").order_by("role", "position"))
        shut = held_among(image.asset_id for image in images)
        return {
            "id": item.pk,
            "code": item.code,
            "number": item.number,
            "dataset": item.dataset.slug,
            "state": item.state,
            "created_at": item.created_at,
            "revision": _revision(revision),
            "images": [_image(item.pk, index, image, shut) for index, image in enumerate(images)],
            "aliases": item.aliases.all(),
            "revisions": item.revisions.select_related("author").order_by("-number"),
        }

    def _asset(self, pk: UUID, index: int) -> Asset:
        """The picture at this place of the item's present revision, inputs first."""
        visible = ItemRevision.objects.filter(current_of__in=Item.objects.visible_to(self.person).filter(pk=pk))
        images = ItemImage.objects.filter(revision__in=visible).select_related("asset", "revision__item__dataset")
        found = images.order_by("role", "position")[index : index + 1]
        if not found:
            raise Http404
        curates = may_curate(self.person, found[0].revision.item.dataset)
        refuse_quarantined(found[0].asset, curates=curates)
        return found[0].asset

    @operation(tells=FramesTold, guard=sees_items)
    def frames(self, request: Request, pk: UUID, index: int) -> HttpResponseBase:
        """What is needed before the frames of a picture: size, spacing, unit, window, where the frames are."""
        address = api_address("item-data", pk, index)
        asset = self._asset(pk, index)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=f"api item:{pk}:{index}"))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None}, guard=sees_items)
    def data(self, request: Request, pk: UUID, index: int) -> HttpResponseBase:
        """The frames of a picture, whole or a range of bytes."""
        scope = f"api item:{pk}:{index}"
        return served(serving.frames_data_response(request._request, self._asset(pk, index), etag_scope=scope))

    @operation(media=("image/png",), guard=sees_items)
    def thumbnail(self, request: Request, pk: UUID, index: int) -> HttpResponseBase:
        """A small picture."""
        return served(serving.thumbnail_response(self._asset(pk, index), etag_scope=f"api item:{pk}:{index}"))


def preview(upload: Upload, kind: str, summary: ImportSummary) -> dict[str, Any]:
    return {
        "upload": upload.id,
        "kind": kind,
        "layout": summary.layout,
        **summary.counts(),
        "n_problems": len(summary.problems),
        "problems": [problem_row(each) for each in summary.problems[:PROBLEMS_SHOWN]],
    }


def problem_row(problem: Any) -> dict[str, Any]:
    texts = {name: str(getattr(problem, name) or "") for name in ("file", "field", "value", "rule")}
    return texts | {"line": problem.line, "fatal": problem.fatal}


class ItemUploads(Endpoint):
    noun = "item_uploads"
    tag = "imports"
    scopes = ("curate",)
    parser_classes = [UploadParser]

    @operation(tells=PreviewTold, takes=ItemUploadSent, guard=curators_only, refuses={DatasetError: 422}, long=True)
    def create(self, request: Request) -> dict[str, Any]:
        """Upload items and see what importing them would do; nothing is written before it is confirmed."""
        datasets = Dataset.objects.curated_by(self.person)
        slug = self.body["dataset"]
        known = datasets.filter(slug=slug).exists()
        typed = {
            "dataset": slug if known else "",
            "new_dataset": "" if known else slug,
            "layout": self.body["layout"],
        }
        form = ItemUploadForm(typed, {"file": self.body["file"]}, datasets=datasets)
        if not form.is_valid():
            raise form_refusal(form)
        said = {"slug": form.cleaned_data["slug"], "layout": form.cleaned_data["layout"]}
        upload = stage_upload(form.cleaned_data["file"], owner=self.person, kind=KIND, said=said)
        try:
            return preview(upload, KIND, look_at_items(upload, self.person))
        except DatasetError:
            discard_upload(upload)
            raise


def look_at_items(upload: Upload, person: User) -> ImportSummary:
    return import_items(
        path=upload.path,
        dataset_slug=upload.said["slug"],
        actor=person,
        layout=upload.said["layout"],
        dry_run=True,
        prepared=upload.folder / "prepared",
    )


routes = [
    route("datasets/", Datasets, {"get": "list"}, "datasets"),
    route("datasets/<slug:slug>/", Datasets, {"get": "show"}, "dataset"),
    route("datasets/<slug:slug>/items/", Datasets, {"get": "list_items"}, "items"),
    route("items/<uuid:pk>/", Items, {"get": "show"}, "item"),
    route("items/<uuid:pk>/images/<int:index>/frames/", Items, {"get": "frames"}, "item-frames"),
    route("items/<uuid:pk>/images/<int:index>/data/", Items, {"get": "data"}, "item-data"),
    route("items/<uuid:pk>/images/<int:index>/thumbnail/", Items, {"get": "thumbnail"}, "item-thumbnail"),
    route("imports/items/", ItemUploads, {"post": "create"}, "item-uploads"),
]
