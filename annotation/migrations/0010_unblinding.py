"""Unblinding is a state of its own, which two people bring about; who and when stand in the trail.

A study that was locked before this stays locked: it shows letters again until two people unblind it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0009_quarantine")]

    operations = [
        migrations.AlterField(
            "study",
            "state",
            models.CharField(
                max_length=9,
                choices=[
                    ("draft", "Draft"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("locked", "Locked"),
                    ("unblinded", "Unblinded"),
                ],
                default="draft",
            ),
        ),
        migrations.AddField("study", "unblinded_at", models.DateTimeField(null=True, blank=True)),
    ]
