"""One answer at a time: a number of the declared scale, or a typed reason; nothing is guessed, nothing rescaled."""

import pytest

from scoring.calibration.answers import REASONS, read_answer


def on_ten(said):
    return read_answer(said, low=1, high=10)


@pytest.mark.parametrize(("said", "value"), [(8, 8), (7.5, 7.5), ("8", 8), (" 9.5 ", 9.5), ({"score": 6}, 6), (1, 1)])
def test_a_number_of_the_scale_is_taken(said, value):
    assert (on_ten(said).value, on_ten(said).reason, on_ten(said).coerced) == (value, "", False)


def test_d13_eight_of_ten_is_eight_only_where_ten_is_the_declared_end():
    taken, refused = on_ten("8/10"), read_answer("8/10", low=1, high=5)

    assert (taken.value, taken.coerced) == (8, True)
    assert (refused.value, refused.reason) == (None, "invalid")
    assert "ends at 5" in refused.rule


@pytest.mark.parametrize("said", [95, "95", -1, 10.01, "95/10", 10**400, "9" * 400])
def test_d14_a_number_outside_of_the_scale_is_kept_for_inspection_and_is_no_value(said):
    found = on_ten(said)

    assert (found.value, found.reason) == (None, "out_of_range")
    assert found.raw.startswith(str(said)[:2])
    assert "1 to 10" in found.rule


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("The image looks convincing overall.", "unparsable"),
        ("I'm sorry, I cannot assess medical images.", "refused"),
        ("I am unable to score this.", "refused"),
        ("Tie.", "tie"),
        ("both bad", "tie"),
        ("n/a", "not_applicable"),
        (True, "invalid"),
        ([8], "invalid"),
        ({"grade": 8}, "invalid"),
        ({}, "failed"),
        (None, "missing_criterion"),
        ("  ", "missing_criterion"),
    ],
)
def test_what_is_no_number_has_a_typed_reason(said, reason):
    found = on_ten(said)

    assert (found.value, found.reason) == (None, reason)
    assert reason in REASONS


def test_a_reply_in_prose_is_kept_as_it_stood():
    assert on_ten("Looks fine to me, roughly.").raw == "Looks fine to me, roughly."
