"""From a record of a file to the output it would become."""

import hashlib
import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from annotation.datasets.pictures import Picture, Pictures
from annotation.formats import OutputRecord, Problem
from annotation.formats.records import Aliases
from annotation.imaging.image import ImageError
from annotation.systems.models import Output, OutputPart
from annotation.systems.targets import Target, line_keys


@dataclass(frozen=True, slots=True)
class PartDraft:
    """A text or a picture of an output."""

    kind: str
    text: str = ""
    picture: Picture | None = None


@dataclass(slots=True)
class OutputDraft:
    """One line, read and with its pictures taken, before it is known which item it is for."""

    record: OutputRecord
    status: str
    error_text: str
    parts: list[PartDraft]
    contents: Sequence[Hashable] = field(default_factory=list)
    place_hints: frozenset[Hashable] = frozenset()

    @property
    def aliases(self) -> Aliases:
        return self.record.aliases

    @property
    def content_hash(self) -> str:
        """Changes when what was generated changes: status, message, texts, stored pictures."""
        parts = [[part.kind, part.picture.sha256 if part.picture else part.text] for part in self.parts]
        said = json.dumps([self.status, self.error_text, parts], ensure_ascii=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def problem(self, field: str, value: str, rule: str) -> Problem:
        return Problem(self.record.file, self.record.line, field, value, rule)

    def disagreement(self, target: Target) -> Problem | None:
        """An id that leads to an item of another format is refused; the file or the id is wrong."""
        if self.record.format and self.record.format != target.format:
            return self.problem("format", self.record.format, f"{target.code} is {target.format}")
        return None


def draft_output(record: OutputRecord, pictures: Pictures) -> OutputDraft:
    """Take the pictures of a record; one that cannot be decoded makes the output unreadable, with the reason."""
    parts: list[PartDraft] = []
    if record.text.strip():
        parts.append(PartDraft(OutputPart.Kind.TEXT.value, text=record.text))
    broken: list[str] = []
    for path in record.image_paths:
        try:
            parts.append(PartDraft(OutputPart.Kind.IMAGE.value, picture=pictures.take(path)))
        except ImageError as problem:
            broken.append(f"{path.name}: {problem.reason}: {problem.message}")
    status, error_text = str(record.status), record.error_text
    if broken and status not in {Output.Status.ERROR, Output.Status.DECLINED}:
        status = Output.Status.UNREADABLE.value
        error_text = "; ".join(filter(None, [error_text, *broken]))
    keys = line_keys(record.match)
    return OutputDraft(record, status, error_text, parts, keys, frozenset(keys))
