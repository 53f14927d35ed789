"""`manage.py import_items`: words, JSON, exit codes."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.datasets.models import Dataset, Item
from tests.annotation.datasets.builders import jsonl, vqa

pytestmark = pytest.mark.django_db


def run(*words):
    out = StringIO()
    code = 0
    try:
        call_command("import_items", *(str(word) for word in words), stdout=out)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue()


def test_a_clean_import_says_its_counts_and_ends_with_0(tmp_path):
    code, said = run(jsonl(tmp_path / "a.jsonl", vqa(1), vqa(2)), "--dataset", "liver")

    assert code == 0
    assert said == "dataset liver: 2 new, 0 changed, 0 unchanged, 0 refused (2 lines, layout canonical)\n"


def test_a_refused_line_ends_with_1_and_is_printed_by_name(tmp_path, capsys):
    code, said = run(jsonl(tmp_path / "a.jsonl", vqa(1), vqa(2, modality=7)), "--dataset", "liver", "--json")

    summary = json.loads(said)
    assert code == 1
    assert (summary["new"], summary["refused"], summary["lines"]) == (1, 1, 2)
    assert summary["problems"][0]["line"] == 2
    assert "a.jsonl:2: modality: 7: must be text" in capsys.readouterr().err


def test_a_missing_file_ends_with_2_and_makes_nothing(tmp_path):
    with pytest.raises(CommandError, match=r"absent\.jsonl") as ended:
        run(tmp_path / "absent.jsonl", "--dataset", "liver")

    assert ended.value.returncode == 2
    assert not Dataset.objects.exists()


def test_a_file_of_another_kind_ends_with_2(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"PK\x03\x04 zip")

    with pytest.raises(CommandError, match="zip archive") as ended:
        run(tmp_path / "a.jsonl", "--dataset", "liver")

    assert ended.value.returncode == 2


def test_an_empty_file_ends_with_2(tmp_path):
    with pytest.raises(CommandError) as ended:
        run(jsonl(tmp_path / "a.jsonl", ""), "--dataset", "liver")

    assert ended.value.returncode == 2


def test_a_dry_run_says_so_and_writes_nothing(tmp_path):
    code, said = run(jsonl(tmp_path / "a.jsonl", vqa(1)), "--dataset", "liver", "--dry-run")

    assert code == 0
    assert said.startswith("Dry run, nothing was written.")
    assert not Item.objects.exists()
