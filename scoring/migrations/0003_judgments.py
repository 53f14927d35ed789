"""Judges and their judgments, limits stated for certificates, and the kinds of results that are kept for them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from annotation.audit import triggers

TABLES = ["scoring_judge", "scoring_judgmentimport", "scoring_judgment", "scoring_statedlimit"]
KINDS = [
    ("agreement", "Agreement"), ("leaderboard", "Leaderboard"), ("certificate", "Certificate"),
    ("courtroom", "Courtroom"),
]  # fmt: skip
VIEWS = [("with_reference", "with the reference in view"), ("without_reference", "without the reference")]


def install(apps, schema_editor):
    triggers.install(schema_editor.connection, TABLES)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection, TABLES)


def _to(model, name, **fields):
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=name, to=model, **fields)


def _key():
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0011_adjudication"),
        ("scoring", "0002_trust"),
    ]

    operations = [
        migrations.AlterField("analysisrun", "kind", models.CharField(choices=KINDS, max_length=12)),
        migrations.CreateModel(
            name="Judge",
            fields=[
                ("id", _key()),
                ("name", models.CharField(max_length=80)),
                ("scale_min", models.FloatField()),
                ("scale_max", models.FloatField()),
                ("view", models.CharField(choices=VIEWS, max_length=17)),
                ("prompt", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("rubric", _to("annotation.rubric", "judges")),
            ],
            options={
                "ordering": ["name", "created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["name", "rubric", "scale_min", "scale_max", "view", "prompt"], name="judge_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(scale_min__lt=models.F("scale_max")), name="judge_scale_rises"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JudgmentImport",
            fields=[
                ("id", _key()),
                ("file_sha256", models.CharField(max_length=64)),
                ("new", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("reasons", models.JSONField(default=dict)),
                ("problems", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("judge", _to("scoring.judge", "imports")),
                ("requested_by", _to(settings.AUTH_USER_MODEL, "+", blank=True, null=True)),
                ("submission", _to("annotation.submission", "judgment_imports")),
            ],
            options={"ordering": ["-created_at"]},
        ),
        migrations.CreateModel(
            name="Judgment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveSmallIntegerField(default=1)),
                ("value", models.FloatField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=24)),
                ("raw", models.TextField(blank=True)),
                ("coerced", models.BooleanField(default=False)),
                ("batch", _to("scoring.judgmentimport", "judgments")),
                ("judge", _to("scoring.judge", "judgments")),
                ("output", _to("annotation.output", "judgments")),
                ("criterion", _to("annotation.criterion", "judgments")),
            ],
            options={
                "ordering": ["output", "criterion", "version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["judge", "output", "criterion", "version"], name="judgment_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(value__isnull=False, reason="")
                        | (models.Q(value=None) & ~models.Q(reason="")),
                        name="judgment_value_or_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatedLimit",
            fields=[
                ("id", _key()),
                ("kind", models.CharField(max_length=8)),
                ("scope", models.CharField(max_length=13)),
                ("limit", models.FloatField()),
                ("passes_from", models.FloatField(blank=True, null=True)),
                ("n_grades", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("stated_by", _to(settings.AUTH_USER_MODEL, "+", blank=True, null=True)),
                ("study", _to("annotation.study", "stated_limits")),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(limit__gt=0, limit__lt=1), name="limit_is_a_correlation"
                    )
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
