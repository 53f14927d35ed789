"""Which of two or more outputs a reader finds best: studies that ask it, and what readers answer."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from annotation.audit import triggers

TABLES = [
    "annotation_preference", "annotation_preferencechoice", "annotation_preferenceflag", "annotation_preferenceerror",
]  # fmt: skip
MODES = [
    ("one", "one output per reading"), ("all", "all outputs of an item side by side"),
    ("pair", "two outputs of an item: which is better"), ("rank", "all outputs of an item: which is best"),
]  # fmt: skip
CHOICES = [
    ("left", "left is better"), ("right", "right is better"), ("tie", "equally good"),
    ("both_bad", "neither is usable"), ("best", "one is best"), ("all_bad", "none is usable"),
]  # fmt: skip
STRENGTHS = [("slight", "could be argued"), ("clear", "most would agree"), ("strong", "no doubt")]
LEVELS = [("low", "Low"), ("moderate", "Moderate"), ("severe", "Severe")]
PICKS = models.Q(choice__in=["left", "right", "best"])
NAMED = (PICKS & models.Q(chosen__isnull=False)) | (~PICKS & models.Q(chosen=None))
PROTECT, CASCADE = django.db.models.deletion.PROTECT, django.db.models.deletion.CASCADE


def install(apps, schema_editor):
    triggers.install(schema_editor.connection, TABLES)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection, TABLES)


def _to(model, name="+", on_delete=PROTECT, **more):
    return models.ForeignKey(on_delete=on_delete, related_name=name, to=model, **more)


def _key():
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def _choice():
    return ("choice", models.CharField(choices=CHOICES, max_length=8))


def _chosen():
    return ("chosen", _to("annotation.readingoutput", blank=True, null=True))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0012_designs")]

    operations = [
        migrations.AlterField(
            "study", "outputs_per_reading", models.CharField(choices=MODES, default="one", max_length=8)
        ),
        migrations.AddField("study", "pairs_per_item", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("study", "compare_criteria", models.BooleanField(default=False)),
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("version", models.PositiveSmallIntegerField(default=1)),
                _choice(),
                ("strength", models.CharField(blank=True, choices=STRENGTHS, max_length=6)),
                ("rationale", models.TextField(blank=True)),
                ("reference_wrong", models.BooleanField(default=False)),
                ("reason_for_change", models.TextField(blank=True)),
                ("active_ms", models.PositiveBigIntegerField(default=0)),
                ("idle_ms", models.PositiveBigIntegerField(default=0)),
                ("viewing", models.JSONField(blank=True, default=dict)),
                ("client_time", models.DateTimeField(blank=True, null=True)),
                ("submit_key", models.UUIDField()),
                ("submitted_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("author", _to(settings.AUTH_USER_MODEL, "preferences")),
                _chosen(),
                ("reading", _to("annotation.reading", "preferences")),
            ],
            options={
                "ordering": ["submitted_at"],
                "constraints": [
                    models.UniqueConstraint(fields=["reading", "version"], name="preference_version_once"),
                    models.UniqueConstraint(fields=["reading", "submit_key"], name="preference_submitted_once"),
                    models.CheckConstraint(
                        condition=models.Q(version=1) | ~models.Q(reason_for_change=""),
                        name="preference_amendment_has_a_reason",
                    ),
                    models.CheckConstraint(condition=NAMED, name="preference_names_what_it_picks"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreferenceChoice",
            fields=[
                _key(),
                _choice(),
                _chosen(),
                ("criterion", _to("annotation.criterion")),
                ("preference", _to("annotation.preference", "choices", CASCADE)),
            ],
            options={
                "ordering": ["preference", "criterion__rubric", "criterion__position"],
                "constraints": [
                    models.UniqueConstraint(fields=["preference", "criterion"], name="choice_once_per_criterion"),
                    models.CheckConstraint(condition=NAMED, name="choice_names_what_it_picks"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreferenceFlag",
            fields=[
                _key(),
                ("safety", models.CharField(choices=LEVELS, max_length=8)),
                ("preference", _to("annotation.preference", "flags", CASCADE)),
                ("reading_output", _to("annotation.readingoutput")),
            ],
            options={
                "ordering": ["preference", "reading_output"],
                "constraints": [
                    models.UniqueConstraint(fields=["preference", "reading_output"], name="flag_once_per_output")
                ],
            },
        ),
        migrations.CreateModel(
            name="PreferenceError",
            fields=[
                _key(),
                ("nowhere", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("error_code", _to("annotation.errorcode")),
                ("preference", _to("annotation.preference", "errors", CASCADE)),
                ("reading_output", _to("annotation.readingoutput")),
            ],
            options={
                "ordering": ["preference", "reading_output", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["preference", "reading_output", "position"], name="one_error_per_position"
                    )
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
