"""Whatever the bytes: no exception but FormatError, and counts that add up."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from annotation.formats import FormatError, ItemRecord, OutputRecord, Problem, describe, read_records
from annotation.formats.outputs import METRIC_FIELDS

FIELDS = [
    "input_image", "input_images", "ground_truth_image", "instruction", "choice", "answer", "category",
    "sub-category", "modality", "paper_format", "paper_task", "paper_subtask", "observed_subtask", "sample_id",
    "eval_adapter", "response", "raw_response", "output_image", "mission", "task", "context", "license",
    "redistributable", "vlm_judge_w_gt_result", "case_key", "source", *sorted(METRIC_FIELDS)[:2],
]  # fmt: skip
WORDS = st.sampled_from(
    ["VQA", "ImageEdit", "multiple-choice", "MCQ", "denoising", "CT", "Radiograph", "A. CT", "B", "images/a.png",
     "../x", "http://x/y", "VLM Error: x", "Edit Error: declined", "labeled_contact_sheet", "", " ", "\x00", "é"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 5), st.floats(allow_nan=True), st.text(max_size=8), WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6) | WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=12).map(lambda r: json.dumps(r).encode())
VALID = st.fixed_dictionaries(
    {"instruction": st.just("Q?"), "paper_task": st.just("MCQ")},
    optional={name: VALUES for name in FIELDS if name not in ("instruction", "paper_task")},
).map(lambda r: json.dumps(r, ensure_ascii=False).encode("utf-8", "surrogatepass"))
LINES = st.lists(st.one_of(RECORDS, VALID, st.binary(max_size=40), st.just(b"")), max_size=8)


def blank(line: bytes, number: int) -> bool:
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    return not line.strip(b" \t\r\n")


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=LINES,
    kind=st.sampled_from(["items", "outputs"]),
    layout=st.sampled_from(["auto", "canonical", "inference"]),
)
@example(lines=[b"PAR1"], kind="items", layout="auto")
@example(lines=[b"PK\x03\x04"], kind="items", layout="auto")
def test_every_line_that_is_not_blank_ends_as_one_record_or_one_problem(lines: list[bytes], kind: str, layout: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jsonl")
        path.write_bytes(b"\n".join(lines))
        try:
            found = list(read_records(path, kind=kind, layout=layout))
        except FormatError as error:
            assert str(error).startswith("a.jsonl: ")
            return

        expected = [n for n, line in enumerate(path.read_bytes().split(b"\n"), start=1) if not blank(line, n)]
        assert [outcome.line for outcome in found] == expected
        for outcome in found:
            assert isinstance(outcome, Problem | ItemRecord | OutputRecord)
            if isinstance(outcome, Problem):
                assert outcome.fatal
                assert str(outcome).isprintable()
            else:
                json.dumps(repr(outcome)).encode("utf-8")
        assert describe(path, kind=kind, layout=layout).lines == len(expected)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.text(max_size=60))
def test_texts_survive_reading_unchanged(text: str):
    record = {"instruction": "x" + text, "answer": text, "choice": ["c" + text], "paper_task": "MCQ"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jsonl")
        path.write_text(json.dumps(record) + "\n", encoding="utf-8")
        (found,) = read_records(path, layout="canonical")

    if "\x00" in text:
        assert isinstance(found, Problem)
    else:
        assert (found.instruction, found.reference_text, found.choices) == ("x" + text, text, ("c" + text,))
