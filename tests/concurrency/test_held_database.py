"""A stranger holds the database, or ends its connections: readers are told to try again, and nothing is lost."""

import http.client
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.concurrency.conftest import ENGINES, Department, served
from tests.soak.hospital import CSRF, Insisting, Tally
from tests.soak.test_killed_under_load import check

WAIT = {"sqlite": "?timeout=1", "postgresql": "?options=-c%20lock_timeout%3D2s"}


LATER = pytest.param("postgresql", marks=[pytest.mark.long, pytest.mark.xdist_group("department-postgresql")])


@pytest.fixture(params=[ENGINES[0], LATER])
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """A server that waits a second or two for a lock instead of twenty."""
    home = tmp_path_factory.mktemp(request.param)
    yield from served(home, request.param, readers=2, items=4, parameters=WAIT[request.param])


@contextmanager
def holding(department: Department) -> Iterator[None]:
    """The database is held by another program."""
    if department.url:
        with psycopg.connect(department.url) as stranger:
            stranger.execute("LOCK TABLE annotation_reading IN ACCESS EXCLUSIVE MODE")
            yield
    else:
        with sqlite3.connect(department.home / "medgen.sqlite3", isolation_level=None) as stranger:
            stranger.execute("BEGIN EXCLUSIVE")
            yield
            stranger.execute("ROLLBACK")


def post_grade(department: Department, reading: str) -> tuple[int, str | None, dict[str, Any]]:
    scores = dict.fromkeys(department.ward["criteria"], 4)
    output = {"scores": scores, "na": {}, "rationale": "", "errors": [], "safety": "none"}
    body = {"payload": {"outputs": {"A": output}}, "submit_key": str(uuid.uuid4()), "active_ms": 0, "idle_ms": 0}
    session = department.readers[0]["session"]
    headers = {
        "Content-Type": "application/json", "X-CSRFToken": CSRF,
        "Cookie": f"sessionid={session}; csrftoken={CSRF}",
    }  # fmt: skip
    asked = http.client.HTTPConnection("127.0.0.1", department.product.port, timeout=30)
    asked.request("POST", f"/readings/{reading}/submit/", json.dumps(body), headers)
    answer = asked.getresponse()
    said = answer.read()
    asked.close()
    return answer.status, answer.headers["Retry-After"], json.loads(said)


def read_on(department: Department, number: int) -> tuple[Tally, threading.Thread]:
    """One reader grades everything and insists; the thread is started."""
    tally, reader = Tally(), department.readers[number]
    browser = Insisting(department.product.port, reader["session"], department.ward["criteria"], tally)

    def work() -> None:
        for reading in reader["readings"]:
            browser.grade(reading, 4)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return tally, thread


def assert_nothing_lost(department: Department, *tallies: Tally) -> None:
    department.product.stop()
    told = Tally()
    for tally in tallies:
        told.acknowledged |= tally.acknowledged
        told.refused += tally.refused
    check(
        department.home, department.url, department.settings, told,
        expected=sum(len(reader["readings"]) for reader in department.readers),
        per_grade=len(department.ward["criteria"]) + 1,
    )  # fmt: skip


def test_a_held_database_is_answered_503_with_a_time_and_nothing_is_lost(impatient):
    with holding(impatient):
        status, retry_after, said = post_grade(impatient, impatient.readers[0]["readings"][0])
        tallies, threads = zip(*(read_on(impatient, number) for number in range(2)), strict=True)
        threads[0].join(timeout=4)

    for thread in threads:
        thread.join(timeout=60)
    assert (status, retry_after) == (503, "5")
    assert "Another program holds the database" in said["error"]
    assert sum(tally.retries for tally in tallies) >= 1
    assert_nothing_lost(impatient, *tallies)


@pytest.mark.parametrize("impatient", ENGINES[1:], indirect=True)
@pytest.mark.long
def test_connections_that_were_ended_are_made_anew_and_nothing_is_lost(impatient):
    tallies, threads = zip(*(read_on(impatient, number) for number in range(2)), strict=True)
    while any(thread.is_alive() for thread in threads):
        end_connections(impatient)
        threads[0].join(timeout=0.3)
        threads[1].join(timeout=0.3)

    assert_nothing_lost(impatient, *tallies)


def end_connections(department: Department) -> None:
    with psycopg.connect(department.url, autocommit=True) as stranger:
        stranger.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'medgen'")


@pytest.mark.soak
@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_held_for_a_minute_loses_nothing_with_the_settings_as_they_are(engine, tmp_path):
    for department in served(tmp_path, engine, readers=2, items=4):
        with holding(department):
            tallies, threads = zip(*(read_on(department, number) for number in range(2)), strict=True)
            threads[0].join(timeout=60)

        for thread in threads:
            thread.join(timeout=120)
        assert sum(tally.retries for tally in tallies) >= 1
        assert_nothing_lost(department, *tallies)


@pytest.mark.long
@pytest.mark.parametrize("impatient", ENGINES[1:], indirect=True)
def test_a_grade_that_meets_the_closing_of_its_study_is_refused_and_not_stored(impatient):
    """The grade has passed its first look at the study's state and waits for the chain that the closing act holds."""
    answers: list[tuple[int, str | None, dict[str, Any]]] = []
    reading = impatient.readers[0]["readings"][0]
    with psycopg.connect(impatient.url) as closing:
        closing.execute("INSERT INTO annotation_chainhead (chain, sequence, hash) "
                        "SELECT 'study:' || id, 0, '' FROM annotation_study ON CONFLICT DO NOTHING")  # fmt: skip
        closing.execute("SELECT 1 FROM annotation_chainhead FOR UPDATE")
        sending = threading.Thread(target=lambda: answers.append(post_grade(impatient, reading)))
        sending.start()
        _wait_until_it_waits(impatient)
        closing.execute("UPDATE annotation_study SET state = 'locked'")
        closing.commit()
        sending.join(timeout=30)

    with psycopg.connect(impatient.url) as asked:
        kept = asked.execute("SELECT count(*) FROM annotation_grade").fetchone()
    assert (answers[0][0], kept) == (409, (0,))
    assert "locked" in answers[0][2]["error"]


def _wait_until_it_waits(department: Department) -> None:
    with psycopg.connect(department.url, autocommit=True) as asked:
        for _ in range(300):
            waiting = asked.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            if waiting != (0,):
                return
            time.sleep(0.01)
    raise AssertionError("the grade never waited for the chain")
