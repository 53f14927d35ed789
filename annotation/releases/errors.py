"""What can be wrong with a release."""


class FreezeError(ValueError):
    """A release that cannot be frozen; `blockers` says why."""

    def __init__(self, blockers: list[str]) -> None:
        super().__init__("; ".join(blockers))
        self.blockers = blockers
