"""What a page does, a program can do by the same role; what only pages do has its reason in docs/api.md."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.api.addresses import api_addresses

ROOT = Path(__file__).resolve().parents[2]
READ, ACT = "reads", "acts"
# page → address of the interface, space-separated; what follows `!` are the acts of a page that also reads
SAME: dict[str, str] = {
    "home": "me studies readings",
    "people/": "people pauses",
    "people/new/": "!people",
    "people/<uuid:pk>/": "person",
    "people/pauses/<int:pk>/lift/": "!pause",
    "people/<uuid:pk>/invitation/": "!person-invitation",
    "people/<uuid:pk>/e-mail/": "!person-email",
    "people/<uuid:pk>/sign-out/": "!person-sessions",
    "people/<uuid:pk>/roles/": "!person-roles",
    "people/<uuid:pk>/erase/": "!person-erasure",
    "people/<uuid:pk>/activity/": "!person-activity",
    "trail/": "trail",
    "retention/": "retention",
    "jobs/": "jobs",
    "jobs/<uuid:pk>/": "job",
    "jobs/<uuid:pk>/_progress/": "job",
    "jobs/<uuid:pk>/cancel/": "!job-cancel",
    "jobs/<uuid:pk>/resume/": "!job-resume",
    "datasets/": "datasets",
    "datasets/import/": "imports !item-uploads upload-confirm upload",
    "datasets/<slug:slug>/": "dataset",
    "datasets/<slug:slug>/people/": "members !members",
    "datasets/<slug:slug>/people/access/": "!dataset-access",
    "datasets/<slug:slug>/people/<uuid:person>/remove/": "!member",
    "datasets/<slug:slug>/items/": "items",
    "items/<uuid:pk>/": "item",
    "items/<uuid:pk>/images/<int:index>/frames.json": "item-frames",
    "items/<uuid:pk>/images/<int:index>/frames.bin": "item-data",
    "items/<uuid:pk>/images/<int:index>/thumbnail.png": "item-thumbnail",
    "datasets/<slug:slug>/review/": "review-queue review-status",
    "datasets/<slug:slug>/quarantine/": "quarantine",
    "datasets/<slug:slug>/quarantine/<uuid:pk>/": "quarantined !quarantine-verdicts",
    "datasets/<slug:slug>/quarantine/<uuid:pk>/frames.json": "quarantine-frames",
    "datasets/<slug:slug>/quarantine/<uuid:pk>/frames.bin": "quarantine-data",
    "datasets/<slug:slug>/quarantine/<uuid:pk>/thumbnail.png": "quarantine-thumbnail",
    "items/<uuid:pk>/review/": "reviews checklist !reviews",
    "items/<uuid:pk>/fix/": "item !fixes",
    "datasets/<slug:slug>/releases/": "releases",
    "datasets/<slug:slug>/releases/freeze/": "release-blockers !releases",
    "datasets/<slug:slug>/releases/<str:version>/": "release",
    "datasets/<slug:slug>/releases/<str:version>/manifest.json": "release-manifest",
    "systems/": "systems submissions",
    "systems/<slug:slug>/": "system",
    "submissions/<uuid:pk>/": "submission submission-coverage submission-outputs output",
    "submissions/<uuid:pk>/quarantine/": "output-quarantine !output-quarantine",
    "outputs/import/": "imports !output-uploads upload-confirm upload",
    "outputs/<uuid:pk>/images/<int:index>/frames.json": "output-frames",
    "outputs/<uuid:pk>/images/<int:index>/frames.bin": "output-data",
    "imports/<uuid:pk>/": "import",
    "imports/<uuid:pk>/problems.csv": "import-problems",
    "studies/": "studies",
    "studies/new/": "releases submissions rubrics !studies",
    "studies/<slug:slug>/": "study study-progress",
    "studies/<slug:slug>/people/": "enrollments !enrollments",
    "studies/<slug:slug>/people/<int:pk>/activity/": "!enrollment-activity",
    "studies/<slug:slug>/balance/": "study-balance",
    "studies/<slug:slug>/consent/": "consent !consent",
    "studies/<slug:slug>/consent/withdraw/": "!consent-withdraw",
    "studies/<slug:slug>/consent/versions/": "consent-forms !consent-forms",
    "studies/<slug:slug>/blinding/": "unblinding-risks",
    "studies/<slug:slug>/blinding/scan/": "!unblinding-scan",
    "studies/<slug:slug>/blinding/decide/": "!unblinding-decisions",
    "studies/new/workload/": "!study-workload",
    "studies/new/import/": "!studies",
    "studies/<slug:slug>/design.json": "study-design",
    "studies/<slug:slug>/people/<int:pk>/replace/": "!enrollment-replacement",
    "studies/<slug:slug>/people/<int:pk>/admit/": "!enrollment-admission",
    "studies/<slug:slug>/training/": "training !training",
    "studies/<slug:slug>/pilot/": "!study-pilot",
    "studies/<slug:slug>/open/": "!study-open",
    "studies/<slug:slug>/pause/": "!study-pause",
    "studies/<slug:slug>/resume/": "!study-resume",
    "studies/<slug:slug>/lock/": "!study-lock",
    "studies/<slug:slug>/unblinding/": "unblinding",
    "studies/<slug:slug>/unblinding/ask/": "!unblinding-ask",
    "studies/<slug:slug>/unblinding/withdraw/": "!unblinding-withdraw",
    "studies/<slug:slug>/unblinding/confirm/": "!unblinding-confirm",
    "studies/<slug:slug>/unblinding/freeze/": "!unblinding-freeze",
    "rubrics/<str:code>/<str:version>/": "rubric",
    "studies/<slug:slug>/read/": "readings",
    "studies/<slug:slug>/readings/": "readings",
    "readings/<uuid:pk>/": "reading",
    "readings/<uuid:pk>/reading.json": "reading",
    "readings/<uuid:pk>/panes/<int:number>/frames.json": "pane-frames",
    "readings/<uuid:pk>/panes/<int:number>/frames.bin": "pane-data",
    "readings/<uuid:pk>/draft/": "!reading-draft",
    "readings/<uuid:pk>/submit/": "!reading-submit reading-amend",
    "readings/<uuid:pk>/skip/": "!reading-skip",
    "readings/<uuid:pk>/guess/": "!reading-guess",
    "studies/<slug:slug>/texts/": "texts !text-search",
    "grades/<uuid:pk>/blank/": "texts !grade-blanking",
    "studies/<slug:slug>/_flags/": "study-flags",
    "studies/<slug:slug>/adjudication/": "adjudication adjudication-counts",
    "studies/<slug:slug>/adjudication/requests/": "!adjudication-requests",
    "studies/<slug:slug>/adjudication/<uuid:key>/": "adjudication-case !adjudication-decisions",
    "studies/<slug:slug>/adjudication/<uuid:key>/reopen/": "!adjudication-reopenings",
    "studies/<slug:slug>/adjudication/<uuid:key>/panes/<int:pane>/frames.json": "adjudication-frames",
    "studies/<slug:slug>/adjudication/<uuid:key>/panes/<int:pane>/frames.bin": "adjudication-data",
    "studies/<slug:slug>/preview/": "preview",
    "studies/<slug:slug>/preview/<int:number>/": "preview",
    "studies/<slug:slug>/preview/<int:number>/reading.json": "preview",
    "studies/<slug:slug>/preview/<int:number>/panes/<int:pane>/frames.json": "preview-frames",
    "studies/<slug:slug>/preview/<int:number>/panes/<int:pane>/frames.bin": "preview-data",
    "submissions/<uuid:pk>/metrics/": "submission-metrics metric-summaries",
    "submissions/<uuid:pk>/metrics/_compute/": "!submission-metrics",
    "items/<uuid:pk>/_metrics/": "item-metrics",
    "studies/<slug:slug>/agreement/": "agreement",
    "studies/<slug:slug>/agreement.json": "agreement",
    "studies/<slug:slug>/composite/": "composite !composite",
    "submissions/<uuid:pk>/judgments/": "submission-judgments !submission-judgments",
    "studies/<slug:slug>/calibration/": "calibration courtroom",
    "studies/<slug:slug>/calibration/certificate/": "certificate",
    "studies/<slug:slug>/calibration/limit/": "!calibration-limits",
    "studies/<slug:slug>/calibration/compute/": "!calibration-jobs",
    "studies/<slug:slug>/calibration/radar/": "radar",
    "studies/<slug:slug>/calibration/radar/<uuid:row>/": "radar-output",
    "studies/<slug:slug>/calibration/radar/<uuid:row>/ask/": "!radar-requests",
    "studies/<slug:slug>/calibration/radar/<uuid:row>/panes/<int:pane>/frames.json": "radar-frames",
    "studies/<slug:slug>/calibration/radar/<uuid:row>/panes/<int:pane>/frames.bin": "radar-data",
    "studies/<slug:slug>/workbook.xlsx": "exports export-file",
    "studies/<slug:slug>/export/": "exports",
    "studies/<slug:slug>/workbook/": "!exports",
    "studies/<slug:slug>/exports/<uuid:pk>/": "export-file",
    "studies/<slug:slug>/leaderboard/": "leaderboard",
    "studies/<slug:slug>/leaderboard.json": "leaderboard",
    "studies/<slug:slug>/leaderboard/<str:letter>/": "leaderboard-receipt",
    "studies/<slug:slug>/preferences/": "preferences",
    "studies/<slug:slug>/preferences.json": "preferences",
    "planner/": "planner",
    "studies/<slug:slug>/combination/": "combination",
    "studies/<slug:slug>/combination.json": "combination",
    "studies/<slug:slug>/comparison/": "comparison",
    "studies/<slug:slug>/comparison.json": "comparison",
    "studies/<slug:slug>/comparison/imrmc.csv": "comparison-imrmc",
    "studies/<slug:slug>/comparison/mrmcaov.csv": "comparison-mrmcaov",
}
# addresses of the interface that no page stands for, and what they are instead
OWN = {
    "index": "where to begin",
    "schema": "the document",
    "taxonomy": "codes that forms of pages offer as choices",
    "release-verification": "what the page of a release says about its checksums",
}
WITHIN = "api/"


def pages(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Route and view of every page."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and not route.startswith(WITHIN):
            yield route, pattern.callback


def kinds(view: Any) -> set[str]:
    """Whether a view reads, acts or both, by the methods that its decorators or its class let through."""
    methods = {"GET", "POST"}
    if hasattr(view, "view_class"):
        methods = {name.upper() for name in view.view_class.http_method_names if hasattr(view.view_class, name)}
    while view is not None:
        for name, cell in zip(view.__code__.co_freevars, view.__closure__ or (), strict=False):
            if name == "request_method_list":
                methods &= set(cell.cell_contents)
        view = getattr(view, "__wrapped__", None)
    return ({READ} if "GET" in methods else set()) | ({ACT} if methods & {"POST", "DELETE", "PUT"} else set())


def reasons() -> dict[str, str]:
    """Pages without a counterpart, as docs/api.md lists them: address → why."""
    section = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## Only on pages")[2]
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|$", section.partition("\n## ")[0], re.MULTILINE)
    return {address.lstrip("/"): why for named, why in rows for address in re.findall("`([^`]+)`", named)}


def counterparts(route: str) -> tuple[set[str], set[str]]:
    """What answers for the reading and for the acts of a page."""
    reading, _, acts = SAME[route].partition("!")
    return set(reading.split()), set(acts.split())


ROUTES = dict(pages())
METHODS = {address.name: set(address.methods) for address in api_addresses()}


def test_every_page_has_a_counterpart_or_a_written_reason():
    listed = {route or "home" for route in ROUTES}

    assert sorted(listed - set(SAME) - set(reasons())) == []
    assert sorted(set(SAME) - listed) == []
    assert set(SAME) & set(reasons()) == set()


def test_every_act_of_a_page_has_one_of_the_interface_and_nothing_only_reads():
    wrong = []
    for route, view in ROUTES.items():
        if (route or "home") not in SAME:
            continue
        reading, acts = counterparts(route or "home")
        if ACT in kinds(view) and not acts:
            wrong.append(f"{route}: has an act that no program can do")
        wrong += [
            f"{route}: {name} takes no act" for name in acts if not METHODS.get(name, set()) & {"post", "delete"}
        ]
        wrong += [f"{route}: {name} tells nothing" for name in reading if "get" not in METHODS.get(name, set())]
        if kinds(view) == {READ} and not reading:
            wrong.append(f"{route}: is read, and no address tells it")

    assert wrong == []
    assert kinds(ROUTES["datasets/<slug:slug>/people/"]) == {READ, ACT}
    assert kinds(ROUTES["jobs/"]) == {READ}
    assert kinds(ROUTES["trail/"]) == {READ}
    assert kinds(ROUTES["people/<uuid:pk>/erase/"]) == {ACT}


def test_the_interface_does_nothing_that_no_page_does():
    named = {name for route in SAME for names in counterparts(route) for name in names}

    assert sorted(set(METHODS) - named - set(OWN)) == []
    assert sorted(set(OWN) - set(METHODS)) == []


def test_pages_of_sign_in_that_a_setting_opens_have_a_written_reason():
    source = (ROOT / "annotation" / "people" / "entrance_urls.py").read_text(encoding="utf-8")
    routes = re.findall(r'path\(\s*"([^"]+)"', source)

    assert len(routes) > 5
    assert [route for route in routes if not any(route.startswith(listed) for listed in reasons())] == []
