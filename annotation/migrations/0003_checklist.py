"""The checklist T3 for the validation of items."""

from django.db import migrations

from annotation.curation import library


def forwards(apps, schema_editor):
    library.load(apps.get_model("annotation", "Checklist"), apps.get_model("annotation", "ChecklistQuestion"))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_rubrics")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
