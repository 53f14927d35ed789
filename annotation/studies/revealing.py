"""Opening the names of a locked study: one person asks with a reason, another one confirms; both stand in its chain.

Nothing else opens names. Until it is confirmed the request can be withdrawn, and freezing the study anew ends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.audit.chain import Finding
from annotation.audit.models import Event
from annotation.audit.record import chain_of, hold, record
from annotation.people.models import User
from annotation.studies import freezing
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Enrollment, Study

LOCKED, ASKED, WITHDRAWN, UNBLINDED = "study locked", "unblinding asked", "unblinding withdrawn", "study unblinded"
VERBS = (LOCKED, freezing.FROZEN, ASKED, WITHDRAWN, UNBLINDED)
MAY = (Enrollment.Role.COORDINATOR, Enrollment.Role.ANALYST)


@dataclass(frozen=True)
class Step:
    """One act on the way to names: who did it, when, and what was said."""

    at: datetime
    by: User | None
    reason: str
    hash: str
    facts: dict[str, str]
    number: int = 0


@dataclass(frozen=True)
class Steps:
    """How far a study is on the way to names; None for what has not happened, or no longer counts.

    Attributes:
        frozen: the newest freeze.
        asked: the request that waits, or the one that was confirmed.
        withdrawn: the request taken back last, when none was made since.
        n_freezes: how often the study was frozen.
    """

    locked: Step | None = None
    frozen: Step | None = None
    asked: Step | None = None
    withdrawn: Step | None = None
    confirmed: Step | None = None
    n_freezes: int = 0


def steps_of(study: Study) -> Steps:
    """The steps as the trail has them: two queries, none before the lock."""
    if not study.is_final:
        return Steps()
    own = Event.objects.filter(subject_type="study", subject_id=str(study.pk), verb__in=VERBS)
    events = list(own.order_by("sequence"))
    actors = {event.actor for event in events if event.actor}
    people = {str(user.pk): user for user in User.objects.filter(pk__in=actors)}
    found: dict[str, Step | None] = dict.fromkeys(("locked", "frozen", "asked", "withdrawn", "confirmed"))
    n_freezes = 0
    for event in events:
        step = _step(event, people.get(event.actor))
        if event.verb == LOCKED:
            found["locked"] = step
        elif event.verb == freezing.FROZEN:
            found |= {"frozen": step, "asked": None, "withdrawn": None}
            n_freezes += 1
        elif event.verb == ASKED:
            found |= {"asked": step, "withdrawn": None}
        elif event.verb == WITHDRAWN:
            found |= {"asked": None, "withdrawn": step}
        else:
            found["confirmed"] = step
    return Steps(**found, n_freezes=n_freezes)


def _step(event: Event, by: User | None) -> Step:
    said = event.details
    return Step(
        event.at, by, said.get("reason", ""), said.get("hash", ""), said.get("facts", {}), said.get("number", 0)
    )


def seconds(study: Study, *, asker: User | None) -> list[User]:
    """Who of the study could confirm what the asker asked: another coordinator or analyst who is not blind to it."""
    held = Enrollment.objects.filter(study=study, role__in=MAY, active=True).values("user")
    people = User.objects.filter(pk__in=held, is_active=True)
    people = people if asker is None else people.exclude(pk=asker.pk)
    return [user for user in people if _sees(study, user)]


def _sees(study: Study, user: User) -> bool:
    return Study.objects.not_read_by(user).filter(pk=study.pk).exists()


def needs_operator(study: Study, steps: Steps) -> bool:
    """Whether somebody waits for a second person, and the study has none."""
    if study.state != Study.State.LOCKED or steps.asked is None:
        return False
    return not seconds(study, asker=steps.asked.by)


def may_confirm(study: Study, steps: Steps, user: User) -> bool:
    """A second person of the study; where it has none, an operator. Never who asked."""
    asker = None if steps.asked is None else steps.asked.by
    if study.state != Study.State.LOCKED or asker is None or asker.pk == user.pk or not user.is_active:
        return False
    own = seconds(study, asker=asker)
    return user in own or (user.is_operator and not own and _sees(study, user))


def _held(study: Study) -> tuple[Study, Steps]:
    """The study as it is now; neither it nor its chain moves until the transaction ends, so nothing comes between."""
    held = Study.objects.select_for_update(of=("self",)).select_related("release").get(pk=study.pk)
    if held.state != Study.State.LOCKED:
        words = "its names are open" if held.names_are_open else "lock it first"
        raise StudyStateError(f"This study is {held.state}: {words}.")
    hold(chain_of(held))
    return held, steps_of(held)


@transaction.atomic
def ask_for_names(*, study: Study, actor: User, reason: str) -> None:
    """Ask that the names of a locked study be opened.

    Raises:
        StudyStateError: the study is not locked, or somebody has asked.
        StudyError: no reason, nothing frozen, a composite that is not locked, or numbers that changed since.
    """
    held, steps = _held(study)
    if steps.asked is not None:
        raise StudyStateError("Unblinding was asked for already; confirm it or withdraw it.")
    said = freezing.checked_reason(reason, "why names shall be opened")
    frozen = _frozen(held, steps)
    record(ASKED, actor=actor, subject=held, reason=said, hash=frozen.hash)


def _frozen(study: Study, steps: Steps) -> Step:
    """The freeze that still holds.

    Raises:
        StudyError: there is none, something is not settled, or what the numbers depend on has changed.
    """
    if steps.frozen is None:
        raise StudyError("This study was locked before freezes were kept; freeze it first.")
    if open_ends := freezing.unsettled(study):
        raise StudyError(" ".join(open_ends))
    if changed := freezing.changes(study, steps.frozen.facts):
        raise StudyError(
            f"Not what was frozen any more: {', '.join(changed)}. Find out why, then freeze the study again."
        )
    return steps.frozen


@transaction.atomic
def withdraw_request(*, study: Study, actor: User) -> None:
    """Take back a request that nobody has confirmed; whoever may ask may withdraw.

    Raises:
        StudyStateError: nothing waits.
    """
    held, steps = _held(study)
    if steps.asked is None:
        raise StudyStateError("Nobody has asked for unblinding; there is nothing to withdraw.")
    record(WITHDRAWN, actor=actor, subject=held)


@transaction.atomic
def confirm(*, study: Study, actor: User) -> Study:
    """Open the names: the second person's act. It cannot be undone.

    Raises:
        StudyStateError: the study is not locked, nobody has asked, or somebody was first.
        StudyError: the person asked for it or may not confirm it, or the numbers are not those that were frozen.
    """
    held, steps = _held(study)
    if steps.asked is None:
        raise StudyStateError("Nobody has asked for unblinding; one person asks, another one confirms.")
    if steps.asked.by is None or steps.asked.by.pk == actor.pk:
        raise StudyError("You asked for it yourself; a second person must confirm it.")
    if not may_confirm(held, steps, actor):
        raise StudyError("A second coordinator or analyst of the study confirms; an operator only where it has none.")
    frozen = _frozen(held, steps)
    Study.objects.filter(pk=held.pk).update(state=Study.State.UNBLINDED, unblinded_at=timezone.now())
    held.refresh_from_db()
    record(UNBLINDED, actor=actor, subject=held, hash=frozen.hash, asked_by=str(steps.asked.by.pk))
    return held


def verify_names() -> Iterator[Finding]:
    """Studies whose names are open although no event says that two people opened them: two queries."""
    told = Event._base_manager.filter(verb=UNBLINDED, subject_type="study").values_list("subject_id", flat=True)
    opened = Study.objects.filter(Q(state=Study.State.UNBLINDED) | Q(unblinded_at__isnull=False))
    by_two = set(told)
    for study in opened.order_by("pk"):
        if str(study.pk) not in by_two:
            yield Finding(f"study {study.slug}", "was unblinded past the program: no event speaks of it")
