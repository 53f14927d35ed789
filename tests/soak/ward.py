"""A department of readers on a home of its own: built in one process, printed as JSON for those who load it."""

import json
import os
import sys
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import transaction  # noqa: E402

from annotation.people.models import User  # noqa: E402
from annotation.studies.models import Reading, ReadingOutput  # noqa: E402
from annotation.systems.models import Output, OutputPart  # noqa: E402
from tests import factories  # noqa: E402
from tests.annotation.grading.world import VQA_CRITERIA, builtin  # noqa: E402


def session_of(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


@transaction.atomic
def build(n_readers: int, n_items: int) -> dict:
    """Every reader reads every item's one text output. Nobody signs in by password, so its hash is quick."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    dataset = factories.dataset()
    for number in range(n_items):
        factories.item(dataset, instruction=f"Question {number}?", reference_text=f"The answer to {number} is liver.")
    release = factories.release(dataset)
    submission = factories.submission(release, outputs=False)
    revisions = [row.revision for row in release.release_items.select_related("revision")]
    outputs = Output.objects.bulk_create(
        Output(submission=submission, revision=revision, status="ok", content_hash=uuid.uuid4().hex * 2)
        for revision in revisions
    )
    OutputPart.objects.bulk_create(
        OutputPart(output=output, position=0, kind="text", text=f"I see liver, case {number}.")
        for number, output in enumerate(outputs)
    )
    study = factories.study(release, submissions=[submission], rubrics=[builtin("T1", "1.0")], state="running")
    by_revision = {output.revision_id: output for output in outputs}
    study_items = list(study.study_items.all())
    readers = []
    for number in range(n_readers):
        user = factories.person(f"reader{number}")
        enrollment = factories.enroll(study, user)
        made = Reading.objects.bulk_create(
            Reading(study=study, enrollment=enrollment, study_item=item, position=place)
            for place, item in enumerate(study_items, start=1)
        )
        ReadingOutput.objects.bulk_create(
            ReadingOutput(reading=reading, output=by_revision[item.revision_id], label="A", position=0)
            for reading, item in zip(made, study_items, strict=True)
        )
        readers.append({"session": session_of(user), "readings": [str(reading.pk) for reading in made]})
    return {"study": study.slug, "submission": submission.code, "readers": readers, "criteria": list(VQA_CRITERIA)}


if __name__ == "__main__":
    print(json.dumps(build(int(sys.argv[1]), int(sys.argv[2]))))
