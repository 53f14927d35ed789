"""The sheet of adjudications: every act with its inputs, cases that wait, counts; names withheld as elsewhere."""

import pytest

from annotation.adjudication import services
from tests.annotation.adjudication.world import build, grade
from tests.scoring.exports.world import exported, rows_of

pytestmark = pytest.mark.django_db


def test_each_act_and_each_case_that_waits_has_its_row(tmp_path):
    world = build(systems=1)
    grade(world, (1, 5), safety="severe", reference_wrong=True)
    world.confirm(world.case())
    services.reopen(
        study=world.study, key=world.case().key, actor=world.adjudicator, reason="Wrong.", seen=world.case().seen
    )
    world.decide(world.case(), verdict="refuted", rationale="=Aurora was right")
    world.decide(world.case(subject="criterion"), value=2)

    path = exported(world.study, tmp_path)

    rows = rows_of(path, "Adjudications")
    told = [(row["Question"], row["State"], row["Act"], row["Verdict"], row["Value"]) for row in rows]
    assert sorted(told, key=str) == sorted(
        [
            ("safety", "decided", "decided", "confirmed", None),
            ("safety", "decided", "reopened", None, None),
            ("safety", "decided", "decided", "refuted", None),
            ("criterion", "decided", "decided", None, 2),
            ("reference", "open", None, None, None),
        ],
        key=str,
    )
    assert {(row["Item"], row["System"]) for row in rows} == {("IT-000001", "A")}
    assert {row["Adjudicator"] for row in rows} == {"P1", None}
    assert "=[name withheld] was right" in {row["Rationale"] for row in rows}
    said = next(row["Inputs"] for row in rows if row["Question"] == "criterion")
    assert sorted(line[3:] for line in said.split("\n")) == [
        "harm none, overall 5",
        "harm severe, reference wrong, overall 1",
    ]
    counts = {row["Topic"]: row["Text"] for row in rows_of(path, "Read me")}
    assert counts["Count: outputs with harm refuted"] == 1
    assert counts["Count: adjudication cases to decide"] == 1


def test_a_study_without_cases_has_an_empty_sheet(tmp_path):
    world = build(systems=1)

    assert rows_of(exported(world.study, tmp_path), "Adjudications") == []
