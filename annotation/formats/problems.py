"""What a reader says about a line or a file that it cannot take.

A `Problem` names file, line, field, value and rule, so that the person who owns the file can mend it. It never
stops the rest of the file. A `FormatError` is for trouble with the file as a whole.
"""

from dataclasses import dataclass

MAX_SHOWN = 120
MISSING = "(missing)"


class FormatError(ValueError):
    """The file as a whole cannot be read: it is missing, of another kind, or damaged."""


class MissingFileError(FormatError, FileNotFoundError):
    """There is nothing at this path."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one line, or with a file when there is no line.

    Attributes:
        file: name of the file inside what was given to read.
        line: line number from 1 (row number in a parquet file); None when the whole file is meant.
        field: the field of the record; "line" when the line is no record at all.
        value: what stands there, shortened to 120 characters, control characters made visible.
        rule: the rule that the value breaks, in words.
        fatal: True when the line was refused; False for a remark beside lines that were read.
    """

    file: str
    line: int | None
    field: str
    value: str
    rule: str
    fatal: bool = True

    def __post_init__(self) -> None:
        for name, limit in (("file", 300), ("field", 100), ("value", MAX_SHOWN), ("rule", 500)):
            object.__setattr__(self, name, shortened(visible(getattr(self, name)), limit))

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (where, self.field, self.value, self.rule) if part)


def visible(text: str) -> str:
    """Return the text with everything that is not printable replaced by a visible sign.

    Characters below U+0020 become their control picture (a line feed becomes ␊), U+007F becomes ␡, and any other
    character that is not printable (formatting, surrogates, odd blanks) is written as its code point: <U+202E>.
    """
    if text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return character if character.isprintable() else f"<U+{code:04X}>"


def shortened(text: str, limit: int = MAX_SHOWN) -> str:
    """Return at most `limit` characters; an ellipsis marks what was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown(value: object) -> str:
    """Return any value of a record as one short, visible line: (empty), null, or the value itself."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return shortened(visible(value)) if value.strip() else "(empty)"
    if isinstance(value, list | dict) and not value:
        return "[]" if isinstance(value, list) else "{}"
    return shortened(visible(repr(value)))
