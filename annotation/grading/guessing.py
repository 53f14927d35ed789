"""“Which system was it?”: what readers believe after each block of readings, asked once and never shown back.

No names are offered: a list would tell which systems take part. A guess is words, or nothing for “could not tell”.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from annotation.audit.record import record
from annotation.grading import seals
from annotation.grading.errors import GradingError, InvalidGradeError
from annotation.grading.models import SystemGuess
from annotation.grading.rules import Problem, text_problem
from annotation.grading.services import refuse_closed
from annotation.people.models import User
from annotation.studies.models import Reading, ReadingOutput, Study

GUESS_LIMIT, WHY_LIMIT = 120, 300
SURE = (1, 5)
FIELDS = ("guess", "sure", "why")


class NotAskedError(GradingError):
    """This reading does not end a block."""


class GuessedBeforeError(GradingError):
    """The question was answered before, in other words; the first answer stays."""


@dataclass(frozen=True)
class Guess:
    """One output's answer. `sure` runs from 1 (a mere guess) to 5 (certain); None when the reader could not tell."""

    label: str
    guess: str = ""
    sure: int | None = None
    why: str = ""


def ends_block(position: int, block: int) -> bool:
    """Whether the question follows the reading at this place of a reader's list; 0 never asks."""
    return block > 0 and position % block == 0


def is_asked(study: Study, position: int, *, answered: bool) -> bool:
    return ends_block(position, study.guess_block) and study.state == Study.State.RUNNING and not answered


def read_guesses(data: Mapping[str, Any], labels: list[str]) -> list[Guess]:
    """The answers for these outputs, all of them.

    Raises:
        InvalidGradeError: an output without an answer or unknown, a field that is unknown or not what it should be.
    """
    problems = [
        Problem("", str(name)[:40], "is not a field here; known: guesses") for name in set(data) - {"guesses"}
    ]
    entries = data.get("guesses")
    if not isinstance(entries, Mapping):
        raise InvalidGradeError(
            [*problems, Problem("", "guesses", "must be an object with an answer for each output")]
        )
    problems += [Problem(str(label)[:10], "guesses", "no such output") for label in entries if label not in labels]
    guesses = []
    for label in labels:
        found, guess = _read_one(label, entries.get(label))
        problems += found
        guesses.append(guess)
    if problems:
        raise InvalidGradeError(problems)
    return guesses


def _read_one(label: str, entry: Any) -> tuple[list[Problem], Guess]:
    if not isinstance(entry, Mapping):
        return [Problem(label, "guesses", "has no answer; an empty guess means “could not tell”")], Guess(label)
    problems = [
        Problem(label, str(name)[:40], f"is not a field here; known: {', '.join(FIELDS)}")
        for name in entry
        if name not in FIELDS
    ]
    words: dict[str, str] = {}
    for name, limit in (("guess", GUESS_LIMIT), ("why", WHY_LIMIT)):
        value = entry.get(name) or ""
        if problem := text_problem(value, limit=limit):
            problems.append(Problem(label, name, problem))
        words[name] = value.strip() if isinstance(value, str) else ""
    sure = entry.get("sure")
    low, high = SURE
    if words["guess"] and (isinstance(sure, bool) or not isinstance(sure, int) or not low <= sure <= high):
        problems.append(Problem(label, "sure", f"{str(sure)[:20]}: must be a whole number from {low} to {high}"))
    if not words["guess"] and sure is not None:
        problems.append(Problem(label, "sure", "is for a guess; leave it out where you could not tell"))
    return problems, Guess(label, words["guess"], sure if words["guess"] else None, words["why"])


@transaction.atomic
def record_guesses(*, reading: Reading, actor: User, data: Mapping[str, Any]) -> int:
    """Keep the answers for all outputs of a reading, once; the same answers again change nothing.

    Returns:
        How many outputs were guessed at (the others: could not tell).

    Raises:
        NotAskedError, GuessedBeforeError, StudyClosedError: nothing is stored.
        InvalidGradeError: an answer is not what it should be.
    """
    study = Study.objects.get(pk=reading.study_id)
    places = {place.label: place for place in ReadingOutput.objects.filter(reading=reading).order_by("position")}
    guesses = read_guesses(data, list(places))
    n_named = sum(1 for guess in guesses if guess.guess)
    if _said_before(reading, guesses):
        return n_named
    if not ends_block(reading.position, study.guess_block):
        raise NotAskedError("Nothing is asked after this reading.")
    refuse_closed(study)
    try:
        with transaction.atomic():
            stored = SystemGuess.objects.bulk_create(
                SystemGuess(
                    reading_output=places[guess.label],
                    author=actor,
                    guess=guess.guess,
                    sure=guess.sure,
                    why=guess.why,
                )
                for guess in guesses
            )
    except IntegrityError as problem:
        if _said_before(reading, guesses):
            return n_named
        raise GuessedBeforeError("This question was answered in another window; that answer stays.") from problem
    record(
        seals.GUESSED,
        actor=actor,
        subject=reading,
        outputs=len(guesses),
        named=n_named,
        seals=seals.guess_seals(stored),
    )
    return n_named


def _said_before(reading: Reading, guesses: list[Guess]) -> bool:
    """Whether exactly this was said before.

    Raises:
        GuessedBeforeError: something else was.
    """
    rows = SystemGuess.objects.filter(reading_output__reading=reading)
    stored = {Guess(*row) for row in rows.values_list("reading_output__label", "guess", "sure", "why")}
    if stored and stored != set(guesses):
        raise GuessedBeforeError("This question was answered before; the first answer stays.")
    return bool(stored)
