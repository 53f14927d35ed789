"""What can stand between the product and the bytes of an asset."""

from annotation.work.errors import AwayError

AWAY = (
    "The object storage that holds the pictures cannot be reached. Do it again in a moment; what was acknowledged is "
    "kept."
)
REFUSING = (
    "The object storage that holds the pictures refuses MedGEN ({code}). Whoever runs this program finds what to do "
    "in the operator's guide; what was acknowledged is kept."
)


class StoreAwayError(AwayError):
    """The bucket did not answer, or answered with a failure of its own; `code` is its word for it."""

    def __init__(self, code: str = "", *, refused: bool = False) -> None:
        super().__init__(REFUSING.format(code=code) if refused else AWAY)
        self.code = code
        self.refused = refused
