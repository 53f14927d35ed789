"""Every line of an import ends as new, changed, unchanged or refused by name."""

import pytest

from annotation.datasets.errors import ImportRefusedError
from annotation.datasets.importing import import_items
from annotation.datasets.models import Dataset, ImportJob, ImportProblem, Item, ItemAlias, ItemImage, ItemRevision
from tests.annotation.datasets.builders import edit, jsonl, png, vqa, with_id

pytestmark = pytest.mark.django_db


def run(path, **changes):
    return import_items(**{"path": path, "dataset_slug": "liver", "actor": None} | changes)


def counts(summary):
    return summary.new, summary.changed, summary.unchanged, summary.refused


def test_lines_become_items_in_state_imported(tmp_path, curator):
    file = jsonl(tmp_path / "vqa.jsonl", vqa(1), vqa(2))

    summary = run(file, actor=curator)

    assert counts(summary) == (2, 0, 0, 0)
    first = Item.objects.get(number=1)
    assert (first.state, first.code) == ("imported", "IT-000001")
    assert first.current_revision.instruction == "Which plane does image 1 show?"
    assert first.current_revision.choices == ["A. axial", "B. coronal"]
    assert (first.current_revision.modality, first.current_revision.task) == ("ct", "multiple-choice")
    assert first.current_revision.author == curator
    assert Dataset.objects.get().created_by == curator


def test_the_same_file_again_changes_nothing(tmp_path):
    file = jsonl(tmp_path / "vqa.jsonl", vqa(1), with_id(vqa(2), "x:2"), vqa(1))
    run(file)
    before = list(ItemRevision.objects.values_list("pk", "content_hash"))

    summary = run(file)

    assert counts(summary) == (0, 0, 3, 0)
    assert list(ItemRevision.objects.values_list("pk", "content_hash")) == before
    assert ItemAlias.objects.count() == 1


def test_equal_content_makes_items_of_their_own_with_a_notice(tmp_path):
    records = [with_id(vqa(1), f"s:{n}") | {"modality": modality} for n, modality in enumerate(("CT", "CT", "MRI"))]
    file = jsonl(tmp_path / "vqa.jsonl", *records)

    first, second = run(file), run(file)

    assert counts(first) == (3, 0, 0, 0)
    assert counts(second) == (0, 0, 3, 0)
    assert ItemAlias.objects.values("item").distinct().count() == 3
    assert [(p.line, p.fatal) for p in first.problems] == [(2, False), (3, False)]
    assert "kept as an item of its own" in first.problems[0].rule
    assert second.problems == []


def test_an_id_with_other_content_makes_a_new_revision_and_curation_starts_again(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1")))
    Item.objects.update(state=Item.State.ACCEPTED)

    summary = run(jsonl(tmp_path / "b.jsonl", with_id(vqa(1, answer="A. axial"), "s:1")))

    assert counts(summary) == (0, 1, 0, 0)
    item = Item.objects.get()
    assert item.state == Item.State.IMPORTED
    assert (item.current_revision.number, item.current_revision.reference_text) == (2, "A. axial")
    assert item.revisions.get(number=1).reference_text == "B. coronal"


def test_a_withdrawn_item_stays_withdrawn(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1")))
    Item.objects.update(state=Item.State.WITHDRAWN)

    run(jsonl(tmp_path / "b.jsonl", with_id(vqa(1, answer="A. axial"), "s:1")))

    assert Item.objects.get().state == Item.State.WITHDRAWN


def test_a_file_that_has_not_changed_does_not_undo_a_curators_fix(tmp_path, curator):
    file = jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1"))
    run(file)
    item = Item.objects.get()
    item.current_revision = ItemRevision.objects.create(
        item=item, number=2, instruction="Which plane?", format="vqa", task="multiple-choice", reason="shorter",
        content_hash="0" * 64, author=curator,
    )  # fmt: skip
    item.save()

    again = run(file)
    changed = run(jsonl(tmp_path / "b.jsonl", with_id(vqa(9), "s:1")))

    assert counts(again) == (0, 0, 1, 0)
    assert counts(changed) == (0, 1, 0, 0)
    assert Item.objects.get().current_revision.number == 3


def test_a_new_id_for_known_content_becomes_an_alias(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "tableiv:1")))

    summary = run(jsonl(tmp_path / "b.jsonl", with_id(vqa(1), "medgen:1")))

    assert counts(summary) == (0, 0, 1, 0)
    assert set(ItemAlias.objects.values_list("value", flat=True)) == {"tableiv:1", "medgen:1"}


