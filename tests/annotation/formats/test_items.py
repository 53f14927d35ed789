"""Items in every shape of the benchmark: canonical, eval view, and what stands in older records."""

from pathlib import Path

import pytest

from annotation.formats import ItemRecord, Problem, detect_layout, read_records
from annotation.formats.records import NOTES
from tests.annotation.formats.builders import (
    editing,
    editing_package,
    eval_view,
    put_images,
    put_lines,
    result,
    vqa,
    vqa_package,
)

EVAL_IMAGES = ("source/VQA/multiple-choice/images/d001_0.png", "source/VQA/multiple-choice/images/d001_1.png")


def item(path: Path, **options: object) -> ItemRecord:
    (record,) = read_records(path, **options)
    assert isinstance(record, ItemRecord), str(record)
    return record


def problem(path: Path, **options: object) -> Problem:
    (found,) = read_records(path, **options)
    assert isinstance(found, Problem), found
    return found


def plain(tmp_path: Path, **changes: object) -> Path:
    """One VQA record without images, outside any format folder."""
    return put_lines(tmp_path / "data.jsonl", vqa(**{"input_image": [], **changes}))


def test_a_canonical_vqa_record_is_read_completely(tmp_path: Path):
    vqa_package(tmp_path)

    record = item(tmp_path)

    folder = (tmp_path / "VQA" / "multiple-choice").resolve()
    assert record.file == "VQA/multiple-choice/data.jsonl"
    assert (record.line, record.layout) == (1, "canonical")
    assert record.aliases == (("source_line", "VQA/multiple-choice/data.jsonl:1"),)
    assert record.instruction == "Which plane does the second image show?"
    assert record.reference_text == "B. coronal"
    assert record.choices == ("A. axial", "B. coronal", "C. sagittal")
    assert (record.format, record.task, record.modality) == ("vqa", "multiple-choice", "mri")
    assert record.raw_terms["modality"] == "Magnetic_Resonance_Imaging"
    assert record.raw_terms["in-out"] == "image-text_to_text"
    assert record.input_images == (folder / "images/d001_0.png", folder / "images/d001_1.png")
    assert record.reference_images == ()
    assert (record.source, record.license, record.redistributable) == ("demo-atlas", "", "unknown")
    assert (record.declared_subtask, record.observed_subtask) == ("", "")
    assert record.notes == ()


def test_a_canonical_editing_record_has_a_reference_image(tmp_path: Path):
    editing_package(tmp_path)

    record = item(tmp_path)

    assert (record.format, record.task, record.modality) == ("image_editing", "contrast-enhancement", "xr")
    assert [path.name for path in record.reference_images] == ["e014_ref.png"]
    assert record.reference_text == ""
    assert record.declared_subtask == record.observed_subtask == "Contrast Enhancement"


def test_a_single_canonical_file_is_read_like_its_folder(tmp_path: Path):
    path = vqa_package(tmp_path)

    record = item(path)

    assert record.file == "data.jsonl"
    assert record.aliases == (("source_line", "VQA/multiple-choice/data.jsonl:1"),)


def test_the_eval_view_gives_the_single_images_never_the_contact_sheet(tmp_path: Path):
    put_images(tmp_path, *EVAL_IMAGES, "images/vqa_contact_sheets/0f3cb2.jpg")

    record = item(put_lines(tmp_path / "any-name.jsonl", eval_view()))

    assert record.layout == "eval_view"
    assert [path.relative_to(tmp_path.resolve()).as_posix() for path in record.input_images] == list(EVAL_IMAGES)
    assert record.aliases == (
        ("sample_id", "tableiv:VQA:multiple-choice:000001"),
        ("source_line", "VQA/multiple-choice/data.jsonl:1"),
    )
    assert record.notes == ("contact_sheet_ignored",)


@pytest.mark.parametrize("adapter", [..., {"input_strategy": "labeled_contact_sheet"}])
def test_a_record_that_names_only_a_contact_sheet_is_refused(tmp_path: Path, adapter: object):
    put_images(tmp_path, "images/vqa_contact_sheets/0f3cb2.jpg")

    found = problem(put_lines(tmp_path / "vqa.jsonl", eval_view(input_images=..., eval_adapter=adapter)))

    assert (found.field, found.rule) == ("input_images", "only a contact sheet is named, not its images")


