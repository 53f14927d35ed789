"""The states of a study, and what follows from them: until two people unblind it, nothing names its systems."""

from typing import Protocol

from django.db import models


class StudyState(models.TextChoices):
    DRAFT = "draft"
    PILOT = "pilot"
    RUNNING = "running"
    PAUSED = "paused"
    LOCKED = "locked"
    UNBLINDED = "unblinded"


class _Stated(Protocol):
    @property
    def state(self) -> str: ...


class HasStudyState:
    """What a state means, asked here and nowhere else."""

    State = StudyState
    OPEN_STATES = (
        StudyState.DRAFT.value,
        StudyState.PILOT.value,
        StudyState.RUNNING.value,
        StudyState.PAUSED.value,
    )
    NAMELESS_STATES = (*OPEN_STATES, StudyState.LOCKED.value)
    GRADED_STATES = (StudyState.PILOT.value, StudyState.RUNNING.value)
    FINAL_STATES = (StudyState.LOCKED.value, StudyState.UNBLINDED.value)

    @property
    def takes_grades(self: _Stated) -> bool:
        """Readers may submit now."""
        return self.state in HasStudyState.GRADED_STATES

    @property
    def is_final(self: _Stated) -> bool:
        """Grading is over: numbers are no preview any more."""
        return self.state in HasStudyState.FINAL_STATES

    @property
    def names_are_open(self: _Stated) -> bool:
        """Whether what shows grades, agreement, composites or boards may say which letter is which system."""
        return self.state == StudyState.UNBLINDED


class Role(models.TextChoices):
    """What a reading is for; an item of a study has one role, and only `main` readings enter results."""

    MAIN = "main"
    REPEAT = "repeat"
    TRAINING = "training"
    ATTENTION = "attention", "attention check"
    PILOT = "pilot"
