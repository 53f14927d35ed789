"""The rules of the composite with hand-worked numbers. Weights clinical 0.6, semantic 0.2, pixel 0.2."""

from dataclasses import replace
from math import fsum

import pytest

from scoring.composites.combining import (
    CombiningError,
    Component,
    Declaration,
    OutputRow,
    cannot_rank,
    combine,
    compare_systems,
    inputs_hash,
    rank_changes_within,
    score_output,
    simplex_winners,
    tier_columns,
)

CLINICAL = Component(code="overall", tier="clinical", source="T1 overall", low=1, high=5, weight=0.6)
SEMANTIC = Component(
    code="token_f1", tier="semantic", source="token_f1", low=0, high=1, weight=0.2, formats=("vqa", "generation")
)
PIXEL = Component(
    code="psnr", tier="pixel", source="psnr", low=10, high=50, weight=0.2, formats=("editing", "generation")
)
BOARD = Declaration(
    code="default",
    version="1",
    components=(CLINICAL, SEMANTIC, PIXEL),
    formats={"vqa": 1, "editing": 1, "generation": 2},
)


def row(item: str = "i1", *, system: str = "A", task: str = "t1", form: str = "generation", **more) -> OutputRow:
    values = {"overall": (5, 3), "token_f1": (0.5,), "psnr": (30,)}
    kept = {part.code for part in BOARD.components_of(form)}
    settings = {"cluster": item, "values": {code: read for code, read in values.items() if code in kept}} | more
    return OutputRow(system=system, item=item, task=task, format=form, **settings)


def graded(item: str, grade: float, **more) -> OutputRow:
    """An editing output whose two components are equal after the transform, so that its value is known."""
    share = (grade - 1) / 4
    return row(item, form="editing", values={"overall": (grade,), "psnr": (10 + 40 * share,)}, **more)


def only(rows, *, system="A", formats=("editing",), declaration=BOARD):
    return combine(declaration, rows, system=system, formats=formats)


def test_readings_are_averaged_then_transformed_then_weighted():
    """Readings 5 and 3 → 4 → 0.75; F1 0.5; PSNR 30 of 10…50 → 0.5: 0.6·0.75 + 0.2·0.5 + 0.2·0.5 = 0.65."""
    assert only([row()], formats=["generation"]).value == pytest.approx(0.65)


def test_weights_are_renormalized_over_the_components_of_a_format():
    """VQA has no pixel part: (0.6·0.75 + 0.2·0.5) / 0.8 = 0.6875."""
    assert BOARD.weights_of("vqa") == pytest.approx({"overall": 0.75, "token_f1": 0.25})
    assert only([row(form="vqa")], formats=["vqa"]).value == pytest.approx(0.6875)


def test_the_transform_is_clipped_and_turned_where_higher_is_worse():
    worse = Component(code="mae", tier="pixel", source="mae", low=0, high=50, weight=1, direction="higher_worse")

    assert [PIXEL.transform(raw) for raw in (0, 10, 30, 50, 99)] == [0, 0, 0.5, 1, 1]
    assert [worse.transform(raw) for raw in (-1, 0, 10, 50, 60)] == pytest.approx([1, 1, 0.8, 0, 0])
    assert replace(worse, direction="lower_better").transform(10) == worse.transform(10)


def test_low_above_high_turns_the_scale_as_well():
    turned = Component(code="mae", tier="pixel", source="mae", low=50, high=0, weight=1)

    assert turned.transform(10) == pytest.approx(0.8)


def test_identical_takes_the_top_of_the_range_in_the_composite():
    """0.6·0.75 + 0.2·0.5 + 0.2·1 = 0.75."""
    perfect = row(values={"overall": (4,), "token_f1": (0.5,)}, identical=frozenset({"psnr"}))

    assert only([perfect], formats=["generation"]).value == pytest.approx(0.75)


