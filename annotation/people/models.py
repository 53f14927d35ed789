"""User: a person who signs in.

Site roles are three switches: an operator keeps the house (people, roles), a curator imports, reviews and
releases items, a study creator imports outputs and makes studies. What a person may do in one study is an
enrollment of that study.
"""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, blank=True)
    specialty = models.CharField(max_length=100, blank=True)
    is_operator = models.BooleanField(default=False)
    is_curator = models.BooleanField(default=False)
    may_create_studies = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name or self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What sessions are bound to: the password, and how often all of them were ended."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]  # no stub
        if not self.session_epoch:
            return of_password
        return salted_hmac(f"annotation.sessions.{self.session_epoch}", of_password, secret=secret).hexdigest()

    @property
    def site_roles(self) -> list[str]:
        """The site roles held, in words."""
        held = {
            "operator": self.is_operator,
            "curator": self.is_curator,
            "study creator": self.may_create_studies,
        }
        return [role for role, on in held.items() if on]

    @property
    def may_see_items(self) -> bool:
        """Datasets and items are open to those who curate or design; readers meet items in readings only."""
        return self.is_curator or self.may_create_studies


class ApiToken(models.Model):
    """A key with which a program acts as a person, within its scopes and until it expires."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}"


class IdempotencyKey(models.Model):
    """The answer a program got for a key; the same key and request get it again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
