"""Outputs of a system: matched to the release, failures typed, changes versioned, the rest missing."""

import pytest

from annotation.assets.models import Asset
from annotation.datasets.errors import ImportRefusedError
from annotation.datasets.importing import import_items
from annotation.datasets.models import ImportJob, Item
from annotation.releases.models import Release
from annotation.systems.coverage import coverage, missing_codes, total
from annotation.systems.importing import import_outputs
from annotation.systems.models import Output, OutputPart, Submission, System
from tests import factories
from tests.annotation.datasets.builders import edit, jsonl, png, vqa, with_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def released(tmp_path) -> Release:
    """Three questions and two edits with ids, frozen as 1.0."""
    folder = tmp_path / "items"
    for number in (1, 2):
        png(folder / f"images/e{number}.png", number), png(folder / f"images/e{number}_ref.png", number + 10)
    records = [with_id(vqa(n), f"s:{n}") for n in (1, 2, 3)] + [with_id(edit(n), f"e:{n}") for n in (1, 2)]
    import_items(path=jsonl(folder / "items.jsonl", *records), dataset_slug="liver", actor=None)
    Item.objects.update(state=Item.State.ACCEPTED)
    return factories.release(factories.dataset("liver"))


def run(path, **changes):
    given = {
        "path": path, "dataset_slug": "liver", "release_version": "1.0", "system_slug": "aurora",
        "system_kind": "unified", "actor": None,
    }  # fmt: skip
    return import_outputs(**given | changes)


def counts(summary):
    return summary.new, summary.changed, summary.unchanged, summary.refused


def answer(number: int, text: str = "B", **changes):
    return with_id(vqa(number), f"s:{number}") | {"response": text} | changes


def picture(number: int, name: str, text: str = "", **changes):
    return with_id(edit(number), f"e:{number}") | {"response": text, "output_image": name} | changes


def of_item(number: int) -> Output:
    return Output.objects.current().get(revision__item__number=number)


def test_outputs_find_their_items_by_id_and_the_rest_is_missing(tmp_path, released, coordinator):
    png(tmp_path / "out/a.png", 50)
    file = jsonl(tmp_path / "out/results.jsonl", answer(1, "B. coronal"), picture(1, "a.png", "done"))

    summary = run(file, actor=coordinator, system_version="2.1", system_name="Aurora")

    assert counts(summary) == (2, 0, 0, 0)
    submission = summary.submission
    assert (submission.release, submission.code, submission.created_by) == (released, "SU-0001", coordinator)
    assert (submission.system_version.version, submission.system_version.system.name) == ("2.1", "Aurora")
    assert of_item(1).parts.get().text == "B. coronal"
    assert [part.kind for part in of_item(4).parts.all()] == ["text", "image"]
    assert missing_codes(submission) == ["IT-000002", "IT-000003", "IT-000005"]


def test_failures_written_into_answers_are_typed(tmp_path, released):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    failed = [
        answer(1, "VLM Error: timeout"),
        answer(2, "Parsing Error: declined by policy"),
        answer(3, " "),
    ]
    pictures = [picture(1, "Edit Error: CUDA out of memory"), picture(2, "broken.png")]
    file = jsonl(tmp_path / "out/results.jsonl", *failed, *pictures)

    summary = run(file)

    assert counts(summary) == (5, 0, 0, 0)
    assert [of_item(n).status for n in (1, 2, 3, 4, 5)] == ["error", "declined", "empty", "error", "unreadable"]
    assert of_item(1).error_text == "VLM Error: timeout"
    assert of_item(5).error_text.startswith("broken.png: ")
    assert not OutputPart.objects.exists()


def test_a_named_picture_that_is_not_there_is_missing_with_the_reason(tmp_path, released):
    file = jsonl(tmp_path / "out/results.jsonl", picture(1, "nowhere.png"))

    run(file)

    assert (of_item(4).status, of_item(4).error_text) == ("missing", "image not found: nowhere.png")


def test_the_same_file_again_changes_nothing(tmp_path, released):
    png(tmp_path / "out/a.png", 50)
    file = jsonl(tmp_path / "out/results.jsonl", answer(1), picture(1, "a.png"))
    run(file)
    before = set(Output.objects.values_list("pk", flat=True))

    summary = run(file)

    assert counts(summary) == (0, 0, 2, 0)
    assert set(Output.objects.values_list("pk", flat=True)) == before
    assert Submission.objects.count() == 1


