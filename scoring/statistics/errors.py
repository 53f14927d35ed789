"""The one error of this room: a statistic that does not exist for the data given."""


class UndefinedStatisticError(ValueError):
    """A statistic has no value for these data; `reason` is a stable code, the message says why in words.

    Reasons: `empty`, `no_pairs`, `no_variation`, `gaps`, `too_few_readers`, `too_few_units`,
    `too_few_clusters`, `unstable`, `unknown_category`, `unusable_value`, `shape`, `no_convergence`,
    `nothing_ungraded`, `rare_category`, `out_of_reach`,
    `unconnected`.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason.replace("_", " "))
        self.reason = reason
