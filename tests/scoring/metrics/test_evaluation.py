"""Evaluation of many outputs: typed rows, no-op baseline and gain, order and batches without influence."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.comparison import compare
from scoring.metrics.evaluate import evaluate
from scoring.metrics.gain import gain
from scoring.metrics.pictures import Picture
from scoring.metrics.registry import METRICS
from scoring.metrics.summary import summarize
from tests.scoring.metrics.recipes import clipped, edited_region, p1, p2, waves


def eight_bit(pixels: np.ndarray) -> Picture:
    return Picture(pixels, 255.0)


def noisy(reference: np.ndarray, decibels: float) -> np.ndarray:
    """Float pixels at exactly this PSNR."""
    error = 255 / 10 ** (decibels / 20)
    sign = np.where(np.indices(reference.shape).sum(axis=0) % 2, 1.0, -1.0)
    return reference + sign * error


def only(metric_code: str, comparison, **settings):
    rows = list(evaluate([METRICS[metric_code]], [comparison], **settings))
    return {(row.subject, row.region): row for row in rows}


def test_d1_each_output_gets_its_own_score_when_one_is_missing():
    reference = eight_bit(np.full((32, 32), 128.0))
    pairs = [
        compare("s0", output=None, reference=reference),
        compare("s1", output=Picture(noisy(np.full((32, 32), 128.0), 13.79), 255.0), reference=reference),
        compare("s2", output=reference, reference=reference),
    ]

    rows = list(evaluate([METRICS["psnr"]], pairs))
    summary = summarize(rows)

    assert [row.reason for row in rows] == ["missing_output", None, "identical"]
    assert rows[1].value == pytest.approx(13.79, abs=1e-9)
    assert (summary.expected, summary.scored, summary.missing) == (3, 1, 1)
    assert summary.undefined == {"identical": 1, "missing_output": 1}
    assert summary.mean == pytest.approx(13.79, abs=1e-9)


def test_d2_a_missing_reference_costs_only_its_own_item():
    rows = list(
        evaluate(
            [METRICS["mae"]],
            [
                compare("a", output=eight_bit(waves(8, 8)), reference=None),
                compare("b", output=eight_bit(waves(8, 8)), reference=eight_bit(waves(8, 8))),
            ],
        )
    )

    assert [(row.key, row.value, row.reason) for row in rows] == [("a", None, "missing_reference"), ("b", 0.0, None)]


def test_d20_the_mean_leaves_identical_pairs_out_and_counts_them():
    reference = waves(32, 32).astype(float)
    pairs = [
        compare("same", output=eight_bit(reference), reference=eight_bit(reference)),
        compare(
            "ten",
            output=Picture(noisy(np.full((32, 32), 128.0), 10.0), 255.0),
            reference=eight_bit(np.full((32, 32), 128.0)),
        ),
    ]

    summary = summarize(evaluate([METRICS["psnr"]], pairs))

    assert summary.mean == pytest.approx(10.0, abs=1e-9)
    assert (summary.scored, summary.undefined) == (1, {"identical": 1})


def test_d22_five_by_five_pictures_lose_only_ssim():
    pair = compare("tiny", output=eight_bit(waves(5, 5) + 2), reference=eight_bit(waves(5, 5)))

    rows = {row.metric: row for row in evaluate([METRICS["ssim"], METRICS["psnr"], METRICS["mae"]], [pair])}

    assert rows["ssim"].reason == "smaller_than_window"
    assert "7 x 7" in rows["ssim"].message
    assert rows["mae"].value == 2.0
    assert rows["psnr"].reason is None


def test_d23_the_policy_is_part_of_the_settings():
    output, reference = eight_bit(waves(128, 64)), eight_bit(waves(64, 64))

    ours = only("psnr", compare("x", output=output, reference=reference))["output", "whole"]
    official = only("psnr", compare("x", output=output, reference=reference, policy="pair/official-1"))

    assert ours.reason == "geometry_mismatch"
    assert ours.settings["pairing"] == "pair/1"
    assert official["output", "whole"].settings["pairing"] == "pair/official-1"
    assert official["output", "whole"].settings_hash != ours.settings_hash
    assert official["output", "whole"].value is not None


def test_d24_an_unchanged_input_is_flagged_and_gains_nothing():
    given = waves(96, 128)
    reference = clipped(given * 0.98 + 3)
    pair = compare("edit", output=eight_bit(given), reference=eight_bit(reference), input=eight_bit(given))

    for code, looks_excellent in (("ssim", 0.999), ("psnr", 44.0)):
        rows = only(code, pair)
        output, no_op = rows["output", "whole"], rows["no_op", "whole"]

        assert output.value > looks_excellent
        assert gain(METRICS[code].direction, output.value, no_op.value) == 0.0
        assert output.flags == ("unchanged_input",)
        assert no_op.flags == ()


def test_an_unchanged_input_is_flagged_even_where_no_value_exists():
    small = waves(32, 32)
    as_color = np.stack([small] * 3, axis=-1)

    rows = only(
        "psnr", compare("x", output=eight_bit(as_color), reference=eight_bit(waves(64, 64)), input=eight_bit(small))
    )

    assert rows["output", "whole"].reason == rows["no_op", "whole"].reason == "geometry_mismatch"
    assert rows["output", "whole"].flags == ("unchanged_input",)


def test_gains_of_the_region_recipe_disagree_in_sign():
    reference, output, _ = edited_region()
    given = clipped(np.rint(reference * 0.9 + 5))
    pair = compare("x", output=eight_bit(output), reference=eight_bit(reference), input=eight_bit(given))

    gains = {}
    for code in ("psnr", "ssim", "mae"):
        rows = only(code, pair)
        gains[code] = gain(METRICS[code].direction, rows["output", "whole"].value, rows["no_op", "whole"].value)

    assert gains["psnr"] == pytest.approx(2.231735, abs=5e-7)
    assert gains["ssim"] == pytest.approx(-0.008943, abs=1e-6)
    assert gains["mae"] == pytest.approx(7.078532, abs=1e-6)


@pytest.mark.parametrize(
    ("reason", "no_op_reason", "expected"),
    [
        ("identical", None, "identical"),
        (None, "identical", "noop_identical"),
        ("identical", "identical", "noop_identical"),
        ("missing_output", None, "missing_output"),
        (None, "geometry_mismatch", "geometry_mismatch"),
    ],
)
def test_a_gain_without_two_values_has_a_reason(reason, no_op_reason, expected):
    with pytest.raises(UndefinedMetricError) as caught:
        gain(
            "higher", None if reason else 1.0, None if no_op_reason else 1.0, reason=reason, no_op_reason=no_op_reason
        )

    assert caught.value.reason == expected


def test_a_gain_refuses_an_unknown_direction_and_a_silent_gap():
    with pytest.raises(ValueError, match="direction 'up'"):
        gain("up", 1.0, 1.0)
    with pytest.raises(ValueError, match="neither value nor reason"):
        gain("higher", 1.0, None)


def test_regions_have_their_own_rows_for_output_and_no_op():
    reference, output, region = edited_region()
    pair = compare(
        "x", output=eight_bit(output), reference=eight_bit(reference), input=eight_bit(output), region=region
    )

    rows = only("psnr", pair)

    assert list(rows) == [(side, part) for side in ("output", "no_op") for part in ("whole", "roi", "outside")]
    assert rows["output", "outside"].reason == "identical"
    assert rows["output", "roi"].value == pytest.approx(20.8620922568, abs=5e-11)


def test_an_error_answer_is_typed_for_every_metric():
    error = UndefinedMetricError("error_output", "VLM Error: timeout")
    comparison = compare(
        "x", output=error, reference=eight_bit(waves(8, 8)), output_text=error, reference_text="An effusion is seen."
    )

    rows = list(evaluate([METRICS["psnr"], METRICS["token_f1"]], [comparison]))

    assert [(row.reason, row.message) for row in rows] == [("error_output", "VLM Error: timeout")] * 2


def test_an_empty_answer_counts_as_wrong_and_is_flagged():
    comparison = compare("x", output_text=" ", reference_text="An effusion is seen.", format="vqa")

    rows = list(evaluate([METRICS["token_f1"], METRICS["bleu_4"]], [comparison]))

    assert [(row.value, row.flags) for row in rows] == [(0.0, ("empty",))] * 2


def test_options_reach_the_parser_and_its_reading_is_kept():
    pairs = [
        compare("a", output_text="It is B.", reference_text="B", options=["A. CT", "B. MRI"], task="multiple-choice"),
        compare("b", output_text="The answer is B", reference_text=1, options=["A. CT", "B. MRI"]),
        compare("c", output_text="B", reference_text="B"),
    ]

    rows = list(evaluate([METRICS["option_accuracy"]], pairs))

    assert [row.value or row.reason for row in rows] == ["unparsable", 1.0, 1.0]
    assert rows[1].detail == {"letter": "B", "state": "parsed"}
    assert rows[2].flags == ("options_unknown",)


def test_metrics_that_do_not_apply_say_so():
    pairs = [
        compare("vqa", output_text="A", reference_text="A", format="vqa", task="multiple-choice"),
        compare("de", output_text="Kleiner Erguss links.", reference_text="Erguss links unten.", language="de"),
        compare("no picture", output_text="a", reference_text="a"),
    ]

    rows = {(row.key, row.metric): row for row in evaluate([METRICS["psnr"], METRICS["rouge_l"]], pairs)}

    assert {row.reason for row in rows.values()} - {None} == {"not_applicable"}
    assert "task 'multiple-choice'" in rows["vqa", "rouge_l"].message
    assert "language 'de'" in rows["de", "rouge_l"].message
    assert rows["no picture", "rouge_l"].value == 1.0


def test_an_item_that_should_have_pictures_misses_its_output():
    rows = list(evaluate([METRICS["psnr"]], [compare("x", format="image_editing")]))

    assert rows[0].reason == "missing_output"


def test_a_crash_inside_one_metric_stays_in_its_row():
    def explode(*_: object, **__: object) -> float:
        raise RuntimeError("out of order")

    broken = replace(METRICS["psnr"], code="broken", function=explode)
    endless = replace(METRICS["psnr"], code="endless", function=lambda *_, **__: float("inf"))
    pair = compare("x", output=eight_bit(p1()[1]), reference=eight_bit(p1()[0]))

    rows = list(evaluate([broken, endless, METRICS["mae"]], [pair]))

    assert [row.reason for row in rows] == ["failed", "failed", None]
    assert rows[0].message == "RuntimeError: out of order"


def _mixed() -> list:
    first, second = p1(), p2()
    return [
        compare("a", output=eight_bit(first[1]), reference=eight_bit(first[0]), input=eight_bit(first[0])),
        compare("b", output=None, reference=eight_bit(first[0])),
        compare("c", output=eight_bit(second[1]), reference=eight_bit(second[0])),
        compare("d", output=eight_bit(first[0]), reference=eight_bit(second[0])),
        compare("e", output=eight_bit(first[0]), reference=eight_bit(first[0])),
    ]


def _batched_metric(fail_on: str = ""):
    psnr = METRICS["psnr"]

    def batch(pairs):
        if fail_on and len(pairs) > 1:
            raise RuntimeError("one bad member")
        outcomes = []
        for pair in pairs:
            try:
                outcomes.append(
                    psnr.function(pair.output[..., None], pair.reference[..., None], data_range=pair.data_range)
                )
            except UndefinedMetricError as error:
                outcomes.append(error)
        return outcomes

    return replace(psnr, batch=batch)


@pytest.mark.parametrize("batch_size", [1, 2, 64])
@pytest.mark.parametrize("fail_on", ["", "members"])
def test_batches_and_order_change_nothing(batch_size, fail_on):
    single = {(row.key, row.subject): row for row in evaluate([METRICS["psnr"]], _mixed())}

    batched = list(evaluate([_batched_metric(fail_on)], reversed(_mixed()), batch_size=batch_size))

    assert {(row.key, row.subject): row for row in batched} == single
    assert [row.key for row in batched] == ["e", "d", "c", "b", "a", "a"]


def test_evaluation_is_lazy():
    def endless():
        while True:
            yield compare("x", output_text="a", reference_text="a")

    rows = evaluate([METRICS["exact_match"]], endless())

    assert next(rows).value == 1.0


def test_a_summary_refuses_to_mix_settings():
    pair = {"output_text": "a b c d", "reference_text": "a b c d"}
    metrics = [METRICS["bleu_4"], METRICS["bleu_4"].with_settings(smoothing="exp")]

    with pytest.raises(ValueError, match="cannot be averaged together"):
        summarize(evaluate(metrics, [compare("x", **pair)]))


def test_a_summary_refuses_to_mix_gray_levels_of_two_ranges():
    wide = Picture(waves(8, 8).astype(np.uint16), 65535.0)
    pairs = [
        compare("a", output=wide, reference=wide),
        compare("b", output=eight_bit(waves(8, 8)), reference=eight_bit(waves(8, 8))),
    ]

    with pytest.raises(ValueError, match="use mae_relative"):
        summarize(evaluate([METRICS["mae"]], pairs))
    assert summarize(evaluate([METRICS["mae_relative"]], pairs)).mean == 0.0


def test_shares_of_scored_and_of_expected_differ():
    answers = ["A", "A", "A", "B", None]
    pairs = [
        compare(str(number), output_text=answer, reference_text="A", options=["A. CT", "B. MRI"])
        for number, answer in enumerate(answers)
    ]

    summary = summarize(evaluate([METRICS["option_accuracy"]], pairs))

    assert summary.share_of_scored() == 0.75
    assert summary.share_of_expected() == pytest.approx(0.6)
    assert (summary.scored, summary.expected, summary.missing) == (4, 5, 1)


def test_an_empty_summary_has_no_mean():
    summary = summarize([])

    assert (summary.expected, summary.mean, summary.share_of_expected()) == (0, None, None)