def test_identical_is_left_out_of_the_tier_mean_and_counted():
    rows = [
        graded("i1", 3, task="t"),
        row("i2", form="editing", task="t", values={"overall": (5,)}, identical=frozenset({"psnr"})),
        row("i3", form="editing", task="t", values={"overall": (5,)}, reasons={"psnr": "geometry_mismatch"}),
        graded("i4", 3, task="t", status="missing"),
    ]

    overall, psnr = tier_columns(BOARD, rows, system="A", format_name="editing", seed=1)

    assert (psnr.mean, psnr.n, psnr.n_identical) == (30.0, 1, 1)
    assert psnr.reasons == {"geometry_mismatch": 1, "missing": 1}
    assert (overall.mean, overall.n) == (pytest.approx(13 / 3), 3)
    assert psnr.interval is None
    assert psnr.interval_reason == "an interval needs at least 10 clusters, 1 entered"


def test_missing_and_failed_outputs_are_bottom_in_the_headline_and_left_out_of_the_second_column():
    """Values 1, 0.5, and 0 for missing and declined: 1.5 / 4 = 0.375 and 1.5 / 2 = 0.75."""
    rows = [
        graded("i1", 5),
        graded("i2", 3),
        OutputRow(system="A", item="i3", cluster="c3", format="editing", task="t1", status="missing"),
        OutputRow(system="A", item="i4", cluster="c4", format="editing", task="t1", status="declined"),
    ]

    result = only(rows)

    assert (result.value, result.of_scored) == (0.375, 0.75)
    counts = result.counts
    assert (counts.n_expected, counts.n_scored, counts.n_failed, counts.n_missing) == (4, 2, 1, 1)
    assert counts.failures == {"missing": 1, "declined": 1}


@pytest.mark.parametrize("status", ["empty", "declined", "unreadable", "error", "missing"])
def test_no_kind_of_failure_is_dropped(status):
    assert only([graded("i1", 5), graded("i2", 5, status=status)]).value == 0.5


def test_outputs_without_every_tier_do_not_enter_and_are_counted_with_reasons():
    rows = [
        graded("i1", 5),
        row("i2", form="editing", values={"psnr": (10,)}, reasons={"overall": "not graded yet"}),
        row("i3", form="editing", values={"overall": (1,)}, reasons={"psnr": "smaller_than_window"}),
    ]

    result = only(rows)

    assert result.value == 1.0
    assert (result.counts.n_expected, result.counts.n_scored, result.counts.n_without_tier) == (3, 1, 2)
    assert result.counts.absent == {"overall": {"not graded yet": 1}, "psnr": {"smaller_than_window": 1}}


def test_items_outside_the_graded_sample_feed_tier_columns_only():
    rows = [graded("i1", 5), graded("i2", 1, in_sample=False, status="missing"), graded("i3", 1, in_sample=False)]

    assert only(rows).value == 1.0
    assert only(rows).counts.n_expected == 1
    assert tier_columns(BOARD, rows, system="A", format_name="editing", seed=1)[1].n == 2


def test_a_confirmed_veto_is_zero_and_stays_in_both_columns():
    result = only([graded("i1", 5), graded("i2", 5, veto="confirmed")])

    assert (result.value, result.of_scored) == (0.5, 0.5)
    assert (result.counts.n_vetoed, result.counts.n_scored) == (1, 2)


def test_an_absent_metric_does_not_let_a_vetoed_output_escape():
    result = only([graded("i1", 5), row("i2", form="editing", values={"overall": (1,)}, veto="confirmed")])

    assert result.value == 0.5
    assert (result.counts.n_vetoed, result.counts.n_without_tier) == (1, 0)


def test_a_pending_veto_shows_both_bounds():
    """Refuted (1 + 1 + 0.5)/3, confirmed (1 + 0 + 0.5)/3."""
    result = only([graded("i1", 5), graded("i2", 5, veto="pending"), graded("i3", 3)])

    assert result.refuted == pytest.approx(2.5 / 3)
    assert result.confirmed == pytest.approx(0.5)
    assert result.value == result.refuted
    assert result.counts.n_pending == 1


def test_a_refuted_veto_lets_the_number_stand_without_bounds():
    result = only([graded("i1", 5, veto="refuted")])

    assert (result.value, result.refuted, result.confirmed) == (1.0, None, None)


def test_a_pending_flag_without_every_tier_enters_only_if_confirmed():
    rows = [graded("i1", 5), row("i2", form="editing", values={}, veto="pending")]

    result = only(rows)

    assert (result.refuted, result.confirmed) == (1.0, 0.5)
    assert (result.counts.n_scored, result.counts.n_without_tier, result.counts.n_pending) == (1, 1, 1)


def test_a_confirmed_moderate_flag_caps_the_clinical_part_only():
    """Grade 5 counts as overall 2 → 0.25; PSNR stays 1: 0.75·0.25 + 0.25·1 = 0.4375."""
    assert only([graded("i1", 5, veto="moderate_confirmed")]).value == pytest.approx(0.4375)
    assert only([graded("i1", 1, veto="moderate_confirmed")]).value == 0.0


def test_macro_by_task_is_the_default_and_plain_is_named():
    """Task t1 holds 1, 1, 1 and t2 holds 0: macro 0.5, plain 0.75."""
    rows = [*(graded(f"i{n}", 5) for n in range(3)), graded("i9", 1, task="t2")]
    plain = replace(BOARD, weighting="plain")

    assert (only(rows).value, only(rows).weighting) == (0.5, "macro by task")
    assert (only(rows, declaration=plain).value, only(rows, declaration=plain).weighting) == (
        0.75,
        "plain mean over outputs",
    )


def test_design_weights_undo_the_sampling():
    rows = [graded("i1", 5, design_weight=3), graded("i2", 1, design_weight=1)]

    assert only(rows, declaration=replace(BOARD, weighting="design_weighted")).value == pytest.approx(0.75)


def test_the_headline_is_the_declared_mean_over_formats():
    """VQA 0.6875 × 1/4 + editing (0.6·0.75 + 0.2·0.5)/0.8 × 1/4 + generation 0.65 × 2/4 = 0.66875."""
    rows = [row("i1", form="vqa"), row("i2", form="editing"), row("i3", form="generation")]

    result = combine(BOARD, rows, system="A")

    assert result.value == pytest.approx(0.66875)
    assert result.scope == "headline"
    assert result.by_format == pytest.approx({"vqa": 0.6875, "editing": 0.6875, "generation": 0.65})


def test_a_headline_without_one_of_its_formats_does_not_exist():
    result = combine(BOARD, [row("i1", form="vqa")], system="A")

    assert result.value is None
    assert result.reason == "no output with every tier in editing, generation"


def test_a_receipt_adds_up_to_the_number_bit_for_bit():
    rows = [
        graded(f"i{n}", 1 + n % 5, task=f"t{n % 3}", veto="confirmed" if n == 4 else None, status=status)
        for n in range(17)
        for status in ["missing" if n == 7 else "ok"]
    ]

    result = only(rows)

    assert fsum(line.contribution for line in reversed(result.receipt)) == result.value
    assert fsum(line.weight for line in result.receipt) == pytest.approx(1.0)
    assert len(result.receipt) == 17
    for line in result.receipt:
        assert line.contribution == line.weight * line.value
    third = next(line for line in result.receipt if line.row.item == "i2")
    assert [(part.code, part.raw, part.transformed) for part in third.parts] == [
        ("overall", 3.0, 0.5),
        ("psnr", 30.0, 0.5),
    ]


def test_the_order_of_the_rows_changes_neither_number_nor_hash():
    rows = [graded(f"i{n}", 1 + n % 5) for n in range(9)]

    assert only(rows).value == only(rows[::-1]).value
    assert inputs_hash(BOARD, rows) == inputs_hash(BOARD, rows[::-1])
    assert inputs_hash(BOARD, rows) != inputs_hash(BOARD, rows[1:])
    assert inputs_hash(BOARD, rows) != inputs_hash(replace(BOARD, version="2"), rows)


def board(n: int = 12) -> list[OutputRow]:
    rows = []
    for number in range(n):
        for system, grade in (("A", 3 + number % 3), ("B", 2 + number % 2), ("C", 1 + number % 3)):
            rows.append(graded(f"i{number}", grade, system=system, task=f"t{number % 2}"))
    return rows


def test_adding_a_system_never_changes_anothers_score():
    rows = board()
    before = compare_systems(BOARD, rows, seed=1, formats=["editing"], draws=200)
    best = [graded(f"i{n}", 5, system="Z", task=f"t{n % 2}") for n in range(12)]

    after = compare_systems(BOARD, rows + best, seed=1, formats=["editing"], draws=200)

    old = {one.composite.system: (one.composite.value, one.interval) for one in before.systems}
    new = {one.composite.system: (one.composite.value, one.interval) for one in after.systems}
    assert {name: new[name] for name in old} == old
    assert after.systems[0].composite.system == "Z"


def test_two_identical_systems_differ_by_nothing_with_p_one():
    twin = [replace(one, system="B") for one in board() if one.system == "A"]

    result = compare_systems(
        BOARD, [one for one in board() if one.system == "A"] + twin, seed=1, formats=["editing"], draws=300
    )

    pair = result.pairs[0]
    assert (pair.difference, pair.p, pair.p_holm) == (0.0, 1.0, 1.0)
    assert pair.interval is not None
    assert (pair.interval.low, pair.interval.high) == (0.0, 0.0)
    for one in result.systems:
        assert one.rank == 1
        assert one.rank_interval is not None
        assert (one.rank_interval.low, one.rank_interval.high) == (1, 2)


def test_differences_are_paired_by_item_and_equal_the_gap_of_the_numbers():
    result = compare_systems(BOARD, board(), seed=1, formats=["editing"], draws=500)
    values = {one.composite.system: one.composite.value for one in result.systems}

    for pair in result.pairs:
        assert pair.difference == pytest.approx(values[pair.first] - values[pair.second])
        assert pair.interval is not None
        assert pair.interval.low <= pair.difference <= pair.interval.high
        assert pair.p_holm >= pair.p
        assert pair.exact
    assert result.family == "all 3 pairs of 3 systems, editing"
    assert [one.rank for one in result.systems] == [1, 2, 3]


def test_pairs_use_only_items_that_both_have():
    rows = [*board(), graded("i99", 5, system="A", task="t0")]

    pairs = compare_systems(BOARD, rows, seed=1, formats=["editing"], draws=100).pairs

    assert {pair.n_items for pair in pairs} == {12}


def test_the_interval_is_as_wide_as_that_of_a_plain_cluster_bootstrap():
    from scoring.statistics import bootstrap_interval

    rows = [one for one in board(40) if one.system == "A"]
    plain = replace(BOARD, weighting="plain")
    result = compare_systems(plain, rows, seed=5, formats=["editing"])
    ordered = sorted(rows, key=lambda one: one.cluster)
    values = [score_output(plain, one).refuted for one in ordered]

    expected = bootstrap_interval(values, clusters=[one.cluster for one in ordered], seed=5)

    interval = result.systems[0].interval
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_below_ten_clusters_there_is_neither_interval_nor_rank_but_the_number():
    result = compare_systems(BOARD, board(9), seed=1, formats=["editing"], draws=100)

    for one in result.systems:
        assert one.composite.value is not None
        assert (one.interval, one.rank, one.rank_interval) == (None, None, None)
        assert one.interval_reason == "an interval needs at least 10 clusters, 9 entered"
    assert all(pair.interval is None and pair.p is not None for pair in result.pairs)


def test_items_of_one_cluster_count_once_for_the_limit():
    rows = [replace(one, cluster="same") for one in board(30)]

    assert compare_systems(BOARD, rows, seed=1, formats=["editing"], draws=50).systems[0].interval is None


def test_pending_flags_show_the_rank_if_confirmed():
    rows = [replace(one, veto="pending") if one.system == "A" else one for one in board()]

    result = compare_systems(BOARD, rows, seed=1, formats=["editing"], draws=100)
    first = result.systems[0]

    assert (first.composite.system, first.rank, first.rank_if_confirmed) == ("A", 1, 3)
    assert first.composite.confirmed == 0.0


def test_the_headline_resamples_clusters_over_all_formats():
    rows = []
    for form in ("vqa", "editing", "generation"):
        for number in range(8):
            for system, grade in (("A", 5), ("B", 2 + number % 2)):
                values = {"overall": (grade,), "token_f1": (0.5,), "psnr": (30,)}
                kept = {code: values[code] for code in (part.code for part in BOARD.components_of(form))}
                rows.append(row(f"{form}{number}", form=form, system=system, values=kept))

    result = compare_systems(BOARD, rows, seed=1, draws=400)

    assert result.n_clusters == 24
    assert result.systems[0].interval is not None
    assert result.pairs[0].difference == pytest.approx(
        result.systems[0].composite.value - result.systems[1].composite.value
    )


def test_the_same_seed_gives_the_same_comparison():
    first = compare_systems(BOARD, board(20), seed=3, formats=["editing"], draws=200)

    assert compare_systems(BOARD, board(20)[::-1], seed=3, formats=["editing"], draws=200) == first


PHANTOM = {"missed": (0.9994, 48.88), "bright": (0.9967, 29.88), "shift": (0.9890, 39.51)}


def phantom(veto: str | None) -> tuple[Declaration, list[OutputRow]]:
    declaration = Declaration(
        code="phantom",
        version="1",
        components=(
            replace(CLINICAL, formats=()),
            Component(code="ssim", tier="semantic", source="ssim", low=0, high=1, weight=0.2),
            Component(code="psnr", tier="pixel", source="psnr", low=10, high=50, weight=0.2),
        ),
        formats={"editing": 1},
    )
    rows = [
        OutputRow(
            system=name,
            item="nodule",
            cluster="nodule",
            format="editing",
            task="remove",
            values={"overall": (4,), "ssim": (ssim,), "psnr": (psnr,)},
            veto=veto if name == "missed" else None,
        )
        for name, (ssim, psnr) in PHANTOM.items()
    ]
    return declaration, rows


def test_without_a_veto_whole_image_metrics_prefer_the_missed_nodule():
    declaration, rows = phantom(None)

    corner = next(p for p in simplex_winners(declaration, rows, step=0.25) if p.weights["pixel"] == 1)

    assert corner.winners == ("missed",)


def test_the_veto_ranks_missed_below_bright_and_shift_under_any_weights():
    declaration, rows = phantom("confirmed")

    points = simplex_winners(declaration, rows, step=0.05)

    assert len(points) == 231
    for point in points:
        assert point.scores["missed"] == 0.0
        assert min(point.scores["bright"], point.scores["shift"]) > 0
        assert "missed" not in point.winners


def test_the_simplex_at_the_declared_weights_equals_the_composite():
    declaration, rows = phantom(None)

    wanted = pytest.approx({"clinical": 0.6, "semantic": 0.2, "pixel": 0.2})
    point = next(p for p in simplex_winners(declaration, rows, step=0.2) if p.weights == wanted)

    expected = {name: combine(declaration, rows, system=name).value for name in PHANTOM}
    assert point.scores == pytest.approx(expected)


def test_a_corner_that_leaves_a_format_without_parts_has_no_score():
    rows = [row("i1", form="vqa"), row("i2", form="editing"), row("i3", form="generation")]

    corner = next(p for p in simplex_winners(BOARD, rows) if p.weights["pixel"] == 1)

    assert corner.scores == {"A": None}
    assert corner.winners == ()