def test_the_eval_view_of_an_editing_record_names_single_images_as_strings(tmp_path: Path):
    put_images(tmp_path, "source/e014.png", "source/e014_ref.png")
    record = editing(
        input_image="source/e014.png",
        ground_truth_image="source/e014_ref.png",
        sample_id="tableiv:ImageEditing:contrast-enhancement:000014",
        eval_adapter={"input_strategy": "single"},
    )

    found = item(put_lines(tmp_path / "edit.jsonl", record))

    assert found.layout == "eval_view"
    assert [p.name for p in found.input_images + found.reference_images] == ["e014.png", "e014_ref.png"]
    assert found.notes == ()


@pytest.mark.parametrize("value", [[], None, ..., "", [None], [""]])
@pytest.mark.parametrize("field", ["input_image", "ground_truth_image"])
def test_empty_null_and_absent_image_fields_are_accepted(tmp_path: Path, field: str, value: object):
    record = item(plain(tmp_path, **{field: value}))

    assert record.input_images == record.reference_images == ()
    assert record.notes == ("no_input_image",)


@pytest.mark.parametrize("value", ["images/d001_0.png", ["images/d001_0.png"]])
def test_an_image_may_be_a_string_or_a_list(tmp_path: Path, value: object):
    assert [p.name for p in item(vqa_package(tmp_path, vqa(input_image=value))).input_images] == ["d001_0.png"]


@pytest.mark.parametrize("value", [7, True, {"path": "a.png"}, [["a.png"]], [3], False])
def test_an_image_of_another_type_is_refused(tmp_path: Path, value: object):
    found = problem(plain(tmp_path, input_image=value))

    assert (found.field, found.rule) == ("input_image", "must be a path or a list of paths")


def test_a_nested_report_answer_keeps_its_object_and_gives_text(tmp_path: Path):
    sections = {
        "FINDINGS": {"Lungs": "Clear.", "Pleura": "Small left effusion."},
        "IMPRESSION": {"Summary": "Left effusion."},
    }

    record = item(
        plain(tmp_path, answer=sections, choice=[], paper_task="report-generation", **{"sub-category": ...})
    )

    assert record.reference_sections == sections
    assert record.reference_text.startswith("FINDINGS\nLungs: Clear.")


@pytest.mark.parametrize(("index", "text"), [(0, "A. axial"), (2, "C. sagittal")])
def test_an_integer_answer_is_an_index_and_0_is_an_answer(tmp_path: Path, index: int, text: str):
    record = item(plain(tmp_path, answer=index))

    assert record.reference_text == text
    assert "answer_index_resolved" in record.notes


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_outside_the_options_is_refused(tmp_path: Path, index: int):
    found = problem(plain(tmp_path, answer=index))

    assert (found.field, found.value, found.rule) == ("answer", str(index), "must be an index from 0 to 2")


def test_a_number_without_options_is_its_own_text(tmp_path: Path):
    assert item(plain(tmp_path, answer=0, choice=[])).reference_text == "0"


@pytest.mark.parametrize("answer", ["B", "B.", "coronal", "B. coronal", "  b) coronal ", ""])
def test_a_text_answer_is_kept_exactly_as_found(tmp_path: Path, answer: str):
    assert item(plain(tmp_path, answer=answer)).reference_text == answer


@pytest.mark.parametrize(
    ("answer", "text"), [(None, ""), (..., ""), (["a", "b"], "a; b"), (2.5, "2.5"), ({}, ""), ([], "")]
)
def test_other_shapes_of_an_answer(tmp_path: Path, answer: object, text: str):
    assert item(plain(tmp_path, answer=answer, choice=[])).reference_text == text


def test_a_truth_value_is_no_answer(tmp_path: Path):
    assert problem(plain(tmp_path, answer=True)).field == "answer"


@pytest.mark.parametrize("choice", [..., None, [], ""])
def test_missing_options_of_a_multiple_choice_item_are_noted(tmp_path: Path, choice: object):
    record = item(plain(tmp_path, choice=choice))

    assert record.choices == ()
    assert "options_unknown" in record.notes


def test_paper_task_falls_back_to_the_sub_category(tmp_path: Path):
    record = item(plain(tmp_path, paper_task=..., **{"sub-category": "MCQ"}))

    assert (record.task, record.raw_terms["task"]) == ("multiple-choice", "MCQ")


