"""Check an exported trail, and a score sheet against it, with nothing but Python 3.11 (no MedGEN, no database).

    python verify_trail.py TRAIL.jsonl [SHEET.xlsx] [--head NUMBER:CHECKSUM]

Found: an event, grade, consent or guess that was altered, removed, added or moved; a trail that was cut at its end,
when a head is given or a score sheet carries one; a value of sheet Grades that is not what was submitted, a row that
is missing or too many; a sheet that is not byte for byte the one handed out. `docs/trail.md` explains the checksums.

Exit code: 0 nothing found, 1 something found, 2 a file that cannot be read.
"""

import argparse
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FACTS = ("chain", "sequence", "at", "actor", "verb", "subject_type", "subject_id", "details", "previous_hash")
ANCHORS = {"grade submitted", "grade amended", "grade sealed"}
STATED = {"consent form published", "consent given", "consent withdrawn", "system guessed"}
STATED |= {f"adjudication {act}" for act in ("requested", "decided", "reopened")} | {"calibration limit stated"}
STATED |= {"preference submitted", "preference amended"}
BLANKED_VERB, BLANKED, EXPORTED = "grade texts blanked", "[blanked]", "score sheet exported"
KINDS = {"trail", "event", "grade", "statement"}
LINE_LIMIT, SHOWN = 4 * 1024**2, 50
WITHHELD = "[name withheld]"
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  sheets know no time zone; ours are UTC
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TARGET = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class UnreadableError(ValueError):
    """A file that is no trail or no score sheet; the message names it."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, without spaces, ASCII only, whole numbers without a fraction."""
    return json.dumps(whole(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(inner) for key, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


@dataclass
class Grade:
    """A grade of the trail, and the link that carries its seal."""

    facts: dict[str, Any]
    words: dict[str, str]
    seal: str
    link: int
    blanked_by: int | None


@dataclass
class Trail:
    """What was read of a trail."""

    study: str = ""
    chain: str = ""
    links: int = 0
    head: str = ""
    hashes: dict[int, str] = field(default_factory=dict)
    grades: dict[str, Grade] = field(default_factory=dict)
    handed_out: set[str] = field(default_factory=set)
    blanked: dict[int, tuple[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_trail(path: Path) -> Trail:
    """Read and check a trail, line by line.

    Raises:
        UnreadableError: it is no trail.
    """
    lines = json_lines(path)
    top = next(lines, {})
    if top.get("kind") != "trail" or top.get("format") not in {1, 2}:
        raise UnreadableError(f"{path}: is no trail of format 1 or 2")
    trail = Trail(study=top["study"], chain=top["chain"])
    waiting: dict[str, str] = {}
    for line in lines:
        if line["kind"] == "event":
            trail.problems += missing(waiting, trail.links)
            waiting = read_event(trail, line)
        else:
            (read_grade if line["kind"] == "grade" else read_statement)(trail, line, waiting)
    trail.problems += missing(waiting, trail.links)
    if (top["sequence"], top["hash"]) != (trail.links, trail.head):
        said = f"its first line says {top['sequence']}: links are missing"
        trail.problems.append(f"ends with link {trail.links}, {said}")
    return trail


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_LIMIT), b""), start=1):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as problem:
                    raise UnreadableError(f"{path}: line {number} is not JSON") from problem
                if not isinstance(value, dict) or value.get("kind") not in KINDS:
                    raise UnreadableError(f"{path}: line {number} is neither an event nor a grade")
                yield value
    except OSError as problem:
        raise UnreadableError(f"{path}: {problem.strerror}") from problem


def missing(waiting: dict[str, str], link: int) -> list[str]:
    named = (key if " " in key else f"grade {key}" for key in waiting)
    return [f"{name} was removed; link {link} carries its seal" for name in named]


def read_event(trail: Trail, event: dict[str, Any]) -> dict[str, str]:
    """Check one link; returns the seals that it carries."""
    number, trail.links = event["sequence"], trail.links + 1
    if number != trail.links:
        trail.problems.append(f"link {trail.links} is missing or moved: link {number} stands in its place")
        trail.links = number
    elif event["previous_hash"] != trail.head:
        trail.problems.append(f"link {number} does not follow link {number - 1}: one of them was altered or moved")
    if event["hash"] != digest({name: event[name] for name in FACTS}) or event["chain"] != trail.chain:
        trail.problems.append(f"link {number} ({event['verb']}) was altered")
    trail.head = trail.hashes[number] = event["hash"]
    details = event["details"]
    if event["verb"] == EXPORTED and "file_sha256" in details:
        trail.handed_out.add(details["file_sha256"])
    if event["verb"] == BLANKED_VERB:
        note = f"[blanked on {event['at'][:10]} because {details['reason']}]"
        trail.blanked[number] = event["subject_id"], note
    return dict(details.get("grades" if event["verb"] in ANCHORS else "seals" if event["verb"] in STATED else "", {}))


def read_statement(trail: Trail, line: dict[str, Any], waiting: dict[str, str]) -> None:
    """Check a consent form, a consent or a guess."""
    key, stated = line["key"], waiting.pop(line["key"], None)
    if stated is None:
        trail.problems.append(f"{key} was added or moved: no link carries its seal here")
    elif digest(line["facts"]) != stated:
        trail.problems.append(f"{key} was altered: its seal does not fit")


def read_grade(trail: Trail, line: dict[str, Any], waiting: dict[str, str]) -> None:
    facts, words, key = line["facts"], line["words"], line["facts"]["id"]
    stated = waiting.pop(key, None)
    if stated is None:
        trail.problems.append(f"grade {key} was added or moved: no link carries its seal here")
    if digest(facts) != line["seal"]:
        trail.problems.append(f"grade {key} was altered: its seal does not fit")
    elif stated not in {None, line["seal"]}:
        trail.problems.append(f"grade {key} was altered: link {trail.links} carries another seal")
    trail.grades[key] = Grade(facts, words, line["seal"], trail.links, line["blanked_by"])
    if line["blanked_by"] is not None:
        if words["rationale"] or words["salt"] or words["reason_for_change"] not in {"", BLANKED}:
            trail.problems.append(f"grade {key}: its words are said to be emptied and are not")
    elif digest(words) != facts["text_digest"]:
        trail.problems.append(f"grade {key}: its words were altered")


def check_blankings(trail: Trail) -> None:
    for key, grade in trail.grades.items():
        if grade.blanked_by is not None and trail.blanked.get(grade.blanked_by, ("",))[0] != key:
            trail.problems.append(f"grade {key}: its words were emptied, and no link says why")


def check_head(trail: Trail, number: int, checksum: str, kept_in: str) -> None:
    """A head kept elsewhere must be a link of the trail."""
    found = trail.hashes.get(number, "")
    if number and found != checksum:
        how = "was removed" if not found else "is another one: the chain was written anew"
        trail.problems.append(f"link {number}, which {kept_in} knows, {how}")


class Workbook:
    """The cells of an .xlsx file, read as a stream."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            relations = {one.get("Id"): one.get("Target", "") for one in self._part("xl/_rels/workbook.xml.rels")}
            sheets = self._part("xl/workbook.xml").iter(f"{MAIN}sheet")
            self._parts = {str(one.get("name")): relations[one.get(TARGET)] for one in sheets}
            self._shared = self._shared_strings()
        except (OSError, KeyError, zipfile.BadZipFile, ElementTree.ParseError) as problem:
            raise UnreadableError(f"{path}: is no score sheet ({problem})") from problem

    def _part(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(plain_xml(self._zip, name))  # noqa: S314  no DOCTYPE: plain_xml

    def _shared_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._zip.namelist():
            return []
        return [unescaped(text_of(one)) for one in self._part("xl/sharedStrings.xml").iter(f"{MAIN}si")]

    def rows(self, title: str) -> Iterator[dict[str, Any]]:
        """The rows of a table by header, empty cells left out."""
        if title not in self._parts:
            raise UnreadableError(f"{self.path}: has no sheet {title}")
        name = "xl/" + self._parts[title].removeprefix("/xl/")
        plain_xml(self._zip, name, limit=4096)
        head: dict[str, str] = {}
        try:
            with self._zip.open(name) as part:
                for _, element in ElementTree.iterparse(part):  # noqa: S314  no DOCTYPE: plain_xml
                    if element.tag == f"{MAIN}row":
                        cells = {re.sub(r"\d", "", cell.get("r", "")): self._value(cell) for cell in element}
                        element.clear()
                        if head:
                            yield {head[at]: value for at, value in cells.items() if at in head and value is not None}
                        head = head or {at: str(value) for at, value in cells.items()}
        except (ElementTree.ParseError, zipfile.BadZipFile, ValueError, IndexError) as problem:
            raise UnreadableError(f"{self.path}: sheet {title} cannot be read ({problem})") from problem

    def _value(self, cell: ElementTree.Element) -> Any:
        kind, value = cell.get("t"), cell.findtext(f"{MAIN}v")
        if kind == "inlineStr":
            return text_of(cell)
        if value is None:
            return None
        if kind == "s":
            return self._shared[int(value)]
        return value if kind in {"str", "e"} else float(value)


def plain_xml(archive: zipfile.ZipFile, name: str, limit: int = -1) -> bytes:
    with archive.open(name) as part:
        data = part.read(limit)
    if b"<!DOCTYPE" in data:
        raise zipfile.BadZipFile(f"{name} declares entities")
    return data


def text_of(element: ElementTree.Element) -> str:
    return "".join(text.text or "" for text in element.iter(f"{MAIN}t"))


def unescaped(text: str) -> str:
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def compare(trail: Trail, path: Path) -> tuple[list[str], int]:
    """What a score sheet says otherwise than the trail, and how many rows of grades it has."""
    book, found = Workbook(path), []
    facts = {row.get("What"): row.get("Value") for row in book.rows("Provenance") if row.get("Group") == "trail"}
    link, checksum = int(float(facts.get("newest link") or 0)), str(facts.get("checksum of the newest link") or "")
    if facts.get("chain") != trail.chain:
        return [f"is of chain {facts.get('chain')}, the trail of {trail.chain}"], 0
    check_head(trail, link, checksum, path.name)
    expected = expected_rows(trail, link)
    n_rows = 0
    for number, row in enumerate(book.rows("Grades"), start=2):
        n_rows += 1
        key = (str(row.get("Grade")), str(row.get("Rubric") or ""), str(row.get("Criterion") or ""))
        wanted = expected.pop(key, None)
        if wanted is None:
            found.append(f"Grades row {number}: grade {key[0]}, {key[2]}: is not in the trail, or twice in the sheet")
            continue
        found += [
            f"Grades row {number}: {name} is {row.get(name)!r}, submitted was {value!r}"
            for name, value in wanted.items()
            if not same(name, row.get(name), value)
        ]
    found += [f"Grades: the row of grade {key[0]}, {key[2]} was removed" for key in expected]
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() not in trail.handed_out:
            found.append("the file is not as it was handed out, or was handed out after the trail was written")
    return found, n_rows


def expected_rows(trail: Trail, link: int) -> dict[tuple[str, str, str], dict[str, Any]]:
    """(grade, rubric, criterion) → column → value, of all grades up to a link."""
    grades = {key: grade for key, grade in trail.grades.items() if grade.link <= link}
    latest: dict[Any, int] = {}
    for grade in grades.values():
        place = (grade.facts["reading"], grade.facts["label"])
        latest[place] = max(latest.get(place, 0), grade.facts["version"])
    rows = {}
    for key, grade in grades.items():
        is_latest = latest[grade.facts["reading"], grade.facts["label"]] == grade.facts["version"]
        common = columns(grade, link, trail.blanked) | {"Latest": "yes" if is_latest else "no"}
        for code, version, criterion, value, reason in grade.facts["scores"] or [[None, None, None, None, None]]:
            rubric = f"{code}@{version}" if code else None
            score = {"Rubric": rubric, "Criterion": criterion, "Value": value, "No value because": reason or None}
            rows[key, rubric or "", criterion or ""] = common | score
    return rows


def columns(grade: Grade, link: int, blanked: dict[int, tuple[str, str]]) -> dict[str, Any]:
    facts, words = grade.facts, grade.words
    said = {"Rationale": words["rationale"] or None, "Reason for change": words["reason_for_change"] or None}
    if grade.blanked_by is not None:
        said |= {
            name: blanked.get(grade.blanked_by, ("", ""))[1] for name in said if name == "Rationale" or said[name]
        }
    return {
        "Reader": facts["reader"],
        "Item": f"IT-{facts['item']:06d}",
        "System": facts["system"],
        "Reading": facts["position"],
        "Label": facts["label"],
        "Place": facts["place"] + 1,
        "Safety": facts["safety"],
        "Reference wrong": "yes" if facts["reference_wrong"] else "no",
        "Errors": "; ".join(code for code, _, _ in facts["errors"]) or None,
        "Version": facts["version"],
        "Submitted at": serial(facts["submitted_at"]),
        "Active s": facts["active_ms"] / 1000,
        "Idle s": facts["idle_ms"] / 1000,
        "Seal": grade.seal,
        **({} if grade.blanked_by is not None and grade.blanked_by > link else said),
    }


def serial(moment: str) -> float:
    at = datetime.fromisoformat(moment).replace(tzinfo=None)
    return (at - EPOCH) / timedelta(days=1)


def same(name: str, cell: Any, value: Any) -> bool:
    """A cell holds the value, as a sheet can hold it."""
    if isinstance(value, int | float) and isinstance(cell, float):
        return abs(cell - value) <= (2e-8 if name == "Submitted at" else 1e-9)
    if not isinstance(value, str) or not isinstance(cell, str):
        return bool(cell == value)
    wanted = lines(
        UNWRITABLE.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 32 else "\ufffd", value)
    )
    if WITHHELD not in cell:
        return lines(cell) == wanted
    pattern = ".+".join(re.escape(part) for part in lines(cell).split(WITHHELD))
    return re.fullmatch(pattern, wanted, re.DOTALL) is not None


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def known_head(text: str) -> tuple[int, str]:
    number, _, checksum = text.partition(":")
    if not number.isdigit() or not re.fullmatch("[0-9a-f]{64}", checksum):
        raise argparse.ArgumentTypeError(f"{text}: a head has the form NUMBER:CHECKSUM")
    return int(number), checksum


def say(name: str, problems: Iterable[str], words: str) -> bool:
    found = list(problems)
    for problem in found[:SHOWN]:
        sys.stdout.write(f"{name}: {problem}\n")
    if len(found) > SHOWN:
        sys.stdout.write(f"{name}: and {len(found) - SHOWN:,} more\n")
    sys.stdout.write(f"{name}: {words}; {len(found)} found\n")
    return bool(found)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="verify_trail.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trail", type=Path, metavar="TRAIL.jsonl")
    parser.add_argument("sheet", type=Path, metavar="SHEET.xlsx", nargs="?")
    parser.add_argument("--head", type=known_head, action="append", default=[], metavar="NUMBER:CHECKSUM")
    given = parser.parse_args(arguments)
    try:
        trail = read_trail(given.trail)
        check_blankings(trail)
        for number, checksum in given.head:
            check_head(trail, number, checksum, "--head")
        compared = compare(trail, given.sheet) if given.sheet is not None else None
    except (UnreadableError, KeyError, TypeError, AttributeError) as problem:
        words = str(problem) if isinstance(problem, UnreadableError) else f"{given.trail}: a field is wrong"
        sys.stderr.write(f"{words}\n")
        return 2
    size = f"{trail.links:,} links, {len(trail.grades):,} grades"
    counted = f"study {trail.study}, {size}, head {trail.links}:{trail.head}"
    found = say(given.trail.name, trail.problems, counted)
    if compared is not None:
        found = say(given.sheet.name, compared[0], f"{compared[1]:,} rows of grades compared") or found
    return int(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
