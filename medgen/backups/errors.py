"""What stands in the way of a backup or a restore."""


class BackupError(RuntimeError):
    """Said in words, with what to do."""
