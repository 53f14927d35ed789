"""Training, pilot and attention readings never enter results; repeats enter intra-reader agreement only."""

import numpy as np
import pytest
from django.utils import timezone

from annotation.adjudication.queue import cases_of, vetoes
from annotation.studies.models import Reading, StudyItem
from scoring.agreement.ratings import study_ratings
from scoring.composites.inputs import graded_outputs, study_outputs
from scoring.exports.grade_rows import grade_rows, matrix_rows, readers
from scoring.exports.scope import make_scope
from tests import factories
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(reader):
    """One item a role, everything graded 5, what is not main graded 1 and flagged severe; the main one repeated."""
    made = world.small_study(reader, formats=("vqa",) * 4)
    for item, role in zip(
        made.study.study_items.order_by("pk"), ["main", "training", "attention", "pilot"], strict=True
    ):
        StudyItem.objects.filter(pk=item.pk).update(role=role, control="blank" if role == "attention" else "")
        item.readings.update(role=role)
    main = made.study.readings.filter(role="main").order_by("position").first()
    output = main.reading_outputs.get().output
    factories.reading(main.enrollment, main.study_item, [output], role="repeat", replicate=2)
    for reading in made.study.readings.all():
        good = reading.role == "main"
        scores = dict.fromkeys(world.VQA_CRITERIA, 5 if good else 1)
        for place in reading.reading_outputs.all():
            factories.grade(place, scores=scores, safety="none" if good else "severe")
    made.study.main = main
    return made.study


def test_agreement_takes_main_readings_and_repeats_apart(study):
    overall = {one.code: one for one in study_ratings(study)}["T1:overall"]

    assert overall.values.shape == (1, 2)
    assert set(overall.values.flatten()) == {5.0}
    assert sorted(overall.again[~np.isnan(overall.again)]) == [1.0]


def test_composites_outputs_and_vetoes_know_main_readings_only(study):
    assert {row.study_item.role for row in study_outputs(study)} == {"main"}
    graded = graded_outputs(study)
    assert len(graded) == 2
    assert {value for one in graded.values() for values in one.scores.values() for value in values} == {5.0}
    assert {one.n_readers for one in graded.values()} == {1}
    assert vetoes(study) == {}
    assert cases_of(study) == []


def test_the_sheet_of_values_holds_main_readings_and_the_record_says_each_role(study):
    scope = make_scope(study=study, blinded=True, made_at=str(timezone.now()), made_by="", banner="")

    values = [row[-1] for row in matrix_rows(scope, readers(study)) if row[7] == "overall"]
    record = {(row[26], row[27]) for row in grade_rows(scope)}

    assert values == [5.0, 5.0]
    assert record == {(role, "with_reference") for role in Reading.Role.values}
