"""Acts that look before they write, several at the same moment in threads with connections of their own: one wins."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import migrated

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, pathlib, sys, threading, uuid
import django
django.setup()
from django.conf import settings
from django.db import connection
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
from annotation.audit.chain import verify_chains
from annotation.datasets.importing import import_items
from annotation.datasets.models import Item
from annotation.grading import services as grading
from annotation.grading.models import Grade
from annotation.people import services as people
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.releases.services import freeze_release
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission
from scoring.composites import services as composites
from scoring.composites.models import Composite
from tests import factories
from tests.annotation.datasets.builders import jsonl, vqa
from tests.annotation.grading import world


def at_once(*acts):
    start, said = threading.Barrier(len(acts)), []

    def run(act):
        start.wait()
        try:
            act()
            said.append("done")
        except Exception as problem:
            said.append(type(problem).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sorted(said)


answers = {}
names = ("anna", "Anna", "ANNA", "aNNA")
answers["names"] = at_once(*[lambda name=name: people.create_person(username=name, name="Anna", actor=None)
                             for name in names])
answers["named"] = User.objects.count()

operators = [factories.person(f"operator{n}", is_operator=True) for n in range(3)]
answers["operators"] = at_once(*[lambda one=one: people.deactivate_person(user=one, actor=None) for one in operators])
answers["operating"] = User.objects.filter(is_operator=True, is_active=True).count()

folder = pathlib.Path(settings.MEDGEN_HOME)
file = jsonl(folder / "items.jsonl", *[vqa(number) for number in range(1, 30)])
answers["imports"] = at_once(*[lambda: import_items(path=file, dataset_slug="same", actor=None)] * 3)
answers["imported"] = sorted(Item.objects.filter(dataset__slug="same").values_list("number", flat=True))

reader = factories.person("reader")
made = world.small_study(reader)
answers["submits"] = []
for reading in made.readings:
    acts = []
    for value in (3, 4, 5, 5):
        entry = grading.Entry(payload=world.payload(A=world.entry(value)), submit_key=uuid.uuid4())
        acts.append(lambda entry=entry: grading.submit_reading(reading=reading, actor=reader, entry=entry))
    answers["submits"].append(at_once(*acts))
answers["grades"] = Grade.objects.count()

answers["composites"] = at_once(*[lambda: composites.present_composite(made.study)] * 4)
answers["versions"] = Composite.objects.count()

dataset = made.submissions[0].dataset
freeze = lambda version, source: freeze_release(dataset=dataset, version=version, actor=None,
                                                validated_elsewhere=source)
answers["freezes"] = at_once(*[lambda n=n: freeze("9.0", f"authors {n}") for n in range(3)])
answers["same freezes"] = at_once(*[lambda: freeze("9.1", "its authors")] * 3)
answers["frozen"] = Release.objects.filter(version__startswith="9.").count()
answers["trail"] = [str(finding) for finding in verify_chains()]
print(json.dumps(answers))
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def url(request, tmp_path):
    with migrated.new_database(request.param, tmp_path) as address:
        yield address


def test_of_acts_at_the_same_moment_one_wins(url, tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "medgen.settings", "MEDGEN_HOME": str(tmp_path)}
    environment |= {"DATABASE_URL": url}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["names"], said["named"]) == (["PeopleError"] * 3 + ["done"], 1)
    assert (said["operators"], said["operating"]) == (["PeopleError", "done", "done"], 1)
    assert "done" in said["imports"] and set(said["imports"]) <= {"done", "ImportInterruptedError"}
    assert said["imported"] == list(range(1, 30))
    assert said["submits"] == [["AlreadySubmittedError"] * 3 + ["done"]] * 2
    assert said["grades"] == 2
    assert (said["composites"], said["versions"]) == (["done"] * 4, 1)
    assert said["freezes"] == ["FreezeError", "FreezeError", "done"]
    assert "done" in said["same freezes"] and set(said["same freezes"]) <= {"done", "FreezeError"}, (
        "joined or refused"
    )
    assert said["frozen"] == 2
    assert said["trail"] == []
