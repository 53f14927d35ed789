"""What is refused to whoever would change what only grows."""

REFUSED = "never changed or removed"
"""Words of every refusal by the database."""


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or remove a row that only ever grows."""
