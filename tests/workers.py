"""Which tests go to the same worker of pytest-xdist, and in which order.

What a file shares is made once: its tests stay together, unless they share nothing (`spread`). A test that empties
the tables at its end also takes the rows away that migrations made, so those come after all other tests of the
database, as they do without workers.
"""

import pytest

from tests import engines

TRANSACTIONAL = {"transactional_db", "live_server", "django_db_reset_sequences"}


def keep_order(config: pytest.Config) -> None:
    """Hand groups out in the order of the tests, not by their size."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def empties_tables(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    asked = mark is not None and bool(mark.kwargs.get("transaction"))
    return asked or bool(TRANSACTIONAL & set(getattr(item, "fixturenames", ())))


def group(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name the group of each test that has none: its file, and whether it empties tables."""
    for item in items:
        if item.get_closest_marker("xdist_group") is not None:
            continue
        last = empties_tables(item)
        if last or item.get_closest_marker("spread") is None:
            name = f"{item.path.relative_to(config.rootpath)}{' last' if last else ''}"
            item.add_marker(pytest.mark.xdist_group(name))


def order(items: list[pytest.Item]) -> None:
    """The browser's tests first: one long group without the database of the run. Then as the module says."""
    emptying = {_group_of(item) for item in items if empties_tables(item)}

    def place(item: pytest.Item) -> int:
        if item.get_closest_marker("browser") is not None:
            return 0
        if _group_of(item) in emptying:
            return 2
        return 1 if engines.touches_database(item) else 3

    items.sort(key=place)


def _group_of(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return item.nodeid if mark is None else str(mark.args[0])