def test_a_changed_output_is_a_new_version_that_supersedes_the_old(tmp_path, released):
    png(tmp_path / "out/a.png", 50)
    file = jsonl(tmp_path / "out/results.jsonl", answer(1), picture(1, "a.png"))
    run(file)
    old = of_item(4)

    png(tmp_path / "out/a.png", 51)
    summary = run(file)

    new = of_item(4)
    old.refresh_from_db()
    assert counts(summary) == (0, 1, 1, 0)
    assert (new.version, old.superseded_by, new.submission) == (2, new, old.submission)
    assert old.parts.get(kind="image").asset != new.parts.get(kind="image").asset


def test_an_output_that_comes_later_replaces_its_missing_row(tmp_path, released):
    run(jsonl(tmp_path / "out/a.jsonl", answer(1)))

    summary = run(jsonl(tmp_path / "out/b.jsonl", answer(2)))

    assert counts(summary) == (1, 0, 0, 0)
    assert (of_item(2).status, of_item(2).version) == ("ok", 2)
    assert (of_item(1).status, of_item(1).version) == ("ok", 1)
    assert total(coverage(summary.submission)).by_status == {"ok": 2, "missing": 3}


def test_without_ids_outputs_are_paired_by_content(tmp_path, released):
    png(tmp_path / "out/images/e1.png", 1), png(tmp_path / "out/images/e2.png", 2)
    png(tmp_path / "out/x.png", 60), png(tmp_path / "out/y.png", 61)
    records = [picture(2, "y.png"), answer(3, "three"), picture(1, "x.png")]
    for record in records:
        del record["sample_id"]

    summary = run(jsonl(tmp_path / "out/results.jsonl", *records))

    assert counts(summary) == (3, 0, 0, 0)
    assert of_item(3).parts.get().text == "three"
    assert of_item(4).status == of_item(5).status == "ok"


def test_two_systems_without_ids_are_paired_by_item_not_by_path(tmp_path, released):
    for slug in ("aurora", "borealis"):
        records = [answer(n, slug) for n in (1, 2, 3)]
        for record in records:
            del record["sample_id"]
        run(jsonl(tmp_path / slug / "results.jsonl", *records), system_slug=slug)

    answered = Output.objects.current().filter(status="ok")
    pairs = answered.values_list("revision", flat=True)
    assert len(set(pairs)) == 3
    assert len(pairs) == 6


def test_content_that_names_several_different_items_is_refused(tmp_path):
    folder = tmp_path / "items"
    for number in (1, 2):
        png(folder / f"images/q{number}.png", number)
    questions = [vqa(1, input_image=[f"images/q{n}.png"]) for n in (1, 2)]
    import_items(path=jsonl(folder / "items.jsonl", *questions), dataset_slug="liver", actor=None)
    factories.release(factories.dataset("liver"))

    named = vqa(1, input_image=["images/q2.png"], response="found")
    nameless = vqa(1, input_image=[], response="which one?")
    summary = run(jsonl(tmp_path / "out/results.jsonl", named, nameless), release_version=None)

    assert counts(summary) == (1, 0, 0, 1)
    assert of_item(2).parts.get().text == "found"
    assert "no single item" in summary.problems[0].rule or "neither does the content" in summary.problems[0].rule


def test_an_unknown_id_and_an_item_outside_the_release_are_refused_by_name(tmp_path, released):
    folder = tmp_path / "more"
    import_items(path=jsonl(folder / "m.jsonl", with_id(vqa(8), "s:8")), dataset_slug="liver", actor=None)

    summary = run(jsonl(tmp_path / "out/results.jsonl", answer(1), answer(8), answer(9)))

    assert counts(summary) == (1, 0, 0, 2)
    outside, unknown = summary.problems
    assert (outside.line, outside.value) == (2, "s:8")
    assert outside.rule == "names IT-000006, which is not in the release"
    assert (unknown.line, unknown.value, unknown.field) == (3, "s:9", "sample_id")


def test_two_lines_for_one_item_are_refused_by_name(tmp_path, released):
    first, second = answer(1, "first"), answer(1, "second")
    del second["sample_id"]

    summary = run(jsonl(tmp_path / "out/results.jsonl", first, second))

    assert counts(summary) == (1, 0, 0, 1)
    assert of_item(1).parts.get().text == "first"


def test_an_id_that_leads_to_another_format_is_refused(tmp_path, released):
    wrong = answer(1) | {"sample_id": "e:1"}

    summary = run(jsonl(tmp_path / "out/results.jsonl", wrong))

    assert counts(summary) == (0, 0, 0, 1)
    assert summary.problems[0].rule == "IT-000004 is image_editing"
    assert summary.submission is None
    assert not Submission.objects.exists()


def test_without_a_release_outputs_are_bound_to_the_current_revisions(tmp_path, released):
    Item.objects.filter(number=3).update(state=Item.State.REJECTED)

    summary = run(jsonl(tmp_path / "out/results.jsonl", answer(1)), release_version=None)
    again = run(jsonl(tmp_path / "out/results.jsonl", answer(1)), release_version=None)

    assert summary.submission.release is None
    assert again.submission == summary.submission
    assert missing_codes(summary.submission) == ["IT-000002", "IT-000004", "IT-000005"]


