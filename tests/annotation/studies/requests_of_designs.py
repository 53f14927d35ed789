"""Random requests for a design, and what must hold for whatever was drawn from one."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from random import Random

from annotation.studies.allocation import (
    AllocationError,
    Design,
    DesignItem,
    DesignReader,
    Placement,
    PlannedReading,
    allocate,
    balance_report,
    compose,
    extend,
)
from annotation.studies.blocks import blocks
from annotation.studies.extras import first_times

SYSTEMS = ("alpha", "beta", "gamma", "delta")
LIMITS = ("cap", "caps", "multiple of", "repeats", "readers per item", "anchor items", "small enough")


@dataclass(frozen=True)
class Request:
    n: int
    n_readers: int
    k: int
    n_systems: int
    n_strata: int
    seed: int
    mode: str
    gap: int
    plan: str
    anchors: int
    cap: int | None
    repeats: int
    checks: int


def random_request(number: int) -> Request:
    """Sizes of small and middle studies; about one in five asks for what cannot be."""
    luck = Random(f"request {number}")
    n_readers, plan = luck.randint(1, 8), luck.choice(["even", "even", "crossed", "incomplete", "anchored"])
    n, k = luck.randint(4, 90), luck.randint(1, 3)
    if plan == "incomplete" and k <= n_readers and (found := blocks(n_readers, k)) and luck.random() < 0.8:
        n = len(found) * luck.randint(1, max(1, 60 // len(found)))
    share = n if plan == "crossed" else -(-n * k // n_readers)
    return Request(
        n=n,
        n_readers=n_readers,
        k=k if luck.random() < 0.1 else min(k, n_readers),
        n_systems=luck.randint(1, 4),
        n_strata=luck.randint(1, 9),
        seed=luck.randrange(10**6),
        mode=luck.choice(["one", "all"]),
        gap=luck.randint(0, 12),
        plan=plan,
        anchors=luck.randint(1, max(1, n // 4)) if plan == "anchored" else 0,
        cap=luck.choice([None, None, None, None, share + luck.randint(0, 20), luck.randint(1, n)]),
        repeats=luck.choice([0, 0, luck.randint(1, max(1, share // 6))]),
        checks=luck.choice([0, 0, luck.randint(1, 5)]),
    )


def items_of(request: Request, start: int = 0, n: int | None = None) -> list[DesignItem]:
    found = []
    for number in range(start, start + (request.n if n is None else n)):
        form = "vqa" if number % request.n_strata < request.n_strata / 2 else "editing"
        key, systems = f"IT-{number:04d}", SYSTEMS[: request.n_systems]
        outputs = {system: f"{key}/{system}" for system in systems}
        stratum = f"{form}/task {number % request.n_strata}/CT"
        found.append(DesignItem(key=key, stratum=stratum, cluster=f"case {number}", outputs=outputs))
    return found


def readers_of(request: Request) -> list[DesignReader]:
    return [DesignReader(key=f"R{number:02d}", cap=request.cap) for number in range(1, request.n_readers + 1)]


def draw(request: Request, *, turned: bool = False) -> Design:
    """The design of a request; `turned` gives the inputs in another order."""
    items, readers = items_of(request), readers_of(request)
    design = allocate(
        items[::-1] if turned else items,
        readers[::-1] if turned else readers,
        k=request.k,
        seed=request.seed,
        outputs_per_reading=request.mode,
        gap=request.gap,
        plan=request.plan,
        anchors=request.anchors,
    )
    checks = [
        PlannedReading(
            position=1,
            block=1,
            item=f"check {number}",
            placements=(Placement(label="A", side=1, system="alpha", output=f"check {number}/alpha"),),
            role="attention",
        )
        for number in range(request.checks)
    ]
    return compose(design, repeats=request.repeats, checks=dict.fromkeys(design.readings, checks))


def faults(request: Request, design: Design) -> list[str]:
    """Everything that is not as the product states it; empty when all holds."""
    found = [*_of_counts(request, design), *_of_extras(request, design)]
    if draw(request, turned=True).digest() != design.digest():
        found.append("not reproducible")
    return [*found, *_of_later(request, design)]


def _of_counts(request: Request, design: Design) -> list[str]:
    report, found = balance_report(design), []
    own = {
        reader: {one.item for one in readings if one.role == "main"} for reader, readings in design.readings.items()
    }
    teams = Counter(item for items in own.values() for item in items)
    wanted = request.n_readers if request.plan == "crossed" else request.k
    for item in design.items:
        if teams[item] != (request.n_readers if item in design.anchors else wanted):
            found.append(f"{item} has {teams[item]} readers")
    if request.cap is not None and max(map(len, own.values())) > request.cap:
        found.append("a cap is broken")
    tables = ["reader × all", "system × label"]
    even = -(-request.n * wanted // request.n_readers)
    if request.plan != "incomplete" and (request.cap is None or request.cap >= even + request.anchors):
        tables += ["reader × stratum", "reader × format"]
    found += [report.tables[name].verdict for name in tables if report.tables[name].spread > 1]
    if request.plan == "incomplete":
        shared = {len(own[one] & own[other]) for one, other in combinations(sorted(own), 2)}
        if len(shared) > 1 or len(set(map(len, own.values()))) > 1:
            found.append(f"blocks are not balanced: {sorted(shared)}")
    return found


def _of_extras(request: Request, design: Design) -> list[str]:
    found = []
    for reader, readings in design.readings.items():
        roles = Counter(one.role for one in readings)
        if (roles["repeat"], roles["attention"]) != (request.repeats, request.checks):
            found.append(f"{reader} has {roles['repeat']} repeats and {roles['attention']} checks")
        if [one.position for one in readings] != list(range(1, len(readings) + 1)):
            found.append(f"{reader}: positions have holes")
        far = max(request.gap, -(-roles["main"] // 3))
        near = [again for again, first in first_times(readings).items() if again - first < far]
        if near:
            found.append(f"{reader}: repeats at {near} come too early")
    return found


def _of_later(request: Request, design: Design) -> list[str]:
    """Adding items appends: every list begins with what it was."""
    try:
        longer = extend(design, items_of(request, start=request.n, n=3), readers_of(request))
    except AllocationError as problem:
        return [] if request.cap is not None and "cap" in str(problem) else [f"not extended: {problem}"]
    return [
        f"{reader}: earlier readings moved"
        for reader, readings in design.readings.items()
        if longer.readings[reader][: len(readings)] != readings
    ]


def names_its_limit(problem: AllocationError) -> bool:
    words = str(problem)
    return any(limit in words for limit in LIMITS) and any(letter.isdigit() for letter in words)