def test_another_sub_category_beside_paper_task_is_noted(tmp_path: Path):
    record = item(plain(tmp_path, **{"sub-category": "question-answering"}))

    assert record.task == "multiple-choice"
    assert "sub_category_differs" in record.notes


def test_declared_and_observed_subtask_are_both_kept(tmp_path: Path):
    record = item(plain(tmp_path, paper_subtask="Region-based Annotations", observed_subtask="Outlines"))

    assert (record.declared_subtask, record.observed_subtask) == ("Region-based Annotations", "Outlines")
    assert "subtasks_differ" in record.notes


def test_an_unknown_modality_is_kept_and_noted(tmp_path: Path):
    record = item(plain(tmp_path, modality="Fundus_Camera"))

    assert record.modality is None
    assert record.raw_terms["modality"] == "Fundus_Camera"
    assert "modality_unmapped" in record.notes


def test_a_canonical_modality_helps_an_unknown_one(tmp_path: Path):
    record = item(plain(tmp_path, modality="Fundus_Camera", canonical_modality="Clinical Photo"))

    assert (record.modality, record.raw_terms["modality"]) == ("photo", "Clinical Photo")


@pytest.mark.parametrize(
    ("changes", "field", "value", "rule"),
    [
        ({"paper_format": "Audio"}, "paper_format", "Audio", "unknown format"),
        ({"category": "VQA2"}, "category", "VQA2", "unknown format"),
        ({"category": "ImageEdit"}, "category", "ImageEdit", "disagrees with paper_format 'VQA'"),
        ({"mission": "edit"}, "mission", "edit", "disagrees with paper_format 'VQA'"),
        ({"task": "image_edit"}, "task", "image_edit", "disagrees with paper_format 'VQA'"),
        ({"paper_task": "guessing"}, "paper_task", "guessing", "unknown task"),
        (
            {"paper_task": "style-transfer"},
            "paper_task",
            "style-transfer",
            "is a task of Image Editing, not of Visual Question Answering",
        ),
        ({"paper_format": 3}, "paper_format", "3", "must be text"),
        (
            {"paper_task": ..., "sub-category": None},
            "paper_task",
            "(missing)",
            "must name a task, here, in sub-category or by the folder",
        ),
        ({"instruction": "  "}, "instruction", "(missing)", "must not be empty"),
        ({"instruction": 5}, "instruction", "5", "must be text"),
        ({"choice": {"A": "x"}}, "choice", "{'A': 'x'}", "must be a list of options"),
        ({"choice": ["a", None]}, "choice", "null", "each option must be text"),
        ({"modality": 1}, "modality", "1", "must be text"),
        ({"sample_id": ["x"]}, "sample_id", "['x']", "must be text or a whole number"),
        ({"sample_id": "x" * 301}, "sample_id", "x" * 119 + "…", "an id must be at most 300 characters"),
        ({"license": "x" * 121}, "license", "x" * 119 + "…", "must be at most 120 characters"),
        ({"context": 4}, "context", "4", "must be an object, a list or text"),
    ],
)
def test_a_broken_rule_names_field_value_and_rule(tmp_path: Path, changes, field, value, rule):
    found = problem(plain(tmp_path, **changes), layout="canonical")

    assert (found.line, found.field, found.value, found.rule, found.fatal) == (1, field, value, rule, True)


def test_a_record_that_disagrees_with_its_folder_is_refused(tmp_path: Path):
    folder = tmp_path / "VQA" / "multiple-choice"
    put_lines(
        folder / "data.jsonl",
        editing(input_image=[], ground_truth_image=[]),
        vqa(input_image=[], paper_task="question-answering"),
    )

    first, second = read_records(tmp_path)

    assert (first.field, first.value, first.rule) == ("folder", "VQA", "disagrees with paper_format 'ImageEditing'")
    assert (second.field, second.rule) == ("paper_task", "disagrees with the folder 'VQA/multiple-choice'")


def test_folder_alone_says_format_and_task(tmp_path: Path):
    folder = tmp_path / "ImageEditing" / "artifact_removal"
    put_lines(folder / "data.jsonl", {"input_image": None, "instruction": "Remove the stripes."})

    record = item(tmp_path)

    assert (record.format, record.task) == ("image_editing", "artifact-removal")


