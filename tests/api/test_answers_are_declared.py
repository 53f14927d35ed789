"""No server error and no undeclared answer, for any role: requests are made from the document."""

from collections import Counter

import pytest

from tests.api.addresses import real_parameters
from tests.api.conformance import operations, violations
from tests.api.world import cast, secret_of, world

pytestmark = [pytest.mark.django_db, pytest.mark.long]
ASKED = ("anonymous", "stranger", "reader", "curator", "coordinator", "analyst", "operator")


@pytest.fixture
def people(operator, curator, coordinator, analyst, reader, stranger):
    return cast(operator, curator, coordinator, analyst, reader, stranger)


def test_no_answer_is_a_server_error_or_undeclared_for_any_role(people, settings):
    settings.MEDGEN_API_RATE = 0
    real = real_parameters(world(people))
    keys = {role: people[role] and f"Bearer {secret_of(people[role])}" for role in ASKED}
    roles = {role: {"Authorization": key} if key else {} for role, key in keys.items()}
    seen: Counter[tuple[str, int]] = Counter()

    wrong = [
        problem
        for operation in operations()
        for problem in violations(operation, roles, real, examples=2, start=20251125, seen=seen)
    ]

    assert wrong == []
    assert {status for role, status in seen if role == "anonymous"} <= {200, 400, 401, 429}
    assert all(seen[role, 200] > 10 for role in ("reader", "curator", "coordinator", "operator"))
