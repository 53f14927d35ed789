"""Threat P07 for readers: a reading whose picture was lost or changed says so, shows nothing and takes no grade."""

import json

import pytest

from annotation.assets.services import store_file
from annotation.datasets.models import ItemImage
from annotation.grading.models import Grade
from annotation.imaging.sandbox import Decoder
from tests.annotation.grading import world as grading
from tests.hostile.test_storage_faults import DAMAGES, stored

__all__ = ["stored"]


@pytest.mark.parametrize("name", DAMAGES)
def test_P07_a_reading_with_a_damaged_picture_says_so_and_takes_no_grade(stored, reader, sign_in, name):
    asset, path = stored
    made = grading.small_study(reader)
    reading = made.readings[0]
    ItemImage.objects.filter(revision=reading.study_item.revision, role="input").update(asset=asset)
    client, address = sign_in(reader), f"/readings/{reading.pk}/"
    assert client.get(f"{address}reading.json").json()["locked_reason"] is None
    DAMAGES[name][0](asset)

    shown = client.get(f"{address}reading.json").json()
    frames = client.get(shown["panes"][0]["frames"].replace(".json", ".bin"))
    body = json.dumps(grading.submission_body())
    refused = client.post(f"{address}submit/", body, content_type="application/json")

    assert "cannot be graded until it is mended" in shown["locked_reason"]
    assert frames.status_code == (
        200 if "stored" in name and "deleted" in name else 404 if "deleted" in name else 410
    )
    assert refused.status_code == 409 and "cannot be graded" in refused.json()["error"]
    assert Grade.objects.count() == 0
    with Decoder() as decoder:
        store_file(path, decoder=decoder)
    taken = client.post(f"{address}submit/", body, content_type="application/json")
    assert taken.status_code == 200, taken.content
    assert Grade.objects.count() == 1
