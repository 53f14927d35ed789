"""Checksums of frames and thumbnails; what lies in the store now is taken as it is."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.db import migrations, models

SUFFIXES = {"frames_sha256": ".frames", "thumbnail_sha256": ".thumb.png"}


def take_checksums(apps, schema_editor):
    assets = apps.get_model("annotation", "Asset").objects
    for pk, sha256 in assets.values_list("pk", "sha256").iterator(chunk_size=500):
        found = {}
        for field, suffix in SUFFIXES.items():
            path = Path(settings.MEDGEN_ASSETS) / sha256[:2] / sha256[2:4] / f"{sha256}{suffix}"
            if path.is_file():
                with path.open("rb") as file:
                    found[field] = hashlib.file_digest(file, "sha256").hexdigest()
        if found:
            assets.filter(pk=pk).update(**found)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0006_triggers")]

    operations = [
        migrations.AddField("asset", "frames_sha256", models.CharField(blank=True, default="", max_length=64), False),
        migrations.AddField(
            "asset", "thumbnail_sha256", models.CharField(blank=True, default="", max_length=64), False
        ),
        migrations.RunPython(take_checksums, migrations.RunPython.noop),
    ]
