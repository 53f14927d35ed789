"""Fifty readers with twenty grades each, all at once: none lost, none doubled, no error, no gap in the trail."""

import threading
import time
import uuid
from typing import Any

import pytest

from tests.concurrency.conftest import ITEMS, READERS, Department
from tests.soak.hospital import Insisting, Tally, read_all
from tests.soak.test_killed_under_load import check


def at_once(acts: list[Any], *, apart_s: float = 0.0) -> list[Any]:
    """Run functions in threads of their own, started so many seconds apart; their results in order."""
    results: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(place: int) -> None:
        ready.wait()
        time.sleep(place * apart_s)
        results[place] = acts[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def submission(department: Department, value: int, key: str) -> dict[str, Any]:
    scores = dict.fromkeys(department.ward["criteria"], value)
    output = {"scores": scores, "na": {}, "rationale": "", "errors": [], "safety": "none"}
    return {"payload": {"outputs": {"A": output}}, "submit_key": key, "active_ms": 1000, "idle_ms": 0}


def sender(department: Department, reading: str, body: dict[str, Any]) -> Any:
    """A window of the reader kept for races, on a connection of its own."""
    window = Insisting(department.product.port, department.readers[READERS]["session"], [], Tally())
    return lambda: window._post(f"/readings/{reading}/submit/", body)


@pytest.mark.long
def test_a_thousand_grades_at_once_are_each_stored_once(department):
    ward = department.ward | {"readers": department.readers[:READERS]}
    before = time.monotonic()

    tally, threads = read_all(ward, department.product.port)
    for thread in threads:
        thread.join()

    print(f"{READERS * ITEMS} drafts and grades in {time.monotonic() - before:.1f} s")
    assert (tally.refused, tally.retries) == ([], 0)
    assert len(tally.acknowledged) == READERS * ITEMS
    department.take(tally)


def test_two_identical_submits_5_ms_apart_get_the_same_answer(department):
    for reading in department.readers[READERS]["readings"][: ITEMS // 2]:
        key = str(uuid.uuid4())
        body = submission(department, 4, key)

        first, second = at_once([sender(department, reading, body) for _ in range(2)], apart_s=0.005)

        assert first[0] == second[0] == 200
        assert first[1] == second[1]
        department.acknowledged[reading] = key


def test_of_two_different_submits_at_once_one_is_stored_and_the_other_told(department):
    for reading in department.readers[READERS]["readings"][ITEMS // 2 :]:
        keys = [str(uuid.uuid4()) for _ in range(2)]
        acts = [sender(department, reading, submission(department, 3 + n, key)) for n, key in enumerate(keys)]

        answers = at_once(acts)

        assert sorted(status for status, _ in answers) == [200, 409]
        department.acknowledged[reading] = keys[0 if answers[0][0] == 200 else 1]


def test_what_was_acknowledged_is_there_once_and_the_trail_has_no_gap(department):
    department.product.stop()

    check(
        department.home, department.url, department.settings, Tally(acknowledged=department.acknowledged),
        expected=len(department.acknowledged), per_grade=len(department.ward["criteria"]) + 1,
    )  # fmt: skip
