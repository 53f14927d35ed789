"""Making a study from a design: what it holds, what is refused and how that is said."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.audit.models import Event
from annotation.datasets.models import ItemRevision
from annotation.releases.models import Release
from annotation.studies import services
from annotation.studies.design import ReaderPlan, StudyDesign
from annotation.studies.errors import DesignError
from annotation.studies.models import Rubric, Study
from annotation.systems.models import Output, Submission
from tests import factories
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


def problems(design_or_data, actor=None) -> list[str]:
    with pytest.raises(DesignError) as caught:
        design = design_or_data
        if not isinstance(design, StudyDesign):
            design = StudyDesign.from_json(design)
        services.create_study(design=design, actor=actor)
    return [str(problem) for problem in caught.value.problems]


def test_a_design_makes_a_draft_with_items_letters_and_people(coordinator, reader, other_reader, analyst):
    world.released()

    study = services.create_study(
        design=world.design(reader, other_reader, analysts=[analyst.username]), actor=coordinator
    )

    assert (study.state, study.study_items.count(), study.readings.count()) == ("draft", 6, 0)
    assert sorted(study.study_systems.values_list("letter", flat=True)) == ["A", "B"]
    assert [str(row.rubric) for row in study.study_rubrics.all()] == ["T1@1.0", "T6@1.0"]
    assert set(study.enrollments.values_list("user__username", "role", "reader_code")) == {
        ("reader", "reader", "R01"), ("other_reader", "reader", "R02"), ("analyst", "analyst", None),
        ("coordinator", "coordinator", None),
    }  # fmt: skip
    assert study.study_items.first().stratum == "vqa/question-answering/mr"


def test_creating_leaves_a_trail_without_names(coordinator, reader, other_reader):
    world.released()

    services.create_study(design=world.design(reader, other_reader), actor=coordinator)

    event = Event.objects.get(verb="study created")
    assert event.actor == str(coordinator.pk)
    assert event.details["design"]["readers"] == [[str(reader.pk), None], [str(other_reader.pk), None]]
    assert "other_reader" not in json.dumps(event.details)


def test_letters_are_drawn_by_seed_and_not_by_alphabet(coordinator, reader):
    world.released(2, systems=("alpha", "beta", "gamma", "delta"))
    names = ["alpha", "beta", "gamma", "delta"]

    orders = set()
    for seed in range(8):
        design = world.design(reader, submissions=names, slug=f"s{seed}", seed=seed)
        study = services.create_study(design=design, actor=coordinator)
        again = services.create_study(
            design=world.design(reader, submissions=names[::-1], slug=f"t{seed}", seed=seed), actor=coordinator
        )
        drawn = dict(study.study_systems.values_list("letter", "submission__system_version__system__slug"))
        orders.add(tuple(drawn[letter] for letter in "ABCD"))
        assert drawn == dict(again.study_systems.values_list("letter", "submission__system_version__system__slug"))

    assert len(orders) > 4


def test_a_design_survives_the_way_through_json(reader):
    design = world.design(
        reader, "ben", due_on="2026-12-24", sample=3, modalities=["ct"], analysts=["dora"], mode="all"
    )
    data = design.to_json()
    data["readers"][1] = {"username": "ben", "cap": 40}

    again = StudyDesign.from_json(json.loads(json.dumps(data)))

    assert again.readers[1] == ReaderPlan("ben", 40)
    assert StudyDesign.from_json(design.to_json()) == design
    assert StudyDesign.from_json(again.to_json()) == again


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ""}, "name: is empty"),
        ({"name": "x" * 121}, f"name: {'x' * 60}…: has 121 characters, the limit is 120"),
        ({"slug": "a b"}, "slug: a b: must be 1 to 60 letters, digits, - and _"),
        ({"slug": "new"}, "slug: new: is an address of the product; choose another one"),
        ({"release": "liver"}, "release: liver: must be DATASET@VERSION, like liver@1.0"),
        ({"release": "liver@9"}, "release: liver@9: is unknown; freeze it first"),
        ({"release": None}, "release: is missing"),
        ({"submissions": []}, "submissions: []: names nothing; name at least one"),
        ({"submissions": "zeta"}, "submissions: zeta: must be a list of texts"),
        ({"submissions": ["zeta", "zeta"]}, "submissions: zeta: is named twice"),
        ({"submissions": ["omega"]}, "submissions: omega: is no system or submission of liver"),
        ({"rubrics": ["T9"]}, "rubrics: T9: is unknown; known: T1@1.0, T6@1.0"),
        ({"rubrics": ["T1", "T1@1.0"]}, "rubrics: T1, T1@1.0: name one rubric twice"),
        ({"readers": []}, "readers: []: must be a list with at least one reader"),
        ({"readers": ["nobody"]}, "readers: nobody: is no user; `people list` shows all"),
        ({"readers": [{"username": "reader", "cap": 0}]}, "readers.cap: 0: must be a whole number from 1 to 100000"),
        ({"readers": ["reader", "reader"]}, "readers: reader: is named twice"),
        ({"analysts": ["nobody"]}, "analysts: nobody: is no user; `people list` shows all"),
        ({"mode": "pairs"}, "mode: pairs: must be one of one, all"),
        ({"readers_per_item": 0}, "readers_per_item: 0: must be a whole number from 1 to 100"),
        ({"readers_per_item": True}, "readers_per_item: True: must be a whole number from 1 to 100"),
        ({"seed": -1}, "seed: -1: must be a whole number from 0 to 2147483647"),
        ({"sample": 1.5}, "sample: 1.5: must be a whole number from 1 to 100000"),
        ({"due_on": "Friday"}, "due_on: Friday: must be a date, like 2026-12-24"),
        ({"modalities": ["us"]}, "modalities: us: no item of liver@1.0 has it; it has ct, mr"),
        ({"blinding": True}, "blinding: is not a field of a design; known: name, slug"),
    ],
)
def test_a_wrong_value_is_named_with_its_rule(coordinator, reader, changes, expected):
    world.released(2)

    found = problems(world.design_data(reader) | changes, coordinator)

    assert len(found) == 1 and found[0].startswith(expected)
    assert Study.objects.count() == 0


def test_all_problems_are_named_at_once(coordinator):
    world.released(1)

    found = problems(world.design_data("nobody", rubrics=["T9"], submissions=["omega"]), coordinator)

    assert [problem.split(":")[0] for problem in found] == ["rubrics", "readers", "submissions"]


def test_a_submission_of_another_release_and_a_fixture_are_refused(coordinator, reader):
    made = world.released(1)
    other = factories.release(version="2.0")
    factories.submission(other, "later")
    Submission.objects.filter(pk=made.submissions[1].pk).update(is_fixture=True)

    found = problems(world.design(reader, submissions=["later", "alpha", "zeta"]), coordinator)

    assert found == [
        "submissions: later: has no outputs for liver@1.0",
        "submissions: alpha: is a fixture and enters no study",
    ]


def test_a_submission_can_be_named_by_its_code(coordinator, reader):
    made = world.released(1)

    study = services.create_study(
        design=world.design(reader, submissions=[made.submissions[0].code]), actor=coordinator
    )

    assert study.study_systems.get().submission == made.submissions[0]


def test_a_system_with_two_submissions_must_be_named_by_code(coordinator, reader):
    made = world.released(1)
    version = made.submissions[0].system_version.system.versions.create(version="2.0")
    Submission.objects.create(number=90, system_version=version, dataset=made.release.dataset, release=made.release)

    found = problems(world.design(reader), coordinator)

    assert found == ["submissions: zeta: has several submissions; name one of SU-0001, SU-0090"]


def test_a_withdrawn_release_takes_no_study(coordinator, reader):
    world.released(1)
    Release.objects.update(state="withdrawn", withdrawn_reason="license")

    assert problems(world.design(reader), coordinator) == ["release: liver@1.0: is withdrawn and takes no study"]


def test_two_rubrics_that_ask_the_same_are_refused(coordinator, reader):
    world.released(1)
    factories.rubric("T9", criteria=("overall",))

    found = problems(world.design(reader, rubrics=["T1", "T9"]), coordinator)

    assert found == ["rubrics: T9@1.0: asks overall, as T1@1.0 does; choose one of the two"]


def test_the_newest_version_of_a_rubric_is_taken(coordinator, reader):
    world.released(1)
    for version in ("1.9", "1.10"):
        Rubric.objects.create(code="T1", version=version, name="later", scale_min=1, scale_max=5)

    study = services.create_study(design=world.design(reader, rubrics=["T1"]), actor=coordinator)

    assert str(study.study_rubrics.get().rubric) == "T1@1.10"


def test_a_deactivated_person_is_refused(coordinator, reader):
    world.released(1)
    reader.is_active = False
    reader.save()

    assert problems(world.design(reader), coordinator) == ["readers: reader: is deactivated"]


def test_a_taken_slug_is_refused(coordinator, reader):
    world.released(1)
    services.create_study(design=world.design(reader), actor=coordinator)

    assert problems(world.design(reader, slug="Round-1"), coordinator) == ["slug: Round-1: is taken by another study"]


def test_items_without_an_output_are_left_out(coordinator, reader):
    made = world.released(4)
    first = made.release.release_items.first().revision
    Output.objects.filter(revision=first).update(status="declined")

    study = services.create_study(design=world.design(reader), actor=coordinator)

    assert study.study_items.count() == 3
    assert not study.study_items.filter(revision=first).exists()
    assert Event.objects.get(verb="study created").details["without_output"] == ["IT-000001"]


def test_a_study_with_nothing_to_show_is_refused(coordinator, reader):
    world.released(2)
    Output.objects.update(status="error")

    assert problems(world.design(reader), coordinator) == [
        "submissions: zeta, alpha: have no output that a reader can be shown"
    ]


def test_fixtures_among_items_are_left_out(coordinator, reader):
    made = world.released(3)
    ItemRevision.objects.filter(pk=made.release.release_items.first().revision_id).update(is_fixture=True)

    assert services.create_study(design=world.design(reader), actor=coordinator).study_items.count() == 2


def test_filters_accept_the_spellings_of_the_field(coordinator, reader):
    world.released(4)

    study = services.create_study(
        design=world.design(reader, modalities=["Computed Tomography"], formats=["VQA"]), actor=coordinator
    )

    assert study.study_items.count() == 2


def test_a_sample_is_drawn_by_seed_from_each_stratum(coordinator, reader):
    world.released(20)

    def codes(slug, seed):
        design = world.design(reader, sample=3, seed=seed, slug=slug)
        study = services.create_study(design=design, actor=coordinator)
        return [item.revision.item.code for item in study.study_items.select_related("revision__item")]

    one, same, other = codes("a", 1), codes("b", 1), codes("c", 2)

    assert one == same != other
    assert len(one) == 6
    assert sum(int(code[-3:]) % 2 for code in one) == 3


def test_items_of_one_case_share_a_cluster_named_by_the_first(coordinator, reader):
    for number in range(3):
        factories.item(case_key="k" if number != 1 else "")
    factories.submission(factories.release(), "zeta")

    study = services.create_study(design=world.design(reader, submissions=["zeta"]), actor=coordinator)

    assert list(study.study_items.values_list("cluster", flat=True)) == ["IT-000001", "IT-000002", "IT-000001"]


def test_a_person_finds_only_submissions_they_may_see(coordinator, reader):
    made = world.released(1)
    factories.enroll(factories.study(made.release, slug="earlier", state="running"), coordinator)

    found = problems(world.design(reader, submissions=["zeta"]), coordinator)

    assert found == ["submissions: zeta: is no system or submission of liver"]


def command(tmp_path, data, *options) -> str:
    file = tmp_path / "design.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    out = StringIO()
    call_command("create_study", str(file), *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_balance_report(tmp_path, coordinator, reader, other_reader):
    world.released()
    data = world.design_data(reader, other_reader)

    printed = command(tmp_path, data, "--coordinator", coordinator.username)

    assert "round-1: Round one, draft, on liver@1.0, seed 7" in printed
    assert "6 items, 24 readings, 2 to 2 readers per item" in printed
    assert "system × reader: balanced" in printed
    assert Study.objects.get().enrollments.get(role="coordinator").user == coordinator


def test_the_command_can_open_and_answer_in_json(tmp_path, coordinator, reader, other_reader):
    world.released()
    data = world.design_data(reader, other_reader, coordinators=[coordinator.username])

    answer = json.loads(command(tmp_path, data, "--open", "--json"))

    assert (answer["state"], answer["readings"], answer["balanced"]) == ("running", 24, True)
    assert len(answer["design_hash"]) == 64


@pytest.mark.parametrize(
    ("data", "words", "code"),
    [
        ("{", "is not JSON", 2),
        (json.dumps([1]), "design: [1]: must be a JSON object", 1),
        ("{}", "name: is missing\nslug: is missing", 1),
    ],
)
def test_the_command_refuses_with_a_reason_and_a_code(tmp_path, db, data, words, code):
    with pytest.raises(CommandError, match=None) as caught:
        command(tmp_path, data)

    assert words in str(caught.value) and caught.value.returncode == code


def test_the_command_needs_somebody_who_runs_the_study(tmp_path, reader):
    world.released(1)

    with pytest.raises(CommandError, match="coordinators: names nobody"):
        command(tmp_path, world.design_data(reader))

    assert Study.objects.count() == 0


def test_a_refused_opening_leaves_no_draft(tmp_path, coordinator, reader):
    world.released(1)

    with pytest.raises(CommandError, match="2 readers per item, but the study has 1"):
        command(tmp_path, world.design_data(reader), "--open", "--coordinator", coordinator.username)

    assert Study.objects.count() == 0
