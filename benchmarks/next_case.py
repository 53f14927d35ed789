"""Server time of "next case": reading.json and four pictures, against bare views that serve the same bytes.

python -m benchmarks.next_case [--cases 200] [--size 512] [--json]

A case is nine requests: the JSON, four frames headers, four files of frames (16-bit pictures of CT-like noise). Each
side runs in its own process and calls its WSGI application directly, so what is timed is the server's work and no
socket; the sides take turns case by case. `bare` is Django with one view and no middleware. `signed in` is the same
view behind the product's middleware (session, sign-in, security headers), which is what any view of a signed-in
person costs before it does anything. The study has 1,000 readings; every case is another item with other pictures, so
nothing that is timed was served before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WARM_UP = 10
SIDES = ("ours", "bare", "signed in")


def environ(path: str, cookie: str) -> dict[str, Any]:
    import io

    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


def fetch(application: Any, path: str, cookie: str) -> bytes:
    status: list[str] = []
    answer = application(environ(path, cookie), lambda code, headers: status.append(code))
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert status[0].startswith("200"), f"{path}: {status[0]}"
    return body


def build(home: Path, size: int, cases: int) -> None:
    """A study of 1,000 readings with two outputs side by side; all cases in `cases.json`."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    from annotation.studies.models import Reading, ReadingOutput, Rubric
    from annotation.systems.models import Output
    from tests import factories

    patterns = [picture(home, size, seed) for seed in range(4)]
    for number in range(cases):
        item = factories.item(format="image_editing", task="noise-reconstruction", images=False)
        add_pictures(item.current_revision, [copied(pattern, number) for pattern in patterns[:2]])
    release = factories.release()
    submissions = [factories.submission(release, slug) for slug in ("one", "two")]
    for submission, pattern in zip(submissions, patterns[2:], strict=True):
        for number, output in enumerate(submission.outputs.all()):
            output.parts.update(asset=copied(pattern, number))
    rubrics = [Rubric.objects.get(code=code) for code in ("T1", "T6")]
    study = factories.study(release, submissions=submissions, rubrics=rubrics, state="running")
    reader = factories.person("reader")
    enrolled, items = factories.enroll(study, reader), list(study.study_items.all())
    readings = [
        Reading(study=study, enrollment=enrolled, study_item=items[place % cases], position=place + 1)
        for place in range(1000)
    ]
    Reading.objects.bulk_create(readings)
    by_item: dict[Any, list[Output]] = {}
    for output in Output.objects.order_by("submission__number"):
        by_item.setdefault(output.revision_id, []).append(output)
    ReadingOutput.objects.bulk_create(
        ReadingOutput(reading=reading, output=output, label=label, position=place)
        for reading in readings
        for place, (label, output) in enumerate(zip("AB", by_item[reading.study_item.revision_id], strict=True))
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(reader)
    keep(home, client, [f"/readings/{reading.pk}/reading.json" for reading in readings[:cases]])


def add_pictures(revision: Any, assets: list[Any]) -> None:
    from annotation.datasets.models import ItemImage

    for role, asset in zip(("input", "reference"), assets, strict=True):
        ItemImage.objects.create(revision=revision, role=role, position=0, asset=asset)


def picture(home: Path, size: int, seed: int) -> Any:
    import numpy as np
    import PIL.Image

    from annotation.assets.services import store_file
    from annotation.imaging.sandbox import Decoder

    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size]
    waves = 20_000 + 8_000 * np.sin(columns / 41) * np.cos(rows / 37)
    file = home / f"{seed}.png"
    PIL.Image.fromarray((waves + generator.normal(0, 60, (size, size))).astype("uint16")).save(file)
    with Decoder() as decoder:
        return store_file(file, decoder=decoder)


def copied(asset: Any, number: int) -> Any:
    """The same picture as another asset, so that every case is new to the server."""
    import hashlib

    from annotation.assets.models import Asset
    from annotation.assets.storage import frames_path

    fields = {field.attname: getattr(asset, field.attname) for field in Asset._meta.concrete_fields}
    fields["sha256"] = hashlib.sha256(f"{asset.sha256}{number}".encode()).hexdigest()
    made = Asset.objects.create(**{name: value for name, value in fields.items() if name != "id"})
    frames_path(made).parent.mkdir(parents=True, exist_ok=True)
    frames_path(made).hardlink_to(frames_path(asset))
    return made


