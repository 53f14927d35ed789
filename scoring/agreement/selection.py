"""Which grades agreement is asked of: a task, a modality, a stage, the outputs of one reader, or two readers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scoring.agreement.ratings import FINAL_STAGE, Ratings

NAMES = ("task", "modality", "stage", "first", "second")


class SelectionError(ValueError):
    """A choice that this study does not have; the message names the field, the value and what there is."""

    def __init__(self, field: str, value: str, known: Sequence[str]) -> None:
        listed = ", ".join(known) or "nothing"
        super().__init__(f"{field}: {value[:60]!r} is not in this study; there is {listed}")
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A part of a study's grades; empty fields select everything.

    Attributes:
        task: code of a task.
        modality: code of a modality.
        stage: stage of the grades; the final one without another.
        first: code of a reader. Alone: only outputs that this reader graded, of all readers.
        second: code of another reader: only these two.
    """

    task: str = ""
    modality: str = ""
    stage: str = FINAL_STAGE
    first: str = ""
    second: str = ""

    @property
    def pair(self) -> bool:
        return bool(self.first and self.second and self.first != self.second)

    @property
    def chosen(self) -> dict[str, str]:
        """What differs from everything."""
        return {name: value for name, value in asdict(self).items() if value and (name, value) != ALL_STAGE}

    def of(self, ratings: Ratings) -> Ratings:
        """These grades of one criterion."""
        keep = np.ones(len(ratings.units), dtype=np.bool_)
        for wanted, column in ((self.task, ratings.outputs.tasks), (self.modality, ratings.outputs.modalities)):
            if wanted:
                keep &= np.array([one == wanted for one in column], dtype=np.bool_)
        rows = list(range(len(ratings.readers)))
        places = {reader: row for row, reader in enumerate(ratings.readers)}
        if self.pair:
            rows = sorted({places[self.first], places[self.second]})
        elif reader := self.first or self.second:
            keep &= ~np.isnan(ratings.values[places[reader]])
        return ratings.taken(rows, np.nonzero(keep)[0].tolist())


ALL_STAGE = ("stage", FINAL_STAGE)


def choices(ratings: Sequence[Ratings], *, stages: Sequence[str] = (FINAL_STAGE,)) -> dict[str, list[str]]:
    """What can be chosen in a study, by field."""
    outputs = ratings[0].outputs
    readers = list(ratings[0].readers)
    return {
        "task": sorted(set(outputs.tasks)),
        "modality": sorted(set(outputs.modalities)),
        "stage": list(stages),
        "first": readers,
        "second": readers,
    }


def selection_of(asked: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> Selection:
    """The selection that a query asks for.

    Raises:
        SelectionError: a value that the study does not have.
    """
    given = {name: str(asked.get(name) or "") for name in NAMES}
    for name, value in given.items():
        if value and value not in known[name]:
            raise SelectionError(name, value, known[name])
    return Selection(**{name: value for name, value in given.items() if value})
