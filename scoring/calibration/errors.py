"""What can be wrong with judgments, limits and requests of this room."""


class JudgmentError(ValueError):
    """An import of judgments that is refused as a whole: a declaration is absent or does not fit, or no such file."""


class LimitError(ValueError):
    """A limit that cannot be stated; the message names field, value and rule."""


class UnknownMeasureError(LookupError):
    """No such measure or criterion in this study."""


class NotComputedError(RuntimeError):
    """A result of a large study that has to be asked for as a job."""
