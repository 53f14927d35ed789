"""What can be wrong with an act of a reader."""

from typing import Any

from annotation.grading.rules import Problem

PROBLEMS_TOLD = 50


class GradingError(ValueError):
    """An act that cannot be done now; the message is a sentence for the reader."""


class StudyClosedError(GradingError):
    """The study does not take grades; `state` says whether it is paused, locked or not open."""

    def __init__(self, reason: str, state: str = "") -> None:
        super().__init__(reason)
        self.state = state


class WaitingError(GradingError):
    """The reading opens later: training comes first, or days have to pass."""


class DamagedImageError(GradingError):
    """A picture of the reading is not what was stored; what a reader would judge is not what was meant."""


class AlreadySubmittedError(GradingError):
    """Somebody, perhaps the same reader in another window, was first."""


class AmendedMeanwhileError(AlreadySubmittedError):
    """The grade was amended in another window since this amendment was begun."""


class StaleDraftError(GradingError):
    """Another window has saved a draft that this one has not seen; `current` is that draft."""

    def __init__(self, current: dict[str, Any]) -> None:
        super().__init__("Another window has saved this reading since; both versions are kept.")
        self.current = current


class InvalidGradeError(GradingError):
    """What was entered cannot be a grade; one problem for each field, of very many the first and their number."""

    def __init__(self, problems: list[Problem]) -> None:
        if len(problems) > PROBLEMS_TOLD:
            rest = len(problems) - PROBLEMS_TOLD
            problems = [*problems[:PROBLEMS_TOLD], Problem("", "outputs", f"and {rest:,} more problems")]
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems
