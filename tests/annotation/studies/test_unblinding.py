"""Names in texts are found however they are written; a coordinator masks or accepts, and readers never see them."""

import uuid
from itertools import pairwise

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.audit.models import Event
from annotation.studies import unblinding
from annotation.studies.errors import StudyError
from annotation.studies.models import UnblindingRisk
from annotation.systems.models import OutputPart
from annotation.systems.naming import MASK, find_names, masked
from tests import factories
from tests.annotation.grading import world

NAMES = ["Zebra Net", "aurora-7", "GPT-4"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("As Zebra Net, I see a liver.", "Zebra Net"),
        ("as ZEBRANET i see", "ZEBRANET"),
        ("(zebra_net)", "zebra_net"),
        ("Zébra‑Nét says", "Zébra‑Nét"),
        ("Ze\u200bbra\u00a0Net", "Ze\u200bbra\u00a0Net"),
        ("ＺＥＢＲＡ ｎｅｔ", "ＺＥＢＲＡ ｎｅｔ"),
        ("model gpt 4 wrote", "gpt 4"),
        ("Aurora 7.", "Aurora 7"),
    ],
)
def test_a_name_is_found_however_it_is_written(text, written):
    assert [each.written for each in find_names(text, NAMES)] == [written]
    assert written not in masked(text, NAMES)
    assert MASK in masked(text, NAMES)


@pytest.mark.parametrize("text", ["zebra networks", "auroral 7", "GPT-40", "aurora-70", "a zebra. Net", ""])
def test_another_word_is_not_taken_for_a_name(text):
    found = [each.written for each in find_names(text, NAMES)]

    assert found == (["zebra. Net"] if text == "a zebra. Net" else [])


def test_names_too_short_to_mean_anything_are_not_looked_for():
    assert find_names("A b on 2 is v2", ["A", "b", "v2", "--"]) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=120), st.lists(st.text(max_size=12), max_size=3))
def test_no_name_is_left_after_masking(text, names):
    assert find_names(masked(text, names).replace(MASK, " "), names) == [] or MASK in masked(text, names)
    places = find_names(text, names)
    assert all(first.end <= second.start for first, second in pairwise(places))


@pytest.fixture
def made(db, reader, coordinator):
    study = world.small_study(reader)
    factories.enroll(study.study, coordinator, "coordinator")
    part = OutputPart.objects.get(output=study.submissions[0].outputs.get(), kind="text")
    OutputPart.objects.filter(pk=part.pk).update(text="As Zephyrion Werke, I see no fracture. ZEPHYRION is sure.")
    return study


def shown_texts(client, readings) -> str:
    return "".join(
        client.get(reverse("annotation:reading-json", args=[each.pk])).content.decode() for each in readings
    )


def test_a_masked_name_never_reaches_the_reader_and_stays_in_the_store(made, reader, coordinator, sign_in):
    assert unblinding.scan(study=made.study, actor=coordinator) == 1
    risk = made.study.unblinding_risks.get()
    assert {place["written"] for place in risk.evidence["places"]} == {"Zephyrion Werke", "ZEPHYRION"}
    client = sign_in(reader)
    assert "Zephyrion" in shown_texts(client, made.readings)

    answer = sign_in(coordinator).post(
        reverse("annotation:blinding-decide", args=[made.study.slug]), {"risk": risk.pk, "decision": "masked"}
    )

    assert answer.status_code == 302
    said = shown_texts(client, made.readings)
    assert "zephyrion" not in said.casefold()
    assert f"As {MASK}, I see no fracture. {MASK} is sure." in said
    assert OutputPart.objects.filter(text__contains="Zephyrion").exists()
    assert Event.objects.filter(verb="unblinding risk decided").get().details["decision"] == "masked"


def test_accepting_needs_a_reason_and_pictures_are_never_masked(made, coordinator):
    unblinding.scan(study=made.study, actor=coordinator)
    risk = made.study.unblinding_risks.get()

    with pytest.raises(StudyError, match="10 to 300"):
        unblinding.decide(risks=[risk], decision="accepted", reason="ok", actor=coordinator)
    picture = UnblindingRisk(study=made.study, output=risk.output, kind="size")
    with pytest.raises(StudyError, match="not altered"):
        unblinding.decide(risks=[picture], decision="masked", reason="", actor=coordinator)


def test_scanning_again_keeps_what_was_decided(made, coordinator):
    unblinding.scan(study=made.study, actor=coordinator)
    unblinding.decide(
        risks=made.study.unblinding_risks.all(),
        decision="accepted",
        reason="Style alone tells it.",
        actor=coordinator,
    )

    assert unblinding.scan(study=made.study, actor=coordinator) == 0
    assert made.study.unblinding_risks.get().decision == "accepted"


def test_pictures_of_another_size_or_depth_are_listed(db, reader, coordinator):
    made = world.small_study(reader, formats=("image_editing",))
    odd = OutputPart.objects.get(output=made.submissions[1].outputs.get(), kind="image").asset
    type(odd).objects.filter(pk=odd.pk).update(width=32, channels=3)

    unblinding.scan(study=made.study, actor=coordinator)

    kinds = made.study.unblinding_risks.values_list("kind", flat=True)
    assert sorted(kinds) == ["channels", "channels", "size", "size"], "of two, neither is the usual one"


def test_only_a_coordinator_sees_and_decides(made, reader, analyst, sign_in):
    page = reverse("annotation:study-blinding", args=[made.study.slug])

    assert sign_in(reader).get(page).status_code == 403
    assert sign_in(analyst).get(page).status_code == 404


@pytest.mark.parametrize(
    "values", [{}, {"risk": "x"}, {"risk": "9" * 30}, {"kind": "smell"}, {"kind": "text", "decision": "?"}]
)
def test_a_decision_that_is_none_is_refused_in_words(made, coordinator, sign_in, values):
    unblinding.scan(study=made.study, actor=coordinator)
    page = sign_in(coordinator).post(reverse("annotation:blinding-decide", args=[made.study.slug]), values)

    assert page.status_code == 422


def test_a_coordinator_who_reads_in_the_study_does_not_see_the_risks(made, reader, sign_in):
    factories.enroll(made.study, reader, "coordinator")

    assert sign_in(reader).get(reverse("annotation:study-blinding", args=[made.study.slug])).status_code == 404


def test_a_text_that_came_in_later_is_shown_at_once_and_becomes_a_risk(made, reader, coordinator, sign_in):
    address = reverse("annotation:study-blinding", args=[made.study.slug])
    unblinding.scan(study=made.study, actor=coordinator)
    drawn = made.submissions[1].outputs.get()
    later = uuid.uuid4()
    made.submissions[1].outputs.update(superseded_by=later)
    newer = factories.output(made.submissions[1], drawn.revision, version=2, id=later)
    OutputPart.objects.filter(output=newer, kind="text").update(text="Quasarnet is sure.")

    before = sign_in(coordinator).get(address).content.decode()
    n_open = unblinding.scan(study=made.study, actor=coordinator)
    after = sign_in(coordinator).get(address).content.decode()

    assert "1 output came in since the last scan" in before and "(“Quasarnet”)" in before
    assert n_open == 2
    assert made.study.unblinding_risks.get(output=newer).kind == "text"
    assert "came in since" not in after and "Last scanned" in after
    assert "Quasarnet" not in shown_texts(sign_in(reader), made.readings), "readings keep what was drawn"
