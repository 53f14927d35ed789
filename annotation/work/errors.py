"""What can end the work on a chunk."""


class WorkError(Exception):
    """An act on a job that cannot be done; the message says why."""


class AwayError(Exception):
    """Something below the product does not answer now and may do so by itself; the message is for people."""


class FencedOutError(Exception):
    """Somebody else holds the chunk by now; what was prepared is dropped."""


class CanceledError(Exception):
    """The job was canceled; the chunk is left undone."""


class StopWorkError(BaseException):
    """The worker is told to stop: the chunk goes back as if it had not been taken."""
