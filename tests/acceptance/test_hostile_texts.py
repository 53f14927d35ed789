"""Whatever people or files say is shown as words: markup stays inert on every page that shows it."""

from typing import Any

import pytest
from django.test import Client

from annotation.curation.models import Checklist, Review, ReviewReason
from annotation.datasets.models import ImportJob, ImportProblem, ItemAlias
from annotation.studies.models import Enrollment, Study
from annotation.systems.models import System
from tests import factories
from tests.acceptance.addresses import ALL
from tests.acceptance.cases import decided_case
from tests.annotation.grading import world as grading

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert('mine')</script>"
IMAGE = '"><img src=x onerror=mine()>'
BRACES = "{{7*7}}{% debug %}${7*7}"
TURNED = "\u202eexe.gnp\u2066"
HOSTILE = f"{SCRIPT} {IMAGE} {BRACES} {TURNED} javascript:mine()"
LONG = "w" * 100_000
WITHOUT_HTML = ("json", "bin", "png", "csv", "xlsx")


@pytest.fixture
def world() -> dict[str, Any]:
    """A study in which every text that somebody can enter is hostile."""
    staff = factories.person("staff", name=HOSTILE[:150], is_operator=True, is_curator=True, may_create_studies=True)
    reader = factories.person("reading", name=IMAGE)
    made = grading.small_study(reader, formats=("vqa", "image_editing"))
    study, submission = made.study, made.submissions[0]
    Study.objects.filter(pk=study.pk).update(name=SCRIPT + IMAGE, instructions=HOSTILE)
    System.objects.filter(pk=submission.system_version.system_id).update(name=SCRIPT + BRACES, description=HOSTILE)
    item = study.study_items.order_by("pk").last().revision.item
    revision = item.current_revision
    texts = ("instruction", "reference_text", "synopsis", "why_selected", "source", "license", "reason")
    for name in (*texts, "declared_subtask", "observed_subtask"):
        limit = revision._meta.get_field(name).max_length
        setattr(revision, name, HOSTILE[:limit])
    revision.instruction += LONG
    revision.choices, revision.context = [HOSTILE, "B. x"], [[HOSTILE, HOSTILE]]
    revision.raw_terms, revision.notes = {"modality": HOSTILE}, [HOSTILE]
    revision.reference_sections = {SCRIPT: {IMAGE: HOSTILE}}
    revision.save()
    ItemAlias.objects.create(dataset=item.dataset, item=item, scheme="id", value=HOSTILE[:300])
    item.dataset.name, item.dataset.description = SCRIPT, HOSTILE
    item.dataset.save()
    review = Review.objects.create(
        revision=revision, reviewer=staff, checklist=Checklist.objects.first(), verdict="fix", comment=HOSTILE + LONG,
        synopsis=HOSTILE, why_selected=HOSTILE,
    )  # fmt: skip
    ReviewReason.objects.create(review=review, code="<script>")
    job = ImportJob.objects.create(
        kind="items", dataset=item.dataset, state="failed", failure=HOSTILE, requested_by=staff
    )
    ImportProblem.objects.create(job=job, file=HOSTILE[:300], line=1, field=IMAGE, value=SCRIPT, rule=HOSTILE)
    for role in ("coordinator", "analyst"):
        factories.enroll(study, staff, role)
    output = submission.outputs.get(revision=revision)
    output.error_text = HOSTILE
    output.save()
    return {
        "staff": staff, "reader": reader, "study": study, "item": item, "reading": made.readings[-1], "letter": "A",
        "submission": submission, "dataset": item.dataset, "system": System.objects.get(slug="zephyrion"),
        "output": output, "job": job, "person": reader, "enrollment": Enrollment.objects.filter(study=study).first(),
        "case": decided_case(study, rationale=HOSTILE),
    }  # fmt: skip


def test_no_page_lets_markup_out_of_a_text(world):
    wrong, shown, evaluated = [], 0, []
    for role in ("staff", "reader"):
        client = Client()
        client.force_login(world[role])
        for address in ALL:
            if address.name == "annotation:sign-out":
                continue
            path = address.filled(address.real(world))
            answer = client.get(path)
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            page = answer.content.decode()
            shown += "&lt;script&gt;alert(" in page
            wrong += [
                f"{path}: {text}" for text in ("<script>alert", "<img src=x", 'href="javascript:') if text in page
            ]
            evaluated += [path] if "&lt;script&gt;" in page and "49{" in page else []

    assert wrong == []
    assert evaluated == []
    assert shown >= 8


def test_braces_are_shown_as_they_were_typed(world):
    client = Client()
    client.force_login(world["staff"])

    page = client.get(f"/items/{world['item'].pk}/").content.decode()

    assert "{{7*7}}{% debug %}" in page
    assert TURNED in page


def test_a_word_of_a_hundred_thousand_letters_is_shown_whole(world):
    for role, path in (("staff", f"/items/{world['item'].pk}/"), ("reader", None)):
        client = Client()
        client.force_login(world[role])
        answer = client.get(path or f"/readings/{world['reading'].pk}/reading.json")

        assert answer.status_code == 200
        assert LONG in answer.content.decode()


def test_json_for_the_workstation_is_no_page_a_browser_would_render(world):
    client = Client()
    client.force_login(world["reader"])

    answer = client.get(f"/readings/{world['reading'].pk}/reading.json")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert SCRIPT in answer.json()["item"]["instruction"]
