"""One graded study for each test."""

import pytest

from tests.annotation.audit import world


@pytest.fixture
def made(db, reader, curator) -> world.Graded:
    return world.graded(reader, curator)
