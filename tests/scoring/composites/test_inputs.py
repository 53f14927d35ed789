"""From grades and metric values to the rows of a composite, and the declared weights."""

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.grading.models import Grade
from annotation.systems.models import Output
from scoring.composites.errors import CompositeError
from scoring.composites.inputs import output_rows
from scoring.composites.services import change_composite, declaration_of, default_composite, present_composite
from tests import factories
from tests.scoring.world import build, grade_all, measure

pytestmark = pytest.mark.django_db


def rows_of(world):
    composite = present_composite(world.study)
    return {(row.system, row.item): row for row in output_rows(world.study, declaration_of(composite))}


def test_the_default_gives_a_text_format_clinical_and_semantic():
    world = build(items=2)

    composite = default_composite(study=world.study, actor=None)

    weights = {row.source: row.weight for row in composite.components.all()}
    assert weights == pytest.approx({"rubric:T1:overall": 0.75, "metric:token_f1|option_accuracy": 0.25})


def test_the_default_of_an_edit_has_no_text_part():
    world = build(items=2, format="image_editing")

    composite = default_composite(study=world.study, actor=None)

    weights = {row.source: row.weight for row in composite.components.all()}
    assert weights == pytest.approx({"rubric:T1:overall": 0.75, "metric:ssim": 0.125, "metric:psnr": 0.125})


def test_readers_and_metrics_meet_in_one_row():
    world = build(items=2)
    grade_all(world, {0: 4, 1: 2})
    measure(world.outputs(0)[0], "token_f1", 0.5)

    row = rows_of(world)["A", "IT-000001"]

    assert row.values == {"clinical:overall": [4.0, 4.0], "semantic:token_f1": [0.5]}
    assert row.in_sample


def test_the_second_metric_is_taken_where_the_first_does_not_apply():
    world = build(items=1)
    grade_all(world, {0: 4})
    measure(world.outputs(0)[0], "token_f1", None, reason="not_applicable")
    measure(world.outputs(0)[0], "option_accuracy", 1.0)

    assert rows_of(world)["A", "IT-000001"].values["semantic:token_f1"] == [1.0]


def test_a_typed_reason_is_kept_and_never_a_number():
    world = build(items=1)
    grade_all(world, {0: 4})
    measure(world.outputs(0)[0], "token_f1", None, reason="empty_reference")

    row = rows_of(world)["A", "IT-000001"]

    assert "semantic:token_f1" not in row.values
    assert row.reasons == {"semantic:token_f1": "empty_reference"}


def test_an_identical_picture_takes_the_top_and_is_no_number():
    world = build(items=1, format="image_editing")
    measure(world.outputs(0)[0], "psnr", None, reason="identical")

    row = rows_of(world)["A", "IT-000001"]

    assert row.identical == {"pixel:psnr"}
    assert "pixel:psnr" not in row.values


def test_an_amended_grade_counts_with_its_newest_version():
    world = build(items=1, readers=1)
    grade_all(world, {0: 4})
    first = Grade.objects.get()
    factories.grade(first.reading_output, scores={"overall": 2}, version=2, reason_for_change="misread the side")

    assert rows_of(world)["A", "IT-000001"].values["clinical:overall"] == [2.0]


def test_an_item_nobody_graded_is_outside_the_sample():
    world = build(items=2, readers=1)
    reading = world.readers[0].readings.get(position=1)
    factories.grade(reading.reading_outputs.get())

    rows = rows_of(world)

    assert rows["A", "IT-000001"].in_sample
    assert rows["B", "IT-000001"].in_sample
    assert not rows["A", "IT-000002"].in_sample


def test_one_severe_flag_is_pending_until_it_is_adjudicated():
    world = build(items=1)
    grade_all(world, {0: 4}, safety="severe")

    assert rows_of(world)["A", "IT-000001"].veto == "pending"


def test_a_failed_output_keeps_its_status_and_no_value():
    world = build(items=1)
    Output.objects.filter(pk=world.outputs(1)[0].pk).update(status="declined")
    grade_all(world, {0: 4})

    row = rows_of(world)["B", "IT-000001"]

    assert (row.status, row.values) == ("declined", {})


