"""Writing the trail."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from annotation.audit.models import Event


def record(
    verb: str,
    *,
    actor: AbstractBaseUser | AnonymousUser | None,
    subject: models.Model | None = None,
    **details: Any,
) -> Event:
    """Leave one event; call it inside the transaction of the act it describes.

    `details` must be JSON: ids, counts, codes and states; no names and no free text of patients.
    """
    return Event.objects.create(
        verb=verb,
        actor=str(actor.pk) if actor is not None and actor.pk else "",
        subject_type=subject._meta.model_name or "" if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        details=details,
    )
