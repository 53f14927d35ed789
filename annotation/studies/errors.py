"""What can be wrong with a study."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DesignProblem:
    """One thing to mend in a design, printed as `field: value: rule`."""

    field: str
    value: str
    rule: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.field, self.value, self.rule) if part)


class StudyError(ValueError):
    """An act on a study that cannot be done; the message says why and what to do."""


class DesignError(StudyError):
    """A design that cannot become a study; every problem is listed."""

    def __init__(self, problems: list[DesignProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class StudyStateError(StudyError):
    """The study is not in the state that the act needs; somebody may have been first."""
