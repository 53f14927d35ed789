"""The rubrics that come with the product, read from `rubrics/*.json`; loading twice changes nothing."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "rubrics"


def builtin_rubrics() -> list[dict[str, Any]]:
    """Rubric templates in file order (T1, T6)."""
    files = sorted(file for file in FOLDER.glob("*.json") if file.name != "error_codes.json")
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def builtin_error_codes() -> list[dict[str, Any]]:
    """Error codes with meaning and whether a place can be drawn for them."""
    codes: list[dict[str, Any]] = json.loads((FOLDER / "error_codes.json").read_text(encoding="utf-8"))
    return codes


def load(rubric: Any, criterion: Any, anchor: Any, error_code: Any) -> None:
    """Write what is absent. Takes the model classes, so that a migration can pass its historical ones."""
    for position, row in enumerate(builtin_error_codes()):
        values = {"label": row["meaning"], "localizable": row["localizable"], "position": position}
        error_code.objects.get_or_create(code=row["code"], defaults=values)
    for template in builtin_rubrics():
        _load_rubric(template, rubric, criterion, anchor)


def _load_rubric(template: dict[str, Any], rubric: Any, criterion: Any, anchor: Any) -> None:
    scale = template["scale"]
    made, new = rubric.objects.get_or_create(
        code=template["code"],
        version=template["version"],
        defaults={
            "name": template["name"],
            "source": template["source"],
            "scale_min": scale["min"],
            "scale_max": scale["max"],
            "scale_step": scale["step"],
        },
    )
    if not new:
        return
    for position, row in enumerate(template["criteria"]):
        formats = row["applies_to"]["formats"]
        stored = criterion.objects.create(
            rubric=made,
            code=row["code"],
            label=row["label"],
            definition=row["definition"],
            kind=row["kind"],
            direction=row["direction"],
            position=position,
            na_allowed=row["na_allowed"],
            rationale_at_most=row["rationale_if"]["value"],
            applies_to_formats=[] if formats == ["*"] else formats,
            needs_image="image" in row["needs"],
            needs_text="text" in row["needs"],
        )
        for value, description in row["anchors"].items():
            anchor.objects.create(criterion=stored, value=float(value), description=description)