def test_the_task_alone_says_the_format(tmp_path: Path):
    record = item(plain(tmp_path, paper_format=..., category=...))

    assert (record.format, "format" in record.raw_terms) == ("vqa", False)


def test_public_fields_for_curators_are_read(tmp_path: Path):
    record = item(
        plain(
            tmp_path,
            reviewer_synopsis="Two planes of one knee.",
            selection_summary="Clear planes.",
            source=...,
            source_dataset_label="demo-set",
            license="CC-BY-4.0",
            redistributable=True,
            named_subtask="Planes",
            case_key="case-7",
            context={"Age": "64", "Findings": ["a", "b"]},
        )
    )

    assert (record.synopsis, record.why_selected) == ("Two planes of one knee.", "Clear planes.")
    assert (record.source, record.license, record.redistributable) == ("demo-set", "CC-BY-4.0", "yes")
    assert (record.declared_subtask, record.case_key) == ("Planes", "case-7")
    assert record.context == (("Age", "64"), ("Findings", "a; b"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "yes"), (False, "no"), ("No", "no"), ("maybe", "unknown"), (..., "unknown"), (1, "unknown")],
)
def test_redistribution_is_yes_no_or_unknown(tmp_path: Path, value: object, expected: str):
    assert item(plain(tmp_path, redistributable=value)).redistributable == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ([["Age", 64], "follow-up"], (("Age", "64"), ("", "follow-up"))),
        ("former smoker", (("", "former smoker"),)),
        (None, ()),
    ],
)
def test_context_may_be_pairs_or_text(tmp_path: Path, context: object, expected: object):
    assert item(plain(tmp_path, context=context)).context == expected


def test_a_missing_image_refuses_the_item(tmp_path: Path):
    found = problem(plain(tmp_path, input_image=["images/gone.png"]))

    assert str(found) == "data.jsonl:1: input_image: images/gone.png: image not found"


def test_equal_records_are_never_merged(tmp_path: Path):
    path = put_lines(
        tmp_path / "a.jsonl",
        *(vqa(input_image=[], sample_id=f"s{n}", modality=m) for n, m in enumerate(["CT", "MRI", "CT"])),
    )

    assert [record.aliases[0][1] for record in read_records(path)] == ["s0", "s1", "s2"]
    assert len(list(read_records(put_lines(tmp_path / "b.jsonl", *[vqa(input_image=[])] * 3)))) == 3


def test_the_same_id_twice_is_refused_by_name_and_twins_are_noted(tmp_path: Path):
    ids = ["case-é", "other", "case-é", "CASE-É", "case-e\u0301"]
    path = put_lines(tmp_path / "a.jsonl", *(vqa(input_image=[], sample_id=value) for value in ids))

    first, second, again, upper, decomposed = read_records(path)

    assert isinstance(first, ItemRecord)
    assert isinstance(second, ItemRecord)
    assert (again.field, again.rule) == ("sample_id", "stands already in line 1 of this file")
    assert "id_twin" in upper.notes
    assert "id_twin" in decomposed.notes
    assert "id_twin" not in first.notes + second.notes


def test_a_smoke_fixture_is_marked(tmp_path: Path):
    path = put_lines(tmp_path / "a.jsonl", vqa(input_image=[], sample_id="a", eval_smoke_fixture=True))

    assert item(path).is_fixture


def test_items_can_be_read_from_a_result_file(tmp_path: Path):
    path = put_lines(tmp_path / "a.jsonl", vqa(input_image=[], **result(output_image="gone.png")))

    record = item(path)

    assert (record.layout, record.task) == ("inference", "multiple-choice")


def test_every_note_has_words():
    assert all(text.endswith(".") for text in NOTES.values())


def test_text_of_any_script_and_line_end_is_kept(tmp_path: Path):
    text = "Was zeigt das Röntgenbild\r\n e\u0301 肺? "

    record = item(plain(tmp_path, instruction=text))

    assert record.instruction == text


def test_a_file_with_several_layouts_is_named_by_its_richest(tmp_path: Path):
    path = put_lines(tmp_path / "a.jsonl", vqa(), "bad", eval_view(), result())

    assert detect_layout(path) == "inference"
