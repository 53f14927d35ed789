"""The people of the demo. All have the same password, which is printed; a demo is served on this machine only."""

from dataclasses import dataclass

PASSWORD = "medgen-demo-2026"  # noqa: S105 (printed on purpose)
READERS = ("reader1", "reader2", "reader3", "reader4")


@dataclass(frozen=True)
class Member:
    """One person of the demo."""

    username: str
    name: str
    does: str
    roles: tuple[str, ...] = ()
    shown: bool = True


CAST = (
    Member("reader3", "Reader 3 (demo)", "grades: an open study with every case still to read"),
    Member("coordinator", "Coordinator (demo)", "runs the study, imports outputs", ("may_create_studies",)),
    Member("analyst", "Analyst (demo)", "agreement, leaderboard, score sheet"),
    Member("curator", "Curator (demo)", "datasets, reviews, releases", ("is_curator",)),
    Member("operator", "Operator (demo)", "people and roles", ("is_operator",)),
    Member("curator2", "Second curator (demo)", "the second person of every review", ("is_curator",), shown=False),
    Member("reader1", "Reader 1 (demo)", "has graded a part", shown=False),
    Member("reader2", "Reader 2 (demo)", "has graded a part", shown=False),
    Member("reader4", "Reader 4 (demo)", "grades", shown=False),
)
