"""Names of uploaded files may name patients: one that is refused is named to who uploads it, and kept nowhere."""

import logging

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.world import Program

pytestmark = pytest.mark.django_db
NAME = "Zwieblinger"


def kept() -> list[str]:
    """Every table, and every file of the home, that holds the name."""
    found = [
        f"{model._meta.db_table}: {row}"
        for model in apps.get_models()
        for row in model._base_manager.values_list()
        if NAME.casefold() in str(row).casefold()
    ]
    home = settings.MEDGEN_HOME
    for path in home.rglob("*"):
        if NAME.casefold() in str(path.relative_to(home)).casefold():
            found.append(f"path {path.relative_to(home)}")
        elif path.is_file() and NAME.encode() in path.read_bytes():
            found.append(f"bytes of {path.relative_to(home)}")
    return found


def test_a_refused_file_is_not_named_in_trail_or_log(curator, caplog):
    caplog.set_level(logging.DEBUG)

    answer = Program(curator).upload(
        "imports/items/", {"file": SimpleUploadedFile(f"{NAME}.exe", b"MZ"), "dataset": "liver"}
    )

    assert answer.status == 422
    assert NAME in answer.data["detail"]
    assert kept() == []
    assert NAME not in caplog.text
