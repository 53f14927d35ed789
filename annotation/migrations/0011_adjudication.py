"""Acts on cases that readers' grades leave open, written once; and the role of those who decide them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from annotation.audit import triggers

TABLE = ["annotation_adjudication"]
ROLES = [
    ("reader", "Reader"), ("adjudicator", "Adjudicator"), ("coordinator", "Coordinator"), ("analyst", "Analyst"),
]  # fmt: skip
TRIGGERS = [
    ("safety", "safety flag"), ("reference", "reference called wrong"), ("spread", "readers lie 2 or more apart"),
    ("manual", "asked for by a coordinator"),
]  # fmt: skip
CAUSES = [
    ("reader_error", "a reader erred"), ("reference_wrong", "the reference is wrong"),
    ("rubric_unclear", "the rubric is unclear"), ("both_defensible", "both views are defensible"),
    ("output_ambiguous", "the output can be read in two ways"), ("other", "something else, said in the rationale"),
]  # fmt: skip
ACTS = [("requested", "Requested"), ("decided", "Decided"), ("reopened", "Reopened")]
SUBJECTS = [("safety", "Safety"), ("reference", "Reference"), ("criterion", "Criterion")]
VERDICTS = [("confirmed", "Confirmed"), ("refuted", "Refuted")]
LEVELS = [("moderate", "Moderate"), ("severe", "Severe")]


def install(apps, schema_editor):
    triggers.install(schema_editor.connection, TABLE)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection, TABLE)


def _to(model, name="adjudications", **fields):
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=name, to=model, **fields)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0010_unblinding")]

    operations = [
        migrations.AlterField("enrollment", "role", models.CharField(choices=ROLES, max_length=11)),
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(choices=SUBJECTS, max_length=9)),
                ("case_key", models.UUIDField(editable=False)),
                ("version", models.PositiveSmallIntegerField()),
                ("act", models.CharField(choices=ACTS, max_length=9)),
                ("trigger", models.CharField(choices=TRIGGERS, max_length=9)),
                ("value", models.FloatField(blank=True, null=True)),
                ("verdict", models.CharField(blank=True, choices=VERDICTS, max_length=9)),
                ("level", models.CharField(blank=True, choices=LEVELS, max_length=8)),
                ("cause", models.CharField(blank=True, choices=CAUSES, max_length=16)),
                ("rationale", models.TextField()),
                ("inputs", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("author", _to(settings.AUTH_USER_MODEL)),
                ("criterion", _to("annotation.criterion", "+", blank=True, null=True)),
                ("output", _to("annotation.output")),
                ("study", _to("annotation.study")),
            ],
            options={
                "ordering": ["created_at"],
                "constraints": [
                    models.UniqueConstraint(fields=["case_key", "version"], name="adjudication_version_once"),
                    models.CheckConstraint(condition=~models.Q(rationale=""), name="adjudication_has_a_rationale"),
                    models.CheckConstraint(
                        condition=models.Q(subject="criterion", criterion__isnull=False)
                        | (~models.Q(subject="criterion") & models.Q(criterion=None)),
                        name="adjudication_of_a_criterion_names_it",
                    ),
                    models.CheckConstraint(
                        condition=(~models.Q(act="decided") & models.Q(value=None, verdict="", level="", cause=""))
                        | (
                            models.Q(act="decided", subject="criterion", value__isnull=False, verdict="")
                            & ~models.Q(cause="")
                        )
                        | (
                            models.Q(act="decided", value=None)
                            & ~models.Q(subject="criterion")
                            & ~models.Q(verdict="")
                            & ~models.Q(cause="")
                        ),
                        name="adjudication_decides_what_is_asked",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
