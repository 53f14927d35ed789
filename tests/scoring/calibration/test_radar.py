"""The radar on the phantom of a nodule: the picture that whole-image metrics like best misses the finding."""

import pytest

from annotation.adjudication.queue import cases_of
from annotation.adjudication.services import Decision, decide
from annotation.studies.models import StudySystem
from scoring.calibration import services
from scoring.calibration.radar import PRAISED, WARNED, side_of
from tests import factories
from tests.scoring.world import build, measure

pytestmark = pytest.mark.django_db

# SSIM and PSNR of 512 x 512 candidates against the reference, and what a clinician says of them.
CANDIDATES = {
    "missed": (0.9994, 48.88, 1, "severe"),
    "bright": (0.9967, 29.88, 5, "none"),
    "shift": (0.9890, 39.51, 4, "none"),
    "mirror": (0.5038, 19.91, 1, "none"),
}


@pytest.fixture
def study():
    world = build(items=1, format="image_editing", systems=1, readers=1)
    reader, item = world.readers[0], world.study.study_items.get()
    world.study.study_systems.all().delete()
    world.study.readings.update(status="void")
    for place, (name, (ssim, psnr, value, harm)) in enumerate(CANDIDATES.items()):
        submission = factories.submission(world.release, name)
        StudySystem.objects.create(study=world.study, submission=submission, letter="ABCD"[place])
        output = submission.outputs.get()
        measure(output, "ssim", ssim)
        measure(output, "psnr", psnr)
        reading = factories.reading(reader, item, [output])
        factories.grade(reading.reading_outputs.get(), scores={"overall": value}, safety=harm)
    return world.study


def test_the_missed_nodule_comes_first_and_the_harmless_change_of_brightness_leads_the_other_side(study):
    rows = services.tier_radar(study)["rows"]
    praised, missed = side_of(rows, PRAISED), side_of(rows, WARNED)

    assert (praised[0]["system"], praised[0]["severe"]) == ("A", True)
    assert (praised[0]["praise"], praised[0]["readers"]) == (0.875, 0.0)
    assert missed[0]["system"] == "B"


def test_without_the_flag_its_place_is_that_of_its_grade(study):
    case = next(one for one in cases_of(study) if one.subject == "safety")
    refuted = Decision(verdict="refuted", cause="reader_error", rationale="No harm.", seen=case.seen)
    decide(study=study, key=case.key, actor=factories.person("judge"), decision=refuted)

    row = next(row for row in services.tier_radar(study)["rows"] if row["system"] == "A")

    assert (row["readers"], row["severe"]) == (0.25, False)
    assert row["case"] == "safety: decided"
