"""Whose reading it is: asked before everything a reader does, by pages and programs alike."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404

from annotation.people.models import User
from annotation.studies import consent
from annotation.studies.models import Reading


def own_reading(user: User, pk: UUID) -> Reading:
    """404 for what is not theirs, 403 for whoever has left or never agreed to the study's consent form."""
    reading = find_own(user, pk)
    refuse_without_consent(reading)
    return reading


def find_own(user: User, pk: UUID) -> Reading:
    own = Reading.objects.visible_to(user).exclude(status=Reading.Status.VOID)
    reading = own.select_related("study", "enrollment").filter(pk=pk).first()
    if reading is None:
        _refuse_former_reader(user, pk)
        raise Http404("no such reading")
    return reading


def refuse_without_consent(reading: Reading) -> None:
    if not consent.has_agreed_once(reading.enrollment_id, reading.study_id):
        raise PermissionDenied("Read and agree to what the study says to its readers first; its page asks you.")


def _refuse_former_reader(user: User, pk: UUID) -> None:
    """403 for a reader who has left or whose part was ended: the readings were theirs."""
    if Reading.objects.filter(pk=pk, enrollment__user=user, enrollment__active=False).exists():
        raise PermissionDenied("You no longer take part in this study. What you submitted is kept.")
