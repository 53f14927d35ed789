"""What only one of the two databases would take is refused by both, through every door; searches find alike.

The same tests run on SQLite and on PostgreSQL.
"""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, transaction
from django.urls import reverse

from annotation.datasets.bulk import insert_rows
from annotation.datasets.importing import import_items
from annotation.datasets.models import Dataset, ImportProblem, Item
from annotation.grading.models import Draft
from annotation.people.models import User
from annotation.studies.models import Reading
from scoring.runs.models import MetricSettings
from tests import factories
from tests.annotation.datasets.builders import vqa

pytestmark = pytest.mark.django_db
NUL, HALF = "a\0b", "a\ud800b"
TEXTS = [(NUL, "NUL"), (HALF, "half a character")]
NUMBERS = [(float("nan"), "finite"), (float("inf"), "finite"), (float("-inf"), "finite")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        *[({"name": text}, words) for text, words in TEXTS],
        *[({"description": text}, words) for text, words in TEXTS],
        ({"name": "x" * 121}, "has 121 characters, the limit is 120"),
    ],
)
def test_a_text_is_refused_by_its_field(fields, words):
    with pytest.raises(DataError, match=f"dataset: (name|description): .*{words}"), transaction.atomic():
        Dataset.objects.create(**{"slug": "liver", "name": "Liver", **fields})

    assert not Dataset.objects.exists()


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 10**30])
def test_a_whole_number_that_no_column_holds_is_refused(number):
    dataset = factories.dataset()

    with pytest.raises(DataError, match=r"item: number: .*must be from 0 to 2147483647"), transaction.atomic():
        Item.objects.create(dataset=dataset, number=number)


@pytest.mark.parametrize(("number", "words"), NUMBERS)
def test_a_number_that_is_none_is_refused(number, words):
    made = MetricSettings.objects.create(metric="ssim", version="1", settings_hash="x")

    with pytest.raises(DataError, match=words), transaction.atomic():
        made.values.create(output_id=1, value=number)
    with pytest.raises(DataError, match=words), transaction.atomic():
        made.values.update(value=number)


@pytest.mark.parametrize(
    ("inner", "words"), [(NUL, "NUL"), (HALF, "half a character"), (float("nan"), "finite"), (float("inf"), "finite")]
)
@pytest.mark.parametrize("inside", [lambda x: {"a": [{"b": x}]}, lambda x: [x], lambda x: {"key": x}])
def test_json_is_refused_for_what_lies_deep_in_it(inner, words, inside):
    reading = Reading(pk="00000000-0000-4000-8000-000000000000")

    with pytest.raises(DataError, match=f"draft: payload: .*{words}"), transaction.atomic():
        Draft.objects.create(reading=reading, payload=inside(inner))


def test_every_way_of_writing_is_checked():
    dataset = factories.dataset()
    ways = {
        "save": lambda: Dataset(slug="x", name=NUL).save(),
        "bulk_create": lambda: Dataset.objects.bulk_create([Dataset(slug="x", name=NUL)]),
        "update": lambda: Dataset.objects.update(name=NUL),
        "bulk_update": lambda: Dataset.objects.bulk_update([Dataset(pk=dataset.pk, name=NUL)], ["name"]),
        "update_or_create": lambda: Dataset.objects.update_or_create(slug="liver", defaults={"name": NUL}),
        "insert_rows": lambda: insert_rows(ImportProblem, ["rule"], [[NUL]]),
    }

    for name, way in ways.items():
        with pytest.raises(DataError, match="NUL"), transaction.atomic():
            way()
        assert Dataset.objects.get().name == "Liver", name


@pytest.mark.parametrize("asked", [NUL, HALF, "x" * 100_000])
def test_nothing_equals_a_text_that_cannot_be_stored(asked):
    factories.dataset()

    for lookup in ("exact", "iexact", "contains", "icontains", "startswith"):
        assert Dataset.objects.filter(**{f"name__{lookup}": asked}).count() == 0
        assert Dataset.objects.exclude(**{f"name__{lookup}": asked}).count() == 1
    assert Dataset.objects.filter(slug__in=[asked, "liver"]).count() == 1
    assert Dataset.objects.filter(slug__in=[asked]).count() == 0


