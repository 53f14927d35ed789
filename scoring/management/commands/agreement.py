"""Agreement between the readers of a study."""

from typing import Any

from annotation.studies.models import Study
from scoring.agreement.services import agreement
from scoring.management.study_command import StudyCommand


class Command(StudyCommand):
    help = "Every agreement coefficient with interval, n and the number missing."

    def find(self, study: Study) -> dict[str, Any]:
        return agreement(study)

    def tell(self, found: dict[str, Any]) -> None:
        for row in found["criteria"]:
            alpha = row["alpha"]
            said = alpha["reason"] if alpha["value"] is None else f"{alpha['value']:.3f}"
            if alpha["low"] is not None:
                said += f" [{alpha['low']:.3f}, {alpha['high']:.3f}]"
            self.stdout.write(f"{row['code']:<40} alpha ({found['level']}) {said}   n {row['n_shared']}")
