"""What a system is called on boards: its letter until the study is unblinded, then its name."""

from annotation.studies import naming
from annotation.studies.models import Study
from scoring.metrics.registry import METRICS

TIER_WORDS = {"clinical": "Clinical", "semantic": "Text", "pixel": "Pixels"}


def system_names(study: Study) -> dict[str, str]:
    """Letter → words shown; everybody is shown letters until names are open, so that no report unblinds anybody."""
    return {letter: name or f"System {letter}" for letter, name in naming.system_names(study).items()}


def component_label(code: str) -> str:
    """Words for a component's code: `clinical:overall` is "Clinical: overall", `pixel:psnr` is "Pixels: PSNR"."""
    tier, _, source = code.partition(":")
    metric = METRICS.get(source)
    return f"{TIER_WORDS.get(tier, tier)}: {metric.label if metric else source.replace('_', ' ')}"
