"""Consent: what readers agree to, in versions; who agreed to which; and leaving a study again.

A form is published when the study opens, and again whenever its words change. A reader who has not agreed to the
newest form meets it before the next reading. Everything here only adds rows.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.models import User
from annotation.studies.consent_seals import GIVEN, PUBLISHED, WITHDRAWN, consent_seal, form_seal
from annotation.studies.errors import StudyError
from annotation.studies.models import Consent, ConsentForm, Enrollment, Study

TEXT_LIMIT = 20_000


class StaleFormError(StudyError):
    """The form that was agreed to is not the newest one any more."""


def newest_form(study: Study) -> ConsentForm | None:
    return ConsentForm.objects.filter(study=study).order_by("-version").first()


@transaction.atomic
def publish_form(*, study: Study, instructions: str, text: str, actor: User | None) -> ConsentForm:
    """A further version of what readers agree to; the study shows the new instructions from now on.

    Raises:
        StudyError: nothing is said, nothing changed, or a text is too long.
    """
    instructions, text = instructions.strip(), text.strip()
    for name, words in (("instructions", instructions), ("consent", text)):
        if len(words) > TEXT_LIMIT:
            raise StudyError(f"{name}: has {len(words):,} characters, the limit is {TEXT_LIMIT:,}.")
    if not instructions and not text:
        raise StudyError("Say what readers shall know or agree to; both texts are empty.")
    newest = newest_form(study)
    if newest is not None and (newest.instructions, newest.text) == (instructions, text):
        raise StudyError(f"Nothing changed: version {newest.version} says the same.")
    version = 1 if newest is None else newest.version + 1
    try:
        with transaction.atomic():
            form = ConsentForm.objects.create(
                study=study, version=version, instructions=instructions, text=text, created_by=actor
            )
    except IntegrityError as problem:
        raise StudyError(f"Somebody published version {version} a moment ago; look at it first.") from problem
    Study.objects.filter(pk=study.pk).update(instructions=instructions, consent_text=text)
    record(PUBLISHED, actor=actor, subject=study, version=version, seals=form_seal(form))
    return form


def publish_at_opening(*, study: Study, actor: User | None) -> None:
    """The first version, when the study has words for its readers."""
    if (study.instructions.strip() or study.consent_text.strip()) and newest_form(study) is None:
        publish_form(study=study, instructions=study.instructions, text=study.consent_text, actor=actor)


def reader_enrollment(study: Study, user: User) -> Enrollment | None:
    """What this person is as a reader of the study, also after leaving it."""
    return Enrollment.objects.filter(study=study, user=user, role=Enrollment.Role.READER).first()


def form_to_agree(enrollment: Enrollment) -> ConsentForm | None:
    """The newest form when this reader has not agreed to it; None when nothing stands before the readings."""
    newest = newest_form(enrollment.study)
    if newest is None or Consent.objects.filter(enrollment=enrollment, form=newest, act=Consent.Act.GIVEN).exists():
        return None
    return newest


def has_agreed_once(enrollment_id: int, study_id: UUID) -> bool:
    """True when the reader agreed to some version, or the study has none to agree to."""
    given = Consent.objects.filter(enrollment=enrollment_id, act=Consent.Act.GIVEN)
    return not ConsentForm.objects.filter(~Exists(given), study=study_id).exists()


@transaction.atomic
def give_consent(*, enrollment: Enrollment, version: int, actor: User) -> None:
    """Agree to the newest form; who had left takes part again. Doing it twice changes nothing.

    Raises:
        StaleFormError: a newer form was published since this one was shown.
        StudyError: somebody else than the reader, or the coordinator ended the role.
    """
    enrollment = Enrollment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrollment.pk)
    if enrollment.user_id != actor.pk:
        raise StudyError("Only the reader can agree.")
    if not enrollment.active and enrollment.withdrawn_at is None:
        raise StudyError("The coordinator ended your part in this study.")
    newest = newest_form(enrollment.study)
    if newest is None:
        raise StudyError("This study asks for no consent.")
    if newest.version != version:
        raise StaleFormError(f"The form changed: version {newest.version} is the newest. Read it, then agree.")
    came_back = enrollment.withdrawn_at is not None
    if form_to_agree(enrollment) is None and not came_back:
        return
    made = Consent.objects.create(enrollment=enrollment, form=newest, act=Consent.Act.GIVEN)
    if came_back:
        Enrollment.objects.filter(pk=enrollment.pk).update(active=True, withdrawn_at=None)
    record(
        GIVEN,
        actor=actor,
        subject=enrollment.study,
        person=str(actor.pk),
        version=version,
        again=came_back,
        seals=consent_seal(made),
    )


@transaction.atomic
def withdraw(*, enrollment: Enrollment, actor: User) -> None:
    """Leave a study: nothing more is asked of the reader; what was submitted stays under the code, marked.

    Raises:
        StudyError: somebody else than the reader, or the reader left before.
    """
    enrollment = Enrollment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrollment.pk)
    if enrollment.user_id != actor.pk:
        raise StudyError("Only the reader can withdraw.")
    if enrollment.withdrawn_at is not None:
        raise StudyError("You have left this study already.")
    form, seals = newest_form(enrollment.study), {}
    if form is not None:
        seals = consent_seal(Consent.objects.create(enrollment=enrollment, form=form, act=Consent.Act.WITHDRAWN))
    Enrollment.objects.filter(pk=enrollment.pk).update(active=False, withdrawn_at=timezone.now())
    record(WITHDRAWN, actor=actor, subject=enrollment.study, person=str(actor.pk), seals=seals)
