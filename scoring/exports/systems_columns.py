"""Columns of the blocks of the sheet *Systems*, with their meaning. Pure."""

from collections.abc import Mapping

from scoring.exports.sheets import Column, count, line, number, said, word

ALL_FORMATS = "all formats"
TITLE = "Composite with live weights"
ADVICE = (
    "Change a yellow cell: the live columns follow, the exported ones stay. The difference is 0 (up to rounding below"
    " 1e-9) as long as nothing was changed."
)
WEIGHTS = (
    word("Format", "format of the items"),
    word("Component", "measure that enters the composite", 22),
    word("Tier", "clinical, semantic or pixel"),
    word("Source", "rubric criterion or metric; of several metrics the first one that applies to the task", 34),
    number("0 at", "raw value worth 0"),
    number("1 at", "raw value worth 1"),
    word("Direction", "higher_better or lower_better"),
    number("Weight", "declared weight; only its share of the format's sum counts"),
    number("Share", "weight over the sum of the format's weights"),
)
SHARES = (
    word("Format", "format of the items"),
    number("Weight in the headline", "declared weight of the format in the number over all formats"),
    number("Share", "its share of the sum"),
)
RESULTS = (
    word("Scope", "one format, or all formats"),
    word("System", "letter of the system"),
    line("Name", "name of the system; only once the study is unblinded"),
    number("Composite", "exported: failed and missing outputs count 0, pending severe flags are taken as refuted"),
    number("Composite, live", "the same from the cells of this sheet"),
    number("Difference", "live − exported"),
    number("Only scored", "exported: failed and missing outputs left out"),
    number("Only scored, live", "the same from the cells of this sheet"),
    number("Only scored, difference", "live − exported"),
    number("If confirmed", "exported: every pending severe flag confirmed; empty when none is pending"),
    number("If confirmed, live", "the same from the cells of this sheet"),
    number("If confirmed, difference", "live − exported"),
    number("Low", "lower end of the 95 % interval of the composite (clusters resampled, readers fixed)"),
    number("High", "upper end"),
    count("Rank", "exported; none without an interval"),
    count("Rank, low", "95 % interval of the rank, best"),
    count("Rank, high", "95 % interval of the rank, worst"),
    count("Rank, live", "place by the live composite within the scope; ties share the better one"),
    count("Expected", "outputs of the graded sample"),
    count("Scored", "outputs with a value"),
    count("Failed", "empty, declined, unreadable or error"),
    count("Missing", "never delivered"),
    count("Lacks a tier", "outputs without a value in some component; they do not enter"),
    count("Vetoed", "set to 0 by a confirmed severe flag"),
    count("Flag pending", "severe flag not yet adjudicated"),
    count("Items", "items that enter"),
    count("Clusters", "clusters that enter"),
    count("Readings", "clinical readings that enter"),
    said("Reason", "why there is no interval or no number"),
)
TASKS = (
    word("System", "letter of the system"),
    word("Format", "format of the items"),
    word("Task", "task of the items", 26),
    count("Outputs", "outputs that enter"),
    number("Mean", "mean value of the task's outputs"),
    number("Mean if confirmed", "the same, every pending severe flag confirmed"),
    number("Mean of scored", "the same without failed and missing outputs"),
)
KEYS = (
    word("System", "letter of the system"),
    word("Item", "code of the item"),
    word("Cluster", "items of one case or with a shared image have the same cluster"),
    word("Format", "format of the item"),
    word("Task", "task of the item", 26),
    word("Status", "ok, or why there is no output"),
    count("In sample", "1 when the item was graded at least once, whichever system it showed; only then it enters"),
    word("Safety flag", "pending, confirmed or refuted severe flag; moderate_confirmed; empty for none"),
    count("Readings", "clinical readings of the output"),
)
RAW = number(
    "… raw", "mean of the readings, or the metric value; identical = top of the range; else the reason why none"
)
TRANSFORMED = number("… 0 to 1", "transformed value, live")
VALUES = (
    number("Value", "value of the output, live; a pending flag is taken as refuted"),
    number("Value if confirmed", "the same, a pending flag confirmed"),
)
BLOCKS: Mapping[str, tuple[Column, ...]] = {
    "Weights": WEIGHTS,
    "Share of each format": SHARES,
    "Results": RESULTS,
    "Mean of each task": TASKS,
    "Outputs": (*KEYS, RAW, TRANSFORMED, *VALUES),
}
WIDTHS = (16, 16, 26, 14, 26, 14, 14, 14, 14, *[13] * 20)
FIRST_RAW = len(KEYS) + 1
