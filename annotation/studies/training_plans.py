"""What a design says about training, and which fields of a design do not fit each other."""

from dataclasses import dataclass, field
from typing import Any

from annotation.studies.errors import DesignError, DesignProblem

FEEDBACK_LIMIT = 5_000
MOST_TRAINING = 100
Range = tuple[float, float]
Expected = dict[str, dict[str, Range]]


@dataclass(frozen=True)
class TrainingPlan:
    """A training item by code; `expected`: by system or submission and criterion, which values count as right."""

    item: str
    expected: Expected = field(default_factory=dict)
    feedback: str = ""

    def to_json(self) -> Any:
        """A code alone, or the item with what is known of it."""
        if not self.expected and not self.feedback:
            return self.item
        expected = {
            system: {criterion: list(values) for criterion, values in criteria.items()}
            for system, criteria in self.expected.items()
        }
        return {"item": self.item, "expected": expected, "feedback": self.feedback}


def read_training(name: str, value: Any) -> tuple[TrainingPlan, ...]:
    """The training items of a design.

    Raises:
        DesignError: it is no list of codes and objects, an item is named twice, or a range is none.
    """
    if not isinstance(value, list):
        raise _refuse(name, value, "must be a list of item codes or of objects with item, expected and feedback")
    if len(value) > MOST_TRAINING:
        raise _refuse(name, len(value), f"are too many training items, the limit is {MOST_TRAINING}")
    plans = tuple(_one(name, each) for each in value)
    codes = [plan.item for plan in plans]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise _refuse(name, twice[0], "is named twice")
    return plans


def _one(name: str, value: Any) -> TrainingPlan:
    if isinstance(value, str) and value.strip():
        return TrainingPlan(value.strip())
    if not isinstance(value, dict) or set(value) - {"item", "expected", "feedback"} or not value.get("item"):
        raise _refuse(name, value, 'must be an item code or {"item": …, "expected": …, "feedback": …}')
    item, feedback = value["item"], value.get("feedback", "")
    if not isinstance(item, str):
        raise _refuse(f"{name}.item", item, "must be an item code")
    if not isinstance(feedback, str) or len(feedback) > FEEDBACK_LIMIT or "\0" in feedback:
        raise _refuse(f"{name}.feedback", item, f"must be a text of at most {FEEDBACK_LIMIT:,} characters")
    return TrainingPlan(item.strip(), _expected(name, item, value.get("expected", {})), feedback.strip())


def _expected(name: str, item: str, value: Any) -> Expected:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        rule = 'must be like {"aurora": {"overall": [1, 2]}}'
        raise _refuse(f"{name}.expected", item, rule)
    return {
        str(system): {str(code): _range(name, item, code, limits) for code, limits in criteria.items()}
        for system, criteria in value.items()
    }


def _range(name: str, item: str, code: Any, value: Any) -> Range:
    numbers = value if isinstance(value, list) else [value, value]
    fits = len(numbers) == 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    if not fits or not numbers[0] <= numbers[1]:
        raise _refuse(f"{name}.expected", f"{item}: {code}: {value}", "must be a value or [lowest, highest]")
    return float(numbers[0]), float(numbers[1])


def _refuse(name: str, value: Any, rule: str) -> DesignError:
    words = str(value)
    return DesignError([DesignProblem(name, words if len(words) <= 60 else f"{words[:60]}…", rule)])


def misfits(values: dict[str, Any], *, comparing: bool) -> list[DesignProblem]:
    """What the fields of a design ask that they cannot have together.

    Args:
        values: fields as read; what was not given is absent.
        comparing: whether outputs are compared instead of graded.
    """
    found = []
    plan, anchors = values.get("assignment", "even"), values.get("anchor_items", 0)
    if plan == "anchored" and not anchors:
        found.append(DesignProblem("anchor_items", "0", "the assignment anchored needs at least one anchor item"))
    if anchors and plan != "anchored":
        found.append(DesignProblem("anchor_items", str(anchors), f"only with the assignment anchored, not {plan}"))
    if values.get("admission") is not None and not values.get("training"):
        found.append(DesignProblem("admission", str(values["admission"]), "needs training items to be reached in"))
    if values.get("washout_days") and not values.get("repeats"):
        found.append(DesignProblem("washout_days", str(values["washout_days"]), "needs repeats to wait for"))
    graded_only = {"stages": 1, "attention_items": 0, "training": ()}
    if values.get("stages", 1) == 2 and values.get("mode", "one") == "one" and len(values.get("submissions", ())) > 1:
        rule = "needs mode all: with one output a reading, an item's reference is known from its first output on"
        found.append(DesignProblem("stages", "2", rule))
    for name, usual in graded_only.items():
        if comparing and values.get(name, usual) != usual:
            shown = len(values[name]) if name == "training" else values[name]
            found.append(DesignProblem(name, str(shown), "only where outputs are graded, not compared"))
    if comparing and plan != "even":
        found.append(DesignProblem("assignment", plan, "comparisons are dealt evenly"))
    return found
