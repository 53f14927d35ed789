"""A whole study over HTTP: no byte that a reader receives says whose output it is."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from django.test import Client

from annotation.adjudication.rules import case_key
from annotation.assets.models import Asset
from annotation.people.models import User
from annotation.studies import revealing
from annotation.studies.models import Enrollment, Reading, Study
from annotation.studies.services import enroll_person, lock_study
from annotation.systems.models import Output, Submission
from tests.acceptance import readers
from tests.acceptance.addresses import ALL, Address
from tests.acceptance.bench import DATASET, Bench, answered, command, edit, lines, question, save
from tests.acceptance.witness import Witness, inflated, unpacked
from tests.api.addresses import api_addresses

pytestmark = pytest.mark.django_db

SYSTEMS = {"zephyrion-slug": "Zephyrion Vendor Name", "quasarnet-slug": "Quasarnet Vendor Name"}
PLANTED = (
    "zephyrion", "quasarnet", "vendor name", "vers-zz7", "canary-text", "canary-exif", "canary-itxt", "canary-raw",
)  # fmt: skip


def marked_png(path, pixels: np.ndarray) -> str:
    """A PNG that names its maker in text chunks and in EXIF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = PIL.PngImagePlugin.PngInfo()
    texts.add_text("Software", "canary-text zephyrion 7")
    texts.add_text("Comment", "canary-text " * 50, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x>canary-itxt</x>")
    exif = PIL.Image.Exif()
    exif[0x010E], exif[0x0131] = "canary-exif description", "canary-exif software"
    PIL.Image.fromarray(pixels).save(path, pnginfo=texts, exif=exif)
    return f"{path.parent.name}/{path.name}"


def generation(name: str) -> dict[str, Any]:
    return edit(
        name, instruction=f"Show case {name} a year later.", category="MMGeneration",
        paper_format="MultimodalGeneration", paper_task="instruction-editing", answer="The lesion has grown.",
        **{"sub-category": "instruction-editing"},
    )  # fmt: skip


@dataclass
class Planted:
    """An open study whose systems left their names wherever a file has room for one."""

    bench: Bench
    study: Study
    people: dict[str, User]
    words: set[str] = field(default_factory=set)


@pytest.fixture(params=["one", pytest.param("all", marks=pytest.mark.long)])
def planted(request, tmp_path, reader, other_reader, coordinator) -> Planted:
    bench = Bench(tmp_path / "bench")
    rng = np.random.default_rng(11)
    records = [question("q1"), question("q2"), edit("e1"), generation("g1")]
    for name in ("e1", "g1"):
        save(bench.items / f"images/{name}.png", rng.integers(0, 256, (24, 32), dtype=np.uint8))
        save(bench.items / f"images/{name}_ref.png", rng.integers(0, 256, (24, 32), dtype=np.uint8))
    bench.import_items(*records)
    bench.release()
    for slug, name in SYSTEMS.items():
        import_planted(bench, slug, name, records, rng)
    bench.measure()
    study = readers.make_study(
        bench, tmp_path, readers=["reader", "other_reader"], coordinator="coordinator", submissions=list(SYSTEMS),
        mode=request.param,
    )  # fmt: skip
    made = Planted(bench, study, {"reader": reader, "other_reader": other_reader, "coordinator": coordinator})
    made.words = forbidden()
    return made


def import_planted(bench: Bench, slug: str, name: str, records: list[dict[str, Any]], rng: Any) -> None:
    folder = bench.outputs_of(slug)
    said = []
    for record in records:
        sample = record["sample_id"][2:]
        image = None
        if not sample.startswith("q"):
            image = marked_png(folder / f"out/{slug}_{sample}.png", rng.integers(0, 256, (24, 32), dtype=np.uint8))
        said.append(answered(record, "" if sample == "e1" else f"Answer to {sample}.", image))
        said[-1]["raw_response"] = "canary-raw of zephyrion"
        said[-1]["model"] = slug
    file = lines(folder / f"{slug}_results.jsonl", *said)
    done = command(
        "import_outputs", file, "--dataset", DATASET, "--release", "1.0", "--system", slug, "--system-name", name,
        "--system-version", "vers-zz7",
    )  # fmt: skip
    assert done.code == 0, done.err


def forbidden() -> set[str]:
    """What no reader may receive: planted names, and every key and checksum of what systems delivered."""
    words = set(PLANTED)
    for submission in Submission.objects.select_related("system_version__system"):
        words |= {str(submission.pk), submission.code, str(submission.system_version.system_id)}
    for pk, digest in Output.objects.values_list("pk", "content_hash"):
        words |= {str(pk), pk.hex, digest}
    for asset in Asset.objects.filter(output_parts__isnull=False):
        words |= {asset.sha256, asset.sha256[:16], asset.pixel_digest[:16], str(asset.pk), asset.pk.hex}
    return {word.lower() for word in words if word}


def look_at_panes(witness: Witness, data: dict[str, Any]) -> None:
    """Every picture: header, whole, a part, again with its tag, and beyond its end."""
    for pane in data["panes"]:
        if not pane["frames"]:
            continue
        header = witness.get(pane["frames"])
        address = header.json()["data"]
        whole = witness.get(address)
        witness.get(address, range="bytes=0-63")
        witness.get(address, range="bytes=999999999-")
        witness.get(address, **{"if-none-match": whole.headers["ETag"]})


def wrong_posts(witness: Witness, data: dict[str, Any]) -> None:
    """Answers to what a reader may get wrong: 400, 404, 405, 409 and 422."""
    urls = data["urls"]
    witness.post(urls["submit"], "{not json")
    witness.post(urls["submit"], readers.body_of({"outputs": {}}))
    witness.post(urls["submit"], readers.body_of({"outputs": {"Z": {"scores": {"overall": 99}}}}))
    draft = {"payload": {"outputs": {}}, "client_id": "tab-1", "revision": 1, "base_revision": 0}
    witness.post(urls["draft"], draft)
    witness.post(urls["draft"], draft | {"client_id": "tab-2", "revision": 3})
    witness.post(urls["skip"], {"reason": "because"})
    witness.get(urls["submit"])
    witness.get(urls["page"] + "panes/99/frames.json")
    witness.get(urls["page"] + "panes/99/frames.bin")


def read_everything(witness: Witness, study: Study) -> int:
    """Grade the whole worklist with every detour on the way; returns how many readings were submitted."""
    url: str | None = readers.first_reading(witness.client, study)
    witness.get(f"/studies/{study.slug}/read/")
    count = 0
    while url:
        data = witness.get(url).json()
        witness.get(data["urls"]["page"])
        look_at_panes(witness, data)
        wrong_posts(witness, data)
        body = readers.body_of(readers.payload_of(data, 2 if count % 2 else 4))
        assert witness.post(data["urls"]["submit"], body).status_code == 200
        witness.post(data["urls"]["submit"], body)
        witness.post(data["urls"]["submit"], readers.body_of(body["payload"]))
        witness.post(data["urls"]["submit"], readers.body_of(body["payload"], reason="I looked again."))
        witness.post(data["urls"]["draft"], {"payload": {}, "client_id": "t", "revision": 9, "base_revision": 0})
        witness.post(data["urls"]["skip"], {"reason": "image problem"})
        witness.get(url)
        count += 1
        url = data["urls"]["next"]
    return count


def world_of(planted: Planted) -> dict[str, Any]:
    submission = Submission.objects.order_by("number").first()
    reading = Reading.objects.filter(enrollment__user=planted.people["other_reader"]).first()
    assert submission is not None and reading is not None
    return {
        "item": planted.study.study_items.order_by("-pk").first().revision.item, "reading": reading,
        "submission": submission, "job": submission.import_job, "dataset": submission.dataset,
        "output": submission.outputs.filter(parts__kind="image").first(), "study": planted.study,
        "system": submission.system_version.system, "person": planted.people["other_reader"], "letter": "A",
        "enrollment": Enrollment.objects.filter(study=planted.study).first(),
        "case": case_key(planted.study.pk, reading.reading_outputs.first().output_id, "safety", None),
    }  # fmt: skip


def visit(witness: Witness, address: Address, world: dict[str, Any]) -> Any:
    return witness.get(address.filled(address.real(world)))


def test_no_byte_of_a_whole_study_names_a_system(planted, sign_in):
    witness = Witness(sign_in(planted.people["reader"]))
    world = world_of(planted)
    for url in ("/", "/studies/", f"/studies/{planted.study.slug}/readings/", "/password/", "/rubrics/T1/1.0/"):
        witness.get(url)

    count = read_everything(witness, planted.study)
    for address in ALL:
        if address.name != "annotation:sign-out":
            visit(witness, address, world)
    for status in ("queued", "submitted", "skipped", "x"):
        witness.get(f"/studies/{planted.study.slug}/readings/?status={status}")

    assert count == Reading.objects.filter(enrollment__user=planted.people["reader"], status="submitted").count()
    assert count == (4 if planted.study.outputs_per_reading == "all" else 8)
    assert {200, 206, 302, 304, 400, 403, 404, 405, 409, 416, 422} <= witness.statuses
    assert len(planted.words) > 20
    assert witness.betrayals(planted.words) == []


def test_the_scan_finds_what_was_planted(planted, sign_in):
    """The same scan of the coordinator's pages of outputs does find the names: it is not blind itself."""
    witness = Witness(sign_in(planted.people["coordinator"]))
    world = world_of(planted)

    for name in ("annotation:system-detail", "annotation:submission-detail"):
        visit(witness, next(address for address in ALL if address.name == name), world)

    found = " ".join(witness.betrayals(planted.words))
    assert "zephyrion" in found and "vers-zz7" in found


def test_the_scan_inflates_frames():
    packed = b"head" + zlib.compress(b"zephyrion" * 20) + zlib.compress(b"\0" * 500 + b"quasarnet") + b"tail"

    unpacked = b"".join(inflated(packed))

    assert b"zephyrion" in unpacked and b"quasarnet" in unpacked


UNSEEN = (
    "annotation:system-detail", "annotation:submission-detail", "annotation:output-frames", "annotation:output-data",
    "annotation:import-detail", "annotation:import-problems", "scoring:metric-list", "scoring:agreement",
    "scoring:judgment-list", "scoring:calibration", "scoring:certificate", "scoring:radar", "scoring:radar-detail",
    "scoring:radar-frames", "scoring:radar-data",
    "scoring:agreement-json", "scoring:leaderboard", "scoring:leaderboard-json", "scoring:leaderboard-receipt",
    "scoring:composite", "scoring:export-list", "scoring:workbook-download", "scoring:comparison",
    "scoring:comparison-json", "scoring:combination", "scoring:combination-json",
    "scoring:comparison-imrmc", "scoring:comparison-mrmcaov",
)  # fmt: skip


@pytest.fixture
def all_roles(planted) -> User:
    """A reader of the study who also curates, makes studies, keeps people, and runs and analyzes the same study."""
    person = planted.people["reader"]
    for role in ("is_curator", "may_create_studies", "is_operator"):
        setattr(person, role, True)
    person.save()
    for role in ("coordinator", "analyst"):
        enroll_person(study=planted.study, user=person, role=role, actor=None)
    return person


def test_a_reader_with_every_other_role_stays_blind_until_the_study_is_locked(planted, all_roles, sign_in):
    witness = Witness(sign_in(all_roles))
    world = world_of(planted)
    by_name = {address.name: address for address in ALL}

    for address in ALL:
        if address.name not in {"annotation:sign-out", *UNSEEN}:
            visit(witness, address, world)
    answers = {name: visit(witness, by_name[name], world).status_code for name in UNSEEN if name in by_name}
    compute = witness.send(by_name["scoring:metrics-compute"].filled({"pk": world["submission"].pk}))

    assert {name: status for name, status in answers.items() if status != 404} == {}
    assert compute.status_code == 404
    item_metrics = witness.get(f"/items/{world['item'].pk}/_metrics/")
    assert b"psnr" not in item_metrics.content.lower() and b"accuracy" not in item_metrics.content.lower()
    assert witness.betrayals(planted.words) == []

    assert witness.send(f"/studies/{planted.study.slug}/lock/").status_code == 302
    assert visit(witness, by_name["scoring:leaderboard"], world).status_code == 200
    assert visit(witness, by_name["annotation:submission-detail"], world).status_code == 200


@pytest.mark.parametrize("planted", ["one"], indirect=True)
@pytest.mark.long
def test_between_lock_and_unblinding_no_byte_names_a_system_to_anybody(
    planted, all_roles, analyst, sign_in, tmp_path
):
    second, world = planted.people["coordinator"], world_of(planted)
    lock_study(study=planted.study, actor=second)
    enroll_person(study=planted.study, user=analyst, role="analyst", actor=None)
    people = {"all": all_roles, "second": second, "analyst": analyst, "reader": planted.people["other_reader"]}
    named = {word for word in PLANTED if "canary" not in word} | {world["submission"].code.lower()}

    revealing.ask_for_names(study=planted.study, actor=all_roles, reason="Everything is read.")
    before = {role: analyses(sign_in(person), world).betrayals(named) for role, person in people.items()}
    told = told_by_commands(planted.study, tmp_path, "letters")
    revealing.confirm(study=planted.study, actor=second)
    after = analyses(sign_in(second), world).betrayals(named)

    assert before == {role: [] for role in people}
    assert [word for word in named if word in told] == []
    for place in ("leaderboard/", "leaderboard/A/", "workbook.xlsx", "balance/", f"/studies/{planted.study.slug}/"):
        assert any(said.endswith(place) for said in after), place
    assert "vers-zz7" in told_by_commands(planted.study, tmp_path, "names")
    assert analyses(sign_in(people["reader"]), world).betrayals(named) == []


def analyses(client: Client, world: dict[str, Any]) -> Witness:
    """Every page, file and answer for programs under a study."""
    witness = Witness(client)
    study = "studies/<slug:slug>/"
    for address in ALL:
        if address.route.startswith(study):
            visit(witness, address, world)
    for address in api_addresses():
        route = address.route.replace("<slug:slug>", world["study"].slug).replace("<str:letter>", "A")
        if "/studies/" in address.route and "<" not in route and "get" in address.methods:
            witness.get(f"/{route}")
    return witness


def told_by_commands(study: Study, folder: Path, name: str) -> str:
    """What the commands of numbers print, and every byte of the score sheet that one writes."""
    sheet = folder / f"{name}.xlsx"
    written = command("export_workbook", study.slug, sheet)
    assert written.code == 0, written.err
    said = [command("leaderboard", DATASET, "--json").out, command("agreement", study.slug, "--json").out]
    inside = b"".join(unpacked(sheet.read_bytes())).decode(errors="replace")
    return "\n".join([written.out.replace(str(sheet), ""), *said, inside]).lower()


def test_every_address_that_shows_systems_is_among_the_unseen(planted, sign_in):
    """A new address that names a system to a coordinator must join the list above, or stay silent for readers."""
    witness = Witness(sign_in(planted.people["coordinator"]))
    world = world_of(planted)
    open_to_all = {"annotation:system-list", "annotation:study-detail", "annotation:study-balance"}

    telling = set()
    for address in ALL:
        if address.name == "annotation:sign-out":
            continue
        before = len(witness.seen)
        visit(witness, address, world)
        names = set(PLANTED)
        if Witness(witness.client, witness.seen[before:]).betrayals(names):
            telling.add(address.name)

    assert "annotation:submission-detail" in telling
    assert telling - set(UNSEEN) - open_to_all <= {
        "home", "annotation:output-import", "annotation:study-create", "scoring:item-metrics",
        "annotation:release-detail",
    }  # fmt: skip


def test_a_stranger_and_a_signed_out_reader_learn_nothing(planted, stranger, sign_in):
    witness = Witness(sign_in(stranger))
    nobody = Witness(Client())
    world = world_of(planted)

    for address in ALL:
        if address.name != "annotation:sign-out":
            visit(witness, address, world)
            visit(nobody, address, world)

    assert witness.betrayals(planted.words) == []
    assert nobody.betrayals(planted.words) == []