def keep(home: Path, client: Any, firsts: list[str]) -> None:
    """Write the bytes of every case, each under its address, for the bare views to serve."""
    cases, frames = [], {}
    for first in firsts:
        answer = client.get(first)
        files = {first: kept(home, answer.content, answer)}
        for pane in answer.json()["panes"]:
            header = client.get(pane["frames"])
            files[pane["frames"]] = kept(home, header.content, header)
            address = header.json()["data"]
            data = client.get(address)
            body = b"".join(data.streaming_content)
            files[address] = frames.setdefault(body, kept(home, body, data) if body not in frames else [])
        cases.append(files)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    (home / "cases.json").write_text(json.dumps({"cookie": cookie, "cases": cases}))


def kept(home: Path, body: bytes, answer: Any) -> list[str]:
    file = home / f"body-{time.monotonic_ns()}"
    file.write_bytes(body)
    return [str(file), answer.headers["Content-Type"]]


def bare_view(files: dict[str, list[str]]) -> Any:
    """JSON from memory, frames as a file, as a bare view would serve them."""
    from django.http import FileResponse, HttpResponse

    kept = {path: Path(file).read_bytes() for path, (file, kind) in files.items() if kind == "application/json"}

    def serve(request: Any) -> Any:
        file, kind = files[request.path]
        if request.path in kept:
            return HttpResponse(kept[request.path], content_type=kind)
        return FileResponse(Path(file).open("rb"), content_type=kind)

    return serve


def worker(side: str, home: Path) -> None:
    """Serve one case for each line on standard input; answer with its seconds of wall and processor time."""
    given = json.loads((home / "cases.json").read_text())
    application = application_of(side, {path: file for case in given["cases"] for path, file in case.items()})
    for line, case in zip(sys.stdin, given["cases"], strict=False):
        assert line
        start, cpu = time.perf_counter(), time.process_time()
        n_bytes = sum(len(fetch(application, path, given["cookie"])) for path in case)
        print(json.dumps([time.perf_counter() - start, time.process_time() - cpu, n_bytes]), flush=True)


def application_of(side: str, files: dict[str, list[str]]) -> Any:
    if side == "ours":
        from medgen.wsgi import application

        return application
    import types

    from django.core.wsgi import get_wsgi_application
    from django.urls import re_path

    urls = types.ModuleType("bare_urls")
    urls.urlpatterns = [re_path("", bare_view(files))]  # type: ignore[attr-defined]
    sys.modules["bare_urls"] = urls
    if side == "bare":
        from django.conf import settings

        os.environ.pop("DJANGO_SETTINGS_MODULE")
        settings.configure(ALLOWED_HOSTS=["localhost"], ROOT_URLCONF="bare_urls", MIDDLEWARE=[], SECRET_KEY="x")
        return get_wsgi_application()
    import medgen.settings

    medgen.settings.ROOT_URLCONF = "bare_urls"
    return get_wsgi_application()


def measure(home: Path, environment: dict[str, str], cases: int) -> dict[str, dict[str, float]]:
    running = {
        side: subprocess.Popen(
            [sys.executable, "-m", "benchmarks.next_case", "--worker", side, "--home", str(home)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for side in SIDES
    }  # fmt: skip
    times: dict[str, list[list[float]]] = {side: [] for side in SIDES}
    for number in range(cases):
        for side, process in running.items():
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if number >= WARM_UP:
                times[side].append(answer)
    for process in running.values():
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=10)
    return {
        side: {
            "wall_ms": 1000 * statistics.median(row[0] for row in rows),
            "cpu_ms": 1000 * statistics.median(row[1] for row in rows),
            "bytes": rows[0][2],
        }
        for side, rows in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--size", type=int, default=512, help="rows and columns of each picture")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", choices=[*SIDES, "build"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker == "build":
        build(options.home, options.size, options.cases + WARM_UP)
        return
    if options.worker:
        worker(options.worker, options.home)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = os.environ | {"MEDGEN_HOME": folder, "DJANGO_SETTINGS_MODULE": "medgen.settings"}
        command = [sys.executable, "-m", "benchmarks.next_case", "--worker", "build", "--home", folder]
        subprocess.run(
            [*command, "--size", str(options.size), "--cases", str(options.cases)],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        found = measure(home, environment, options.cases + WARM_UP)
    if options.json:
        print(json.dumps(found))
        return
    for side, row in found.items():
        print(f"{side:>9}: {row['wall_ms']:6.2f} ms, {row['cpu_ms']:6.2f} ms of processor, {row['bytes']:,} bytes")
    for side in SIDES[1:]:
        wall, cpu = (found["ours"][kind] / found[side][kind] for kind in ("wall_ms", "cpu_ms"))
        print(f"ratio to {side}: {wall:.2f}, of processor {cpu:.2f} (medians of {options.cases})")


if __name__ == "__main__":
    main()
