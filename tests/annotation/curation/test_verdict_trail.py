"""Verdicts on pictures against the events that carry their checksum."""

import pytest
from django.db import connection

from annotation.assets.models import PixelVerdict
from annotation.audit import triggers
from annotation.curation import quarantine
from annotation.curation.verdict_trail import verify_verdicts
from tests.annotation.curation.test_quarantine import said, shown, suspected

pytestmark = pytest.mark.django_db


@pytest.fixture
def verdict(curator) -> PixelVerdict:
    asset = suspected()
    return quarantine.judge_image(said(asset, shown(asset), curator), kind="clear")


def problems() -> list[str]:
    return [finding.problem for finding in verify_verdicts()]


def test_a_verdict_fits_its_seal(verdict):
    assert problems() == []


def test_an_altered_verdict_is_found(verdict):
    triggers.remove(connection)
    PixelVerdict._base_manager.filter(pk=verdict.pk).update(reason="Another reason.")

    assert problems() == ["was altered: its seal does not fit"]


def test_a_verdict_that_was_added_or_removed_past_the_program_is_found(verdict, curator):
    triggers.remove(connection)
    PixelVerdict._base_manager.filter(pk=verdict.pk).delete()
    PixelVerdict.objects.create(
        asset=verdict.asset, number=1, kind="clear", text_risk="unknown", reason="None.", reviewer=curator
    )

    added, removed = problems()

    assert added == "was added past the program: no event speaks of it"
    assert removed.startswith("was removed; link ")
