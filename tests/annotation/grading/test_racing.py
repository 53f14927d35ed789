"""Two windows submit one reading at the same moment, on a database in a file as it is used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import threading, uuid
import django
django.setup()
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from annotation.grading import services
from annotation.grading.errors import AlreadySubmittedError
from annotation.grading.models import CriterionScore, Grade
from tests import factories
from tests.annotation.grading import world

reader = factories.person("reader")
made = world.small_study(reader)
for reading in made.readings:
    start, outcomes = threading.Barrier(4), []

    def run(value, reading=reading, start=start, outcomes=outcomes):
        entry = services.Entry(payload=world.payload(A=world.entry(value)), submit_key=uuid.uuid4())
        start.wait()
        try:
            services.submit_reading(reading=reading, actor=reader, entry=entry)
            outcomes.append("won")
        except AlreadySubmittedError:
            outcomes.append("lost")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(value,)) for value in (3, 4, 5, 5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(sorted(outcomes), Grade.objects.filter(reading_output__reading=reading).count())
print(CriterionScore.objects.count())
"""


@pytest.mark.long
def test_of_simultaneous_submissions_one_wins(tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "medgen.settings", "MEDGEN_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    one = "['lost', 'lost', 'lost', 'won'] 1"
    assert done.stdout.splitlines() == [one, one, "18"], done.stderr[-2000:]
