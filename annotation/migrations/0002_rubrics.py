"""The rubrics T1 and T6 and the error codes."""

from django.db import migrations

from annotation.studies import library


def forwards(apps, schema_editor):
    model = apps.get_model
    library.load(
        model("annotation", "Rubric"),
        model("annotation", "Criterion"),
        model("annotation", "Anchor"),
        model("annotation", "ErrorCode"),
    )


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