def test_an_edited_line_in_its_old_place_changes_its_item(tmp_path):
    folder = tmp_path / "pack" / "VQA" / "multiple-choice"
    jsonl(folder / "data.jsonl", vqa(1), vqa(2), vqa(3))
    run(tmp_path / "pack")

    jsonl(folder / "data.jsonl", vqa(1), vqa(2, answer="A. axial"), vqa(3))
    summary = run(tmp_path / "pack")

    assert counts(summary) == (0, 1, 2, 0)
    assert Item.objects.get(number=2).current_revision.reference_text == "A. axial"


def test_a_line_put_on_top_moves_no_item(tmp_path):
    folder = tmp_path / "pack" / "VQA" / "multiple-choice"
    jsonl(folder / "data.jsonl", vqa(1), vqa(2), vqa(3))
    run(tmp_path / "pack")

    jsonl(folder / "data.jsonl", vqa(9), vqa(1), vqa(2), vqa(3))
    summary = run(tmp_path / "pack")

    assert counts(summary) == (1, 0, 3, 0)
    assert Item.objects.get(number=4).current_revision.instruction == "Which plane does image 9 show?"


def test_ids_that_name_two_items_are_refused(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1"), vqa(2) | {"sample_id": "s:2", "uid": "u2"}))

    summary = run(jsonl(tmp_path / "b.jsonl", vqa(3) | {"sample_id": "s:1", "uid": "u2"}))

    assert counts(summary) == (0, 0, 0, 1)
    assert "IT-000001, IT-000002" in summary.problems[0].rule


def test_an_id_used_twice_is_refused_also_across_files(tmp_path):
    jsonl(tmp_path / "pack" / "a.jsonl", with_id(vqa(1), "s:1"), with_id(vqa(2), "s:1"))
    jsonl(tmp_path / "pack" / "b.jsonl", with_id(vqa(3), "s:1"))

    summary = run(tmp_path / "pack")

    assert counts(summary) == (1, 0, 0, 2)
    assert {(p.file, p.line) for p in summary.problems if p.fatal} == {("a.jsonl", 2), ("b.jsonl", 1)}


def test_a_bad_line_is_named_and_the_rest_goes_in(tmp_path):
    poem = vqa(2, paper_format="Poem", category="Poem")
    file = jsonl(tmp_path / "vqa.jsonl", vqa(1), "", "{broken", poem, vqa(3, instruction=" "), vqa(4))

    summary = run(file)

    assert counts(summary) == (2, 0, 0, 3)
    assert [(p.file, p.line) for p in summary.problems] == [("vqa.jsonl", 3), ("vqa.jsonl", 4), ("vqa.jsonl", 5)]
    stored = ImportProblem.objects.get(line=4)
    assert (stored.file, stored.value, stored.fatal) == ("vqa.jsonl", "Poem", True)
    job = ImportJob.objects.get()
    assert (job.new, job.refused, job.state) == (2, 3, "done")


def test_pictures_are_stored_in_order_and_shared(tmp_path):
    for number in (1, 2):
        png(tmp_path / f"images/e{number}.png", number)
        png(tmp_path / f"images/e{number}_ref.png", number + 10)
    (tmp_path / "images/copy.png").write_bytes((tmp_path / "images/e1.png").read_bytes())
    file = jsonl(tmp_path / "edit.jsonl", edit(1), edit(2), vqa(1, input_image=["images/copy.png", "images/e2.png"]))

    summary = run(file)

    assert counts(summary) == (3, 0, 0, 0)
    images = ItemImage.objects.filter(revision__item__number=3).order_by("position")
    shared = ItemImage.objects.get(revision__item__number=1, role="input").asset
    assert images[0].asset == shared
    assert ItemImage.objects.filter(revision__item__number=1, role="reference").count() == 1
    assert ItemImage.objects.values("asset").distinct().count() == 4


def test_a_changed_picture_makes_a_changed_item(tmp_path):
    png(tmp_path / "images/e1.png", 1), png(tmp_path / "images/e1_ref.png", 2)
    file = jsonl(tmp_path / "edit.jsonl", with_id(edit(1), "s:1"))
    run(file)

    png(tmp_path / "images/e1_ref.png", 3)

    assert counts(run(file)) == (0, 1, 0, 0)


def test_a_picture_that_cannot_be_decoded_refuses_its_line(tmp_path):
    png(tmp_path / "images/e1.png"), png(tmp_path / "images/e1_ref.png", 2), png(tmp_path / "images/e2_ref.png", 3)
    (tmp_path / "images/e2.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    file = jsonl(tmp_path / "edit.jsonl", edit(1), edit(2), edit(3))

    summary = run(file)

    assert counts(summary) == (1, 0, 0, 2)
    broken, absent = sorted(summary.problems, key=lambda problem: problem.line)
    assert (broken.line, broken.field, broken.value) == (2, "input_image", "e2.png")
    assert broken.rule.startswith(("corrupt", "truncated", "not_an_image"))
    assert (absent.line, absent.field, absent.value) == (3, "input_image", "images/e3.png")


@pytest.mark.parametrize("reference", ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "a\\b.png"])
def test_a_reference_out_of_the_package_is_refused(tmp_path, reference):
    summary = run(jsonl(tmp_path / "pack" / "edit.jsonl", edit(1, input_image=[reference])))

    assert counts(summary) == (0, 0, 0, 1)
    assert summary.problems[0].field == "input_image"


def test_an_unmapped_modality_is_kept_as_found(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", vqa(1, modality="Thermography")))

    revision = ItemRevision.objects.get()
    assert (revision.modality, revision.modality_label) == ("", "unmapped")
    assert revision.raw_terms["modality"] == "Thermography"
    assert "modality_unmapped" in revision.notes


def test_a_case_is_known_by_a_keyed_hash_only(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", vqa(1, case_id="PAT-0815"), vqa(2, case_id="PAT-0815"), vqa(3)))

    keys = list(Item.objects.order_by("number").values_list("case_key", flat=True))
    assert keys[0] == keys[1] != ""
    assert keys[2] == ""
    assert "0815" not in keys[0]


def test_a_dry_run_writes_nothing(tmp_path, home):
    png(tmp_path / "images/e1.png", 1), png(tmp_path / "images/e1_ref.png", 2)
    file = jsonl(tmp_path / "edit.jsonl", edit(1), vqa(2), "{")

    summary = run(file, dry_run=True)

    assert counts(summary) == (2, 0, 0, 1)
    assert summary.job is None
    assert not Dataset.objects.exists() and not ImportJob.objects.exists()
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_dry_run_over_a_full_dataset_says_what_a_run_would_do(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1"), with_id(vqa(2), "s:2")))
    file = jsonl(tmp_path / "b.jsonl", with_id(vqa(1), "s:1"), with_id(vqa(7), "s:2"), vqa(3))

    dry = run(file, dry_run=True)

    assert counts(dry) == (1, 1, 1, 0)
    assert ItemRevision.objects.count() == 2
    assert counts(run(file)) == (1, 1, 1, 0)


def test_a_path_that_is_not_there_is_refused_before_anything(tmp_path):
    with pytest.raises(ImportRefusedError, match="no such file"):
        run(tmp_path / "absent.jsonl")

    assert not Dataset.objects.exists()


@pytest.mark.parametrize("slug", ["", "Über", "a b", "-x", "x" * 61])
def test_a_slug_that_fits_no_address_is_refused(tmp_path, slug):
    with pytest.raises(ImportRefusedError, match="dataset"):
        run(jsonl(tmp_path / "a.jsonl", vqa(1)), dataset_slug=slug)


def test_a_parquet_style_record_without_options_finds_its_item(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1), "s:1")))
    without = vqa(1)
    del without["choice"]

    summary = run(jsonl(tmp_path / "b.jsonl", with_id(without, "other:1")))

    assert counts(summary) == (0, 0, 1, 0)
    assert Item.objects.get().current_revision.choices == ["A. axial", "B. coronal"]


def test_options_that_come_later_change_the_item(tmp_path):
    without = vqa(1)
    del without["choice"]
    run(jsonl(tmp_path / "a.jsonl", with_id(without, "other:1")))

    summary = run(jsonl(tmp_path / "b.jsonl", with_id(vqa(1), "s:1")))

    assert counts(summary) == (0, 1, 0, 0)
    assert Item.objects.get().current_revision.choices == ["A. axial", "B. coronal"]


def test_other_options_are_another_item(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", vqa(1)))

    summary = run(jsonl(tmp_path / "b.jsonl", vqa(1, choice=["A. sagittal", "B. coronal"])))

    assert counts(summary) == (1, 0, 0, 0)


def test_a_blank_source_takes_nothing_back(tmp_path):
    run(jsonl(tmp_path / "a.jsonl", with_id(vqa(1, license="CC0-1.0"), "s:1")))

    summary = run(jsonl(tmp_path / "b.jsonl", with_id(vqa(1, source=""), "s:1")))

    assert counts(summary) == (0, 0, 1, 0)
    assert ItemRevision.objects.get().license == "CC0-1.0"


def test_a_thousand_lines_need_as_many_queries_per_chunk_as_ten(tmp_path, django_assert_max_num_queries):
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(1000)))

    with django_assert_max_num_queries(90):
        summary = run(file)

    assert counts(summary) == (1000, 0, 0, 0)
    assert Item.objects.order_by("number").last().current_revision.instruction == "Which plane does image 999 show?"
