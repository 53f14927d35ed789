"""Outputs of systems: answers, images, typed failures, and metrics that are carried along."""

from pathlib import Path

import pytest

from annotation.formats import FormatError, OutputRecord, Problem, read_records
from annotation.formats.outputs import METRIC_FIELDS
from tests.annotation.formats.builders import (
    editing,
    eval_view,
    evaluated,
    put_images,
    put_lines,
    result,
    vqa,
)

IMAGE = "output_image/edited_1a2b3c4d_0.png"


def output(tmp_path: Path, record: dict[str, object], **options: object) -> OutputRecord:
    (found,) = read_records(put_lines(tmp_path / "out.jsonl", record), kind="outputs", **options)
    assert isinstance(found, OutputRecord), str(found)
    return found


def test_an_inference_record_is_read_completely(tmp_path: Path):
    put_images(tmp_path, IMAGE)

    found = output(tmp_path, editing(**result()))

    assert (found.layout, found.status, found.error_text) == ("inference", "ok", "")
    assert found.aliases == (("sample_id", "tableiv:ImageEditing:contrast-enhancement:000014"),)
    assert found.text == "Contrast raised."
    assert found.raw_response == '{"output_text": "Contrast raised."}'
    assert found.image_paths == ((tmp_path / IMAGE).resolve(),)
    assert (found.format, found.task) == ("image_editing", "contrast-enhancement")
    assert found.match.instruction.startswith("Raise the contrast")
    assert found.match.input_names == ("e014.png",)
    assert found.metadata == {}


def test_a_bare_result_with_an_id_is_enough(tmp_path: Path):
    found = output(tmp_path, {"sample_id": "a", "response": "B"})

    assert (found.format, found.task, found.status, found.text) == ("", "", "ok", "B")


def test_outputs_without_ids_carry_what_matches_them_by_content(tmp_path: Path):
    (tmp_path / "items").mkdir()
    put_images(tmp_path / "items", "images/d001_0.png", "images/d001_1.png")
    (item,) = read_records(put_lines(tmp_path / "items" / "a.jsonl", vqa(answer=1)))
    folder = "elsewhere/images"

    found = output(
        tmp_path,
        vqa(
            response="B",
            answer="B. coronal",
            instruction="Which plane does the second image show?\r\n",
            input_image=[f"{folder}/d001_0.png", f"{folder}/d001_1.png"],
        ),
    )

    assert found.aliases == ()
    assert found.match == item.match


def test_an_output_that_names_no_item_is_refused(tmp_path: Path):
    (found,) = read_records(put_lines(tmp_path / "a.jsonl", {"response": "B"}), kind="outputs")

    assert isinstance(found, Problem)
    assert found.rule == "must name its item by an id or by the item's instruction"


@pytest.mark.parametrize("prefix", ["VLM Error:", "Parsing Error:", "vlm error:", "  \n Parsing error:"])
def test_an_error_in_the_answer_field_is_a_typed_failure(tmp_path: Path, prefix: str):
    found = output(tmp_path, result(response=f"{prefix} HTTP 429", output_image=None))

    assert (found.status, found.text) == ("error", "")
    assert found.error_text == f"{prefix} HTTP 429".strip()


@pytest.mark.parametrize("prefix", ["Generation Error:", "Edit Error:", "EDIT ERROR:", " generation error:"])
@pytest.mark.parametrize("as_list", [False, True])
def test_an_error_in_the_image_field_is_a_typed_failure(tmp_path: Path, prefix: str, as_list: bool):
    message = f"{prefix} /tmp/../x: out of memory"

    found = output(tmp_path, result(output_image=[message] if as_list else message))

    assert (found.status, found.image_paths, found.missing_images) == ("error", (), ())
    assert found.error_text == message.strip()
    assert found.text == "Contrast raised."


@pytest.mark.parametrize(
    "message",
    [
        "Edit Error: request declined by the safety filter",
        "Generation Error: the request was refused",
        "Edit Error: Refusal",
        "Generation Error: blocked by content policy",
        "Edit Error: SAFETY",
    ],
)
def test_a_system_that_declines_is_told_from_one_that_fails(tmp_path: Path, message: str):
    assert output(tmp_path, result(output_image=message)).status == "declined"


@pytest.mark.parametrize(
    "message",
    [
        "VLM Error: [Errno 111] Connection refused",
        "VLM Error: the server refused the connection",
        "VLM Error: timeout",
        "Parsing Error: no JSON",
    ],
)
def test_a_refused_connection_is_a_failure(tmp_path: Path, message: str):
    assert output(tmp_path, result(response=message)).status == "error"


@pytest.mark.parametrize("text", ["The VLM Error: rate is high", "Error: none seen", "Refused biopsy.", "Parsing"])
def test_other_texts_are_answers(tmp_path: Path, text: str):
    assert output(tmp_path, {"sample_id": "a", "response": text}).status == "ok"


@pytest.mark.parametrize("changes", [{"response": "", "output_image": ""}, {"response": None}, {"response": " \n"}])
def test_neither_text_nor_image_is_empty(tmp_path: Path, changes: dict[str, object]):
    assert output(tmp_path, {"sample_id": "a", **changes}).status == "empty"


def test_an_image_that_is_not_there_is_missing_and_the_record_is_kept(tmp_path: Path):
    found = output(tmp_path, result())

    assert (found.status, found.missing_images) == ("missing", (IMAGE,))
    assert found.error_text == f"image not found: {IMAGE}"


