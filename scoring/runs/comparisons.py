"""From stored outputs to what the pure metrics compare: pictures are loaded once per item, trouble is typed."""

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Prefetch, QuerySet

from annotation.assets.models import Asset
from annotation.assets.services import load_image
from annotation.datasets.models import ItemImage, ItemRevision
from annotation.formats import taxonomy
from annotation.systems.models import Output, OutputPart
from annotation.work.executor import is_trouble
from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.comparison import Comparison, compare

log = logging.getLogger(__name__)
POLICY = "pair/1"
LANGUAGE = "en"
PICTURES_HELD = 8
REASON_BY_STATUS = {
    Output.Status.MISSING: "missing_output",
    Output.Status.UNREADABLE: "missing_output",
    Output.Status.ERROR: "error_output",
    Output.Status.DECLINED: "refused",
}


def with_content(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """The outputs with all that a comparison reads, in four queries whatever their number."""
    images = ItemImage.objects.select_related("asset").order_by("role", "position")
    parts = OutputPart.objects.select_related("asset").order_by("position")
    return outputs.select_related("revision").prefetch_related(
        Prefetch("revision__images", queryset=images), Prefetch("parts", queryset=parts)
    )


class Pictures:
    """Decoded pictures by asset; the last few are held, since the systems' outputs of one item follow each other."""

    def __init__(self) -> None:
        self._load = lru_cache(maxsize=PICTURES_HELD)(self._decode)

    def get(self, asset: Asset, reason: str = "missing_output") -> Any:
        """The picture, or why there is none, under the reason of the side it stands on."""
        found = self._load(asset)
        return UndefinedMetricError(reason, found) if isinstance(found, str) else found

    @staticmethod
    def _decode(asset: Asset) -> Any:
        """The picture, or in words why it cannot be read; trouble of the machine is raised, to be tried again."""
        from annotation.imaging.image import ImageError

        try:
            return load_image(asset)
        except (ImageError, FileNotFoundError) as problem:
            return f"The stored picture cannot be read: {str(problem).rstrip('.')}."
        except Exception as problem:
            if isinstance(problem, OSError | MemoryError) or is_trouble(problem):
                raise
            log.exception("the stored picture %s cannot be decoded", asset.sha256[:16])
            return f"The stored picture cannot be decoded ({type(problem).__name__})."


def comparisons(outputs: Sequence[Output]) -> Iterator[Comparison]:
    """One comparison per output, keyed by its id; order the outputs by revision to decode each picture once."""
    pictures = Pictures()
    for output in outputs:
        yield _comparison(output, pictures)


def given_up(output: Output, why: str) -> Comparison:
    """What stands for an output whose measuring was given up: each side says why, nothing is decoded."""
    kind = taxonomy.FORMATS.get(output.revision.format)
    trouble = UndefinedMetricError("failed", why)
    sides: dict[str, Any] = {}
    if kind is None or kind.produces_image:
        sides |= {"output": trouble, "reference": trouble}
    if kind is None or kind.produces_text:
        sides |= {"output_text": trouble, "reference_text": trouble}
    return _compared(output, sides)


def _comparison(output: Output, pictures: Pictures) -> Comparison:
    revision = output.revision
    kind = taxonomy.FORMATS.get(revision.format)
    wants_image = kind is None or kind.produces_image
    wants_text = kind is None or kind.produces_text
    sides: dict[str, Any] = {}
    if wants_image:
        sides |= _image_sides(output, revision, pictures)
    if wants_text:
        sides |= {"output_text": _text(output), "reference_text": revision.reference_text}
    return _compared(output, sides)


def _compared(output: Output, sides: dict[str, Any]) -> Comparison:
    revision = output.revision
    return compare(
        str(output.pk),
        policy=POLICY,
        options=revision.choices,
        language=LANGUAGE,
        format=revision.format,
        task=revision.task,
        modality=revision.modality or None,
        **sides,
    )


def _image_sides(output: Output, revision: ItemRevision, pictures: Pictures) -> dict[str, Any]:
    references = [image.asset for image in revision.images.all() if image.role == ItemImage.Role.REFERENCE]
    inputs = [image.asset for image in revision.images.all() if image.role == ItemImage.Role.INPUT]
    made = [part.asset for part in output.parts.all() if part.asset]
    reason = REASON_BY_STATUS.get(Output.Status(output.status))
    shown: Any = UndefinedMetricError(reason, output.error_text[:200]) if reason else None
    if not reason:
        shown = pictures.get(made[0]) if made else UndefinedMetricError("missing_output")
    return {
        "output": shown,
        "reference": pictures.get(references[0], "missing_reference")
        if references
        else UndefinedMetricError("missing_reference"),
        "input": pictures.get(inputs[0]) if len(inputs) == 1 and references else None,
    }


def _text(output: Output) -> str | UndefinedMetricError:
    """The output's words; an empty answer is wrong, not unknown."""
    reason = REASON_BY_STATUS.get(Output.Status(output.status))
    if reason:
        return UndefinedMetricError(reason, output.error_text[:200])
    return "\n".join(part.text for part in output.parts.all() if part.kind == OutputPart.Kind.TEXT)
