"""How an invented clinical judgment of one output is written down, and the vocabularies it may use."""

from dataclasses import dataclass

T1 = (
    "anatomical_accuracy",
    "clinical_finding_accuracy",
    "instruction_compliance",
    "hallucination_omission_control",
    "overall",
)
CONSISTENCY = "cross_modal_consistency"
T6 = ("edit_achieved", "rest_unchanged", "visual_quality")
SAFETY = ("none", "low", "moderate", "severe")


@dataclass(frozen=True)
class Judgment:
    """What a careful reader would say of one output.

    Args:
        t1: five digits for anatomy, finding, instruction, invention and omission, overall.
        extra: for editing three digits (edit achieved, rest unchanged, visual quality), for generation one digit
            (image-text consistency), otherwise empty.
        safety: possible harm if the output were believed.
        errors: error codes.
        words: two wordings of the rationale, one for each reader; empty where nothing is wrong.
    """

    t1: str
    extra: str = ""
    safety: str = "none"
    errors: tuple[str, ...] = ()
    words: tuple[str, str] = ("", "")


def flawless(extra: str = "") -> Judgment:
    return Judgment("55555", extra)
