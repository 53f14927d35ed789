"""What can be wrong with a request for metrics."""


class MetricsError(ValueError):
    """A metric or submission that does not exist; the message names it and the nearest names."""
