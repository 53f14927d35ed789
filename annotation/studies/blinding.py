"""Whether blinding held: what readers believed against the truth, once names are open; before that only counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import F, Func, IntegerField

from annotation.studies.models import Reading, ReadingOutput, Study
from annotation.systems.naming import find_names, folded, names_of_system
from scoring.statistics.blinding import BlindingIndex, bang_index, james_index
from scoring.statistics.errors import UndefinedStatisticError

WORD = 4
SHOWN = 30
NONE = ""


@dataclass(frozen=True)
class SystemIndex:
    """Guesses about one system's outputs."""

    letter: str
    name: str
    right: int
    wrong: int
    unknown: int
    bang: BlindingIndex | None
    words: str

    @property
    def n(self) -> int:
        return self.right + self.wrong + self.unknown


@dataclass(frozen=True)
class Guesses:
    """What was asked and answered, and once the study is unblinded what it means.

    Attributes:
        block: after how many readings it is asked; 0 never.
        n_asked: readings after which it was asked.
        n_answered: of them answered, "could not tell" among the answers.
        n_outputs: outputs with an answer.
        n_named: of them with a guess.
        systems: by letter; empty until the study is unblinded.
        james: over all systems; None until then and where it is undefined.
        words: what James' index says; why it is undefined.
        taken: what was written, the letter it was taken for ("" for none), and how often.
    """

    block: int
    n_asked: int
    n_answered: int
    n_outputs: int
    n_named: int
    systems: list[SystemIndex] = field(default_factory=list)
    james: BlindingIndex | None = None
    words: str = ""
    taken: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def n_missing(self) -> int:
        return max(0, self.n_asked - self.n_answered)


def guesses_of(study: Study) -> Guesses:
    """Counts at any time; indices when the study is unblinded (four queries)."""
    ends = Func(F("position"), study.guess_block or 1, function="MOD", output_field=IntegerField())
    over = Reading.objects.filter(study=study, status=Reading.Status.SUBMITTED).annotate(left=ends).filter(left=0)
    answered = ReadingOutput.objects.filter(reading__study=study, guess__isnull=False)
    rows = list(answered.values_list("reading_id", "output__submission_id", "guess__guess"))
    n_answered = len({reading for reading, _, _ in rows})
    counted = Guesses(
        block=study.guess_block,
        n_asked=max(n_answered, over.count() if study.guess_block else 0),
        n_answered=n_answered,
        n_outputs=len(rows),
        n_named=sum(1 for _, _, guess in rows if guess),
    )
    if not study.names_are_open or not rows:
        return counted
    return _with_indices(counted, study, [(submission, guess) for _, submission, guess in rows])


@dataclass(frozen=True)
class _Named:
    letter: str
    name: str
    names: list[str]


def _with_indices(counted: Guesses, study: Study, rows: Sequence[tuple[UUID, str]]) -> Guesses:
    systems = study.study_systems.select_related("submission__system_version__system").order_by("letter")
    known, letters = [], {}
    for row in systems:
        version, system = row.submission.system_version, row.submission.system_version.system
        names = names_of_system(name=system.name, slug=system.slug, version=version.version)
        known.append(_Named(row.letter, str(version), [*names, row.submission.code]))
        letters[row.submission_id] = row.letter
    own_words = _own_words(known)
    meant = {guess: _meant(guess, known, own_words) for guess in {guess for _, guess in rows if guess}}
    pairs = Counter((letters[submission], meant[guess] if guess else None) for submission, guess in rows)
    order = [each.letter for each in known]
    table = [[pairs[truth, guessed] for guessed in [*order, NONE]] for truth in order]
    unknown = [pairs[truth, None] for truth in order]
    james, words = _james(table, unknown)
    written = Counter(guess for _, guess in rows if guess)
    return Guesses(
        counted.block,
        counted.n_asked,
        counted.n_answered,
        counted.n_outputs,
        counted.n_named,
        systems=[_index(each, n, table, unknown) for n, each in enumerate(known)],
        james=james,
        words=words,
        taken=[(guess, meant[guess], n) for guess, n in written.most_common(SHOWN)],
    )


def _own_words(known: Sequence[_Named]) -> dict[str, set[str]]:
    """By letter the longer words of a system's names that no other system has."""
    words = {
        each.letter: {
            word
            for name in each.names
            for word in "".join(c if c.isalnum() else " " for c in folded(name)[0]).split()
            if len(word) >= WORD
        }
        for each in known
    }
    return {
        letter: own - set().union(*(other for key, other in words.items() if key != letter))
        for letter, own in words.items()
    }


def _meant(guess: str, known: Sequence[_Named], own_words: dict[str, set[str]]) -> str:
    """The letter of the one system a guess names: by a name, or else by a word that only its names have."""
    for names in ({each.letter: each.names for each in known}, own_words):
        found = {letter for letter, these in names.items() if find_names(guess, sorted(these))}
        if found:
            return found.pop() if len(found) == 1 else NONE
    return NONE


def _index(system: _Named, n: int, table: list[list[int]], unknown: list[int]) -> SystemIndex:
    right, wrong = table[n][n], sum(table[n]) - table[n][n]
    try:
        bang = bang_index(right=right, wrong=wrong, unknown=unknown[n], n_systems=len(table))
        words = _bang_in_words(bang)
    except UndefinedStatisticError as problem:
        bang, words = None, f"Undefined: {problem}."
    return SystemIndex(system.letter, system.name, right, wrong, unknown[n], bang, words)


def _bang_in_words(index: BlindingIndex) -> str:
    if index.low > 0:
        return "Readers recognized it more often than chance: blinding did not fully hold."
    if index.high < 0:
        return "Readers took it for another system more often than chance."
    return "No sign that readers recognized it; the interval says how much these answers can rule out."


def _james(table: list[list[int]], unknown: list[int]) -> tuple[BlindingIndex | None, str]:
    try:
        index = james_index(table, unknown)
    except UndefinedStatisticError as problem:
        return None, f"Undefined: {problem}."
    if index.high < 0.5:
        return index, "The upper limit is below 0.5: by the rule of the paper the study was unblinded."
    if index.low > 0.5:
        return index, "The lower limit is above 0.5: blinding held by the rule of the paper."
    return index, "The interval holds 0.5: these answers do not settle whether blinding held."