def test_fixtures_are_flagged(tmp_path, released):
    file = jsonl(tmp_path / "out/results.jsonl", answer(1, "B. coronal", eval_smoke_fixture=True))

    summary = run(file)

    assert of_item(1).is_fixture and summary.submission.is_fixture


def test_coverage_counts_by_format_task_and_modality(tmp_path, released, django_assert_num_queries):
    file = jsonl(tmp_path / "out/results.jsonl", answer(1), answer(2, "VLM Error: x"), picture(1, "Edit Error: y"))
    submission = run(file).submission

    with django_assert_num_queries(1):
        rows = coverage(submission)

    assert [(row.format, row.task, row.modality) for row in rows] == [
        ("image_editing", "contrast-enhancement", "xr"),
        ("vqa", "multiple-choice", "ct"),
    ]
    editing, asked = rows
    assert (asked.n_expected, asked.ok, asked.failed, asked.missing) == (3, 1, {"error": 1}, 1)
    assert (editing.n_expected, editing.ok, editing.n_failed, editing.missing) == (2, 0, 1, 1)
    assert total(rows).n_expected == 5


def test_a_dry_run_writes_nothing(tmp_path, released):
    png(tmp_path / "out/a.png", 50)
    assets = Asset.objects.count()

    summary = run(jsonl(tmp_path / "out/results.jsonl", answer(1), picture(1, "a.png"), answer(9)), dry_run=True)

    assert counts(summary) == (2, 0, 0, 1)
    assert not System.objects.exists() and not Output.objects.exists()
    assert not ImportJob.objects.filter(kind="outputs").exists()
    assert Asset.objects.count() == assets


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset_slug": "kidney"}, "no such dataset"),
        ({"release_version": "9.9"}, "liver has no such release"),
        ({"system_slug": "Not a slug"}, "system: 'Not a slug'"),
        ({"system_kind": "oracle"}, "must be one of"),
        ({"system_version": "v" * 61}, "at most 60"),
    ],
)
def test_a_destination_that_is_not_there_is_refused_before_anything(tmp_path, released, changes, said):
    with pytest.raises(ImportRefusedError, match=said):
        run(jsonl(tmp_path / "out/results.jsonl", answer(1)), **changes)

    assert not System.objects.exists()


def test_a_known_system_keeps_its_kind(tmp_path, released):
    file = jsonl(tmp_path / "out/results.jsonl", answer(1))
    run(file)

    with pytest.raises(ImportRefusedError, match="aurora is known as unified"):
        run(file, system_kind="vlm")


def test_items_where_outputs_are_expected_are_refused(tmp_path, released):
    with pytest.raises(ImportRefusedError, match="benchmark items"):
        run(jsonl(tmp_path / "out/results.jsonl", vqa(1)))


def test_an_import_that_stops_half_way_is_completed_by_the_next(tmp_path, released, monkeypatch):
    from annotation.systems import work

    file = jsonl(tmp_path / "out/results.jsonl", answer(1))
    with monkeypatch.context() as patched:
        patched.setattr(work, "write_missing", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            run(file)
    assert ImportJob.objects.get(kind="outputs").state == "failed"

    summary = run(file)

    assert counts(summary) == (0, 0, 1, 0)
    assert total(coverage(summary.submission)).by_status == {"ok": 1, "missing": 4}


def test_a_text_that_names_a_system_is_told_with_its_line_and_refused_by_nobody(tmp_path, released):
    run(jsonl(tmp_path / "zebra/results.jsonl", answer(1)), system_slug="zebra-net", system_version="7b-zz")
    (tmp_path / "out").mkdir()
    said = ["B. coronal", "As AURORA I see\u200b Zebra_Net, 7B-ZZ, GPT-4 and OpenAI.", "VLM Error: aurora fell over"]
    file = jsonl(tmp_path / "out/results.jsonl", *(answer(n, text) for n, text in enumerate(said, start=1)))

    looked = run(file, dry_run=True)
    summary = run(file)
    again = run(file)

    assert counts(summary) == (3, 0, 0, 0)
    remark = summary.job.problems.get()
    assert (remark.file, remark.line, remark.field, remark.fatal) == ("results.jsonl", 2, "text", False)
    assert remark.value == "AURORA, Zebra_Net, 7B-ZZ, GPT-4, …"
    assert "names a system" in remark.rule
    assert [str(each) for each in looked.problems] == [str(each) for each in summary.problems]
    assert [str(each) for each in again.problems] == [str(each) for each in summary.problems]
    assert again.unchanged == 3
