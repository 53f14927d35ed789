"""What reader studies are designed of: roles of items and readings, repeats, two stages, admission, replacement.

Everything that was read until now is a main reading, graded with the reference.
"""

import django.db.models.deletion
from django.db import migrations, models

from annotation.audit import triggers

TABLE = ["annotation_grade"]
STATES = [
    ("draft", "Draft"), ("pilot", "Pilot"), ("running", "Running"), ("paused", "Paused"), ("locked", "Locked"),
    ("unblinded", "Unblinded"),
]  # fmt: skip
STAGES = [("without_reference", "without the reference"), ("with_reference", "with the reference")]
ASSIGNMENTS = [
    ("even", "as many readers per item as asked, mixed evenly"), ("crossed", "every reader reads every item"),
    ("incomplete", "balanced incomplete blocks: every two readers share equally many items"),
    ("anchored", "anchor items for all, the rest rotates"),
]  # fmt: skip
ITEM_ROLES = [
    ("main", "Main"), ("training", "Training"), ("attention", "attention check"), ("pilot", "Pilot"),
]  # fmt: skip
READING_ROLES = [
    ("main", "Main"), ("repeat", "Repeat"), ("training", "Training"), ("attention", "attention check"),
    ("pilot", "Pilot"),
]  # fmt: skip
CONTROLS = [
    ("blank", "a blank picture"), ("unrelated", "the output for an item of another modality"),
    ("same_modality", "the output for another item of the modality"),
    ("image_shuffle", "the input images of another item"), ("instruction_shuffle", "the instruction of another item"),
]  # fmt: skip


def install(apps, schema_editor):
    triggers.install(schema_editor.connection, TABLE)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection, TABLE)


def _to(model, name="+", kind=models.ForeignKey):
    return kind(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name=name, to=model)


def _small(default=0):
    return models.PositiveSmallIntegerField(default=default)


def _moment():
    return models.DateTimeField(blank=True, null=True)


STUDY = {
    "stages": _small(1),
    "assignment": models.CharField(choices=ASSIGNMENTS, default="even", max_length=10),
    "anchor_items": models.PositiveIntegerField(default=0),
    "repeats": _small(),
    "washout_days": _small(),
    "attention_items": _small(),
    "pilot_items": _small(),
    "admission": models.FloatField(blank=True, null=True),
    "design": models.JSONField(blank=True, default=dict),
    "piloted_at": _moment(),
}
ITEM = {
    "role": models.CharField(choices=ITEM_ROLES, default="main", max_length=9),
    "is_anchor": models.BooleanField(default=False),
    "control": models.CharField(blank=True, choices=CONTROLS, max_length=19),
    "partner": _to("annotation.itemrevision"),
    "stand_in": _to("annotation.asset"),
    "expected": models.JSONField(blank=True, default=dict),
    "feedback": models.TextField(blank=True),
}
ENROLLMENT = {"admitted_at": _moment(), "replaced_by": _to("annotation.enrollment", "replaces")}
READING = {
    "role": models.CharField(choices=READING_ROLES, default="main", max_length=9),
    "replicate": _small(1),
    "moved_from": _to("annotation.reading", "moved_to", models.OneToOneField),
    "void_reason": models.CharField(blank=True, max_length=60),
    "revealed_at": _moment(),
}
GRADE = {"stage": models.CharField(choices=STAGES, default="with_reference", max_length=17)}
FIELDS = {"study": STUDY, "studyitem": ITEM, "enrollment": ENROLLMENT, "reading": READING, "grade": GRADE}


class Migration(migrations.Migration):
    dependencies = [("annotation", "0011_adjudication")]

    operations = [
        migrations.RunPython(remove, install),
        migrations.AlterField("study", "state", models.CharField(max_length=9, choices=STATES, default="draft")),
        migrations.RemoveConstraint("grade", "grade_version_once"),
        *[
            migrations.AddField(model, name, field)
            for model, fields in FIELDS.items()
            for name, field in fields.items()
        ],
        migrations.AddConstraint(
            "grade",
            models.UniqueConstraint(fields=["reading_output", "stage", "version"], name="grade_version_once"),
        ),
        migrations.AddConstraint(
            "reading",
            models.CheckConstraint(
                condition=models.Q(role="repeat", replicate__gt=1)
                | (~models.Q(role="repeat") & models.Q(replicate=1)),
                name="only_repeats_are_replicates",
            ),
        ),
        migrations.AddConstraint(
            "study", models.CheckConstraint(condition=models.Q(stages__in=[1, 2]), name="one_or_two_stages")
        ),
        migrations.AddConstraint(
            "studyitem",
            models.CheckConstraint(
                condition=(models.Q(role="attention") & ~models.Q(control=""))
                | (~models.Q(role="attention") & models.Q(control="", partner=None, stand_in=None)),
                name="controls_are_attention_checks",
            ),
        ),
        migrations.RunPython(install, remove),
    ]
