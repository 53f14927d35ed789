"""Fields of a raw record: each getter accepts every shape seen in the field, and refuses the rest by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.formats.lines import JsonObject, LineError
from annotation.formats.paths import Package
from annotation.formats.problems import MISSING
from annotation.formats.records import SAMPLE_ID, SOURCE_LINE, Aliases, Redistributable
from annotation.formats.sections import flat, sections_text

FIXTURE_RESPONSE = "LOCAL_ORACLE_SMOKE_FIXTURE"
MAX_ALIAS = 300
_ID_FIELDS = (SAMPLE_ID, "id", "item_id", "record_id", "uid")
_YES_NO: Mapping[object, Redistributable] = {
    True: "yes",
    False: "no",
    "yes": "yes",
    "true": "yes",
    "no": "no",
    "false": "no",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The file a record stands in.

    Attributes:
        file: its name inside what was given to read.
        layout: the layout it is read by.
        package: where its image references are looked for.
        folder: `<format>/<task>` when the file lies in two folders of these names, else "".
    """

    file: str
    layout: str
    package: Package
    folder: str = ""


def text_of(data: JsonObject, *names: str) -> str:
    """Return the first of these fields that holds a text that is not blank, exactly as found; "" without one."""
    for name in names:
        value = data.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise LineError(name, value, "must be text")
        if value.strip():
            return value
    return ""


def label_of(data: JsonObject, *names: str, limit: int) -> str:
    """Return a short text on one line, such as a license; refuse it beyond the limit."""
    text = text_of(data, *names).strip()
    if len(text) > limit:
        name = next(name for name in names if data.get(name))
        raise LineError(name, text, f"must be at most {limit} characters")
    return text


def names_of(data: JsonObject, *fields: str) -> tuple[str, tuple[str, ...]]:
    """Return the first of these fields that names images, with the names; blank entries count as absent.

    Returns:
        (field, names); ("", ()) when no field names an image.
    """
    for field in fields:
        value = data.get(field)
        if not value:
            if value not in (None, "") and not isinstance(value, list | dict):
                raise LineError(field, value, "must be a path or a list of paths")
            continue
        entries = value if isinstance(value, list) else [value]
        names = []
        for entry in entries:
            if entry is None:
                continue
            if not isinstance(entry, str):
                raise LineError(field, entry, "must be a path or a list of paths")
            if entry.strip():
                names.append(entry)
        if names:
            return field, tuple(names)
    return "", ()


def choices_of(data: JsonObject) -> tuple[str, ...]:
    """Return the options in order: a list, lines of one text, or none."""
    for name in ("choice", "choices", "options"):
        value = data.get(name)
        if value is None or value in ("", []):
            continue
        if isinstance(value, str):
            return tuple(line.strip() for line in value.splitlines() if line.strip())
        if not isinstance(value, list):
            raise LineError(name, value, "must be a list of options")
        for entry in value:
            if isinstance(entry, bool) or not isinstance(entry, str | int | float):
                raise LineError(name, entry, "each option must be text")
        return tuple(str(entry) for entry in value)
    return ()


def answer_of(data: JsonObject, choices: tuple[str, ...]) -> tuple[str, JsonObject | None, bool]:
    """Return the reference text, the nested sections it comes from, and whether it was an index.

    An integer is an index into the options, counting from 0, so that 0 is an answer; without options it is a number.

    Raises:
        LineError: the answer is no text, number, list or object, or an index outside the options.
    """
    value = data.get("answer")
    if value is None:
        return "", None, False
    if isinstance(value, dict):
        return sections_text(value), value or None, False
    if isinstance(value, int) and not isinstance(value, bool) and choices:
        if not 0 <= value < len(choices):
            raise LineError("answer", value, f"must be an index from 0 to {len(choices) - 1}")
        return choices[value], None, True
    return plain_text(value, "answer"), None, False


def plain_text(value: object, field: str) -> str:
    """Return a text, number, list or nested object as text; refuse truth values."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return sections_text(value)
    if isinstance(value, bool):
        raise LineError(field, value, "must be text, a number, a list or an object of sections")
    return flat(value)


def context_of(data: JsonObject) -> tuple[tuple[str, str], ...]:
    """Return `context` as ordered key-value pairs: an object, a list of pairs or texts, or one text."""
    value = data.get("context")
    if value is None or value in ("", [], {}):
        return ()
    if isinstance(value, str):
        return (("", value),)
    if isinstance(value, dict):
        return tuple((key, flat(inner)) for key, inner in value.items())
    if not isinstance(value, list):
        raise LineError("context", value, "must be an object, a list or text")
    return tuple(_pair(entry) for entry in value)


def _pair(entry: object) -> tuple[str, str]:
    if isinstance(entry, str):
        return "", entry
    if isinstance(entry, list) and len(entry) == 2:
        return flat(entry[0]), flat(entry[1])
    raise LineError("context", entry, "each entry must be text or a pair of key and value")


def aliases_of(data: JsonObject, source: Source, line: int) -> Aliases:
    """Return every id of the record as (scheme, value), and where it stood in the canonical package."""
    found = []
    for name in _ID_FIELDS:
        value = data.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise LineError(name, value, "must be text or a whole number")
        found.append((name, _alias(name, str(value))))
    adapter = data.get("eval_adapter")
    if isinstance(adapter, dict):
        origin, number = adapter.get("source_data_jsonl"), adapter.get("source_line")
        if isinstance(origin, str) and isinstance(number, int) and not isinstance(number, bool):
            found.append((SOURCE_LINE, _alias("eval_adapter", f"{origin}:{number}")))
    elif source.folder:
        name = source.file.rpartition("/")[2]
        found.append((SOURCE_LINE, _alias("line", f"{source.folder}/{name}:{line}")))
    return tuple(found)


def _alias(field: str, value: str) -> str:
    if len(value) > MAX_ALIAS:
        raise LineError(field, value, f"an id must be at most {MAX_ALIAS} characters")
    return value


def redistributable_of(data: JsonObject) -> Redistributable:
    """Return yes, no, or unknown for everything else."""
    value = data.get("redistributable")
    key = value.strip().casefold() if isinstance(value, str) else value
    return _YES_NO.get(key, "unknown") if isinstance(key, str | bool) else "unknown"


def fixture_of(data: JsonObject) -> bool:
    """Whether the record is one of the benchmark's smoke fixtures (the reference copied as output)."""
    raw = data.get("raw_response")
    return bool(data.get("eval_smoke_fixture")) or (isinstance(raw, str) and raw.strip() == FIXTURE_RESPONSE)


def required(text: str, field: str) -> str:
    """Return the text, or refuse the line because the field is missing or blank."""
    if not text.strip():
        raise LineError(field, MISSING, "must not be empty")
    return text
