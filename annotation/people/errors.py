"""What can be wrong with an act on people."""


class PeopleError(ValueError):
    """An act on a person that cannot be done; the message says why and what to do."""
