"""`manage.py import_outputs`: words, JSON, exit codes."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.datasets.importing import import_items
from annotation.systems.models import Submission
from tests import factories
from tests.annotation.datasets.builders import jsonl, vqa, with_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def results(tmp_path):
    items = [with_id(vqa(n), f"s:{n}") for n in (1, 2)]
    import_items(path=jsonl(tmp_path / "items.jsonl", *items), dataset_slug="liver", actor=None)
    return jsonl(tmp_path / "results.jsonl", items[0] | {"response": "B"})


def run(*words):
    out = StringIO()
    try:
        call_command("import_outputs", *(str(word) for word in words), stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_a_submission_says_what_it_covers(results):
    code, said = run(results, "--dataset", "liver", "--system", "aurora", "--system-kind", "vlm")

    assert code == 0
    assert said.splitlines() == [
        "system aurora: 1 new, 0 changed, 0 unchanged, 0 refused (1 lines, layout inference)",
        "SU-0001 covers 1 of 2: 1 missing, 1 ok",
    ]
    assert Submission.objects.get().system_version.system.kind == "vlm"


def test_json_carries_the_coverage_and_a_second_run_keeps_the_kind(results):
    run(results, "--dataset", "liver", "--system", "aurora", "--system-kind", "vlm")

    code, said = run(results, "--dataset", "liver", "--system", "aurora", "--json")

    summary = json.loads(said)
    assert code == 0
    assert (summary["unchanged"], summary["coverage"]) == (1, {"expected": 2, "missing": 1, "ok": 1})
    assert summary["submission"] == str(Submission.objects.get().pk)


def test_an_unknown_id_ends_with_1(results, tmp_path):
    file = jsonl(tmp_path / "more.jsonl", with_id(vqa(7), "s:7") | {"response": "B"})

    code, said = run(file, "--dataset", "liver", "--system", "aurora", "--json")

    assert code == 1
    assert json.loads(said)["problems"][0]["value"] == "s:7"


@pytest.mark.parametrize("words", [["--dataset", "kidney"], ["--dataset", "liver", "--release", "3"]])
def test_an_unknown_dataset_or_release_ends_with_2(results, words):
    with pytest.raises(CommandError) as ended:
        run(results, *words, "--system", "aurora")

    assert ended.value.returncode == 2


def test_a_release_binds_the_submission(results):
    factories.dataset("liver").items.update(state="accepted")
    factories.release(factories.dataset("liver"), "1.0")

    run(results, "--dataset", "liver", "--release", "1.0", "--system", "aurora")

    assert str(Submission.objects.get().release) == "liver@1.0"
