"""What can be wrong with an act of a reader."""

from typing import Any

from annotation.grading.rules import Problem


class GradingError(ValueError):
    """An act that cannot be done now; the message is a sentence for the reader."""


class StudyClosedError(GradingError):
    """The study does not take grades: it is paused, locked or not open."""


class AlreadySubmittedError(GradingError):
    """Somebody, perhaps the same reader in another window, was first."""


class StaleDraftError(GradingError):
    """Another window has saved a draft that this one has not seen; `current` is that draft."""

    def __init__(self, current: dict[str, Any]) -> None:
        super().__init__("Another window has saved this reading since; both versions are kept.")
        self.current = current


class InvalidGradeError(GradingError):
    """What was entered cannot be a grade; one problem for each field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems
