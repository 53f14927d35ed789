"""A raw record as what a system generated; error messages in answer fields become typed failures."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from annotation.formats import taxonomy
from annotation.formats.fields import Source, aliases_of, answer_of, choices_of, fixture_of, names_of, plain_text
from annotation.formats.lines import JsonObject, LineError
from annotation.formats.paths import base_name
from annotation.formats.problems import MISSING
from annotation.formats.records import SAMPLE_ID, Judgment, MatchKeys, OutputRecord, OutputStatus, text_key
from annotation.formats.terms import Terms, find_terms

RESULT_FIELDS = frozenset({"response", "raw_response", "output_image", "output_images"})
METRIC_FIELDS = frozenset(
    {
        "LPIPS",
        "PSNR",
        "SSIM",
        "Anatomical_Embedding_Similarity",
        "BLEU",
        "BERT_Score",
        "Clinical_Entity_P",
        "Clinical_Entity_R",
        "Clinical_Entity_F1",
        "Entity_Hallucination_Rate",
        "Entity_Omission_Rate",
        "Entity_Factual_Precision",
        "CheXbert_Factual_Precision",
        "RadGraph_F1",
        "radgraph_applicable",
        "Task_Accuracy",
        "Text_EM",
        "Text_F1",
        "normalized_answer_text",
        "normalized_response_text",
        "_local_metrics_complete",
    }
)
JUDGE_PREFIX = "vlm_judge"
_ITEM_FIELDS = frozenset(
    {
        "input_image",
        "input_images",
        "input_files",
        "ground_truth_image",
        "ground_truth_images",
        "reference_images",
        "reference_files",
        "instruction",
        "choice",
        "choices",
        "options",
        "answer",
        "context",
        "category",
        "sub-category",
        "modality",
        "canonical_modality",
        "in-out",
        "source",
        "source_dataset_label",
        "paper_format",
        "paper_task",
        "paper_subtask",
        "observed_subtask",
        "named_subtask",
        "subtask",
        "mission",
        "format",
        "task",
        "sample_id",
        "id",
        "item_id",
        "record_id",
        "uid",
        "eval_adapter",
        "eval_smoke_fixture",
        "license",
        "licence",
        "redistributable",
        "reviewer_synopsis",
        "synopsis",
        "selection_summary",
        "why_selected",
        "case_key",
        "case_id",
    }
)
_FAILURE = re.compile(r"\s*(?:VLM|Parsing|Generation|Edit) Error:", re.IGNORECASE)
_DECLINED = re.compile(
    r"\bdeclin(?:e[ds]?|ing)\b|\brefus(?:e[ds]?|al|ing)\b|\bsafety\b|\bpolic(?:y|ies)\b", re.IGNORECASE
)
_REFUSED_CONNECTION = re.compile(r"\bconnect\w*\b[\w\s]*\brefused\b|\brefused\b[\w\s]*\bconnect\w*\b", re.IGNORECASE)


def output_record(data: JsonObject, source: Source, line: int) -> OutputRecord:
    """Return what one raw record says a system generated.

    Args:
        data: the raw record; it is not changed.
        source: the file it stands in.
        line: its line number.

    Raises:
        LineError: a field breaks a rule, a term is unknown, or an image path is not allowed.
    """
    aliases, match = aliases_of(data, source, line), _match_keys(data)
    if not aliases and not match.instruction:
        raise LineError(SAMPLE_ID, MISSING, "must name its item by an id or by the item's instruction")
    terms = find_terms(data, source.folder)
    response = data.get("response")
    text = "" if response is None else plain_text(response, "response")
    field, names = names_of(data, "output_image", "output_images")
    failures = [value for value in (text, *names) if _FAILURE.match(value)]
    paths, missing = _found_images(field, [name for name in names if not _FAILURE.match(name)], source)
    if failures and _FAILURE.match(text):
        text = ""
    status, error_text = _status(failures, terms, text, paths, missing)
    return OutputRecord(
        file=source.file,
        line=line,
        layout=source.layout,
        match=match,
        aliases=aliases,
        format=terms.format,
        task=terms.task,
        text=text,
        image_paths=paths,
        missing_images=missing,
        status=status,
        error_text=error_text,
        raw_response=_raw_response(data.get("raw_response")),
        is_fixture=fixture_of(data),
        metrics={name: value for name, value in data.items() if name in METRIC_FIELDS},
        judgments=tuple(_judgment(name, value) for name, value in data.items() if name.startswith(JUDGE_PREFIX)),
        metadata=_metadata(data),
        notes=terms.notes,
    )


def failure_status(message: str) -> Literal["error", "declined"]:
    """Tell a system that declined from one that failed, by the words of its message.

    Declined, refused, safety and policy mean declined; a refused connection is a failure.
    """
    without_network = _REFUSED_CONNECTION.sub("", message)
    return "declined" if _DECLINED.search(without_network) else "error"


def _status(
    failures: list[str], terms: Terms, text: str, paths: tuple[Path, ...], missing: tuple[str, ...]
) -> tuple[OutputStatus, str]:
    if failures:
        message = "; ".join(failure.strip() for failure in failures)
        return failure_status(message), message
    if missing:
        return "missing", f"image not found: {', '.join(missing)}"
    if not text.strip() and not paths:
        return "empty", ""
    if terms.format == taxonomy.IMAGE_EDITING and not paths:
        return "missing", "the record names no output image"
    return "ok", ""


def _found_images(field: str, names: Iterable[str], source: Source) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    found, missing = [], []
    for name in names:
        path = source.package.find(name, field)
        if path is None:
            missing.append(name)
        else:
            found.append(path)
    return tuple(found), tuple(missing)


def _match_keys(data: JsonObject) -> MatchKeys:
    """Keys from the item's side of the record; what cannot be read there leaves its key empty."""
    instruction = data.get("instruction")
    try:
        answer = answer_of(data, choices_of(data))[0]
    except LineError:
        answer = ""
    try:
        names = names_of(data, "input_images", "input_image", "input_files")[1]
    except LineError:
        names = ()
    return MatchKeys(
        instruction=text_key(instruction) if isinstance(instruction, str) else "",
        answer=text_key(answer),
        input_names=tuple(base_name(name) for name in names),
    )


def _raw_response(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _judgment(name: str, value: object) -> Judgment:
    view: Literal["with_reference", "without_reference", ""] = ""
    if "wo_gt" in name:
        view = "without_reference"
    elif "w_gt" in name:
        view = "with_reference"
    result = value if isinstance(value, dict) else {"raw": value}
    return Judgment(name, view, "given" if result and isinstance(value, dict) else "failed", result)


def _metadata(data: JsonObject) -> dict[str, object]:
    return {
        name: value
        for name, value in data.items()
        if isinstance(value, str | int | float)
        and name not in _ITEM_FIELDS
        and name not in RESULT_FIELDS
        and name not in METRIC_FIELDS
        and not name.startswith(JUDGE_PREFIX)
    }
