"""What every sheet of one export needs to know: study, letters, names, whether it is blinded."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotation.studies.models import Criterion, Study, StudySystem

SHORTEST_NAME = 3
WHOLE_WORD_BELOW = 5


@dataclass(frozen=True)
class Scope:
    """One export.

    Attributes:
        study: with release and dataset.
        blinded: letters only.
        names: letter → name of the system, empty while blinded.
        submissions: letter → code of the submission, empty while blinded.
        withheld: names that texts may not show while blinded.
        criteria: of the study's rubrics, in order, by primary key.
        made_at: when.
        made_by: who, in words.
        banner: words that must be on every sheet; empty for none.
    """

    study: Study
    blinded: bool
    made_at: datetime
    made_by: str
    banner: str
    names: dict[str, str] = field(default_factory=dict)
    submissions: dict[str, str] = field(default_factory=dict)
    withheld: re.Pattern[str] | None = None
    criteria: dict[int, Criterion] = field(default_factory=dict)

    def name(self, letter: str) -> str | None:
        return self.names.get(letter)


def make_scope(*, study: Study, blinded: bool, made_at: datetime, made_by: str, banner: str) -> Scope:
    """Three queries."""
    systems = list(
        StudySystem.objects.filter(study=study)
        .select_related("submission__system_version__system")
        .order_by("letter")
    )
    criteria = (
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .prefetch_related("anchors")
        .order_by("rubric__study_rubrics__position", "position")
    )
    shown = [] if blinded else systems
    return Scope(
        study=study,
        blinded=blinded,
        made_at=made_at,
        made_by=made_by,
        banner=banner,
        names={row.letter: str(row.submission.system_version) for row in shown},
        submissions={row.letter: row.submission.code for row in shown},
        withheld=withheld_names(known_as(row) for row in systems) if blinded else None,
        criteria={criterion.pk: criterion for criterion in criteria},
    )


def known_as(row: StudySystem) -> list[str]:
    """Everything that gives a system away."""
    system = row.submission.system_version.system
    return [system.name, system.slug, str(row.submission.system_version), row.submission.code, str(row.submission_id)]


def withheld_names(systems: Iterable[list[str]]) -> re.Pattern[str] | None:
    """One pattern for all names, the longest first; short ones only as whole words, the shortest not at all."""
    names = {name.strip() for known in systems for name in known if len(name.strip()) >= SHORTEST_NAME}
    patterns = [
        re.escape(name) if len(name) >= WHOLE_WORD_BELOW else rf"(?<![^\W_]){re.escape(name)}(?![^\W_])"
        for name in sorted(names, key=lambda name: (-len(name), name))
    ]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def joined(parts: Iterable[Any], separator: str = "; ") -> str:
    return separator.join(str(part) for part in parts)
