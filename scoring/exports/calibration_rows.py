"""Rows of *Judgments* and *Calibration*: what judges said, and how they and metrics stand to the experts."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.systems.models import Output
from scoring.calibration.measures import judge_names
from scoring.calibration.models import Judge, Judgment
from scoring.exports.grade_rows import CHUNK, item_code
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Table, count, line, number, said, text, word

Row = tuple[Any, ...]
JUDGMENTS = Table(
    "Judgments",
    "what VLM judges and external metrics gave, every version, a number or the reason why there is none",
    (
        word("Item", "code of the item"),
        word("System", "letter of the system", 9),
        line("Judge", "who judged; a number while its name could give a system away", 22),
        word("Rubric", "the version the judge was given", 12),
        word("Scale", "the scale it was told; values of different scales are never averaged", 9),
        word("View", "with_reference or without_reference; never pooled", 18),
        word("Criterion", "code of the criterion", 28),
        count("Version", "1, and one more for each later import that said otherwise", 8),
        word("Newest", "yes: enters certificates", 8),
        number("Value", "the number; empty with a reason"),
        word("Reason", "why there is no number", 18),
        word("Coerced", "yes: read out of words that say the same, such as 8/10", 8),
        text("Raw", "what stood there, where it is not simply the number", 40),
    ),
)
CALIBRATION = Table(
    "Calibration",
    "metrics and judges against the experts: numbers of the pages Courtroom and Certificates, one row per number",
    (
        line("Measure", "metric, or judge and criterion", 28),
        word("Tier", "pixel, semantic or judge", 10),
        line("Settings", "settings of a metric; rubric, scale and view of a judge", 40),
        word("Criterion", "of the experts, rubric:criterion", 26),
        word("Part", "verdict, correlation, ceiling, limits of agreement, gaps, kappa, threshold or courtroom", 20),
        word("Number", "what it is", 34),
        word("Scope", "pooled over systems, or within system", 14),
        word("Task", "of a group of the courtroom; empty: all tasks", 24),
        word("Modality", "of a group of the courtroom; empty: all modalities", 16),
        number("Value", "the number; empty with a reason"),
        number("Low", "lower end of the 95 % interval; empty with a reason"),
        number("High", "upper end"),
        number("Low, all cells", "lower end of the interval that holds for all cells of the courtroom together"),
        number("High, all cells", "its upper end"),
        count("n", "outputs that enter"),
        count(
            "Missing", "graded outputs without a value, or values without a grade; of the courtroom: graded without"
        ),
        count("Clusters", "clusters that enter"),
        said("Not there because", "why there is no number or no interval", 44),
        said("Verdict", "the limit and whether it is reached", 40),
    ),
)
LIMITS = (("bias", "bias: measure − experts"), ("lower", "lower limit"), ("upper", "upper limit"))


def judgment_rows(scope: Scope) -> Iterator[Row]:
    """Three queries and one that streams."""
    study = scope.study
    outputs = Output.objects.filter(submission__study_systems__study=study, revision__study_items__study=study)
    rows = Judgment.objects.filter(output__in=outputs, output__submission__study_systems__study=study)
    judges = {one.pk: one for one in Judge.objects.filter(judgments__in=rows).select_related("rubric").distinct()}
    names = judge_names(study, judges.values())
    newest: dict[Any, int] = {}
    for *key, version in rows.order_by().values_list("judge_id", "output_id", "criterion_id", "version"):
        newest[tuple(key)] = max(version, newest.get(tuple(key), 0))
    listed = rows.order_by(
        "output__revision__item__number", "output__submission__study_systems__letter", "judge", "criterion", "version"
    ).values_list(
        "judge_id", "output_id", "criterion_id", "version", "output__revision__item__number",
        "output__submission__study_systems__letter", "criterion__code", "value", "reason", "coerced", "raw",
    )  # fmt: skip
    for judge, output, criterion, version, item, letter, code, value, reason, coerced, raw in listed.iterator(
        chunk_size=CHUNK
    ):
        one = judges[judge]
        yield (
            item_code(item),
            letter,
            names[judge][0],
            str(one.rubric),
            one.scale_words,
            one.view,
            code,
            version,
            "yes" if newest[judge, output, criterion] == version else None,
            value,
            reason or None,
            "yes" if coerced else None,
            raw or None,
        )


def calibration_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    """Certificates, one after the other, then the cells of the courtroom."""
    for one in found.get("certificates", ()):
        yield from _certificate(one)
    if court := found.get("court"):
        yield from _court(court)
    for label in found.get("not_computed", ()):
        why = "not computed for the present grades: the study is large; ask for it on the page Certificates"
        yield (label, None, None, None, "certificate", *(None,) * 12, why, None)


def _row(head: Row, part: str, name: str, told: Mapping[str, Any], **more: Any) -> Row:
    """One number; `told` has value, low, high, counts and reasons under their usual names."""
    reason = told.get("reason") or told.get("interval_reason") or None
    return (
        *head,
        part,
        name,
        more.get("scope"),
        more.get("task"),
        more.get("modality"),
        more.get("value", told.get("value")),
        told.get("low"),
        told.get("high"),
        told.get("all_low"),
        told.get("all_high"),
        told.get("n_outputs"),
        more.get("missing", told.get("n_missing")),
        told.get("n_clusters"),
        reason,
        more.get("verdict"),
    )


def _certificate(one: Mapping[str, Any]) -> Iterator[Row]:
    measure = one["measure"]
    head = (measure["label"], measure["tier"], measure["about"], one["criterion"]["code"])
    reasons = joined((f"{n} {reason}" for reason, n in one["missing"].items()), ", ")
    counts = {"n_outputs": one["n_outputs"], "n_missing": one["n_without_value"], "reason": reasons}
    words = f"{one['verdict']['outcome']}: {one['verdict']['words']}"
    yield _row(head, "verdict", "limit", counts, value=one["limit"]["limit"], verdict=words)
    for each in one["correlations"]:
        yield _row(head, "correlation", each["name"], each, scope=each["scope"])
        ceiling, where = each["ceiling"], {"scope": each["scope"]}
        counted = {name: ceiling.get(name) for name in ("n_outputs", "n_missing", "n_clusters", "reason")}
        for side, words in (("measure", "measure"), ("human", "a reader")):
            ends = {"low": ceiling.get(f"{side}_low"), "high": ceiling.get(f"{side}_high")}
            name = f"{each['name']}, {words}, same target"
            yield _row(head, "ceiling", name, counted | ends, value=ceiling[side], **where)
        yield _row(head, "ceiling", f"{each['name']}, difference", ceiling, value=ceiling["difference"], **where)
    yield from _differences(head, one)
    threshold = one["threshold"]
    yield _row(head, "threshold", "threshold", threshold, value=threshold["threshold"])
    if threshold["threshold"] is not None:
        held_out = threshold["held_out"]
        yield _row(head, "threshold", "balanced accuracy, held out", held_out, value=held_out["balanced"])
        yield _row(head, "threshold", "balanced accuracy, own data", {}, value=threshold["apparent"])


def _differences(head: Row, one: Mapping[str, Any]) -> Iterator[Row]:
    """Limits of agreement, gaps and kappa; one row with the reason where they do not exist."""
    limits, near, kappa = one["limits"], one["gaps"], one["kappa"]
    counted = {name: limits.get(name) for name in ("n_outputs", "n_missing", "n_clusters", "interval_reason")}
    if limits["bias"] is None:
        yield _row(head, "limits of agreement", "bias: measure − experts", limits)
    else:
        for key, name in LIMITS:
            ends = {"low": limits[f"{key}_low"], "high": limits[f"{key}_high"]}
            yield _row(head, "limits of agreement", name, counted | ends, value=limits[key])
    if near["mean"] is None:
        yield _row(head, "gaps", "mean absolute gap", near)
    else:
        plain = {name: near[name] for name in ("n_outputs", "n_missing", "n_clusters")}
        yield _row(head, "gaps", "mean absolute gap", plain, value=near["mean"])
        yield _row(head, "gaps", f"share within {near['points']:g} point", near, value=near["share_within"])
    yield _row(head, "kappa", "quadratic kappa, measure with readers", {**kappa, "low": None, "high": None},
               value=kappa["measure"])  # fmt: skip
    yield _row(head, "kappa", "quadratic kappa, difference from readers", kappa, value=kappa["difference"])


def _court(court: Mapping[str, Any]) -> Iterator[Row]:
    kind = court["limit"]["kind"]
    for group in court["groups"]:
        for measure, cell in zip(court["measures"], group["cells"], strict=True):
            head = (measure["label"], measure["tier"], measure["about"], court["criterion"]["code"])
            yield _row(
                head, "courtroom", kind, cell,
                scope=court["limit"]["scope"], task=group["task"] or None, modality=group["modality"] or None,
                missing=sum(cell["missing"].values()), verdict=cell["verdict"],
            )  # fmt: skip
