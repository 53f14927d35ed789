"""Why a picture may carry text in its pixels, and what curators said of it.

Pictures that are there already are asked what their rows and stored files still tell: the flag of their file, the SOP
class of the stored DICOM, the modality. Suspected ones are in quarantine from now on, since nobody has looked.
"""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from annotation.audit import triggers

RISKS = [
    ("stated", "the file says that text is drawn into the pixels"),
    ("label", "a label or overview picture of a slide"),
    ("ultrasound", "ultrasound, and the file does not say"),
    ("captured", "a secondary capture, and the file does not say"),
    ("kind", "of a device that draws on its pictures, and the file does not say"),
    ("unknown", "nothing is known: the format does not say"),
    ("unlikely", "the file does not say; its kind seldom has some"),
    ("denied", "the file says no"),
]
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ULTRASOUND = {
    "1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.6.2", "1.2.840.10008.5.1.4.1.1.6.3",
}  # fmt: skip
CLASS_ELEMENT = b"\x02\x00\x02\x00UI"  # (0002,0002) in Explicit VR Little Endian, as every stored file has it


def ask_stored_pictures(apps, schema_editor):
    assets = apps.get_model("annotation", "Asset").objects
    rows = assets.values_list("pk", "sha256", "media_type", "suffix", "modality", "burned_in", "flags")
    for pk, sha256, media_type, suffix, modality, burned_in, flags in list(rows):
        risk = _risk(media_type, modality, burned_in, flags, lambda place=(sha256, suffix): _sop_class(*place))
        if risk != "unknown":
            assets.filter(pk=pk).update(text_risk=risk)


def _risk(media_type, modality, burned_in, flags, sop_class):
    if burned_in or "burned_in_text" in flags:
        return "stated"
    if burned_in is False:
        return "denied"
    if media_type != "application/dicom":
        return "unknown"
    known = sop_class()
    if known in ULTRASOUND or modality in ("US", "IVUS", "BDUS"):
        return "ultrasound"
    if known == CAPTURE or known.startswith(f"{CAPTURE}."):
        return "captured"
    if modality in ("OT", "SC", "DOC", "ES", "XC"):
        return "kind"
    if "burned_in_unknown" in flags:
        return "captured"
    return "unlikely" if known or modality else "unknown"


def _sop_class(sha256, suffix):
    path = Path(settings.MEDGEN_ASSETS) / sha256[:2] / sha256[2:4] / f"{sha256}{suffix}"
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return ""
    at = head.find(CLASS_ELEMENT)
    if at < 0:
        return ""
    length = int.from_bytes(head[at + 6 : at + 8], "little")
    return head[at + 8 : at + 8 + length].decode("ascii", "replace").strip("\0 ")


def install(apps, schema_editor):
    triggers.install(schema_editor.connection, ["annotation_pixelverdict"])


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection, ["annotation_pixelverdict"])


class Migration(migrations.Migration):
    dependencies = [("annotation", "0008_session_epoch")]

    operations = [
        migrations.AddField("asset", "text_risk", models.CharField(max_length=12, choices=RISKS, default="unknown")),
        migrations.AddField("importjob", "quarantined", models.PositiveIntegerField(default=0)),
        migrations.CreateModel(
            name="PixelVerdict",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        max_length=6,
                        choices=[
                            ("clear", "no identifying text"),
                            ("held", "kept in quarantine"),
                            ("masked", "masked: another picture took its place"),
                        ],
                    ),
                ),
                ("text_risk", models.CharField(max_length=12, choices=RISKS)),
                ("rectangles", models.JSONField(blank=True, default=list)),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="annotation.asset"
                    ),
                ),
                (
                    "replacement",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="masks_of",
                        to="annotation.asset",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["asset", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("asset", "number"), name="pixel_verdict_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "masked"), ("replacement__isnull", False)),
                            models.Q(models.Q(("kind", "masked"), _negated=True), ("replacement", None)),
                            _connector="OR",
                        ),
                        name="masked_has_replacement",
                    ),
                ],
            },
        ),
        migrations.RunPython(ask_stored_pictures, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
