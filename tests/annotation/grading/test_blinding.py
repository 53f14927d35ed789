"""Nothing that a reader can fetch says whose output it is: every byte of a whole graded study is scanned."""

import re

import pytest
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.datasets.models import ItemAlias
from annotation.studies.models import Reading, StudySystem
from annotation.systems.models import Output
from tests.annotation.grading import world
from tests.annotation.grading.test_reading_json import address

pytestmark = [pytest.mark.django_db, pytest.mark.walks]
FORMATS = ("vqa", "image_editing", "multimodal_generation")


def whole(response) -> bytes:
    """Status line, headers and body of an answer."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = f"{response.status_code} {response.headers}"
    return head.encode() + b"\n" + body


def planted(made) -> list[str]:
    """Everything that must not reach a reader."""
    words = ["zephyrion", "quasarnet", "werke"]
    for submission in made.submissions:
        words += [str(submission.pk), submission.code, str(submission.system_version.system.pk)]
    words += [str(pk) for pk in Output.objects.values_list("pk", flat=True)]
    words += list(Output.objects.values_list("content_hash", flat=True))
    for asset in Asset.objects.all():
        words += [asset.sha256, asset.sha256[:12], str(asset.pk)]
    return [word.lower() for word in words] + ["secret-alias", "it-00000"]


def walk(client, made, readings) -> list[bytes]:
    """All that the workstation and its pages fetch and post while a study is graded."""
    seen = [
        client.get(reverse(f"annotation:{name}", args=[made.study.slug])) for name in ("reading-list", "reading-next")
    ]
    for reading in readings:
        first = client.get(address(reading))
        seen += [first, client.get(address(reading, "reading-detail"))]
        data = first.json()
        for pane in data["panes"]:
            if pane["frames"]:
                header = client.get(pane["frames"])
                frames = client.get(header.json()["data"], headers={"range": "bytes=0-99"})
                again = client.get(header.json()["data"], headers={"if-none-match": frames.headers["ETag"]})
                assert (frames.status_code, again.status_code) == (206, 304)
                seen += [header, frames, again, client.get(header.json()["data"])]
        seen.append(client.get(address(reading, "pane-frames", len(data["panes"]))))
        seen += [send(client, data, "draft", world.draft_body(filled(data)))]
        seen += [send(client, data, "submit", world.submission_body({"outputs": {"A": {"scores": {}}}}))]
        seen += [send(client, data, "submit", world.submission_body(filled(data)))]
        seen += [send(client, data, "submit", world.submission_body(filled(data)))]
        seen += [send(client, data, "submit", world.submission_body(filled(data), reason="second thought"))]
        seen += [send(client, data, "skip", {"reason": "image problem"})]
        seen += [client.get(address(reading)), client.get(address(reading, "reading-json"))]
    seen.append(client.get(reverse("annotation:reading-list", args=[made.study.slug])))
    return [whole(response) for response in seen]


def filled(data):
    outputs = {}
    for output in data["outputs"]:
        codes = [c["code"] for rubric in data["rubrics"] for c in rubric["criteria"]]
        outputs[output["label"]] = world.entry(criteria=tuple(c for c in codes if c not in output["not_applicable"]))
    return {"outputs": outputs}


def send(client, data, name, body):
    return client.post(data["urls"][name], body, content_type="application/json")


@pytest.mark.parametrize("mode", ["one", "all"])
def test_no_byte_of_a_graded_study_names_a_system(reader, sign_in, mode):
    made = world.small_study(reader, formats=FORMATS, mode=mode)
    ItemAlias.objects.create(
        dataset=made.study.release.dataset, item_id=made.study.study_items.first().revision.item_id, scheme="id",
        value="secret-alias",
    )  # fmt: skip

    answers = walk(sign_in(reader), made, made.readings)

    assert Reading.objects.exclude(status="submitted").count() == 0
    for word in planted(made):
        found = [answer[:200] for answer in answers if word.encode() in answer.lower()]
        assert found == [], word


def test_the_letter_of_a_system_is_not_shown(reader, sign_in):
    made = world.small_study(reader)
    for number, row in enumerate(StudySystem.objects.all()):
        StudySystem.objects.filter(pk=row.pk).update(letter=f"XQ{number}")

    answers = walk(sign_in(reader), made, made.readings)

    assert not [answer for answer in answers if b"XQ" in answer]


def test_one_picture_under_two_addresses_shares_no_validator(reader, sign_in):
    made = world.small_study(reader, formats=("image_editing",))
    client = sign_in(reader)

    tags = [
        client.get(address(reading, name, 0)).headers["ETag"]
        for reading in made.readings
        for name in ("pane-frames", "pane-data")
    ]

    assert len(set(tags)) == 4


def test_all_outputs_come_with_the_same_content_type_and_without_a_name(reader, sign_in):
    made = world.small_study(reader, formats=("image_editing",), mode="all")
    Asset.objects.filter(output_parts__output__submission=made.submissions[0]).update(media_type="image/jpeg")
    client = sign_in(reader)

    answers = [client.get(address(made.readings[0], "pane-data", number)) for number in (2, 3)]

    assert {answer.headers["Content-Type"] for answer in answers} == {"application/octet-stream"}
    assert not any(answer.has_header("Content-Disposition") for answer in answers)
    assert not any(answer.has_header("Last-Modified") for answer in answers)


def test_addresses_hold_no_number_that_counts_rows(reader, sign_in):
    made = world.small_study(reader, formats=FORMATS)

    data = sign_in(reader).get(address(made.readings[0])).json()

    for url in [*data["urls"].values(), *(pane["frames"] for pane in data["panes"])]:
        assert url is None or re.fullmatch(
            r"(/readings/[0-9a-f-]{36}(/panes/\d)?|/studies/round-1)?(/[a-z.]+)*/?", url
        )


@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_pane_without_a_picture_is_not_there(reader, sign_in, number):
    made = world.small_study(reader)
    client = sign_in(reader)

    assert client.get(address(made.readings[0], "pane-frames", 0)).status_code == 200
    assert client.get(address(made.readings[0], "pane-frames", number)).status_code == 404
    assert client.get(address(made.readings[0], "pane-data", number)).status_code == 404
