"""The upgrade asks pictures that are there already what their rows and stored files still tell."""

from importlib import import_module

import pytest
from django.apps import apps

from annotation.assets.models import Asset
from annotation.assets.services import store_file
from annotation.imaging.sandbox import Decoder
from tests import factories, images

pytestmark = pytest.mark.django_db
ULTRASOUND_CLASS = "1.2.840.10008.5.1.4.1.1.6.1"
DICOM = {"media_type": "application/dicom", "suffix": ".dcm"}
ROWS = [
    ({**DICOM, "burned_in": True}, "stated"),
    ({"flags": ["burned_in_text"]}, "stated"),
    ({**DICOM, "burned_in": False, "modality": "US"}, "denied"),
    ({**DICOM, "modality": "US"}, "ultrasound"),
    ({**DICOM, "modality": "OT"}, "kind"),
    ({**DICOM, "modality": "CT", "flags": ["burned_in_unknown"]}, "captured"),
    ({**DICOM, "modality": "CT"}, "unlikely"),
    (DICOM, "unknown"),
    ({}, "unknown"),
]


def upgrade() -> None:
    import_module("annotation.migrations.0009_quarantine").ask_stored_pictures(apps, None)


@pytest.mark.parametrize(("fields", "expected"), ROWS)
def test_a_row_says_what_it_still_knows(fields, expected):
    asset = factories.asset(**fields)

    upgrade()

    asset.refresh_from_db()
    assert asset.text_risk == expected


def test_the_stored_file_is_asked_for_its_class(tmp_path):
    with Decoder() as decoder:
        found = [
            store_file(images.save_dicom(tmp_path / f"{number}.dcm", images.dicom(pixels, **fields)), decoder=decoder)
            for number, (pixels, fields) in enumerate(
                [
                    (images.texture(seed=1), {"SOPClassUID": ULTRASOUND_CLASS}),
                    (images.texture(seed=2), {"SOPClassUID": images.CAPTURE_CLASS}),
                    (images.texture(seed=3), {}),
                ]
            )
        ]
    Asset.objects.update(text_risk="unknown", flags=[], burned_in=None)

    upgrade()

    assert [Asset.objects.get(pk=asset.pk).text_risk for asset in found] == ["ultrasound", "captured", "unlikely"]