def test_an_edit_without_an_image_is_missing(tmp_path: Path):
    found = output(tmp_path, editing(**result(output_image=None)))

    assert (found.status, found.error_text) == ("missing", "the record names no output image")


def test_a_generation_with_only_text_is_kept(tmp_path: Path):
    record = {"sample_id": "a", "mission": "generate", "response": "Later stage.", "output_image": None}

    assert output(tmp_path, record).status == "ok"


@pytest.mark.parametrize(
    ("response", "text"), [(0, "0"), (2.5, "2.5"), (["a", "b"], "a; b"), ({"FINDINGS": "Clear."}, "FINDINGS\nClear.")]
)
def test_answers_of_other_types_become_text(tmp_path: Path, response: object, text: str):
    found = output(tmp_path, {"sample_id": "a", "response": response})

    assert (found.text, found.status) == (text, "ok")


def test_an_oracle_fixture_is_marked_and_not_taken_for_a_result(tmp_path: Path):
    marked = output(tmp_path, result(eval_smoke_fixture=True, response="x", output_image=None))
    by_text = output(tmp_path, result(raw_response="LOCAL_ORACLE_SMOKE_FIXTURE", output_image=None))

    assert marked.is_fixture
    assert by_text.is_fixture
    assert not output(tmp_path, result(output_image=None)).is_fixture


def test_metrics_and_judges_are_carried_along_and_not_lost(tmp_path: Path):
    put_images(tmp_path, IMAGE)

    found = output(tmp_path, evaluated(latency_s=1.5, model="demo"))

    assert found.layout == "evaluated"
    assert found.metrics == {
        "LPIPS": 0.21,
        "PSNR": 24.8,
        "SSIM": 0.81,
        "Anatomical_Embedding_Similarity": 0.93,
    }
    with_reference, without_reference = found.judgments
    assert (with_reference.view, with_reference.status) == ("with_reference", "given")
    assert with_reference.result["overall_score"] == "8/10"
    assert (without_reference.view, without_reference.status) == ("without_reference", "failed")
    assert found.metadata == {"latency_s": 1.5, "model": "demo"}


@pytest.mark.parametrize("name", sorted(METRIC_FIELDS))
def test_every_metric_key_is_known(tmp_path: Path, name: str):
    found = output(tmp_path, {"sample_id": "a", "response": "x", name: 0.5})

    assert (found.layout, found.metrics, found.metadata) == ("evaluated", {name: 0.5}, {})


def test_there_are_21_metric_keys():
    assert len(METRIC_FIELDS) == 21


@pytest.mark.parametrize("value", [None, "HTTP 429", [], {}])
def test_a_judge_that_gave_nothing_failed(tmp_path: Path, value: object):
    (judgment,) = output(tmp_path, {"sample_id": "a", "response": "x", "vlm_judge_w_gt_result": value}).judgments

    assert judgment.status == "failed"


def test_the_raw_reply_may_be_an_object(tmp_path: Path):
    found = output(tmp_path, {"sample_id": "a", "response": "x", "raw_response": {"output_text": "é"}})

    assert found.raw_response == '{"output_text": "é"}'


def test_the_same_id_twice_is_refused_by_name(tmp_path: Path):
    path = put_lines(tmp_path / "a.jsonl", {"sample_id": "a", "response": "x"}, {"sample_id": "a", "response": "y"})

    first, second = read_records(path, kind="outputs")

    assert first.text == "x"
    assert second.rule == "stands already in line 1 of this file"


def test_an_unknown_format_is_refused(tmp_path: Path):
    (found,) = read_records(
        put_lines(tmp_path / "a.jsonl", {"sample_id": "a", "response": "x", "mission": "sing"}), kind="outputs"
    )

    assert (found.field, found.value, found.rule) == ("mission", "sing", "unknown format")


@pytest.mark.parametrize(
    ("mission", "code"), [("vqa", "vqa"), ("edit", "image_editing"), ("generate", "multimodal_generation")]
)
@pytest.mark.parametrize("field", ["mission", "task"])
def test_the_evaluator_says_the_format_as_mission_or_task(tmp_path: Path, mission: str, code: str, field: str):
    assert output(tmp_path, {"sample_id": "a", "response": "x", field: mission}).format == code


@pytest.mark.parametrize("record", [vqa(), eval_view()])
def test_items_are_not_taken_for_outputs(tmp_path: Path, record: dict[str, object]):
    with pytest.raises(
        FormatError, match=r"items\.jsonl: holds benchmark items \((canonical|eval_view)\), not outputs"
    ):
        read_records(put_lines(tmp_path / "items.jsonl", record), kind="outputs")


def test_images_are_looked_for_in_the_folder_given(tmp_path: Path):
    put_images(tmp_path / "pictures", IMAGE)
    (tmp_path / "results").mkdir()
    path = put_lines(tmp_path / "results" / "out.jsonl", result())

    (found,) = read_records(path, kind="outputs", images=tmp_path / "pictures")

    assert found.image_paths == ((tmp_path / "pictures" / IMAGE).resolve(),)


def test_a_file_of_the_same_name_elsewhere_is_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_images(tmp_path / "here", IMAGE)
    (tmp_path / "results").mkdir()
    path = put_lines(tmp_path / "results" / "out.jsonl", result())
    monkeypatch.chdir(tmp_path / "here")

    (found,) = read_records(path, kind="outputs")

    assert (found.status, found.image_paths) == ("missing", ())
