"""What a reading asks where outputs are compared, and what its reader has answered: the same door as grading."""

from typing import Any

from annotation.grading.kinds import Kind, register
from annotation.grading.presentation import Presentation, Sheet, question_of
from annotation.preferences import rules
from annotation.preferences.board import board, newest_versions, timed
from annotation.preferences.models import Preference
from annotation.preferences.rules import OVERALL, PAIR, Comparison, word_of
from annotation.preferences.services import submit_preference
from annotation.studies.models import Reading, Study

PURPOSE = "Which output serves the stated purpose better, all things considered?"


def comparison_of(study: Study, shown: Presentation, sheet: Sheet) -> Comparison:
    """What the rules need to know of a reading."""
    question = question_of(shown, sheet)
    criteria = rules.compared(question) if study.compare_criteria else ()
    return Comparison(study.outputs_per_reading, question, criteria)


def asked(study: Study, shown: Presentation, sheet: Sheet) -> dict[str, Any]:
    """The part of the workstation's JSON that says what is chosen between."""
    comparison = comparison_of(study, shown, sheet)
    words = {criterion.code: criterion for criterion in sheet.criteria}
    overall = words.get(OVERALL)
    asked_for = [(OVERALL, "Overall", overall.definition if overall else PURPOSE)]
    asked_for += [(one.code, one.label, words[one.code].definition) for one in comparison.criteria]
    return {
        "mode": comparison.mode,
        "offered": [[word, _offer(word, comparison)] for word in comparison.offered],
        "criteria": [{"code": code, "label": label, "definition": text} for code, label, text in asked_for],
        "strengths": [[value, label] for value, label in Preference.Strength.choices],
    }


def _offer(word: str, comparison: Comparison) -> str:
    """An offered choice in words, with the label that stands on the screen."""
    left_right = dict(zip((rules.LEFT, rules.RIGHT), (*comparison.labels, "", ""), strict=False))
    plain = {
        rules.TIE: "Equally good" if comparison.mode == PAIR else "No best one",
        rules.BOTH_BAD: "Neither is usable",
        rules.ALL_BAD: "None is usable",
    }
    if word in plain:
        return plain[word]
    return f"{left_right[word]} is better" if comparison.mode == PAIR else f"{word} is best"


def answered(reading: Reading) -> dict[str, Any] | None:
    """The newest version of what this reader submitted, as a payload; None before."""
    rows = Preference.objects.filter(reading=reading).select_related("chosen")
    newest = rows.prefetch_related(
        "choices__criterion", "choices__chosen", "flags__reading_output", "errors__reading_output"
    ).order_by("-version").first()  # fmt: skip
    if newest is None:
        return None
    labels = reading.reading_outputs.order_by("position").values_list("label", flat=True)
    outputs: dict[str, dict[str, Any]] = {label: {"safety": "none", "errors": []} for label in labels}
    for flag in newest.flags.all():
        outputs[flag.reading_output.label]["safety"] = flag.safety
    for error in newest.errors.all():
        named = {"code": error.error_code_id, "nowhere": error.nowhere}
        outputs[error.reading_output.label]["errors"].append(named)
    choices = {OVERALL: word_of(newest.choice, newest.chosen_label)}
    for one in newest.choices.all():
        choices[one.criterion.code] = word_of(one.choice, one.chosen_label)
    said = {
        "choices": choices,
        "strength": newest.strength,
        "rationale": newest.rationale,
        "reference_wrong": newest.reference_wrong,
    }
    return {
        "payload": {"preference": said, "outputs": outputs},
        "version": newest.version,
        "submitted_at": newest.submitted_at.isoformat(),
        "blanked": {},
    }


def register_kind() -> None:
    """Ask in studies of the modes `pair` and `rank`."""
    kind = Kind(
        submit=submit_preference, asked=asked, answered=answered, versions=newest_versions, timed=timed, board=board
    )
    register((Study.Mode.PAIR, Study.Mode.RANK), kind)
