"""What adjudication refuses."""


class AdjudicationError(ValueError):
    """Something that was entered cannot be: the message says what and why."""


class AdjudicationStateError(RuntimeError):
    """The act does not fit the case as it is now: decided before, locked, changed meanwhile."""


class OwnGradeError(PermissionError):
    """This person graded the output, or was to grade it."""
