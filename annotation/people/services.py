"""Acts on people: create, invite, change roles, deactivate, set a password."""

from collections.abc import Mapping

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from annotation.audit.record import hold, record
from annotation.people import user_names
from annotation.people.errors import PeopleError
from annotation.people.models import User

NAME_LIMIT = 150
ROLES = {"operator": "is_operator", "curator": "is_curator", "study-creator": "may_create_studies"}


@transaction.atomic
def create_person(
    *,
    username: str,
    name: str,
    actor: User | None,
    password: str | None = None,
    email: str = "",
    is_operator: bool = False,
    is_curator: bool = False,
    may_create_studies: bool = False,
) -> User:
    """Add a person. Without a password they cannot sign in until they accept an invitation.

    A user name is kept in the form that signing in compares (Unicode NFKC); names that differ in case only are one.
    """
    username = User.normalize_username(username.strip())
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as problem:
        raise PeopleError(f"user name: {username!r}: {' '.join(problem.messages)}") from problem
    if len(username) > NAME_LIMIT or len(name.strip()) > NAME_LIMIT:
        raise PeopleError(f"user name and name: at most {NAME_LIMIT} characters each")
    hold()
    _refuse_look_alike(username)
    user = User(
        username=username,
        name=name.strip(),
        is_operator=is_operator,
        is_curator=is_curator,
        may_create_studies=may_create_studies,
    )
    _apply_password(user, password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as problem:
        raise PeopleError(f"user name: {username!r} is taken") from problem
    record("person created", actor=actor, subject=user, roles=user.site_roles)
    if email:
        set_email(user=user, email=email, actor=actor)
    return user


def _refuse_look_alike(username: str) -> None:
    if user_names.is_mixed(username):
        found = ", ".join(sorted(script.capitalize() for script in user_names.scripts(username)))
        raise PeopleError(f"user name: {username!r} mixes letters of {found}; keep to one script")
    folded, looks = username.casefold(), user_names.skeleton(username)
    for taken in User.objects.values_list("username", flat=True):
        if taken.casefold() == folded:
            raise PeopleError(f"user name: {username!r} is taken")
        if user_names.skeleton(taken) == looks:
            raise PeopleError(f"user name: {username!r} looks like {taken!r}; choose another one")


def _apply_password(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise PeopleError(f"password: {' '.join(problem.messages)}") from problem
    user.set_password(password)


def invitation_path(user: User) -> str:
    """The one-time address at which a person sets a password; it ends when used, or after a week."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("annotation:invitation-accept", args=[uid, default_token_generator.make_token(user)])


def invited_person(uid: str, token: str) -> User | None:
    """The person an invitation belongs to, or None when it is wrong, used, too old or for a closed account."""
    try:
        user = User.objects.get(pk=urlsafe_base64_decode(uid).decode(), is_active=True)
    except (ValueError, OverflowError, ValidationError, User.DoesNotExist):
        return None
    return user if default_token_generator.check_token(user, token) else None


@transaction.atomic
def set_password(*, user: User, password: str, actor: User | None) -> None:
    """Give a person a new password; their other sessions end with the old one."""
    _apply_password(user, password)
    user.save(update_fields=["password"])
    record("password set", actor=actor, subject=user)


@transaction.atomic
def set_roles(*, user: User, roles: Mapping[str, bool], actor: User | None) -> None:
    """Switch site roles, by the names of `ROLES`. The last active operator keeps the role."""
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise PeopleError(f"role: {unknown[0]!r} is not one of {', '.join(ROLES)}")
    if not roles.get("operator", True):
        _refuse_without_operator(user)
    for role, held in roles.items():
        setattr(user, ROLES[role], held)
    user.save(update_fields=list(ROLES.values()))
    record("roles set", actor=actor, subject=user, roles=user.site_roles)


def _refuse_without_operator(user: User) -> None:
    hold()
    others = User.objects.filter(is_operator=True, is_active=True).exclude(pk=user.pk)
    if user.is_operator and not others.exists():
        raise PeopleError(f"{user.username} is the last active operator; make another one first")


@transaction.atomic
def deactivate_person(*, user: User, actor: User | None) -> None:
    """Close an account: its sessions end for good; grades and reviews stay under their author."""
    _refuse_without_operator(user)
    user.is_active = False
    user.session_epoch += 1
    user.save(update_fields=["is_active", "session_epoch"])
    record("person deactivated", actor=actor, subject=user)


@transaction.atomic
def end_sessions(*, user: User, actor: User | None) -> None:
    """Sign a person out on every device; whoever asks from a session of theirs renews that one."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    record("sessions ended", actor=actor, subject=user)


@transaction.atomic
def set_email(*, user: User, email: str, actor: User | None) -> None:
    """Say which address an outside sign-in proves; only one active person has it.

    Raises:
        PeopleError: it is no address, or somebody else's.
    """
    email = email.strip()
    try:
        if email:
            EmailValidator()(email)
    except ValidationError as problem:
        raise PeopleError(f"e-mail: {email[:80]!r} is no address") from problem
    hold()
    if email and User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists():
        raise PeopleError(f"e-mail: {email[:80]!r} belongs to somebody else")
    user.email = email
    user.save(update_fields=["email"])
    record("e-mail set", actor=actor, subject=user, empty=not email)


@transaction.atomic
def make_invitation(*, user: User, actor: User | None) -> str:
    """The path of a one-time link that is about to be handed out; the trail says who made it."""
    if not user.is_active:
        raise PeopleError(f"{user.username} is deactivated")
    record("invitation made", actor=actor, subject=user)
    return invitation_path(user)


@transaction.atomic
def reactivate_person(*, user: User, actor: User | None) -> None:
    user.is_active = True
    user.save(update_fields=["is_active"])
    record("person reactivated", actor=actor, subject=user)
