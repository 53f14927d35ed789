"""Keys for programs from the command line: add, list, revoke."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.people import tokens
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken, User


class Command(BaseCommand):
    help = "Make, list and revoke keys with which programs act as a person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable answer on stdout")
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        add = acts.add_parser("add", help="make a key; it is printed this once")
        add.add_argument("username")
        add.add_argument("--name", required=True, help="what the key is for")
        add.add_argument("--scopes", default="read", help=f"of {', '.join(tokens.SCOPES)}; separated by commas")
        add.add_argument("--days", type=int, default=90, help=f"how long it works, at most {tokens.LONGEST_DAYS}")
        acts.add_parser("list", help="keys of a person, or of everybody").add_argument("username", nargs="?")
        acts.add_parser("revoke", help="end a key for good").add_argument("prefix", help="as listed: mg_…")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except PeopleError as problem:
            raise CommandError(str(problem)) from problem

    def _add(self, options: dict[str, Any]) -> None:
        user = _user(options["username"])
        made = tokens.create_token(
            user=user,
            name=options["name"],
            scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
            expires_at=timezone.now() + timedelta(days=max(-1, min(options["days"], 10_000))),
            actor=None,
        )
        if options["json"]:
            self.stdout.write(json.dumps(_row(made.token) | {"key": made.secret}))
        else:
            self.stderr.write(f"{made.token.name}: shown this once, works until {made.token.expires_at:%Y-%m-%d}")
            self.stdout.write(made.secret)

    def _list(self, options: dict[str, Any]) -> None:
        found = ApiToken.objects.select_related("user").order_by("user__username", "-created_at")
        if options["username"]:
            found = found.filter(user=_user(options["username"]))
        if options["json"]:
            self.stdout.write(json.dumps([_row(token) for token in found]))
            return
        for token in found:
            row = _row(token)
            words = f"{row['prefix']}…  {row['username']}  {row['state']}  {', '.join(row['scopes'])}"
            self.stdout.write(f"{words}  until {token.expires_at:%Y-%m-%d}  {token.name}")

    def _revoke(self, options: dict[str, Any]) -> None:
        found = list(ApiToken.objects.filter(prefix=options["prefix"].rstrip("…")))
        if len(found) != 1:
            raise CommandError(f"{options['prefix']}: {'no key begins so' if not found else 'is not one key'}")
        if not tokens.revoke_token(token=found[0], actor=None):
            raise CommandError(f"{options['prefix']}: was revoked before")
        answer = json.dumps({"revoked": found[0].prefix}) if options["json"] else f"{found[0].prefix}… is revoked"
        self.stdout.write(answer)


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise PeopleError(f"user name: {username!r} is unknown")
    return user


def _row(token: ApiToken) -> dict[str, Any]:
    ended = "revoked" if token.revoked_at else "expired" if token.expires_at <= timezone.now() else "works"
    return {
        "prefix": token.prefix,
        "username": token.user.username,
        "name": token.name,
        "scopes": token.scopes,
        "state": ended,
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }
