"""Accounts and site roles from the command line: add, invite, list, deactivate, reactivate, set-password, roles."""

import getpass
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.people import services
from annotation.people.errors import PeopleError
from annotation.people.models import User


class Command(BaseCommand):
    help = "Add, invite, list and deactivate people, set passwords and site roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable answer on stdout")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the product is served, for links")
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        for act, words in (
            ("add", "add a person with a password"),
            ("invite", "add a person, print a one-time link"),
        ):
            sub = acts.add_parser(act, help=words)
            sub.add_argument("username")
            sub.add_argument("--name", default="")
            for role in services.ROLES:
                sub.add_argument(f"--{role}", action="store_true", dest=services.ROLES[role])
            if act == "add":
                sub.add_argument(
                    "--password-stdin", action="store_true", help="read the password from standard input"
                )
        acts.add_parser("list", help="everybody, with roles")
        for act, words in (
            ("deactivate", "close an account; what they did stays"),
            ("reactivate", "open it again"),
            ("reset", "print a new one-time link"),
        ):
            acts.add_parser(act, help=words).add_argument("username")
        sub = acts.add_parser("set-password", help="set a password")
        sub.add_argument("username")
        sub.add_argument("--password-stdin", action="store_true")
        sub = acts.add_parser("roles", help="switch site roles: roles anna curator no-operator")
        sub.add_argument("username")
        sub.add_argument("changes", nargs="+", metavar="ROLE", help="curator or no-curator, and so on")

    def handle(self, *args: Any, **options: Any) -> None:
        act = str(options["act"]).replace("-", "_")
        try:
            getattr(self, f"_{act}")(options)
        except PeopleError as problem:
            raise CommandError(str(problem)) from problem

    def _add(self, options: dict[str, Any]) -> None:
        self._say(self._create(options, self._password(options)))

    def _invite(self, options: dict[str, Any]) -> None:
        user = self._create(options, None)
        self._say(user, invitation=services.make_invitation(user=user, actor=None))

    def _reset(self, options: dict[str, Any]) -> None:
        user = self._person(options)
        self._say(user, invitation=services.make_invitation(user=user, actor=None))

    def _list(self, options: dict[str, Any]) -> None:
        people = list(User.objects.order_by("username"))
        if options["json"]:
            self.stdout.write(json.dumps([self._row(user) for user in people]))
            return
        if not people:
            self.stdout.write("Nobody yet. Make the first operator: manage.py people add NAME --operator")
        for user in people:
            state = "" if user.is_active else "  (deactivated)"
            self.stdout.write(f"{user.username:<24} {user.name:<32} {', '.join(user.site_roles)}{state}")

    def _deactivate(self, options: dict[str, Any]) -> None:
        user = self._person(options)
        services.deactivate_person(user=user, actor=None)
        self._say(user)

    def _reactivate(self, options: dict[str, Any]) -> None:
        user = self._person(options)
        services.reactivate_person(user=user, actor=None)
        self._say(user)

    def _set_password(self, options: dict[str, Any]) -> None:
        user = self._person(options)
        services.set_password(user=user, password=self._password(options), actor=None)
        self._say(user)

    def _roles(self, options: dict[str, Any]) -> None:
        user = self._person(options)
        changes = {word.removeprefix("no-"): not word.startswith("no-") for word in options["changes"]}
        services.set_roles(user=user, roles=changes, actor=None)
        self._say(user)

    def _create(self, options: dict[str, Any], password: str | None) -> User:
        roles = {field: options[field] for field in services.ROLES.values()}
        name = options["name"] or options["username"]
        return services.create_person(username=options["username"], name=name, password=password, actor=None, **roles)

    def _person(self, options: dict[str, Any]) -> User:
        try:
            return User.objects.get(username=options["username"])
        except User.DoesNotExist as problem:
            raise PeopleError(f"user name: {options['username']!r} is unknown; `people list` shows all") from problem

    def _password(self, options: dict[str, Any]) -> str:
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\n")
        if not sys.stdin.isatty():
            raise PeopleError("password: no terminal to ask on; use --password-stdin")
        password, again = getpass.getpass("Password: "), getpass.getpass("Password again: ")
        if password != again:
            raise PeopleError("password: the two passwords differ")
        return password

    def _row(self, user: User) -> dict[str, Any]:
        return {"username": user.username, "name": user.name, "roles": user.site_roles, "active": user.is_active}

    def _say(self, user: User, *, invitation: str = "") -> None:
        row = self._row(user)
        if invitation:
            row["invitation"] = invitation
        if self._json:
            self.stdout.write(json.dumps(row))
            return
        roles = ", ".join(user.site_roles) or "no site role"
        self.stdout.write(f"{user.username}: {roles}{'' if user.is_active else ', deactivated'}")
        if invitation:
            self.stdout.write(f"Invitation (one use, one week): {self._url}{invitation}")

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._json = bool(options["json"])
        self._url = str(options["url"]).rstrip("/")
        return super().execute(*args, **options)
