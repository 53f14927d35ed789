"""The leak scan of a study: walk what readers' browsers would receive, search it, and compare it between systems.

A walk opens no reading, signs nobody in and writes nothing. Readers who have not agreed to the consent form yet are
walked as if they had: their answers are built by the same functions.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import resolve, reverse

from annotation.assets.models import Asset
from annotation.datasets.models import ImportProblem
from annotation.grading import grants
from annotation.grading.reading_json import reading_json, readings_of
from annotation.grading.scan_bytes import Needles, Tally, search_answer, search_frames
from annotation.grading.scan_door import Door, View
from annotation.studies import consent
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study
from annotation.studies.separating import separations
from annotation.systems.models import Output, Submission
from annotation.systems.naming import DEVELOPERS, FAMILIES, names_of_system

HITS_KEPT = 200
CHANGING = {"etag", "x-request-id", "content-length", "set-cookie", "last-modified", "date"}
MADE, SENT, ORDER = "what was made", "how it is sent", "order"


def needles_of(study: Study, outputs: Iterable[UUID], extra: Iterable[str]) -> Needles:
    """What would tell a system of this study: names, keys, checksums, file names, and further words."""
    names, keys = set(extra), set()
    systems = Submission.objects.filter(study_systems__study=study).select_related("system_version__system")
    for submission in systems.select_related("import_job"):
        version, job = submission.system_version, submission.import_job
        system = version.system
        names |= {*names_of_system(name=system.name, slug=system.slug, version=version.version), submission.code}
        keys |= _both(submission.pk) | _both(system.pk)
        if job is not None:
            keys |= {*_both(job.pk), job.file_sha256, job.name_digest}
    files = ImportProblem.objects.filter(job__submissions__study_systems__study=study)
    names |= set(files.values_list("file", flat=True).distinct()[:100])
    for pk, digest in Output.objects.filter(pk__in=list(outputs)).values_list("pk", "content_hash"):
        keys |= {*_both(pk), digest}
    for asset in Asset.objects.filter(output_parts__output__in=list(outputs)):
        keys |= {*_both(asset.pk), asset.sha256, asset.pixel_digest}
    return Needles.of(names=names, public={*FAMILIES, *DEVELOPERS}, keys=keys)


def _both(key: UUID) -> set[str]:
    return {str(key), key.hex}


def readings_to_scan(study: Study, most: int | None) -> dict[int, list[str]]:
    """Readings by enrollment: all, or a sample that the study's seed draws."""
    readings = Reading.objects.filter(study=study, enrollment__active=True).exclude(status=Reading.Status.VOID)
    keys = readings.order_by("enrollment", "position").values_list("enrollment", "pk")
    rows = [(enrollment, str(pk)) for enrollment, pk in keys]
    if most is not None and most < len(rows):
        chosen = set(random.Random(study.seed).sample(range(len(rows)), most))  # noqa: S311  # a sample, no secret
        rows = [row for number, row in enumerate(rows) if number in chosen]
    by_reader: dict[int, list[str]] = {}
    for enrollment, reading in rows:
        by_reader.setdefault(enrollment, []).append(reading)
    return by_reader


