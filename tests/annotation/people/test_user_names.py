"""User names: one spelling for creating and signing in, no twins in case or form."""

import pytest
from django.urls import reverse

from annotation.people import services
from annotation.people.errors import PeopleError
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_name_with_a_ligature_can_sign_in(client):
    made = services.create_person(username="ﬁona", name="Fiona", actor=None, password=factories.PASSWORD)

    answer = client.post(reverse("annotation:sign-in"), {"username": "ﬁona", "password": factories.PASSWORD})

    assert made.username == "fiona"
    assert answer.status_code == 302


@pytest.mark.parametrize("twin", ["ünal", "ÜNAL", "U\N{COMBINING DIAERESIS}nal"])
def test_twins_in_case_and_form_are_taken(twin):
    services.create_person(username="Ünal", name="Ünal", actor=None)

    with pytest.raises(PeopleError, match="is taken"):
        services.create_person(username=twin, name="Another", actor=None)


@pytest.mark.parametrize("fields", [{"username": "a" * 151}, {"name": "a" * 151}])
def test_a_name_longer_than_its_column_is_refused(fields):
    with pytest.raises(PeopleError, match="at most 150 characters"):
        services.create_person(**({"username": "anna", "name": "Anna", "actor": None} | fields))


@pytest.mark.parametrize("name", ["аnna", "reаder", "αnna", "anna\N{GREEK SMALL LETTER OMICRON}"])
def test_a_name_of_mixed_scripts_is_refused(name):
    with pytest.raises(PeopleError, match=r"mixes letters of .*Latin"):
        services.create_person(username=name, name="x", actor=None)


@pytest.mark.parametrize(("taken", "twin"), [("oca", "оса"), ("copy", "сору"), ("ivo", "ινο")])
def test_a_name_of_another_script_that_looks_the_same_is_refused(taken, twin):
    services.create_person(username=taken, name="x", actor=None)
    with pytest.raises(PeopleError, match="looks like"):
        services.create_person(username=twin, name="y", actor=None)


@pytest.mark.parametrize("name", ["Ünal", "müller.k", "анна", "Ελένη", "田中ひろし", "김수현", "anna-2@hospital.org"])
def test_names_of_one_script_are_fine(name):
    assert services.create_person(username=name, name="x", actor=None).username


def test_latin_names_that_differ_in_a_letter_stand_beside_each_other():
    for name in ("ali", "all", "reader1", "readerl"):
        services.create_person(username=name, name="x", actor=None)
