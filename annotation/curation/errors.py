"""What can be wrong with an act of curation."""


class ReviewError(ValueError):
    """A review that cannot be stored; `problems` lists (field, words)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {words}" for field, words in problems))
        self.problems = problems


class StaleRevisionError(RuntimeError):
    """Somebody made a newer revision while this one was open."""
