"""Questions the pages of datasets ask: what is in a dataset, which items a filter shows."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.assets.models import Asset
from annotation.datasets.models import Dataset, Item, ItemAlias, ItemImage
from annotation.formats import taxonomy

UNMAPPED = "unmapped"


@dataclass(frozen=True)
class Tally:
    """How many items share one value; `query` filters the item list to them."""

    code: str
    label: str
    n: int
    query: str


@dataclass(frozen=True)
class ItemFilter:
    """What the item list is filtered by; blank fields filter nothing."""

    state: str = ""
    format: str = ""
    task: str = ""
    modality: str = ""
    q: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.state or self.format or self.task or self.modality or self.q)


def filtered_items(dataset: Dataset, wanted: ItemFilter) -> QuerySet[Item]:
    """Items of a dataset; a search finds codes, every id ever seen in a file, and words of the instruction."""
    items = dataset.items.select_related("current_revision").order_by("number")
    if wanted.state:
        items = items.filter(state=wanted.state)
    if wanted.format:
        items = items.filter(current_revision__format=wanted.format)
    if wanted.task:
        items = items.filter(current_revision__task=wanted.task)
    if wanted.modality:
        modality = "" if wanted.modality == UNMAPPED else wanted.modality
        items = items.filter(current_revision__modality=modality)
    if wanted.q:
        items = items.filter(_matching(wanted.q.strip()))
    inputs = ItemImage.objects.filter(revision=OuterRef("current_revision"))
    return items.annotate(has_image=Exists(inputs), in_quarantine=shows_quarantined())


def shows_quarantined() -> Exists:
    """Whether the present revision of an item shows a picture in quarantine."""
    shut = Asset.objects.in_quarantine().values("pk")
    return Exists(ItemImage.objects.filter(revision=OuterRef("current_revision"), asset__in=shut))


def _matching(words: str) -> Q:
    named = ItemAlias.objects.filter(item=OuterRef("pk"), value__icontains=words)
    found = Q(Exists(named)) | Q(current_revision__instruction__icontains=words)
    number = words.upper().removeprefix("IT-")
    if number.isascii() and number.isdigit() and len(number) <= 9:
        found |= Q(number=int(number))
    return found


def tallies(dataset: Dataset) -> dict[str, list[Tally]]:
    """Items by state, format, task and modality (four queries)."""
    return {
        "state": _tally(dataset, "state", "state", dict(Item.State.choices)),
        "format": _tally(dataset, "format", "current_revision__format", {}),
        "task": _tally(dataset, "task", "current_revision__task", {}),
        "modality": _tally(dataset, "modality", "current_revision__modality", {}),
    }


def _tally(dataset: Dataset, name: str, field: str, labels: dict[str, str]) -> list[Tally]:
    counted = dataset.items.order_by(field).values_list(field).annotate(n=Count("pk"))
    found = []
    for code, n in counted:
        value = code or UNMAPPED
        found.append(Tally(value, labels.get(value) or _label(name, code or ""), n, f"?{name}={value}"))
    return found


def _label(name: str, code: str) -> str:
    match name:
        case "format":
            return taxonomy.format_label(code)
        case "task":
            return taxonomy.task_label(code)
        case _:
            return taxonomy.modality_label(code)


def unmapped_terms(dataset: Dataset) -> list[tuple[str, int]]:
    """Raw spellings of modalities that no code stands for, with the number of items (one query)."""
    terms: dict[str, int] = {}
    unmapped = dataset.items.filter(current_revision__modality="")
    for raw_terms in unmapped.values_list("current_revision__raw_terms", flat=True):
        raw = raw_terms.get("modality", "") or "(not stated)"
        terms[raw] = terms.get(raw, 0) + 1
    return sorted(terms.items(), key=lambda pair: (-pair[1], pair[0]))
