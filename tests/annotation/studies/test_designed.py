"""Studies with training, a pilot, attention checks and repeats: what is held, drawn and kept out of results."""

from collections import Counter

import pytest

from annotation.studies import drawing, services
from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignError, StudyError, StudyStateError
from annotation.studies.models import Reading, StudyItem
from annotation.systems.models import releases_read_by
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db
ASKED = {
    "assignment": "anchored", "anchor_items": 2, "repeats": 2, "attention_items": 5, "pilot_items": 2, "gap": 1,
    "washout_days": 7, "admission": 0.8, "readers_per_item": 1, "mode": "all", "stages": 2,
    "training": ["IT-000002", {"item": "IT-000001", "expected": {"zeta": {"overall": [1, 2]}}, "feedback": "Look."}],
}  # fmt: skip


@pytest.fixture
def study(coordinator, reader, other_reader):
    made = world.released(24)
    design = world.design(reader, other_reader, **ASKED)
    study = services.create_study(design=design, actor=coordinator)
    study.made = made
    return study


def problems(**changes):
    with pytest.raises(DesignError) as caught:
        StudyDesign.from_json(world.design_data("reader", **changes))
    return [str(problem) for problem in caught.value.problems]


def test_every_item_has_one_role_and_controls_come_in_turn(study):
    roles = Counter(study.study_items.values_list("role", flat=True))
    checks = study.study_items.filter(role="attention")

    assert roles == {"main": 15, "attention": 5, "training": 2, "pilot": 2}
    assert sorted(checks.values_list("control", flat=True)) == [
        "blank", "image_shuffle", "instruction_shuffle", "same_modality", "unrelated",
    ]  # fmt: skip
    for check in checks.exclude(control="blank").select_related("revision", "partner"):
        assert check.partner_id != check.revision_id
        same = check.partner.modality == check.revision.modality
        assert same or check.control not in ("same_modality",)
        assert not same or check.control not in ("unrelated",)
    letters = dict(study.study_systems.values_list("submission__system_version__system__slug", "letter"))
    trained = study.study_items.get(revision__item__number=1)
    assert (trained.expected, trained.feedback) == ({letters["zeta"]: {"overall": [1.0, 2.0]}}, "Look.")


def test_the_design_is_kept_and_gives_itself_back(study):
    again = StudyDesign.from_json(study.design)

    assert again.to_json() == study.design
    assert (again.repeats, again.admission, again.stages) == (2, 0.8, 2)
    assert again.training[1].expected == {"zeta": {"overall": (1.0, 2.0)}}


def test_a_pilot_draws_training_and_pilot_readings_only_and_main_readings_follow(study, coordinator, reader):
    services.pilot_study(study=study, actor=coordinator)
    first = {str(pk) for pk in study.readings.values_list("pk", flat=True)}

    assert Counter(study.readings.values_list("role", flat=True)) == {"training": 4, "pilot": 4}
    assert releases_read_by(reader).exists()
    done = study.readings.filter(enrollment__user=reader, role="pilot").first()
    Reading.objects.filter(pk=done.pk).update(status="submitted")
    services.open_study(study=study, actor=coordinator)

    left = study.readings.filter(role="pilot").exclude(pk=done.pk)
    assert set(left.values_list("status", "void_reason")) == {("void", "the pilot ended")}
    own = list(study.readings.filter(enrollment__user=reader).order_by("position"))
    assert [one.position for one in own] == list(range(1, len(own) + 1))
    assert {str(one.pk) for one in own[:4]} <= first
    assert Counter(one.role for one in own[4:])["attention"] == 5
    assert Counter(one.role for one in own[4:])["repeat"] == 2
    assert study.study_items.filter(is_anchor=True).count() == 2
    with pytest.raises(StudyStateError, match="only a draft can be piloted"):
        services.pilot_study(study=study, actor=coordinator)


def test_checks_show_the_partners_outputs_or_the_own_ones_and_a_blank_has_its_picture(study, coordinator):
    services.open_study(study=study, actor=coordinator)

    for check in study.study_items.filter(role="attention"):
        shown = set(check.readings.values_list("reading_outputs__output__revision", flat=True))
        others = check.control in ("unrelated", "same_modality")
        assert shown == {check.partner_id if others else check.revision_id}
        assert (check.stand_in is not None) == (check.control == "blank")
    assert study.readings.filter(role="training").count() == 4
    stored = drawing.stored(study)
    assert len(stored.items) == 15
    assert all(one.role == "main" for readings in stored.readings.values() for one in readings)


