"""The format and task of a record, from all the fields and folders that claim one; they must agree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from annotation.formats import taxonomy
from annotation.formats.lines import JsonObject, LineError
from annotation.formats.problems import MISSING
from annotation.formats.records import SUB_CATEGORY_DIFFERS

_FORMAT_FIELDS = ("paper_format", "category", "mission", "format")
_TASK_FIELDS = ("paper_task", "sub-category")
_STATING = (*_FORMAT_FIELDS, *_TASK_FIELDS, "task")
_KEPT_RAW = (
    *_FORMAT_FIELDS,
    *_TASK_FIELDS,
    "task",
    "modality",
    "canonical_modality",
    "in-out",
    "source_dataset_label",
    "named_subtask",
)

Claim = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Terms:
    """Canonical codes, "" where the record does not say, and the spellings found."""

    format: str = ""
    task: str = ""
    raw: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_terms(data: JsonObject, folder: str) -> Terms:
    """Return format and task of a record.

    The format comes from `paper_format`, `category`, `mission`, `format`, a `task` that names a format (as the
    evaluator writes it) and the folder; all that are given must agree. The task comes from the first of `paper_task`,
    `sub-category`, `task` and the folder, and must agree with the folder. A format that nobody states follows from
    the task.

    Args:
        data: the raw record.
        folder: `<format>/<task>` of the file, or "".

    Raises:
        LineError: an unknown spelling, or a disagreement.
    """
    stated = tuple(_term(data, name) for name in _STATING)
    format_code, task_code, format_raw, task_raw, notes = _resolved(stated, folder)
    raw = {name: text for name in _KEPT_RAW if isinstance(text := data.get(name), str) and text.strip()}
    if format_raw:
        raw["format"] = format_raw
    if task_raw:
        raw["task"] = task_raw
    return Terms(format_code, task_code, raw, notes)


def require_terms(terms: Terms) -> Terms:
    """Return the terms, or refuse a record without format or task."""
    if not terms.task:
        raise LineError("paper_task", MISSING, "must name a task, here, in sub-category or by the folder")
    return terms


@lru_cache(maxsize=4096)
def _resolved(stated: tuple[str, ...], folder: str) -> tuple[str, str, str, str, tuple[str, ...]]:
    """Format and task with their raw spellings, and notes; a package repeats few combinations, so they are kept."""
    texts = dict(zip(_STATING, stated, strict=True))
    format_claims = list(_format_claims(texts, folder))
    task_claim = _task_claim(texts, folder)
    format_code = _agreed_format(format_claims)
    task_code = _task_code(task_claim, format_code, folder) if task_claim else ""
    other = taxonomy.canonical_task(texts["sub-category"])
    return (
        format_code or (taxonomy.TASKS[task_code].format if task_code else ""),
        task_code,
        format_claims[0][1] if format_claims else "",
        task_claim[1] if task_claim else "",
        (SUB_CATEGORY_DIFFERS,) if task_code and other and other != task_code else (),
    )


def _format_claims(texts: Mapping[str, str], folder: str) -> Iterator[Claim]:
    for name in _FORMAT_FIELDS:
        text = texts[name]
        if text:
            yield name, text
    text = texts["task"]
    if taxonomy.canonical_format(text):
        yield "task", text
    if folder:
        yield "folder", folder.partition("/")[0]


def _agreed_format(claims: list[Claim]) -> str:
    agreed, first = "", ("", "")
    for name, text in claims:
        code = taxonomy.canonical_format(text)
        if code is None:
            raise LineError(name, text, "unknown format")
        if agreed and code != agreed:
            raise LineError(name, text, f"disagrees with {first[0]} {first[1]!r}")
        if not agreed:
            agreed, first = code, (name, text)
    return agreed


def _task_claim(texts: Mapping[str, str], folder: str) -> Claim | None:
    for name in _TASK_FIELDS:
        text = texts[name]
        if text:
            return name, text
    text = texts["task"]
    if text and not taxonomy.canonical_format(text):
        return "task", text
    return ("folder", folder.rpartition("/")[2]) if folder else None


def _task_code(claim: Claim, format_code: str, folder: str) -> str:
    name, text = claim
    code = taxonomy.canonical_task(text)
    if code is None:
        raise LineError(name, text, "unknown task")
    owner = taxonomy.TASKS[code].format
    if format_code and owner != format_code:
        labels = taxonomy.format_label(owner), taxonomy.format_label(format_code)
        raise LineError(name, text, f"is a task of {labels[0]}, not of {labels[1]}")
    of_folder = taxonomy.canonical_task(folder.rpartition("/")[2])
    if of_folder and of_folder != code:
        raise LineError(name, text, f"disagrees with the folder {folder!r}")
    return code


def _term(data: JsonObject, name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LineError(name, value, "must be text")
    return value if value.strip() else ""
