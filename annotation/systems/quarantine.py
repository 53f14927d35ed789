"""Outputs whose pictures may show identifying text: no reader is shown them before a curator has looked.

An output is not masked, since that would change what is graded: it is confirmed, or stays where it is.
"""

from django.db.models import Exists, OuterRef, QuerySet

from annotation.assets.models import Asset, PixelVerdict
from annotation.systems.models import Output, OutputPart, Submission


def waiting(submission: Submission) -> QuerySet[OutputPart]:
    """Parts of present outputs in quarantine by item, those that nobody has judged first."""
    outputs = Output.objects.current().filter(submission=submission)
    parts = OutputPart.objects.filter(output__in=outputs, asset__in=Asset.objects.in_quarantine().values("pk"))
    judged = Exists(PixelVerdict.objects.filter(asset=OuterRef("asset")))
    ordered = parts.annotate(is_judged=judged).order_by("is_judged", "output__revision__item__number", "pk")
    return ordered.select_related("asset", "output__revision__item")
