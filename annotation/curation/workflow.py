"""How verdicts move an item between states: pure rules, testable without a database.

Two different people must accept before an item is accepted; two must reject before it is rejected; one "fix" is
enough to send it back, and one "no" to the identity question quarantines it at once. Only the latest verdict of a
person on the present revision counts, so changing one's mind is another review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ACCEPT, FIX, REJECT, ESCALATE = "accept", "fix", "reject", "escalate"
YES, NO, UNSURE, NOT_APPLICABLE = "yes", "no", "unsure", "not_applicable"
IDENTITY = "no_identity"
MAY_BE_INAPPLICABLE = frozenset({"answer_accurate", "pathology_plausible", "not_duplicate"})
MIN_COMMENT = 10
PEOPLE_NEEDED = 2


@dataclass(frozen=True)
class Opinion:
    """One person's verdict on the present revision, in the order given."""

    reviewer: str
    verdict: str
    identifies: bool = False


def latest(opinions: Sequence[Opinion]) -> list[Opinion]:
    """The last opinion of each person."""
    by_person = {opinion.reviewer: opinion for opinion in opinions}
    return list(by_person.values())


def next_state(opinions: Sequence[Opinion]) -> str:
    """State of an item whose present revision has these opinions.

    Args:
        opinions: all verdicts on the present revision, oldest first.

    Returns:
        "quarantined" if a latest opinion says that the item identifies somebody; "needs_fix" if one asks for a
        fix; "accepted" or "rejected" with `PEOPLE_NEEDED` people for it and fewer for the opposite; "in_review"
        otherwise; "imported" without an opinion.
    """
    standing = latest(opinions)
    if not standing:
        return "imported"
    if any(opinion.identifies for opinion in standing):
        return "quarantined"
    if any(opinion.verdict == FIX for opinion in standing):
        return "needs_fix"
    accepts = sum(opinion.verdict == ACCEPT for opinion in standing)
    rejects = sum(opinion.verdict == REJECT for opinion in standing)
    if accepts >= PEOPLE_NEEDED and accepts > rejects:
        return "accepted"
    if rejects >= PEOPLE_NEEDED and rejects > accepts:
        return "rejected"
    return "in_review"


def review_problems(
    *, verdict: str, answers: Mapping[str, str], questions: Sequence[str], comment: str
) -> list[tuple[str, str]]:
    """What is wrong with a review, as (field, words); an empty list when it may be stored.

    Every question is answered; "accept" needs every answer to be yes (or n/a where that is possible); every other
    verdict needs a comment that says why.
    """
    problems = []
    for code in questions:
        answer = answers.get(code)
        if answer not in {YES, NO, UNSURE, NOT_APPLICABLE}:
            problems.append((code, "not answered"))
        elif answer == NOT_APPLICABLE and code not in MAY_BE_INAPPLICABLE:
            problems.append((code, "n/a is not possible here"))
        elif verdict == ACCEPT and answer in {NO, UNSURE}:
            problems.append((code, f"answered “{answer}”, so the item cannot be accepted: fix, reject or escalate"))
    problems += [(code, "not a question of this checklist") for code in answers if code not in questions]
    if verdict not in {ACCEPT, FIX, REJECT, ESCALATE}:
        problems.append(("verdict", "choose accept, fix, reject or escalate"))
    elif verdict != ACCEPT and len(comment.strip()) < MIN_COMMENT:
        problems.append(("comment", f"say why in at least {MIN_COMMENT} characters"))
    return problems
