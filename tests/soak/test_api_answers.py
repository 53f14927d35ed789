"""The long form of tests/api/test_answers_are_declared.py: many more requests, found and invented addresses alike."""

import os
from collections import Counter

import pytest

from tests.api.addresses import real_parameters
from tests.api.conformance import operations, violations
from tests.api.world import ROLES, cast, secret_of, world

pytestmark = [pytest.mark.django_db, pytest.mark.soak]

EXAMPLES = int(os.environ.get("MEDGEN_SOAK_EXAMPLES", "100"))


@pytest.mark.parametrize("start", [1, 2])
def test_no_answer_of_many_is_a_server_error_or_undeclared(
    start, operator, curator, coordinator, analyst, reader, stranger, settings
):
    settings.MEDGEN_API_RATE = 0
    people = cast(operator, curator, coordinator, analyst, reader, stranger)
    real = real_parameters(world(people))
    keys = {role: people[role] and f"Bearer {secret_of(people[role])}" for role in ROLES}
    roles = {role: {"Authorization": key} if key else {} for role, key in keys.items()}
    seen: Counter[tuple[str, int]] = Counter()

    wrong = [
        problem
        for operation in operations()
        for problem in violations(operation, roles, real, examples=EXAMPLES, start=start, seen=seen)
    ]

    for role in ROLES:
        print(role, sorted((status, n) for (asked, status), n in seen.items() if asked == role))
    print(f"{sum(seen.values()):,} requests, {len(list(operations()))} operations, {len(wrong)} broken")
    assert wrong == []
    assert sum(seen.values()) > 500 * EXAMPLES
