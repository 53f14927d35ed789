"""Writes rows, files and events until it is stopped, as people do while a backup is made; run as a process."""

import hashlib
import os
import sys
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
django.setup()

from django.db import transaction  # noqa: E402

from annotation.assets import storage  # noqa: E402
from annotation.audit.record import record  # noqa: E402
from annotation.datasets.models import Dataset  # noqa: E402
from tests import factories  # noqa: E402


def write_one(number: int) -> None:
    """A dataset with an item, its picture with bytes in place first, and an event, in one transaction."""
    data = uuid.uuid4().bytes * 64
    digest = hashlib.sha256(data).hexdigest()
    for suffix in (".png", storage.FRAMES_SUFFIX, storage.THUMBNAIL_SUFFIX):
        storage.write_once(storage.place(digest, suffix), data)
    with transaction.atomic():
        dataset = Dataset.objects.create(slug=f"d-{uuid.uuid4().hex}", name=f"Dataset {number}")
        factories.asset(sha256=digest, suffix=".png", size_bytes=len(data))
        record("dataset made", actor=None, subject=dataset, number=number, share=1 / 3)


if __name__ == "__main__":
    for written in range(int(sys.argv[1])):
        write_one(written)
        print(written, flush=True)