def replaced(output, status="ok"):
    """The next version of an output, which supersedes it."""
    newer = Output.objects.create(
        submission=output.submission,
        revision=output.revision,
        version=2,
        status=status,
        content_hash="2" * 64,
        superseded_by=output,
    )
    Output.objects.filter(pk=output.pk).update(superseded_by=newer)
    Output.objects.filter(pk=newer.pk).update(superseded_by=None)
    return newer


def test_a_graded_version_stays_in_the_study_and_its_metrics_are_stale():
    world = build(items=1)
    grade_all(world, {0: 4})
    graded = world.outputs(0)[0]
    measure(graded, "token_f1", 0.5)
    measure(replaced(graded), "token_f1", 1.0)

    row = rows_of(world)["A", "IT-000001"]

    assert row.values == {"clinical:overall": [4.0, 4.0]}
    assert row.reasons == {"semantic:token_f1": "superseded"}


def test_a_failure_still_counts_when_the_output_comes_after_the_study_opened():
    world = build(items=1)
    failed = world.outputs(1)[0]
    world.readers[0].study.readings.filter(reading_outputs__output=failed).delete()
    Output.objects.filter(pk=failed.pk).update(status="missing")
    grade_all(world, {0: 4})
    early = rows_of(world)["B", "IT-000001"].status
    world.study.opened_at = timezone.now()
    world.study.save()
    measure(replaced(failed), "token_f1", 1.0)

    row = rows_of(world)["B", "IT-000001"]

    assert (early, row.status, row.values) == ("missing", "missing", {})


def test_other_weights_are_a_new_version_and_the_old_one_stays(coordinator):
    world = build(items=1)
    old = present_composite(world.study)
    weights = {row.pk: 0.5 for row in old.components.all()}

    new = change_composite(study=world.study, weights=weights, weighting="plain", actor=coordinator)

    assert new.version == 2
    assert [row.weight for row in new.components.all()] == [0.5, 0.5]
    assert present_composite(world.study) == new
    assert old.components.get(source="rubric:T1:overall").weight == pytest.approx(0.75)


@pytest.mark.parametrize("weights", [(0.5, 0.6), (-0.5, 1.5), (float("nan"), 1)])
def test_weights_that_do_not_sum_to_one_are_refused(coordinator, weights):
    world = build(items=1)
    components = present_composite(world.study).components.order_by("position")

    with pytest.raises(CompositeError):
        change_composite(
            study=world.study,
            weights={row.pk: weight for row, weight in zip(components, weights, strict=True)},
            weighting="plain",
            actor=coordinator,
        )

    assert world.study.composites.count() == 1


def test_a_locked_study_keeps_its_composite(coordinator):
    world = build(items=1)
    weights = {row.pk: 0.5 for row in present_composite(world.study).components.all()}
    world.study.state = "locked"
    world.study.save()

    with pytest.raises(CompositeError, match="locked"):
        change_composite(study=world.study, weights=weights, weighting="plain", actor=coordinator)


def test_the_page_declares_weights_and_names_what_is_wrong(sign_in, coordinator, analyst):
    world = build(items=1)
    factories.enroll(world.study, coordinator, "coordinator")
    factories.enroll(world.study, analyst, "analyst")
    url = reverse("scoring:composite", args=[world.study.slug])
    fields = {f"weight-{row.pk}": "0.5" for row in present_composite(world.study).components.all()}

    wrong = sign_in(coordinator).post(url, dict.fromkeys(fields, "half") | {"weighting": "plain"})
    right = sign_in(coordinator).post(url, fields | {"weighting": "plain"})
    forbidden = sign_in(analyst).post(url, fields | {"weighting": "plain"})

    assert wrong.status_code == 422
    assert "&#x27;half&#x27; is not a number" in wrong.content.decode()
    assert right.status_code == 302
    assert forbidden.status_code == 403
