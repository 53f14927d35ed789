"""Pages of calibration: every number with what entered, letters only, refusals in words, and only for whom it is."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation.adjudication.models import Adjudication
from annotation.systems.models import System
from annotation.work.executor import drain
from scoring.calibration import services, work
from scoring.calibration.models import Judge, Judgment, StatedLimit
from scoring.calibration.radar import row_key
from tests import factories
from tests.scoring.calibration.world import METRIC, analyst_of, kept, made

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with kept(django_db_blocker):
        yield made()


@pytest.fixture(scope="module")
def people(world, django_db_blocker):
    with django_db_blocker.unblock():
        return {role: analyst_of(world.study, role, role) for role in ("analyst", "coordinator")}


@pytest.fixture
def creator(db):
    return factories.person("creator", may_create_studies=True)


def page(sign_in, person, name, *args, **query):
    return sign_in(person).get(reverse(f"scoring:{name}", args=args), query)


def test_the_courtroom_shows_each_cell_with_n_and_missing_and_states_the_trials(sign_in, world, people):
    shown = page(sign_in, people["analyst"], "calibration", world.study.slug).content.decode()
    found = services.courtroom(world.study)
    cell = found["groups"][0]["cells"][0]

    assert f"<strong>{cell['value']:.2f}</strong>" in shown
    assert "n 41, 1 missing" in shown
    assert f"<strong>{found['family']} trials.</strong>" in shown
    assert "Nobody has stated one" in shown


def test_the_courtroom_is_sorted_by_the_column_asked_for(sign_in, world, people):
    key = services.courtroom(world.study)["measures"][1]["key"]

    shown = page(sign_in, people["analyst"], "calibration", world.study.slug, by="both", sort=f"-{key}")

    assert b'aria-sort="descending"' in shown.content
    assert f"sort={key}".encode() in shown.content.replace(b"%3A", b":")


def test_the_certificate_prints_the_numbers_of_the_service(sign_in, world, people):
    key = f"judge:{world.judge.pk}:overall"
    shown = page(sign_in, people["analyst"], "certificate", world.study.slug, measure=key).content.decode()
    found = services.certificate(world.study, key)

    for one in found["correlations"]:
        assert f"{one['value']:.3f}" in shown
        assert f"{one['ceiling']['human']:.3f}" in shown
    for name in ("bias", "lower", "upper"):
        assert f"{found['limits'][name]:.3f}" in shown
    assert f"{found['threshold']['threshold']:.4f}" in shown
    assert "1 graded without one (1 not measured)" in shown


def test_no_page_names_a_system_before_the_study_is_unblinded(sign_in, world, people):
    names = [name for row in System.objects.all() for name in (row.name, row.slug)]
    row = row_key(world.study, world.outputs()[0].pk)

    for name, args in (("calibration", []), ("certificate", []), ("radar", []), ("radar-detail", [row])):
        shown = page(sign_in, people["coordinator"], name, world.study.slug, *args)
        assert shown.status_code == 200
        assert not [one for one in names if one.lower() in shown.content.decode().lower()], name


def test_a_judge_named_like_a_system_is_a_number_until_names_are_open(sign_in, world, people):
    output = world.outputs()[0]
    criterion = Judgment.objects.first().criterion
    judge = Judge.objects.create(
        name="Aurora-judge 2", rubric=criterion.rubric, scale_min=1, scale_max=5, view="without_reference"
    )
    batch = world.judge.imports.first()
    Judgment.objects.create(batch=batch, judge=judge, output=output, criterion=criterion, value=3)

    shown = page(sign_in, people["analyst"], "certificate", world.study.slug).content.decode()

    assert "Aurora" not in shown
    assert "Judge 2: overall (judge)" in shown


def test_an_analyst_states_a_limit_and_a_bad_one_is_refused_in_words(sign_in, world, people):
    address = reverse("scoring:limit-state", args=[world.study.slug])
    client = sign_in(people["analyst"])
    good = {"kind": "kendall", "scope": "pooled", "limit": "0.55", "passes_from": ""}

    assert client.post(address, good).status_code == 302
    refused = client.post(address, good | {"passes_from": "9"})

    assert StatedLimit.objects.get(study=world.study).stated_by == people["analyst"]
    assert refused.status_code == 422
    assert "must lie within a scale of the study: 1 to 5" in refused.content.decode()


def test_a_coordinator_queues_an_output_for_adjudication_and_nobody_else_can(sign_in, world, people):
    row = row_key(world.study, world.outputs()[3].pk)
    address = reverse("scoring:radar-ask", args=[world.study.slug, row])
    asked = {"about": "safety", "reason": "Metrics praise it, readers do not."}

    assert sign_in(people["analyst"]).post(address, asked).status_code == 403
    assert sign_in(people["coordinator"]).post(address, asked).status_code == 302
    again = sign_in(people["coordinator"]).post(address, asked)

    act = Adjudication.objects.get(output=world.outputs()[3])
    assert (act.trigger, act.act, act.rationale) == ("manual", "requested", asked["reason"])
    assert again.status_code == 409
    assert "There is such a case already" in again.content.decode()


@pytest.mark.parametrize("about", ["", "nonsense"])
def test_a_case_about_nothing_is_refused(sign_in, world, people, about):
    row = row_key(world.study, world.outputs()[3].pk)

    refused = sign_in(people["coordinator"]).post(
        reverse("scoring:radar-ask", args=[world.study.slug, row]), {"about": about, "reason": "x"}
    )

    assert refused.status_code == 422


def test_readers_and_strangers_meet_nothing(sign_in, world, stranger):
    names = ("calibration", "certificate", "radar")
    answers = {
        page(sign_in, person, name, world.study.slug).status_code
        for person in (stranger, world.world.readers[0].user)
        for name in names
    }

    assert answers == {404}


@pytest.mark.parametrize("query", [{"measure": "metric:nothing"}, {"criterion": "T1:nothing"}])
def test_an_unknown_measure_or_criterion_is_404(sign_in, world, people, query):
    assert page(sign_in, people["analyst"], "certificate", world.study.slug, **query).status_code == 404


def test_a_large_study_is_computed_as_a_job(sign_in, world, people, monkeypatch):
    monkeypatch.setattr(work, "LONG", 1)
    key = f"metric:{METRIC}"
    client = sign_in(people["analyst"])
    address = reverse("scoring:certificate", args=[world.study.slug])

    before = client.get(address, {"measure": key, "criterion": "safety"}).content.decode()
    asked = client.post(
        reverse("scoring:calibration-compute", args=[world.study.slug]),
        {"what": "certificate", "measure": key, "criterion": "safety"},
    )
    drain()

    assert "Not computed for the present grades" in before
    assert "/jobs/" in asked["Location"]
    assert "Not computed" not in client.get(address, {"measure": key, "criterion": "safety"}).content.decode()


def test_pages_of_an_ungraded_study_say_what_is_needed(sign_in, world):
    study = factories.study(world.world.release, slug="empty", submissions=world.world.submissions, state="running")
    analyst = analyst_of(study, "somebody")

    shown = {name: page(sign_in, analyst, name, study.slug) for name in ("calibration", "certificate", "radar")}

    assert {answer.status_code for answer in shown.values()} == {200}
    assert b"No grade yet" in shown["calibration"].content
    assert b"No grade yet" in shown["certificate"].content
    assert b"No grade yet" in shown["radar"].content


def test_judgments_are_looked_at_and_then_imported(sign_in, world, creator):
    submission = world.world.submissions[0]
    address = reverse("scoring:judgment-list", args=[submission.pk])
    client = sign_in(creator)
    items = [output.revision.item.code for output in submission.outputs.select_related("revision__item")]
    said = "\n".join(json.dumps({"item": item, "scores": {"overall": "5/5"}}) for item in items[:2])
    form = {"judge": "other", "rubric": "T1@1.0", "scale": "1-5", "view": "with_reference", "prompt": ""}

    looked = client.post(address, form | {"file": SimpleUploadedFile("judged.jsonl", said.encode())})
    upload = looked.context["upload"].id
    done = client.post(address, {"upload": upload})

    assert looked.status_code == 200
    assert b"2 of them read out of words" in looked.content
    assert done.status_code == 302
    assert Judge.objects.get(name="other").judgments.filter(coerced=True).count() == 2
    assert b"other" in client.get(address).content


def test_an_upload_without_a_declaration_says_which(sign_in, world, creator):
    submission = world.world.submissions[0]
    address = reverse("scoring:judgment-list", args=[submission.pk])
    form = {"judge": "other", "rubric": "T1@1.0", "scale": "ten", "view": "with_reference"}

    refused = sign_in(creator).post(address, form | {"file": io.BytesIO(b"{}")})

    assert refused.status_code == 422