def test_a_repeat_shows_what_its_first_reading_showed_to_the_same_reader(study, coordinator):
    services.open_study(study=study, actor=coordinator)

    repeats = study.readings.filter(role="repeat")
    assert repeats.count() == 4
    for repeat in repeats:
        first = Reading.objects.get(
            enrollment=repeat.enrollment, study_item=repeat.study_item, role=Reading.Role.MAIN
        )
        assert first.position < repeat.position
        places = [list(one.reading_outputs.values_list("label", "output")) for one in (first, repeat)]
        assert places[0] == places[1]


def test_a_study_without_pilot_and_training_items_has_nothing_to_pilot(coordinator, reader, other_reader):
    world.released(4)
    study = services.create_study(design=world.design(reader, other_reader), actor=coordinator)

    with pytest.raises(StudyError, match="nothing to pilot"):
        services.pilot_study(study=study, actor=coordinator)
    study.refresh_from_db()
    assert study.state == "draft"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"assignment": "odd"}, "assignment: odd: must be one of even, crossed, incomplete, anchored"),
        ({"assignment": "anchored"}, "anchor_items: 0: the assignment anchored needs at least one anchor item"),
        ({"anchor_items": 3}, "anchor_items: 3: only with the assignment anchored, not even"),
        ({"stages": 3}, "stages: 3: must be a whole number from 1 to 2"),
        ({"admission": 0.8}, "admission: 0.8: needs training items to be reached in"),
        ({"admission": 80}, "admission: 80: must be a share above 0 and at most 1, like 0.8"),
        ({"washout_days": 14}, "washout_days: 14: needs repeats to wait for"),
        ({"training": ["IT-1", "IT-1"]}, "training: IT-1: is named twice"),
        ({"training": [7]}, 'training: 7: must be an item code or {"item": …, "expected": …, "feedback": …}'),
        (
            {"training": [{"item": "IT-1", "expected": {"zeta": {"overall": [5, 1]}}}]},
            "training.expected: IT-1: overall: [5, 1]: must be a value or [lowest, highest]",
        ),
        ({"mode": "pair", "stages": 2}, "stages: 2: only where outputs are graded, not compared"),
    ],
)
def test_what_does_not_fit_is_said_with_field_value_and_rule(changes, expected):
    assert expected in problems(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pilot_items": 4}, "pilot_items: 4: only 4 items are left, and one must be graded"),
        ({"training": ["IT-000099"]}, "training: IT-000099: is no item of liver@1.0 that has an output to show"),
        (
            {"training": [{"item": "IT-000001", "expected": {"omega": {"overall": 1}}}]},
            "training.expected: IT-000001: omega: is no system of this study",
        ),
        (
            {"training": [{"item": "IT-000001", "expected": {"zeta": {"beauty": 1}}}]},
            "training.expected: IT-000001: beauty: is no criterion of the rubrics",
        ),
        (
            {"training": [{"item": "IT-000001", "expected": {"zeta": {"overall": [1, 9]}}}]},
            "training.expected: IT-000001: overall: 1 to 9: must be within 1 to 5",
        ),
    ],
)
def test_what_the_release_cannot_give_is_refused_by_name(changes, expected, coordinator, reader, other_reader):
    world.released(4)

    with pytest.raises(DesignError) as caught:
        services.create_study(design=world.design(reader, other_reader, **changes), actor=coordinator)

    assert any(str(problem).startswith(expected) for problem in caught.value.problems), caught.value


def test_an_attention_check_without_a_possible_control_is_named(coordinator, reader, other_reader):
    world.released(3, images=False)
    first = StudyItem.objects.count()
    design = world.design(reader, other_reader, attention_items=1)
    services.create_study(design=design, actor=coordinator)

    control = StudyItem.objects.get(role="attention").control
    assert first == 0
    assert control in ("unrelated", "same_modality", "instruction_shuffle")
