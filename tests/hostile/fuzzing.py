"""Targets for mutated inputs: every parser of the product, with seeds, its share, and what counts as an answer."""

import gzip
import io
import json
import struct
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from pydicom import uid

from annotation.datasets.errors import UploadError
from annotation.datasets.unpacking import ZipLimits, unpack_zip
from annotation.formats import FormatError, Problem, read_records
from annotation.formats.parquet_rows import parquet_rows, reading_child
from annotation.imaging.image import REASONS, ImageError
from annotation.imaging.sandbox import Decoder
from tests import images
from tests.acceptance.bench import answered, edit, question
from tests.annotation.formats.test_parquet import embedded, vqa_row, write
from tests.hostile import planted
from tests.hostile.measuring import peak, reset_peak
from tests.hostile.mutating import draw_of, mutated, mutated_json

SECONDS, MEBIBYTES = 10.5, 1024
MALFORMED = Path(__file__).resolve().parents[1] / "malformed"
SYNTAXES = (
    uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit,
    uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless, uid.JPEG2000Lossless,
    uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K,
)  # fmt: skip
NATIVE = SYNTAXES[:4]


@dataclass
class Target:
    """One parser.

    Attributes:
        name: of the parser.
        seeds: good inputs.
        run: gives the class of the outcome; an exception is a finding.
        share: of the whole, in thousandths.
        make: how an input is made of the seeds; None damages bytes.
        pid: process whose memory counts beside this one's.
    """

    name: str
    seeds: list[bytes]
    run: Callable[[bytes], str]
    share: int
    make: Callable[[Random, list[bytes]], bytes] | None = None
    pid: Callable[[], int | None] = lambda: None


