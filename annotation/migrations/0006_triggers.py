"""Let the database refuse what would change or remove a written row."""

import django.utils.timezone
from django.db import migrations, models

from annotation.audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_append_only")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="grade",
                    name="submitted_at",
                    field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
                )
            ]
        ),
        migrations.RunPython(install, remove),
    ]
