"""The manifest beside a package, compared with what was read: differences are remarks, not refusals."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from annotation.formats.lines import MAX_LINE_BYTES, LineError, check_texts, open_file, strict_json
from annotation.formats.problems import FormatError, Problem, shown

MANIFEST = "manifest.json"


def manifest_problems(root: Path, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Yield a remark for every statement of the manifest that the package does not keep.

    Args:
        root: the package's folder; without a manifest nothing is yielded.
        counts: number of lines that are not blank by `<format>/<task>` folder.
    """
    path = root / MANIFEST
    if not path.is_file():
        return
    try:
        content = _content(path)
    except (FormatError, LineError, UnicodeDecodeError) as error:
        yield _remark("file", "", f"cannot be compared: {error}")
        return
    if not isinstance(content, dict):
        yield _remark("file", content, "must be one JSON object")
        return
    yield from _task_counts(content.get("tasks"), counts)
    yield from _named_folders(content.get("table_iv"), counts)
    yield from _total(content.get("validation"), counts)


def _content(path: Path) -> object:
    with open_file(path, MANIFEST) as stream:
        raw = stream.read(MAX_LINE_BYTES + 1)
    if len(raw) > MAX_LINE_BYTES:
        raise FormatError("longer than 1 MiB")
    content = strict_json(raw.decode("utf-8-sig"))
    check_texts(content)
    return content


def _task_counts(tasks: object, counts: Mapping[str, int]) -> Iterator[Problem]:
    if not isinstance(tasks, dict):
        return
    for folder, entry in tasks.items():
        stated = entry.get("record_count") if isinstance(entry, dict) else None
        if _is_count(stated) and stated != counts.get(folder, 0):
            yield _remark(f"tasks.{folder}.record_count", stated, f"the folder holds {counts.get(folder, 0)}")
    for folder in sorted(set(counts) - set(tasks)):
        yield _remark("tasks", folder, f"not named in the manifest, yet the folder holds {counts[folder]}")


def _named_folders(table: object, counts: Mapping[str, int]) -> Iterator[Problem]:
    if not isinstance(table, dict):
        return
    for owner, names in table.items():
        for name in names if isinstance(names, list) else []:
            if isinstance(name, str) and f"{owner}/{name}" not in counts:
                yield _remark(f"table_iv.{owner}", name, "there is no such folder with records")


def _total(validation: object, counts: Mapping[str, int]) -> Iterator[Problem]:
    stated = validation.get("actual_record_count") if isinstance(validation, dict) else None
    total = sum(counts.values())
    if _is_count(stated) and stated != total:
        yield _remark("validation.actual_record_count", stated, f"the package holds {total}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _remark(field: str, value: object, rule: str) -> Problem:
    return Problem(MANIFEST, None, field, shown(value) if value != "" else "", rule, fatal=False)
