"""What every page needs: navigation by role, the demo banner, the version."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from annotation.people.models import User
from medgen.demo.cast import CAST, PASSWORD
from medgen.demo_home import is_demo_home


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    label: str
    url: str
    current: bool


def _places(user: User, path: str) -> list[Place]:
    entries = [("My work", "home", True)]
    entries += [("Datasets", "annotation:dataset-list", user.may_see_items)]
    entries += [("Systems", "annotation:system-list", user.may_see_items)]
    entries += [("Studies", "annotation:study-list", True)]
    entries += [("Jobs", "annotation:job-list", user.may_see_items or user.is_operator)]
    entries += [("People", "annotation:person-list", user.is_operator)]
    places = []
    for label, name, shown in entries:
        url = reverse(name)
        if shown:
            places.append(Place(label, url, path == url if name == "home" else path.startswith(url)))
    return places


def page(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_demo = is_demo_home()
    invited = is_demo and not isinstance(user, User)
    return {
        "navigation": _places(user, request.path) if isinstance(user, User) else [],
        "is_demo": is_demo,
        "demo_cast": [(member.username, member.does) for member in CAST if member.shown] if invited else [],
        "demo_password": PASSWORD if invited else "",
        "medgen_version": settings.MEDGEN_VERSION,
    }