@dataclass
class Report:
    """What became of the inputs of one target."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: int = 0
    seconds: float = 0.0


Make = Callable[[Random, list[bytes]], bytes]


def inside_gzip(draw: Random, seeds: list[bytes]) -> bytes:
    """Damage to the packed bytes, or to what they hold."""
    seed = draw.choice(seeds)
    if draw.random() < 0.3:
        return mutated(seed, draw.choice(seeds), draw)
    return gzip.compress(mutated(gzip.decompress(seed), b"", draw), compresslevel=1)


def inside_deflate(draw: Random, seeds: list[bytes]) -> bytes:
    """The same for a deflated DICOM data set."""
    seed = draw.choice(seeds)
    if draw.random() < 0.3:
        return mutated(seed, seed, draw)
    end = 144 + int(struct.unpack_from("<I", seed, 140)[0])
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = mutated(zlib.decompress(seed[end:], -zlib.MAX_WBITS), b"", draw)
    return seed[:end] + packer.compress(body) + packer.flush()


def inside_png(draw: Random, seeds: list[bytes]) -> bytes:
    """Damage to the file, mostly with the checksums of its chunks made right again."""
    data = bytearray(mutated(draw.choice(seeds), draw.choice(seeds), draw))
    at = 8
    while draw.random() < 0.9 and at + 12 <= len(data):
        length = int(struct.unpack_from(">I", data, at)[0])
        if at + 12 + length > len(data):
            break
        struct.pack_into(">I", data, at + 8 + length, zlib.crc32(data[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(data)


def image_target(
    name: str, seeds: list[bytes], share: int, decoder: Decoder, folder: Path, make: Make | None = None
) -> Target:
    path = folder / "input"

    def run(data: bytes) -> str:
        path.write_bytes(data)
        try:
            decoder.prepare(path, key=b"a secret")
        except ImageError as error:
            assert error.reason in REASONS
            assert "Traceback" not in str(error)
            return error.reason
        return "accepted"

    return Target(name, seeds, run, share, make, pid=lambda: decoder.pid)


def dicom_seed(syntax: str) -> bytes:
    narrow = syntax == uid.JPEGBaseline8Bit
    frame = images.texture(24, 20, top=255, dtype="uint8") if narrow else images.texture(24, 20)
    data = images.dicom(frame, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    if syntax in NATIVE:
        data.file_meta.TransferSyntaxUID = uid.UID(syntax)
        with tempfile.TemporaryDirectory() as folder:
            return images.save_dicom(Path(folder, "a"), data).read_bytes()
    data = images.compressed(data, syntax)
    with tempfile.TemporaryDirectory() as folder:
        return images.save_dicom(Path(folder, "a"), data).read_bytes()


def extra_dicom() -> list[bytes]:
    color = images.dicom(images.photograph(24, 20))
    frames = images.dicom(np.stack([images.texture(16, 16, seed=seed) for seed in range(3)]))
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for data in (color, frames, images.compressed(images.dicom(images.photograph(24, 20)), uid.RLELossless)):
            out.append(images.save_dicom(Path(folder, "a"), data).read_bytes())
    return [*out, planted.dicom_bytes(planted.Planter())]


def image_targets(stack: ExitStack, folder: Path) -> Iterator[Target]:
    decoder = stack.enter_context(Decoder())
    plant = planted.Planter()
    for syntax in SYNTAXES:
        seeds = [dicom_seed(syntax)]
        seeds += extra_dicom() if syntax == uid.ExplicitVRLittleEndian else []
        make = inside_deflate if syntax == uid.DeflatedExplicitVRLittleEndian else None
        yield image_target(f"DICOM {uid.UID(syntax).name}", seeds, 22, decoder, folder, make)
    voxels = np.arange(480, dtype=np.int16).reshape(8, 10, 6)
    plain = [images.nifti(voxels), images.nifti(voxels.astype(np.float32), order=">"), planted.nifti(plant)]
    yield image_target("NIfTI", plain, 50, decoder, folder)
    packed = [gzip.compress(plain[0]), planted.nifti_gzip(plant)]
    yield image_target("NIfTI, gzip", packed, 40, decoder, folder, inside_gzip)
    for kind in ("png", "jpeg", "tiff", "webp"):
        seeds = [planted.MAKERS[kind](plant), raster(kind.upper())]
        yield image_target(kind.upper(), seeds, 55, decoder, folder, inside_png if kind == "png" else None)


def raster(kind: str) -> bytes:
    out = io.BytesIO()
    import PIL.Image

    PIL.Image.fromarray(images.texture(24, 20, top=255, dtype="uint8")).save(out, kind)
    return out.getvalue()


def lines_target(name: str, records: list[dict[str, object]], kind: str, share: int, folder: Path) -> Target:
    path = folder / "data.jsonl"
    seed = b"".join(json.dumps(record).encode() + b"\n" for record in records)

    def run(data: bytes) -> str:
        path.write_bytes(data)
        try:
            outcomes = list(read_records(path, kind=kind))
        except FormatError as error:
            assert str(error)
            return "refused whole"
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                assert str(outcome).isprintable()
        problems = sum(isinstance(outcome, Problem) and outcome.fatal for outcome in outcomes)
        return "all lines read" if not problems else "lines refused"

    def make(draw: Random, seeds: list[bytes]) -> bytes:
        if draw.random() < 0.5:
            return mutated(seeds[0], seeds[0], draw)
        return b"\n".join(mutated_json(record, draw) for record in records)

    return Target(name, [seed], run, share, make)


LAYOUTS: dict[str, tuple[list[dict[str, object]], str]] = {
    "JSONL canonical": ([question("1"), question("3", answer={"FINDINGS": {"a": "b"}}, choice=[])], "items"),
    "JSONL eval_view": ([{"input_images": [], "ground_truth_images": [], "eval_adapter": {"source_line": 1},
                          "sample_id": "s:1", "instruction": "Q?", "category": "VQA", "paper_task": "MCQ",
                          "answer": "A"}], "items"),
    "JSONL inference": (
        [answered(question("1"), "A"), answered(edit("2", input_image=[]), image="a.png")], "outputs"),
    "JSONL evaluated": (
        [answered(question("1"), "A") | {"PSNR": 30.5, "vlm_judge_w_gt_result": {"score": 3}}], "outputs"),
}  # fmt: skip


def parquet_target(stack: ExitStack, folder: Path, share: int) -> Target:
    child = reading_child()
    stack.callback(child.close)
    rows = [vqa_row(input_images=[embedded(number)], instruction=f"Q{number}?") for number in range(3)]
    seed = write(folder / "seed.parquet", rows).read_bytes()
    path = folder / "input.parquet"

    def run(data: bytes) -> str:
        path.write_bytes(data)
        try:
            rows = list(parquet_rows(path, path.name, child=child))
        except FormatError as error:
            words = str(error)
            assert words.startswith("input.parquet: ")
            return "died" if "process died" in words else "refused whole"
        return "rows read" if rows else "no rows"

    return Target("parquet", [seed], run, share, pid=lambda: child.pid)


def zip_target(folder: Path, share: int) -> Target:
    def archive(method: int) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as made:
            made.writestr("p/data.jsonl", json.dumps(question("1")))
            made.writestr("p/images/a.png", raster("PNG"))
            made.writestr("p/empty/", b"")
        return out.getvalue()

    limits = ZipLimits(total_bytes=64 << 20)
    path = folder / "input.zip"

    def run(data: bytes) -> str:
        path.write_bytes(data)
        with tempfile.TemporaryDirectory(dir=folder) as into:
            try:
                unpack_zip(path, Path(into), limits=limits)
            except UploadError as error:
                assert str(error)
                return "refused"
            assert all(file.resolve().is_relative_to(Path(into).resolve()) for file in Path(into).rglob("*"))
        return "unpacked"

    def make(draw: Random, seeds: list[bytes]) -> bytes:
        if draw.random() < 0.5:
            return mutated(draw.choice(seeds), draw.choice(seeds), draw)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(draw.choice((1, 2, 3))):
                name = mutated(b"p/images/a.png", b"../../x", draw).decode("utf-8", "replace")
                made.writestr(zipfile.ZipInfo(name or "x"), mutated(raster("PNG"), b"PK\x03\x04", draw))
        return out.getvalue()

    return Target("zip", [archive(zipfile.ZIP_STORED), archive(zipfile.ZIP_DEFLATED)], run, share, make)


def parser_targets(stack: ExitStack, folder: Path) -> list[Target]:
    """All targets that need no database."""
    found = list(image_targets(stack, folder))
    for name, (records, kind) in LAYOUTS.items():
        found.append(lines_target(name, records, kind, 40, folder))
    return [*found, parquet_target(stack, folder, 25), zip_target(folder, 53)]


def fuzz(target: Target, *, seed: int, count: int) -> Report:
    """Send `count` mutated inputs; every finding is kept as a file in `tests/malformed`."""
    report, started = Report(), time.monotonic()
    for number in range(count):
        draw = draw_of(f"{seed}/{target.name}", number)
        if target.make is not None:
            data = target.make(draw, target.seeds)
        else:
            data = mutated(draw.choice(target.seeds), draw.choice(target.seeds), draw)
        tried(target, data, report, f"{target.name} seed {seed} number {number}")
    report.seconds = time.monotonic() - started
    return report


def tried(target: Target, data: bytes, report: Report, what: str) -> None:
    pid = target.pid()
    if pid is not None:
        reset_peak(pid)
    started = time.monotonic()
    try:
        outcome = target.run(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        outcome = f"RAISED {type(error).__name__}"
        report.findings.append(kept(f"{what}: {type(error).__name__}: {str(error)[:200]}", data))
    seconds, largest = time.monotonic() - started, peak(pid) if pid is not None else 0
    report.outcomes[outcome] += 1
    report.slowest, report.largest = max(report.slowest, seconds), max(report.largest, largest)
    if seconds > SECONDS or largest > MEBIBYTES:
        report.findings.append(kept(f"{what}: {seconds:.1f} s, {largest} MiB", data))
    if outcome in {"crashed", "died"}:  # giving up in time is an answer; the longest time is reported
        report.findings.append(kept(f"{what}: {outcome}", data))


def kept(what: str, data: bytes) -> str:
    """Write a finding beside the other malformed files, for a named test."""
    import hashlib
    import os

    folder = Path(os.environ.get("MEDGEN_FUZZ_FINDINGS", MALFORMED))
    folder.mkdir(parents=True, exist_ok=True)
    name = f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    (folder / name).write_bytes(data)
    return f"{what} ({name}, {len(data)} bytes)"


def line(name: str, report: Report) -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.most_common())
    total = sum(report.outcomes.values())
    rate = total / report.seconds if report.seconds else 0.0
    costs = f"{rate:.0f}/s, slowest {report.slowest:.2f} s, child at most {report.largest} MiB"
    return f"{name}: {total} inputs, {costs}: {outcomes}"