@dataclass
class Walk:
    """One reader's part of a scan."""

    enrollment: Enrollment
    needles: Needles
    tally: Tally
    rows: list[dict[str, Any]]
    letters: dict[UUID, str]

    def __post_init__(self) -> None:
        self.door, self.reader = Door(self.enrollment.user), self.enrollment.user
        self.agreed = consent.has_agreed_once(self.enrollment.pk, self.enrollment.study_id)

    def around(self, first: UUID) -> None:
        """The pages beside the readings, and what is answered to an address that is none."""
        slug = self.enrollment.study.slug
        for name in ("reading-list", "reading-next", "study-detail", "consent-detail"):
            self._look(name, reverse(f"annotation:{name}", args=[slug]), reading=None)
        for path in ("/", reverse("annotation:study-list"), reverse("annotation:pane-frames", args=[first, 99])):
            self._look("another page", path, reading=None)

    def reading(self, pk: UUID) -> None:
        """The page of a reading, its JSON, and every picture it names: header, frames, and again."""
        own = readings_of(self.reader).get(pk=pk)
        self._look("page", reverse("annotation:reading-detail", args=[pk]), reading=own)
        instead = None if self.agreed else self._json_before_consent(pk)
        address = reverse("annotation:reading-json", args=[pk])
        said, _ = self._look("reading.json", address, reading=own, instead=instead)
        panes = said.get("panes", []) if isinstance(said, dict) else []
        grants.give(self.reader.pk, pk)
        pictures: dict[str, list[dict[str, Any]]] = {}
        for pane in panes:
            if pane["frames"]:
                number = int(resolve(pane["frames"]).kwargs["number"])
                facts = self._picture(own, number, pane)
                pictures.setdefault(pane["label"].partition(" ")[0], []).append(facts)
        places = own.reading_outputs.select_related("output").order_by("position")
        for place in places:
            self._row(own, place, [pane for pane in panes if pane["role"] == "output"], pictures.get(place.label, []))

    def _json_before_consent(self, pk: UUID) -> View:
        def answer(request: HttpRequest) -> HttpResponseBase:
            return JsonResponse(reading_json(readings_of(self.reader).get(pk=pk)))

        return answer

    def _look(
        self, what: str, path: str, *, reading: Reading | None, instead: View | None = None, **headers: str
    ) -> tuple[Any, tuple[HttpResponseBase, bytes]]:
        answer = self.door.get(path, instead=instead, **headers)
        # not closed: that would tell Django that a request of its own has ended, and end the worker's connection
        body = b"".join(answer) if isinstance(answer, StreamingHttpResponse) else answer.content  # type: ignore[attr-defined]
        sent = [*answer.headers.items(), *(("Set-Cookie", each.OutputString()) for each in answer.cookies.values())]
        said = search_answer(
            self.needles, self.tally, what, status=answer.status_code, headers=sent, body=body, **self._at(reading)
        )
        return said, (answer, body)

    def _at(self, reading: Reading | None) -> dict[str, Any]:
        return {"reader": self.enrollment.reader_code or "", "position": reading.position if reading else None}

    def _picture(self, reading: Reading, number: int, pane: dict[str, Any]) -> dict[str, Any]:
        """What its header and its bytes look like from outside."""
        what = f"picture of {pane['label']}" if pane["role"] != "output" else "picture of an output"
        header, (head_answer, _) = self._look(f"{what}, frames.json", pane["frames"], reading=reading)
        facts = _outside("frames.json", head_answer)
        if not isinstance(header, dict) or "data" not in header:
            return facts
        _, (answer, body) = self._look(f"{what}, frames.bin", header["data"], reading=reading)
        tag = answer.headers.get("ETag", "")
        self._look(f"{what}, frames.bin again", header["data"], reading=reading, if_none_match=tag)
        search_frames(self.needles, self.tally, f"{what}, frames.bin", header=header, body=body, **self._at(reading))
        facts |= _outside("frames.bin", answer)
        facts |= {
            f"{SENT}: keys of frames.json": " ".join(header),
            f"{SENT}: encoding": str(header.get("encoding")),
            f"{MADE}: size": f"{header.get('cols')}×{header.get('rows')}×{header.get('frames')}",
            f"{MADE}: channels and depth": f"{header.get('channels')}×{header.get('bits')} bit",
            f"{MADE}: window": "with one" if header.get("window") else "none",
            f"{MADE}: spacing": "with one" if header.get("spacing_mm") else "none",
            f"{MADE}: bytes of the picture": len(body),
        }
        return facts

    def _row(
        self, reading: Reading, place: ReadingOutput, panes: list[dict[str, Any]], pictures: list[dict[str, Any]]
    ) -> None:
        own = [pane for pane in panes if pane["label"].partition(" ")[0] == place.label]
        features = {
            f"{SENT}: keys of the output in reading.json": " ".join(own[0]) if own else None,
            f"{MADE}: pictures": str(len(pictures)),
            f"{MADE}: letters of the text": len(own[0]["text"]) if own and own[0]["text"] else None,
            **(pictures[0] if pictures else {}),
        }
        self.rows.append(
            {
                "system": self.letters[place.output.submission_id],
                "output": str(place.output_id),
                "item": reading.study_item_id,
                "reading": str(reading.pk),
                "reader": self.enrollment.pk,
                "features": features,
                f"{ORDER}: place from the left": place.position,
                f"{ORDER}: place in the reader's list": reading.position,
            }
        )


