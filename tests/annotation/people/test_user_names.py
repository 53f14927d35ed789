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
