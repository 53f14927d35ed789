"""What a system is called: its letter until the study is locked, then its name."""

from annotation.studies.models import Study, StudySystem
from scoring.metrics.registry import METRICS

TIER_WORDS = {"clinical": "Clinical", "semantic": "Text", "pixel": "Pixels"}


def system_names(study: Study) -> dict[str, str]:
    """Letter → words shown. A running study shows letters to everybody, so that nobody is unblinded by a report."""
    rows = StudySystem.objects.filter(study=study).select_related("submission__system_version__system")
    if study.state != Study.State.LOCKED:
        return {row.letter: f"System {row.letter}" for row in rows}
    return {row.letter: str(row.submission.system_version) for row in rows}


def component_label(code: str) -> str:
    """Words for a component's code: `clinical:overall` is "Clinical: overall", `pixel:psnr` is "Pixels: PSNR"."""
    tier, _, source = code.partition(":")
    metric = METRICS.get(source)
    return f"{TIER_WORDS.get(tier, tier)}: {metric.label if metric else source.replace('_', ' ')}"
