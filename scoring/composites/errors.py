"""What can be wrong with a composite of a study."""


class CompositeError(ValueError):
    """A composite that cannot be declared or changed; `problems` lists (field, words)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {words}" for field, words in problems))
        self.problems = problems
