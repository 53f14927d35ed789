"""A study of three systems on a home of its own, as the product would draw it; printed as JSON for who measures it.

Texts and pictures are as long for every system, so that nothing but what the server does could take another time.
Systems came in one after another, have names of different length, and lie in other places of the tables.
"""

import json
import os
import random
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402

from annotation.assets.storage import frames_path, write_once  # noqa: E402
from annotation.releases.models import Release  # noqa: E402
from annotation.studies.services import open_study  # noqa: E402
from annotation.systems.models import Output, OutputPart, Submission, System, SystemVersion  # noqa: E402
from tests import factories  # noqa: E402
from tests.annotation.grading.world import builtin  # noqa: E402
from tests.soak.ward import session_of  # noqa: E402

SYSTEMS = ("a", "borealis-medical-imaging-suite", "zephyrion-2")
PICTURE_BYTES = 60_000
TEXT = "The lungs are clear; there is no effusion. " * 12


@transaction.atomic
def build(n_items: int, seed: int) -> dict[str, Any]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    chance = random.Random(seed)
    dataset = factories.dataset()
    for _ in range(n_items):
        factories.item(dataset, format="multimodal_generation", task="disease-prediction", images=False)
    release = factories.release(dataset)
    submissions = [deliver(slug, number, release, chance) for number, slug in enumerate(SYSTEMS, start=1)]
    study = factories.study(
        release, submissions=submissions, rubrics=[builtin("T1", "1.0")], outputs_per_reading="one", seed=seed,
        readers_per_item=1,
    )  # fmt: skip
    reader, coordinator = factories.person("reader"), factories.person("coordinator")
    factories.enroll(study, reader)
    factories.enroll(study, coordinator, "coordinator")
    open_study(study=study, actor=coordinator)
    rows = study.readings.values_list("pk", "reading_outputs__output__submission__system_version__system__slug")
    readings = [[str(pk), slug] for pk, slug in rows.order_by("position")]
    return {"session": session_of(reader), "readings": readings}


def deliver(slug: str, number: int, release: Release, chance: random.Random) -> Submission:
    system = System.objects.create(slug=slug, name=slug.replace("-", " ").title(), kind="unified")
    version = SystemVersion.objects.create(system=system, version=f"{number}.0")
    submission = Submission.objects.create(
        number=number, system_version=version, dataset=release.dataset, release=release
    )
    for row in release.release_items.select_related("revision"):
        output = Output.objects.create(
            submission=submission, revision=row.revision, status="ok", content_hash=f"{chance.getrandbits(256):064x}"
        )
        asset = factories.asset(f"{slug} {row.pk}")
        asset.frames_header |= {"offsets": [0, PICTURE_BYTES], "encoding": "delta-split-deflate"}
        asset.save()
        write_once(frames_path(asset), chance.randbytes(PICTURE_BYTES))
        OutputPart.objects.create(output=output, position=0, kind="text", text=TEXT)
        OutputPart.objects.create(output=output, position=1, kind="image", asset=asset)
    return submission


if __name__ == "__main__":
    print(json.dumps(build(int(sys.argv[1]), int(sys.argv[2]))))
