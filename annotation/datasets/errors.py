"""What a person can do wrong when importing."""


class DatasetError(Exception):
    """An act on a dataset that cannot be done; the message names thing, value and limit."""


class ImportRefusedError(DatasetError):
    """The whole import is refused before a line is read (no such file, unknown layout, unknown release)."""


class ImportInterruptedError(DatasetError):
    """Another import of the same dataset took over; what was committed stays, run it again."""


class UploadError(DatasetError):
    """An uploaded file that is not opened."""
