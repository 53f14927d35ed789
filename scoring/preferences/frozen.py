"""What the numbers of a study that compares depend on: its part of what is frozen before systems are named."""

from annotation.people.models import User
from annotation.studies import freezing
from annotation.studies.models import Study
from scoring.preferences.comparisons import study_readings
from scoring.preferences.services import CODE_VERSION, inputs_hash


def settle(study: Study, actor: User | None) -> None:
    """Nothing is declared that would have to be locked."""


def unsettled(study: Study) -> list[str]:
    return []


def facts(study: Study) -> freezing.Facts:
    """Checksum of all preferences and of the version that makes numbers of them; none of a study that grades."""
    if not study.compares:
        return {}
    return {"preferences": f"version {CODE_VERSION}, {inputs_hash(study_readings(study))}"}


freezing.register("scoring.preferences", freezing.Source(settle=settle, unsettled=unsettled, facts=facts))
