"""Blank pictures that stand in for real ones in attention checks, of the same size."""

import tempfile
from pathlib import Path

from annotation.assets import services
from annotation.assets.models import Asset
from annotation.datasets.models import ItemImage
from annotation.studies.models import ReadingOutput, Study, StudyItem
from annotation.systems.models import OutputPart


def replaced_pictures(study_item: StudyItem) -> list[Asset]:
    """What is blanked: the pictures of the shown outputs, or the input pictures where outputs are texts."""
    shown = ReadingOutput.objects.filter(reading__study_item=study_item).values("output")
    parts = OutputPart.objects.filter(output__in=shown, asset__isnull=False).select_related("asset")
    found = [part.asset for part in parts.order_by("output", "position") if part.asset is not None]
    if found:
        return found
    images = ItemImage.objects.filter(revision=study_item.revision_id, role="input").select_related("asset")
    return [image.asset for image in images.order_by("position")]


def make_stand_ins(study: Study) -> int:
    """Give every blank check of a drawn study its picture; the number of them. One size is one picture."""
    rows = study.study_items.filter(control=StudyItem.Control.BLANK, stand_in=None)
    sizes = {}
    for row in rows:
        pictures = replaced_pictures(row)
        if pictures:
            sizes[row.pk] = (pictures[0].width, pictures[0].height)
    if not sizes:
        return 0
    made = {size: _blank(*size) for size in set(sizes.values())}
    for pk, size in sizes.items():
        StudyItem.objects.filter(pk=pk).update(stand_in=made[size])
    return len(sizes)


def _blank(width: int, height: int) -> Asset:
    from PIL import Image

    from annotation.imaging.sandbox import Decoder

    with tempfile.TemporaryDirectory() as folder, Decoder() as decoder:
        path = Path(folder) / "blank.png"
        Image.new("L", (width, height), 0).save(path)
        return services.store_file(path, decoder=decoder)
