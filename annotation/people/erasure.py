"""Erasing what names a person; what they graded and reviewed stays, under an account that names nobody."""

from django.db import transaction

from annotation.audit.record import record
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken, User

SIGN_IN_APPS = {"account", "mfa", "socialaccount"}  # e-mail addresses, second factors and outside accounts


def is_erased(user: User) -> bool:
    return not user.is_active and user.username.startswith("erased-") and not user.name


@transaction.atomic
def erase_person(*, user: User, actor: User | None) -> None:
    """Replace user name, name, e-mail and specialty, and remove every way to sign in. There is no way back.

    Raises:
        PeopleError: the account is still active, or erased already.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active:
        raise PeopleError("deactivate the account first; erasing cannot be undone")
    if is_erased(user):
        raise PeopleError("this account names nobody any more")
    for relation in user._meta.related_objects:
        if relation.related_model._meta.app_label in SIGN_IN_APPS:
            relation.related_model._base_manager.filter(**{relation.field.name: user}).delete()
    ApiToken.objects.filter(user=user).delete()
    user.username = f"erased-{user.pk.hex[:12]}"
    user.name = user.email = user.first_name = user.last_name = user.specialty = ""
    user.is_operator = user.is_curator = user.may_create_studies = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    record("person erased", actor=actor, subject=user)
