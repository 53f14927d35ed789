"""The state of everything that composites and boards are computed from, told by a few counts."""

from django.db.models import Count, Max

from annotation.studies.models import Study
from annotation.systems.models import Output
from scoring.agreement.state import checksum, grades_state
from scoring.composites.models import Composite
from scoring.metrics.base import settings_hash
from scoring.metrics.registry import METRICS
from scoring.runs.comparisons import POLICY
from scoring.runs.models import MetricValue


def board_state(study: Study, composite: Composite) -> str:
    """Checksum of counts and moments that change with every grade, decision, output, value and declaration.

    Metric values are written in place; their newest moment and their number tell of that.
    """
    outputs = Output.objects.filter(submission__study_systems__study=study)
    values = MetricValue.objects.filter(output__submission__study_systems__study=study)
    return checksum(
        grades_state(study),
        study.adjudications.aggregate(Count("pk"), Max("created_at")),
        sorted(study.study_systems.values_list("letter", "submission_id")),
        sorted(outputs.order_by().values_list("status").annotate(Count("pk"), Count("superseded_by"))),
        outputs.aggregate(Max("created_at"), Max("version")),
        values.aggregate(Count("pk"), Count("value"), Max("computed_at")),
        sorted(settings_hash(metric, policy=POLICY) for metric in METRICS.values()),
        composite.pk,
        str(composite.weighting),
        sorted(composite.components.values_list()),
    )
