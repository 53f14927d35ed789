"""An output that cannot be measured, or kills who measures it, is typed, counted and shown like any missing value."""

import hashlib
import io

import numpy as np
import PIL.Image
import pytest
from django.urls import reverse
from openpyxl import load_workbook

from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.systems.models import OutputPart
from annotation.work import leases
from annotation.work.executor import drain
from annotation.work.models import Chunk
from scoring.exports.services import export_workbook
from scoring.metrics.base import UndefinedMetricError
from scoring.runs.comparisons import Pictures
from scoring.runs.models import MetricValue
from scoring.runs.services import run_metrics
from scoring.runs.work import ask_for_metrics
from tests import factories
from tests.scoring.world import World, build

pytestmark = pytest.mark.django_db


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def stored(data: bytes) -> Asset:
    """An asset whose file is what its checksum says, whatever the file is worth."""
    asset = factories.asset(sha256=hashlib.sha256(data).hexdigest(), frames_sha256="0" * 64, size_bytes=len(data))
    storage.write_once(storage.place(asset.sha256, asset.suffix), data)
    return asset


@pytest.fixture
def edits() -> World:
    """Two edited pictures; the file of the second was cut when it was made."""
    world = build(items=2, format="image_editing", systems=1, readers=1)
    reference = stored(png(0))
    for output, data in zip(world.outputs(0), (png(1), png(2)[:-900]), strict=True):
        output.parts.all().delete()
        OutputPart.objects.create(output=output, position=0, kind="image", asset=stored(data))
        output.revision.images.filter(role="reference").update(asset=reference)
        output.revision.images.filter(role="input").update(asset=stored(png(3 + output.revision.item.number)))
    return world


def told(world: World, metric: str) -> list[float | str]:
    rows = MetricValue.objects.filter(settings__metric=metric, subject="output")
    return [row.reason or row.value for row in rows.order_by("output__revision__item__number")]


def test_a_picture_that_cannot_be_decoded_gets_a_typed_missing_value(edits):
    summary = run_metrics(submissions=edits.submissions)

    good, bad = told(edits, "psnr")
    value = MetricValue.objects.get(settings__metric="psnr", subject="output", reason="missing_output")
    assert isinstance(good, float)
    assert bad == "missing_output"
    assert value.message.startswith("The stored picture cannot be ")
    assert summary.n_computed == 2


def test_a_reference_that_cannot_be_decoded_is_no_fault_of_the_output(edits):
    broken = stored(png(9)[:-900])
    edits.outputs(0)[0].revision.images.filter(role="reference").update(asset=broken)

    run_metrics(submissions=edits.submissions)

    assert told(edits, "psnr") == ["missing_reference", "missing_output"]


def test_whatever_a_decoder_stumbles_over_is_typed_and_trouble_of_the_machine_is_not(monkeypatch):
    asset = factories.asset()

    def stumbles(asset: Asset) -> None:
        raise problem

    monkeypatch.setattr("scoring.runs.comparisons.load_image", stumbles)
    for problem in (EOFError("no more"), ZeroDivisionError(), IndexError("9")):
        found = Pictures().get(asset, "missing_reference")
        assert isinstance(found, UndefinedMetricError)
        assert (found.reason, type(problem).__name__ in str(found)) == ("missing_reference", True)
    for problem in (OSError(5, "the disk"), MemoryError()):
        with pytest.raises(type(problem)):
            Pictures().get(asset)


@pytest.fixture
def given_up(edits) -> World:
    """A job whose second output killed its worker each time."""
    job = ask_for_metrics(submissions=edits.submissions, actor=None)
    drain(max_chunks=1)
    poisoned = str(edits.outputs(0)[1].pk)

    def dies() -> None:
        leases.claim("dead:1")
        Chunk.objects.filter(job=job, state="running").update(lease_until="2020-01-01T00:00Z")

    dies(), dies()
    leases._split(Chunk.objects.select_related("job").get(job=job, state="running"))
    lost = {"state": "running", "attempts": 5, "lease_until": "2020-01-01T00:00Z"}
    Chunk.objects.filter(job=job, payload={"outputs": [poisoned]}).update(**lost)
    drain()
    return edits


def test_an_output_that_was_given_up_is_typed_under_every_metric_that_applies(given_up):
    good, bad = told(given_up, "psnr")
    value = MetricValue.objects.get(settings__metric="psnr", reason="failed")

    assert isinstance(good, float)
    assert bad == "failed"
    assert "Given up after 5 attempts" in value.message
    assert told(given_up, "exact_match") == ["not_applicable", "not_applicable"]
    assert value.run.n_computed == 1


def test_it_is_counted_on_the_page_and_in_the_score_sheet(given_up, curator, sign_in, tmp_path):
    submission, out = given_up.submissions[0], tmp_path / "sheet.xlsx"
    export_workbook(study=given_up.study, out=out, actor=None)

    page = sign_in(curator).get(reverse("scoring:metric-list", args=[submission.pk])).content.decode()
    sheets = load_workbook(out, read_only=True)
    cells = {title: [cell.value for row in sheets[title] for cell in row] for title in sheets.sheetnames}

    assert "1 not measured: the computation failed" in page
    assert "failed" in cells["Metrics"]
    assert "failed" in cells["Missing"]


def test_measuring_again_on_purpose_puts_a_value_in_its_place(given_up):
    output = given_up.outputs(0)[1]
    output.parts.update(asset=stored(png(50)))

    run_metrics(submissions=given_up.submissions, force=True)

    assert all(isinstance(value, float) for value in told(given_up, "psnr"))


def test_what_was_measured_before_is_not_lost_when_a_later_run_gives_up(edits):
    run_metrics(submissions=edits.submissions)
    before = told(edits, "psnr")
    job = ask_for_metrics(submissions=edits.submissions, actor=None, force=True)
    drain(max_chunks=1)
    Chunk.objects.filter(job=job, state="queued").update(
        state="running",
        attempts=5,
        lease_until="2020-01-01T00:00Z",
        payload={"outputs": [str(edits.outputs(0)[0].pk)]},
    )

    drain()

    assert job.chunks.filter(state="failed").exists()
    assert told(edits, "psnr") == before
