"""A released dataset with outputs of two systems, ready for a study."""

from dataclasses import dataclass
from typing import Any

from annotation.people.models import User
from annotation.releases.models import Release
from annotation.studies.design import StudyDesign
from annotation.systems.models import Submission
from tests import factories


@dataclass
class Released:
    release: Release
    submissions: list[Submission]


def released(n_items: int = 6, *, systems: tuple[str, ...] = ("zeta", "alpha"), **fields: Any) -> Released:
    for number in range(n_items):
        factories.item(modality="ct" if number % 2 else "mr", **fields)
    release = factories.release()
    return Released(release, [factories.submission(release, slug) for slug in systems])


def design(*readers: User | str, **changes: Any) -> StudyDesign:
    return StudyDesign.from_json(design_data(*readers, **changes))


def design_data(*readers: User | str, **changes: Any) -> dict[str, Any]:
    names = [reader if isinstance(reader, str) else reader.username for reader in readers]
    data = {
        "name": "Round one", "slug": "round-1", "release": "liver@1.0", "submissions": ["zeta", "alpha"],
        "rubrics": ["T1", "T6"], "readers": names, "readers_per_item": 2, "gap": 2, "seed": 7,
    }  # fmt: skip
    return data | changes
