"""Importing judgments: declarations first, good lines go in, everything else is typed, counted and named."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from annotation.audit.models import Event
from annotation.datasets.models import ItemAlias
from annotation.grading.statements import verify_statements
from annotation.studies.models import Rubric
from scoring.calibration.declaring import Declaration
from scoring.calibration.errors import JudgmentError
from scoring.calibration.importing import import_judgments
from scoring.calibration.models import Judge, Judgment, JudgmentImport
from tests import factories

pytestmark = pytest.mark.django_db

ALL = ("anatomical_accuracy", "instruction_compliance", "overall")
SAID = {"judge": "judge-7b@1", "rubric": "X9@1.0", "scale": "1-10", "view": "with_reference"}


@pytest.fixture
def submission():
    for number in range(5):
        item = factories.item(images=False)
        ItemAlias.objects.create(dataset=item.dataset, item=item, scheme="sample_id", value=f"s{number}")
    rubric = factories.rubric("X9", criteria=ALL)
    rubric.scale_max = 10
    rubric.save()
    return factories.submission(factories.release())


def lines(tmp_path, *rows):
    path = tmp_path / "judged.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def scores(place, **said):
    return {"sample_id": f"s{place}", "scores": said or dict.fromkeys(ALL, 8)}


def bring_in(path, submission, **changed):
    dry_run = changed.pop("dry_run", False)
    declared = Declaration(**{**SAID, **changed})
    return import_judgments(path=path, submission=submission, declaration=declared, actor=None, dry_run=dry_run)


def stored():
    return {(row.criterion.code, row.value, row.reason) for row in Judgment.objects.select_related("criterion")}


@pytest.mark.parametrize("absent", sorted(SAID))
def test_d18_an_import_without_a_declaration_stops_and_names_it(tmp_path, submission, absent):
    with pytest.raises(JudgmentError, match=f"^{absent}: not declared"):
        bring_in(lines(tmp_path, scores(0)), submission, **{absent: ""})

    assert not Judge.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rubric", "X9@9", "no such version; known: .*X9@1.0"),
        ("rubric", "X9", "no such version"),
        ("scale", "ten", "MIN-MAX"),
        ("scale", "10-1", "below the second"),
        ("view", "wo_gt", "with_reference or without_reference"),
        ("judge", "x" * 81, "at most 80"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_its_rule(tmp_path, submission, field, value, words):
    with pytest.raises(JudgmentError, match=words):
        bring_in(lines(tmp_path, scores(0)), submission, **{field: value})


def test_d12_a_reply_in_prose_stops_nothing_and_is_kept(tmp_path, submission):
    prose = {"sample_id": "s1", "vlm_judge_w_gt_result": "The two images look alike to me."}

    found = bring_in(lines(tmp_path, scores(0), prose, scores(2)), submission)

    assert (found.new, found.refused, found.n_values) == (3, 0, 6)
    assert found.reasons == {"unparsable": 3}
    kept = Judgment.objects.filter(reason="unparsable")
    assert {row.raw for row in kept} == {"The two images look alike to me."}
    assert str(found.problems[0]).startswith("judged.jsonl:2: reply: The two images look alike to me.")


def test_d14_a_score_of_95_on_1_to_10_is_typed_kept_and_counted(tmp_path, submission):
    found = bring_in(lines(tmp_path, scores(0, overall=95, anatomical_accuracy=9)), submission)

    assert found.reasons == {"missing_criterion": 1, "out_of_range": 1}
    row = Judgment.objects.get(reason="out_of_range")
    assert (row.value, row.raw) == (None, "95")
    assert [str(one) for one in found.problems] == [
        "judged.jsonl:1: overall: 95: must lie within the declared scale 1 to 10 (out_of_range); in no mean"
    ]


def test_d15_exactly_the_criteria_of_the_declared_version_appear(tmp_path, submission):
    given = {"anatomical_accuracy": {"score": 9, "explanation": "Fine."}, "instruction_compliance": {"score": 9},
             "overall_score": 9, "relevance": {"score": 9}, "final_thoughts": "Good."}  # fmt: skip

    found = bring_in(lines(tmp_path, {"sample_id": "s0", "vlm_judge_w_gt_result": given}), submission)

    assert stored() == {(code, 9.0, "") for code in ALL}
    assert [(one.field, one.fatal) for one in found.problems] == [("relevance", False)]
    assert "is no criterion of X9@1.0" in found.problems[0].rule


def test_views_are_separate_judges_and_an_empty_object_is_a_failed_call(tmp_path, submission):
    row = {"sample_id": "s0", "vlm_judge_w_gt_result": {"overall_score": "8/10"}, "vlm_judge_wo_gt_result": {}}
    path = lines(tmp_path, row)

    bring_in(path, submission)
    bring_in(path, submission, view="without_reference")

    assert Judge.objects.count() == 2
    taken = Judgment.objects.get(judge__view="with_reference", criterion__code="overall")
    assert (taken.value, taken.coerced, taken.raw) == (8.0, True, "8/10")
    blind = Judgment.objects.filter(judge__view="without_reference")
    assert set(blind.values_list("reason", flat=True)) == {"failed"}


def test_d18_a_line_that_states_another_scale_or_view_is_refused(tmp_path, submission):
    other = scores(0) | {"scale": "1-5"}
    blind = scores(1) | {"view": "without_reference"}

    found = bring_in(lines(tmp_path, other, blind, scores(2) | {"scale": "1–10"}), submission)

    assert (found.new, found.refused) == (1, 2)
    assert "declared is 1-10" in found.problems[0].rule
    assert "never pooled" in found.problems[1].rule


def test_a_scale_that_is_not_the_rubrics_is_said_and_differences_will_be_refused(tmp_path, submission):
    found = bring_in(lines(tmp_path, scores(0, overall=4)), submission, scale="1-5")

    assert found.new == 1
    assert "X9@1.0 asks 1 to 10" in found.problems[0].rule


def test_what_nobody_can_have_judged_is_refused_by_line(tmp_path, submission):
    missing = submission.outputs.get(revision__item__aliases__value="s1")
    missing.status = "missing"
    missing.save()
    without = submission.outputs.get(revision__item__aliases__value="s2").revision
    without.reference_text = ""
    without.save()
    rows = (scores(0), scores(1), scores(2), {"scores": {}}, scores(77), scores(0), "[1]", '{"sample_id": ')

    found = bring_in(lines(tmp_path, *rows), submission)

    assert (found.new, found.refused, found.lines) == (1, 7, 8)
    rules = {one.line: one.rule for one in found.problems}
    assert "is missing" in rules[2]
    assert "has no reference" in rules[3]
    assert "no id names the item" in rules[4]
    assert "names no item of SU-0001" in rules[5]
    assert "line 1 judges" in rules[6]
    assert found.n_not_judged == 3


def test_d16_a_criterion_that_the_rubric_does_not_ask_of_such_an_output_is_not_applicable(tmp_path, submission):
    rubric = Rubric.objects.get(code="X9")
    rubric.criteria.filter(code="instruction_compliance").update(needs_image=True)

    found = bring_in(lines(tmp_path, scores(0)), submission)

    assert found.reasons == {"not_applicable": 1}
    assert stored() >= {("instruction_compliance", None, "not_applicable"), ("overall", 8.0, "")}


def test_a_second_import_adds_nothing_and_a_changed_score_is_a_new_version(tmp_path, submission):
    bring_in(lines(tmp_path, scores(0), scores(1)), submission)

    again = bring_in(lines(tmp_path, scores(0), scores(1)), submission)
    changed = bring_in(
        lines(tmp_path, scores(0, overall=3, anatomical_accuracy=8, instruction_compliance=8)), submission
    )

    assert (again.unchanged, again.new) == (2, 0)
    assert changed.changed == 1
    versions = Judgment.objects.filter(output__revision__item__aliases__value="s0", criterion__code="overall")
    assert list(versions.values_list("version", "value")) == [(1, 8.0), (2, 3.0)]


def test_a_dry_run_and_a_file_without_a_good_line_write_nothing(tmp_path, submission):
    looked = bring_in(lines(tmp_path, scores(0)), submission, dry_run=True)
    refused = bring_in(lines(tmp_path, scores(77)), submission)

    assert (looked.new, refused.refused) == (1, 1)
    assert not JudgmentImport.objects.exists()
    assert not Event.objects.filter(verb="judgments imported").exists()


def test_an_import_is_sealed_and_a_value_added_past_the_program_is_found(tmp_path, submission):
    found = bring_in(lines(tmp_path, scores(0)), submission)
    assert [str(one) for one in verify_statements()] == []
    row = Judgment.objects.first()

    Judgment.objects.create(
        batch=found.batch, judge=row.judge, output=row.output, criterion=row.criterion, version=2, value=1
    )

    assert [str(one) for one in verify_statements()] == [
        f"judgment import {found.batch.pk}: was altered: its seal does not fit"
    ]


def test_the_database_refuses_to_change_or_remove_a_judgment(tmp_path, submission):
    bring_in(lines(tmp_path, scores(0)), submission)

    for act in (
        lambda rows: rows.update(value=1),
        lambda rows: rows._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
            act(Judgment._base_manager.all())


def test_the_command_prints_counts_and_problems_and_says_by_its_exit_that_a_line_was_refused(
    tmp_path, submission, capsys
):
    out = io.StringIO()
    asked = [f"--{name}={value}" for name, value in SAID.items()]
    path = str(lines(tmp_path, scores(0, overall="8/10"), scores(77)))

    with pytest.raises(SystemExit) as ended:
        call_command("import_judgments", path, "--submission=SU-0001", *asked, "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert ended.value.code == 1
    assert (told["new"], told["refused"], told["coerced"], told["reasons"]) == (1, 1, 1, {"missing_criterion": 2})
    assert "judged.jsonl:2: sample_id: s77: names no item of SU-0001" in capsys.readouterr().err


def test_the_command_stops_without_a_scale(tmp_path, submission):
    with pytest.raises(CommandError, match="scale: not declared") as refused:
        call_command(
            "import_judgments", str(lines(tmp_path, scores(0))), "--submission=su-1", "--judge=j", "--rubric=X9@1.0",
            "--view=with_reference",
        )  # fmt: skip

    assert refused.value.returncode == 2
