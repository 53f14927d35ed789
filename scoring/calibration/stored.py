"""Results that are computed once per state of a study and found again while nothing changed."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from annotation.studies.models import Study
from annotation.systems.models import Output
from scoring.agreement.models import AnalysisRun
from scoring.agreement.state import grades_state
from scoring.calibration.limits import present_limit
from scoring.calibration.models import Judgment
from scoring.metrics.base import settings_hash
from scoring.metrics.registry import METRICS
from scoring.runs.comparisons import POLICY
from scoring.runs.models import MetricValue

CODE_VERSION = "3"
SEED = 20251113
Result = dict[str, Any]


def state_of(study: Study) -> str:
    """Checksum of counts that change with every grade, metric value, judgment, stated limit and output version."""
    outputs = Output.objects.filter(submission__study_systems__study=study)
    values = MetricValue.objects.filter(output__in=outputs)
    facts = [
        CODE_VERSION,
        grades_state(study),
        outputs.aggregate(Count("pk"), Count("superseded_by")),
        values.aggregate(Count("pk"), Max("computed_at")),
        Judgment.objects.filter(output__in=outputs).aggregate(Count("pk"), Max("pk")),
        study.adjudications.aggregate(Count("pk")),
        study.enrollments.filter(active=True).aggregate(Count("pk")),
        present_limit(study).key,
        study.names_are_open,
        sorted(settings_hash(metric, policy=POLICY) for metric in METRICS.values()),
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def digest_of(state: str, kind: str, asked: dict[str, str]) -> str:
    return hashlib.sha256(repr((state, kind, sorted(asked.items()))).encode()).hexdigest()


def find(study: Study, kind: str, asked: dict[str, str], state: str) -> Result | None:
    """The stored result, or None when the state is a new one."""
    runs = AnalysisRun.objects.filter(study=study, kind=kind, inputs_hash=digest_of(state, kind, asked))
    run = runs.first()
    return None if run is None else run.result | {"inputs_hash": run.inputs_hash}


def find_many(study: Study, wanted: dict[str, str]) -> dict[str, Result]:
    """Stored results by the names of their digests, of those that are there: one query."""
    runs = AnalysisRun.objects.filter(study=study, inputs_hash__in=wanted.values())
    found = {run.inputs_hash: run.result | {"inputs_hash": run.inputs_hash} for run in runs}
    return {name: found[digest] for name, digest in wanted.items() if digest in found}


def kept(study: Study, kind: str, asked: dict[str, str], compute: Callable[[], Result], *, state: str = "") -> Result:
    """The result of this state: found, or computed and put in place of the one of the state before."""
    state = state or state_of(study)
    found = find(study, kind, asked, state)
    if found is not None:
        return found
    result, digest = compute(), digest_of(state, kind, asked)
    with transaction.atomic():
        runs = AnalysisRun.objects.filter(study=study, kind=kind)
        runs.filter(parameters=asked).exclude(inputs_hash=digest).delete()
        defaults = {"parameters": asked, "seed": SEED, "code_version": CODE_VERSION, "result": result}
        runs.update_or_create(study=study, kind=kind, inputs_hash=digest, defaults=defaults)
    return result | {"inputs_hash": digest}
