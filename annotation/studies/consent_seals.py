"""Seals of consent forms and consents: what stood before a reader and what they said to it, in one checksum each.

The event of the act carries them in `details["seals"]`: key of the row → SHA-256 of its facts. A consent's facts hold
the checksum of the words agreed to, so that a form cannot be changed under those who agreed.
"""

from typing import Any

from annotation.audit.links import digest, moment
from annotation.studies.models import Consent, ConsentForm

FORM, CONSENT = "consent form", "consent"
PUBLISHED, GIVEN, WITHDRAWN = "consent form published", "consent given", "consent withdrawn"


def form_facts(form: ConsentForm) -> dict[str, Any]:
    return {
        "format": 1,
        "id": form.pk,
        "study": str(form.study_id),
        "version": form.version,
        "instructions": form.instructions,
        "text": form.text,
        "created_by": None if form.created_by_id is None else str(form.created_by_id),
        "created_at": moment(form.created_at),
    }


def consent_facts(consent: Consent) -> dict[str, Any]:
    """Facts of a consent, whose form and enrollment are loaded."""
    form = consent.form
    return {
        "format": 1,
        "id": consent.pk,
        "study": str(form.study_id),
        "enrollment": consent.enrollment_id,
        "person": str(consent.enrollment.user_id),
        "version": form.version,
        "words": digest({"instructions": form.instructions, "text": form.text}),
        "act": str(consent.act),
        "at": moment(consent.at),
    }


def form_seal(form: ConsentForm) -> dict[str, str]:
    return {f"{FORM} {form.pk}": digest(form_facts(form))}


def consent_seal(consent: Consent) -> dict[str, str]:
    return {f"{CONSENT} {consent.pk}": digest(consent_facts(consent))}
