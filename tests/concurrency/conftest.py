"""A department under the real server, once for each database and all tests of one module."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import migrated
from tests.soak.hospital import Product, Tally, build_ward

READERS, ITEMS = 50, 20


@dataclass
class Department:
    home: Path
    url: str
    settings: dict[str, str]
    ward: dict[str, Any]
    product: Product
    acknowledged: dict[str, str] = field(default_factory=dict)

    @property
    def readers(self) -> list[dict[str, Any]]:
        return list(self.ward["readers"])

    def take(self, tally: Tally) -> None:
        self.acknowledged |= tally.acknowledged


def served(home: Path, engine: str, *, readers: int, items: int, parameters: str = "") -> Iterator[Department]:
    """A department on a database of its own; `parameters` go to the end of the server's DATABASE_URL."""
    with ExitStack() as stack:
        address = stack.enter_context(migrated.new_database(engine, home))
        url = address if engine == "postgresql" else ""
        ward = build_ward(home, {"DATABASE_URL": address}, readers=readers, items=items)
        settings = {"DATABASE_URL": address + parameters}
        product = Product(home, settings)
        product.start()
        stack.callback(product.stop)
        yield Department(home, url, settings, ward, product)


ENGINES = [
    pytest.param(engine, marks=pytest.mark.xdist_group(f"department-{engine}")) for engine in ("sqlite", "postgresql")
]


@pytest.fixture(scope="module", params=ENGINES)
def department(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """Fifty readers with twenty readings each, and one more for races."""
    home = tmp_path_factory.mktemp(request.param)
    yield from served(home, request.param, readers=READERS + 1, items=ITEMS)