@pytest.mark.parametrize(
    ("lookup", "asked", "found"),
    [
        ("icontains", "ÄRZTE", True),
        ("icontains", "ärzte", True),
        ("icontains", "ο ΓΙΑΤΡΌΣ", True),
        ("icontains", "100%", True),
        ("icontains", "100_", False),
        ("istartswith", "für", True),
        ("iexact", "FÜR ÄRZTE: Ο ΓΙΑΤΡΌΣ 100%", True),
        ("contains", "ärzte", False),
        ("contains", "Ärzte", True),
        ("startswith", "für", False),
        ("startswith", "Für", True),
        ("endswith", "100%", True),
        ("exact", "für Ärzte: Ο γιατρός 100%", False),
    ],
)
def test_searches_find_alike_in_every_script(lookup, asked, found):
    factories.dataset(name="Für Ärzte: Ο γιατρός 100%")

    assert Dataset.objects.filter(**{f"name__{lookup}": asked}).exists() is found


def test_texts_are_ordered_by_code_point():
    names = ["b", "A", "a", "ä", "Z", "_", "10", "9", "É"]
    for place, name in enumerate(names):
        factories.dataset(slug=f"d{place}", name=name)

    assert list(Dataset.objects.order_by("name").values_list("name", flat=True)) == sorted(names)


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
def test_the_first_and_the_last_moment_come_back_as_they_went_in(moment):
    factories.dataset()

    Dataset.objects.update(created_at=moment)

    assert Dataset.objects.get().created_at == moment
    assert Dataset.objects.filter(created_at=moment).exists()


# The doors


@pytest.mark.parametrize(("text", "words"), [(NUL, "ull character"), ("x" * 151, "150 characters")])
def test_a_page_refuses_with_words_at_the_field(operator, sign_in, text, words):
    form = {"username": "anna", "name": text}

    answer = sign_in(operator).post(reverse("annotation:person-create"), form)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not User.objects.filter(username="anna").exists()


@pytest.mark.parametrize("query", ["q=%00", "q=%ED%A0%80", "page=%00", "q=" + "x" * 5000])
def test_a_search_with_such_a_text_is_answered(curator, sign_in, query):
    factories.item()

    answer = sign_in(curator).get(f"{reverse('annotation:item-list', args=['liver'])}?{query}")

    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("slug", ["%00", "a%00b", "%ED%A0%80"])
def test_an_address_with_such_a_text_leads_nowhere(curator, sign_in, slug):
    factories.dataset()

    answer = sign_in(curator).get(f"/datasets/liver/releases/{slug}/")

    assert answer.status_code == 404


@pytest.mark.parametrize("text", [NUL, HALF])
def test_the_interface_for_programs_refuses_the_body(operator, sign_in, text):
    body = json.dumps({"username": "anna", "name": text})

    answer = sign_in(operator).post("/api/v1/people/", body, content_type="application/json")

    assert answer.status_code == 400
    assert not User.objects.filter(username="anna").exists()


@pytest.mark.parametrize("name", [NUL, "x" * 151])
def test_a_command_refuses_the_argument(name):
    with pytest.raises((CommandError, DataError)):
        call_command("people", "add", "anna", "--name", name, stdout=StringIO())

    assert not User.objects.exists()


@pytest.mark.parametrize("value", ['"a\\u0000b"', '"a\\ud800b"', "NaN", "1e999", '"' + "x" * 70_000 + '"'])
@pytest.mark.parametrize("field", ["sample_id", "license"])
def test_an_import_names_the_line_and_the_field(tmp_path, field, value):
    text = json.dumps(vqa(1) | {field: "@"}).replace('"@"', value)
    (tmp_path / "items.jsonl").write_text(text + "\n", encoding="utf-8")

    summary = import_items(path=tmp_path / "items.jsonl", dataset_slug="liver", actor=None)

    assert not Item.objects.exists()
    assert [(problem.line, problem.fatal) for problem in summary.problems] == [(1, True)]
    assert summary.job.problems.get().line == 1
