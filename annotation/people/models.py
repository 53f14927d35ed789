"""User: a person who signs in.

Site roles are three switches: an operator keeps the house (people, roles), a curator imports, reviews and
releases items, a study creator imports outputs and makes studies. What a person may do in one study is an
enrollment of that study.
"""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, blank=True)
    specialty = models.CharField(max_length=100, blank=True)
    is_operator = models.BooleanField(default=False)
    is_curator = models.BooleanField(default=False)
    may_create_studies = models.BooleanField(default=False)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name or self.username

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
