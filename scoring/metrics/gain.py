"""What an output gains over returning the input unchanged."""

from scoring.metrics.base import UndefinedMetricError


def gain(
    direction: str,
    value: float | None,
    no_op: float | None,
    *,
    reason: str | None = None,
    no_op_reason: str | None = None,
) -> float:
    """Improvement of an output over the unchanged input; positive is better in either direction.

    Args:
        direction: `higher` or `lower`, of the metric.
        value: metric of output against reference, or None with `reason`.
        no_op: metric of input against reference, or None with `no_op_reason`; same settings.
        reason: why the output has no value.
        no_op_reason: why the input has no value.

    Returns:
        `value - no_op` for higher, `no_op - value` for lower, in the metric's unit.

    Raises:
        UndefinedMetricError: `noop_identical` when the input already equals the reference;
            `identical` when only the output equals it, to be ranked best; else the reason of the
            side without a value, the output's first.
        ValueError: unknown direction, or a missing value without a reason.
    """
    if direction not in {"higher", "lower"}:
        raise ValueError(f"direction '{direction}' is neither 'higher' nor 'lower'")
    if no_op_reason == "identical":
        raise UndefinedMetricError("noop_identical")
    if reason == "identical":
        raise UndefinedMetricError("identical", "The output equals the reference: no gain can be larger.")
    for number, why, name in ((value, reason, "output"), (no_op, no_op_reason, "unchanged input")):
        if number is None:
            if why is None:
                raise ValueError(f"the {name} has neither value nor reason")
            raise UndefinedMetricError(why, f"The {name} has no value: {why}.")
    assert value is not None
    assert no_op is not None
    return value - no_op if direction == "higher" else no_op - value
