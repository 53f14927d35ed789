"""What each address of a page needs in the world of the table of access."""

from typing import Any


def arguments(name: str, world: dict[str, Any]) -> list[Any]:
    """What an address needs, found by its name."""
    known = _known(world)
    if name in known:
        return known[name]
    noun, _, verb = name.rsplit(":", maxsplit=1)[-1].partition("-")
    if noun == "key" and verb == "list":
        return []
    if verb in {"list", "create"} and noun in {"dataset", "system", "study", "person"}:
        return []
    return _by_noun(world).get(noun, [])


def _by_noun(world: dict[str, Any]) -> dict[str, list[Any]]:
    dataset, release, study = world["dataset"].slug, world["release"].version, world["study"].slug
    return {
        "dataset": [dataset],
        "item": [world["item"].pk],
        "image": [world["item"].pk, 0],
        "import": [world["job"].pk],
        "job": [world["work"].pk],
        "release": [dataset, release],
        "system": [world["system"].slug],
        "submission": [world["submission"].pk],
        "output": [world["output"].pk, 1],
        "study": [study],
        "enrollment": [study],
        "consent": [study],
        "adjudication": [study, world["case"]],
        "blinding": [study],
        "names": [study],
        "preview": [study, 1],
        "reading": [world["reading"].pk],
        "pane": [world["reading"].pk, 0],
        "draft": [world["reading"].pk],
        "grade": [world["reading"].pk],
        "text": [study],
        "guess": [world["reading"].pk],
        "metric": [world["submission"].pk],
        "metrics": [world["submission"].pk],
        "person": [world["person"].pk],
        "key": [world["key"].pk],
        "rubric": ["T1", "1.0"],
        "review": [world["item"].pk],
        "quarantine": [dataset, world["item"].current_revision.images.first().asset_id],
        "agreement": [study],
        "composite": [study],
        "leaderboard": [study],
        "preferences": [study],
        "judgment": [world["submission"].pk],
        "calibration": [study],
        "certificate": [study],
        "limit": [study],
        "comparison": [study],
        "combination": [study],
        "export": [study],
        "workbook": [study],
    }


def _known(world: dict[str, Any]) -> dict[str, list[Any]]:
    dataset, study = world["dataset"].slug, world["study"].slug
    return {
        "api": ["v1/nothing/"],
        "annotation:grade-blank": [world["grade"].pk],
        "annotation:invitation-accept": ["QQ", "x-y"],
        "annotation:event-list": [],
        "annotation:pause-lift": [1],
        "annotation:item-list": [dataset],
        "annotation:member-list": [dataset],
        "annotation:member-access": [dataset],
        "annotation:member-remove": [dataset, world["person"].pk],
        "annotation:item-import": [],
        "annotation:review-queue": [dataset],
        "annotation:quarantine-list": [dataset],
        "annotation:output-quarantine": [world["submission"].pk],
        "annotation:release-list": [dataset],
        "annotation:release-freeze": [dataset],
        "annotation:enrollment-activity": [study, world["spare"].pk],
        "annotation:reader-replace": [study, world["spare"].pk],
        "annotation:reader-admit": [study, world["spare"].pk],
        "annotation:adjudication-list": [study],
        "annotation:adjudication-request": [study],
        "annotation:adjudication-frames": [study, world["case"], 0],
        "annotation:adjudication-data": [study, world["case"], 0],
        "annotation:preview-frames": [study, 1, 0],
        "annotation:preview-data": [study, 1, 0],
        "annotation:reading-next": [study],
        "annotation:reading-list": [study],
        "annotation:output-import": [],
        "annotation:job-list": [],
        "scoring:leaderboard-receipt": [study, "A"],
        "scoring:judgment-list": [world["submission"].pk],
        "scoring:radar": [study],
        "scoring:radar-detail": [study, world["spot"]],
        "scoring:radar-ask": [study, world["spot"]],
        "scoring:radar-frames": [study, world["spot"], 0],
        "scoring:radar-data": [study, world["spot"], 0],
        "scoring:export-download": [study, world["export"].pk],
    }
