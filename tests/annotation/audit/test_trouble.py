"""A change that the rows refuse is a sentence for whoever asked, not a defect."""

import pytest
from django.db import IntegrityError, transaction

from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.audit.record import record
from medgen.trouble import trouble_of

pytestmark = pytest.mark.django_db


def test_what_the_database_refuses_is_a_conflict_in_words():
    record("tried", actor=None)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Event._base_manager.all().delete()

    trouble = trouble_of(refused.value)
    assert trouble is not None
    assert (trouble.words, trouble.status) == ("events are never changed or removed. Nothing was changed.", 409)


def test_what_the_models_refuse_is_a_conflict_in_words():
    with pytest.raises(AppendOnlyError) as refused:
        record("tried", actor=None).delete()

    trouble = trouble_of(refused.value)
    assert trouble is not None and trouble.status == 409


def test_another_conflict_stays_a_defect():
    assert trouble_of(IntegrityError("UNIQUE constraint failed: annotation_study.slug")) is None