def test_a_rank_that_changes_inside_the_margin_is_marked():
    """A 0.50 clinical, 0.90 pixel; B 0.60, 0.57: A leads by 0.0075 at 0.75/0.25, level at 0.7674, behind at 0.85."""
    rows = [
        row("i1", form="editing", values={"overall": (3.0,), "psnr": (46.0,)}),
        row("i1", form="editing", system="B", values={"overall": (3.4,), "psnr": (32.8,)}),
        row("i1", form="editing", system="C", values={"overall": (1.0,), "psnr": (10.0,)}),
    ]

    near = rank_changes_within(BOARD, rows, formats=["editing"], margin=0.1)
    tight = rank_changes_within(BOARD, rows, formats=["editing"], margin=0.01)

    assert (near["A"].rank, near["A"].best, near["A"].worst, near["A"].changes) == (1, 1, 2, True)
    assert near["B"].changes
    assert not near["C"].changes
    assert not any(one.changes for one in tight.values())


def test_low_spread_over_systems_is_marked_as_unable_to_rank():
    rows = board(40)
    noisy = [tier_columns(BOARD, rows, system=name, format_name="editing", seed=1)[0] for name in "ABC"]
    alike = [
        tier_columns(
            BOARD,
            [
                replace(one, values={"overall": (3 + number % 2,), "psnr": (20 + number % 5,)})
                for number, one in enumerate(row for row in rows if row.system == name)
            ],
            system=name,
            format_name="editing",
            seed=1,
        )[1]
        for name in "ABC"
    ]

    assert not cannot_rank(noisy)
    assert cannot_rank(alike)
    assert not cannot_rank(alike[:1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": -1}, "weight -1 is below 0"),
        ({"low": 5}, "low 5 and high 5 span no range"),
        ({"high": float("inf")}, "must be finite"),
        ({"tier": "mood"}, "tier 'mood'"),
        ({"low": 9, "direction": "higher_worse"}, "span no range"),
    ],
)
def test_a_component_that_cannot_be_is_refused(change, message):
    with pytest.raises(CombiningError, match=message):
        replace(CLINICAL, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"components": (CLINICAL, CLINICAL)}, "component overall is declared twice"),
        ({"components": (SEMANTIC,)}, "format editing: no component has a weight above 0"),
        ({"formats": {}}, "not all 0"),
        ({"formats": {"vqa": -1, "editing": 2}}, "not negative"),
        ({"weighting": "whim"}, "weighting 'whim'"),
        ({"moderate_cap": 2}, "moderate cap 2"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(change, message):
    with pytest.raises(CombiningError, match=message):
        replace(BOARD, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "lost"}, "system A, item i1: status 'lost'"),
        ({"veto": "perhaps"}, "veto state 'perhaps'"),
        ({"values": {"overall": (float("nan"),)}}, "overall has a value that is not finite"),
        ({"design_weight": 0}, "design weight 0 is not above 0"),
    ],
)
def test_a_row_that_cannot_be_is_refused(change, message):
    with pytest.raises(CombiningError, match=message):
        replace(row(), **change)


def test_rows_that_the_declaration_does_not_know_are_refused():
    with pytest.raises(CombiningError, match="format 'music' is not declared"):
        combine(BOARD, [row(form="vqa"), replace(row(), format="music")], system="A")
    with pytest.raises(CombiningError, match="'psnr' is not a component of format vqa"):
        combine(BOARD, [replace(row(), format="vqa")], system="A")
    with pytest.raises(CombiningError, match="system A, item i1: there are two outputs"):
        combine(BOARD, [row(), row()], system="A")
    with pytest.raises(CombiningError, match="format 'music' is not declared"):
        combine(BOARD, [row()], system="A", formats=["music"])
    with pytest.raises(CombiningError, match="no output to combine"):
        compare_systems(BOARD, [], seed=1)
    with pytest.raises(CombiningError, match=r"step 0\.3 does not divide 1"):
        simplex_winners(BOARD, [row()], step=0.3)
    with pytest.raises(CombiningError, match="'music' is not declared"):
        tier_columns(BOARD, [row()], system="A", format_name="music", seed=1)
