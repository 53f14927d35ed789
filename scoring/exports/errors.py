"""What can be wrong with an export."""


class ExportError(ValueError):
    """A score sheet that cannot be written; the message says why and what to do."""
