"""Studies that compare: designed, drawn once, refused where the mode does not fit."""

import pytest

from annotation.studies import services
from annotation.studies.drawing import stored
from annotation.studies.errors import DesignError
from annotation.studies.models import Reading
from annotation.systems.models import Output
from tests.annotation.studies import world

SYSTEMS = ("zeta", "alpha", "kappa")


@pytest.mark.django_db
def test_a_study_of_pairs_is_drawn_balanced_and_the_same_again(coordinator, reader, other_reader):
    world.released(6, systems=SYSTEMS)
    Output.objects.filter(revision__item__number=1).exclude(submission__system_version__system__slug="zeta").delete()
    asked = {"mode": "pair", "submissions": list(SYSTEMS), "pairs_per_item": 1, "compare_criteria": True}

    hashes = []
    for slug in ("one", "two"):
        design = world.design(reader, other_reader, slug=slug, **asked)
        study = services.open_study(study=services.create_study(design=design, actor=coordinator), actor=coordinator)
        hashes.append(study.design_hash)

    assert (study.pairs_per_item, study.compare_criteria, study.study_items.count()) == (1, True, 5)
    assert hashes[0] == hashes[1]
    readings = Reading.objects.filter(study=study)
    assert readings.count() == 10
    for reading in readings:
        assert list(reading.reading_outputs.values_list("label", "position")) == [("A", 0), ("B", 1)]
    assert stored(study).outputs_per_reading == "pair"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pairs_per_item": 2}, "pairs_per_item: 2: only in mode pair, not one"),
        ({"mode": "all", "compare_criteria": True}, "compare_criteria: true: only in modes pair and rank, not all"),
        ({"mode": "pair", "submissions": ["zeta"]}, "submissions: zeta: mode pair compares two or more systems"),
        ({"mode": "rank", "pairs_per_item": 1}, "pairs_per_item: 1: only in mode pair, not rank"),
        ({"mode": "pair", "pairs_per_item": 0}, "pairs_per_item: 0: must be a whole number from 1 to 325"),
        ({"mode": "pair", "compare_criteria": "yes"}, "compare_criteria: yes: must be true or false"),
        ({"mode": "pair", "stages": 2}, "stages: 2: only where outputs are graded, not compared"),
    ],
)
def test_what_does_not_fit_the_mode_is_refused_by_name(changes, words):
    with pytest.raises(DesignError) as refused:
        world.design("anna", **changes)

    assert [str(problem) for problem in refused.value.problems] == [words]