def _outside(what: str, answer: HttpResponseBase) -> dict[str, Any]:
    """Headers by name; of those that differ from answer to answer only the form."""
    values = {
        f"{SENT}: {what}, {name}": value for name, value in answer.headers.items() if name.lower() not in CHANGING
    }
    tag = answer.headers.get("ETag", "")
    return values | {
        f"{SENT}: {what}, names of headers": " ".join(answer.headers),
        f"{SENT}: {what}, ETag": f"{'weak, ' if tag.startswith('W/') else ''}{len(tag)} characters",
        f"{SENT}: {what}, status": str(answer.status_code),
    }


def scan_readings(
    study: Study, enrollment: int, readings: list[str], *, around: bool, extra: list[str]
) -> dict[str, Any]:
    """Walk some readings of one reader; what was searched and found, as JSON."""
    person = Enrollment.objects.select_related("user", "study").get(pk=enrollment)
    keys = [UUID(pk) for pk in readings]
    outputs = ReadingOutput.objects.filter(reading__in=keys).values_list("output", flat=True)
    letters = dict(study.study_systems.values_list("submission", "letter"))
    walk = Walk(person, needles_of(study, outputs, extra), Tally(), [], letters)
    if around:
        walk.around(keys[0])
    for pk in keys:
        walk.reading(pk)
    return asdict(walk.tally) | {"rows": walk.rows, "readings": len(readings), "agreed": walk.agreed}


def put_together(parts: Iterable[dict[str, Any]], *, seed: int) -> dict[str, Any]:
    """The parts of a scan as one report: sums, hits by word and place, and what tells systems apart."""
    parts = [part for part in parts if "rows" in part]
    report: dict[str, Any] = {
        name: sum(part[name] for part in parts) for name in ("readings", "answers", "received", "unpacked")
    }
    report["before_consent"] = sum(part["readings"] for part in parts if not part["agreed"])
    report["statuses"] = _summed(part["statuses"] for part in parts)
    report["hits"], report["n_hits"] = _grouped(hit for part in parts for hit in part["hits"])
    rows = [row for part in parts for row in part["rows"]]
    report["outputs"] = len({row["output"] for row in rows})
    report["compared"], report["tells"] = _compared(rows, seed)
    return report


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, n in each.items():
            total[name] = total.get(name, 0) + n
    return dict(sorted(total.items()))


def _grouped(hits: Iterator[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Hits of one word at one kind of place, with the first reading and how many there are."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    n = 0
    for hit in hits:
        n += 1
        group = groups.setdefault((hit["word"].casefold(), hit["where"]), hit | {"times": 0})
        group["times"] += 1
    return list(groups.values())[:HITS_KEPT], n


def _compared(rows: list[dict[str, Any]], seed: int) -> tuple[int, list[dict[str, Any]]]:
    """Features of distinct outputs shuffled within items, and places shuffled within readings or readers."""
    distinct = list({row["output"]: row for row in rows}.values())
    names = sorted({name for row in distinct for name in row["features"]})
    features = {name: [row["features"].get(name) for row in distinct] for name in names}
    found = separations([r["system"] for r in distinct], [r["item"] for r in distinct], features, seed=seed)
    for feature, block in (("place from the left", "reading"), ("place in the reader's list", "reader")):
        values = [row[f"{ORDER}: {feature}"] for row in rows]
        blocks = [row[block] for row in rows]
        found += separations([r["system"] for r in rows], blocks, {f"{ORDER}: {feature}": values}, seed=seed)
    return len(names) + 2, [asdict(each) for each in found if each.tells]
