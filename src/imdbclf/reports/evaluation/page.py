"""The page of an evaluation: a function for each section, from what was measured to text, a table and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from imdbclf.console import install_command
from imdbclf.errors import visible
from imdbclf.model.calibration import EVEN
from imdbclf.reports.evaluation.slices import LABEL_ERROR, Columns, Mask, Slice, slices_of
from imdbclf.reports.evaluation.thresholds import Counts, counts_of
from imdbclf.reports.explanation import Explanation, coloured_pieces, title_of
from imdbclf.reports.figure import GREY, NETWORK, new_figure, rendered, styled
from imdbclf.reports.labels import percent
from imdbclf.reports.metrics import Labels, Metrics, Probabilities
from imdbclf.reports.page import Section, TextTable, page
from imdbclf.reports.reliability import draw_bins, draw_diagonal
from imdbclf.reports.run_summary import METRIC_NAMES

POINTS = 400
"""Points of a curve in a plot; more cannot be seen."""

CHARACTERS = 2_000
"""What is shown of the text of an error."""

NAMES = METRIC_NAMES | {"precision": "precision", "recall": "recall", "average_precision": "average precision"}


@dataclass(frozen=True)
class Measured:
    """What the page shows of n reviews: labels and probabilities (n,), metrics, and the costs of errors.

    `label_names` are those of 0 and 1. `threshold` is that of the checkpoint. A false negative costs `false_negative`
    false positives; `chosen` is the threshold that costs least on validation reviews, None if there are none. `columns`
    and `doubts` say of each review in which groups it is, and whether it is repeated or mislabelled. `errors` are the
    most confident ones: row, name of the review, and why. `about` says what was evaluated.
    """

    labels: Labels
    probabilities: Probabilities
    label_names: Sequence[str]
    metrics: Metrics
    threshold: float = EVEN
    false_negative: float = 1.0
    chosen: float | None = None
    columns: Columns = field(default_factory=dict)
    doubts: Mapping[str, Mask] = field(default_factory=dict)
    errors: Sequence[tuple[int, str, Explanation]] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def right(self) -> Mask:
        """Whether each review is classified correctly, (n,)."""
        right: Mask = (self.probabilities > self.threshold) == (self.labels == 1)
        return right

    @cached_property
    def slices(self) -> list[Slice]:
        """The groups of reviews."""
        return slices_of(self.columns, self.right)

    @cached_property
    def counts(self) -> Counts:
        """The reviews by probability."""
        return counts_of(self.labels, self.probabilities)[0]

    def at(self, threshold: float) -> dict[str, float]:
        """What follows from a threshold, with the cost."""
        row = self.counts.at(threshold)
        return row | {"cost": row["false_positives"] + self.false_negative * row["false_negatives"]}

    @cached_property
    def thresholds(self) -> list[dict[str, float]]:
        """What follows from thresholds in steps of .05 and from these two, ascending."""
        steps = {*(step / 20 for step in range(1, 20)), self.threshold}
        return [self.at(threshold) for threshold in sorted(steps if self.chosen is None else steps | {self.chosen})]


def metrics_section(measured: Measured) -> Section:
    """Each metric with its interval."""
    rows = [
        [shown, f"{metric.value:.4f}", "–" if metric.interval is None else "{:.4f} – {:.4f}".format(*metric.interval)]
        for name, shown in NAMES.items()
        if (metric := measured.metrics.get(name)) is not None
    ]
    note = (
        "Intervals: Wilson's for accuracy, precision and recall; Student's t for the loss; the bootstrap's percentiles "
        f"for the others. Threshold {measured.threshold:.3g}; positive is “{measured.label_names[1]}”."
    )
    return Section("Metrics", (), TextTable(["metric", "value", "95 % interval"], rows), notes=[note])


def confusion_section(measured: Measured) -> Section:
    """How many reviews of each class are classified as each."""
    found, (negative, positive) = measured.counts.at(measured.threshold), measured.label_names
    rows = []
    for label, cells in enumerate([("true_negatives", "false_positives"), ("false_negatives", "true_positives")]):
        numbers = [int(found[cell]) for cell in cells]
        share = percent(numbers[label] / sum(numbers)) if sum(numbers) else "–"
        rows.append([measured.label_names[label], *(f"{number:,}" for number in numbers), share])
    heads = ["label", f"classified as {negative}", f"as {positive}", "correct"]
    return Section(
        "Confusion matrix", [f"At the threshold of the checkpoint, {measured.threshold:.3g}."], TextTable(heads, rows)
    )


@styled
def curves_section(measured: Measured) -> Section:
    """ROC, precision and recall, reliability, and the cost at every threshold."""
    figure, panels = new_figure(7, 6.2, 2, 2)
    (roc, precision_recall), (reliability, cost) = panels
    counts = measured.counts
    picked = np.unique(np.linspace(0, len(counts.values), POINTS).astype(np.int64))
    false, true = counts.above[:, picked]
    negative, positive = np.maximum(counts.above[:, -1], 1)
    draw_diagonal(roc)
    roc.plot(false / negative, true / positive, color=NETWORK)
    roc.set(title="ROC", xlabel="False positive rate", ylabel="True positive rate (recall)")
    precision_recall.plot(true[1:] / positive, true[1:] / (true + false)[1:], color=NETWORK)
    precision_recall.set(title="Precision and recall", xlabel="Recall", ylabel="Precision")
    draw_diagonal(reliability)
    draw_bins(reliability, None, measured.labels, measured.probabilities, NETWORK, "Network")
    reliability.legend(loc="lower right", handlelength=1)
    reliability.set(title="Reliability", xlabel="Predicted probability", ylabel="Fraction of positive reviews")
    costs = counts.costs(measured.false_negative)[picked]
    cost.plot(np.append(counts.values, 0.0)[picked], costs / len(measured.labels), color=NETWORK)
    threshold = measured.threshold if measured.chosen is None else measured.chosen
    cost.axvline(threshold, linestyle=":", color=GREY, label=f"Threshold {threshold:.3g}")
    cost.legend()
    cost.set(title="Cost", xlabel="Threshold", ylabel="Cost per review", ylim=(0, None))
    alt = "Four plots: ROC curve, precision against recall, reliability with intervals, cost at every threshold"
    text = "Reliability shows whether a probability of .8 means that 80 % of such reviews are positive."
    return Section("Curves", [text], plots=[rendered(figure, "evaluation", alt)])


def thresholds_section(measured: Measured) -> Section:
    """What follows from each threshold, and the one that is cheapest on validation reviews."""
    chosen, price = measured.chosen, measured.false_negative
    notes = {" (checkpoint)": measured.threshold, " (chosen)": chosen}
    heads = ["threshold", "accuracy", "precision", "recall", "F1", "false positives", "false negatives", "cost"]
    rows = [
        [
            f"{row['threshold']:.3f}" + "".join(note for note, marked in notes.items() if row["threshold"] == marked),
            *(percent(row[name]) for name in ("accuracy", "precision", "recall", "f1")),
            *(f"{row[name]:,.0f}" for name in ("false_positives", "false_negatives")),
            f"{row['cost']:,g}",
        ]
        for row in measured.thresholds
    ]
    best = measured.threshold if chosen is None else chosen
    marked = [row["threshold"] for row in measured.thresholds].index(best)
    text = f"A probability above the threshold means positive. A false negative costs {price:g}, a false positive 1."
    return Section("Thresholds", [text, threshold_sentence(measured)], TextTable(heads, rows, 1, marked))


def threshold_sentence(measured: Measured) -> str:
    """What the threshold that was chosen on validation reviews costs on these."""
    if measured.chosen is None:
        return "No threshold is chosen: that needs validation reviews that the checkpoint has not learnt from."
    is_kept = measured.chosen == measured.threshold
    other = EVEN if is_kept else measured.threshold
    here, there = (measured.at(threshold)["cost"] for threshold in (measured.chosen, other))
    its = ", that of the checkpoint,"
    return (
        f"The threshold {measured.chosen:.3f}{its * is_kept} costs least on the validation reviews of the run. "
        f"Here it costs {here:,g}, and {other:.3g}{its * (not is_kept)} costs {there:,g}."
    )


def slices_section(measured: Measured) -> Section:
    """The accuracy in groups of reviews."""
    rows = [
        [one.column, one.group, f"{one.reviews:,}", percent(one.accuracy), " – ".join(map(percent, one.interval))]
        for one in measured.slices
    ]
    table = TextTable(["by", "group", "reviews", "accuracy", "95 % interval"], rows, 2)
    notes = [
        "Groups of numbers are quarters of the reviews. Unknown words are not in the vocabulary. Negations: not, "
        "never, words in n't, and the like. Intervals: Wilson's; of many groups, some differ by chance."
    ]
    return Section("Accuracy by group", (), table, notes=notes)


def doubts_section(measured: Measured) -> Section:
    """Repeats, and labels that may be wrong."""
    counts = {name: int(mask.sum()) for name, mask in measured.doubts.items()}
    text = [
        f"{counts['repeated']:,} reviews have the same words as another one here; "
        f"of these, {counts['contradicted']:,} have the same words as a review with the other label."
    ]
    if LABEL_ERROR in counts:
        text.append(
            f"{counts[LABEL_ERROR]:,} labels are likely to be wrong (confident learning, by cleanlab). "
            "It trusts the network, so read the reviews: the most confident errors come first."
        )
    else:
        text.append(f"Likely label errors are not looked for; that needs cleanlab: {install_command('report')}")
    return Section("Repeated reviews and doubtful labels", text, notes=["The CSV file marks these reviews."])


def error_sections(measured: Measured) -> list[Section]:
    """The most confident errors, each with coloured words."""
    sections: list[Section] = []
    names, doubted = measured.label_names, measured.doubts.get(LABEL_ERROR)
    legend = (
        f"The most confident errors come first. Words with a blue line raise the probability of “{names[1]}”, words "
        "with an orange line lower it; the effects are exact."
    )
    for number, (row, review, why) in enumerate(measured.errors, 1):
        title = f"Error {number}: {names[measured.labels[row]]}, classified as {title_of(why, names[1])}"
        note = f"Review {review}{', likely label error' if doubted is not None and doubted[row] else ''}."
        text = [] if sections else [legend]
        sections.append(Section(title, text, coloured=[list(coloured_pieces(why, CHARACTERS))], notes=[note]))
    return sections


def as_json(measured: Measured) -> dict[str, Any]:
    """The numbers of all sections."""
    return {
        **measured.about,
        "label_names": list(measured.label_names),
        "metrics": {name: asdict(metric) for name, metric in measured.metrics.items()},
        "confusion": {name: count for name, count in measured.counts.at(measured.threshold).items() if "_" in name},
        "threshold": measured.threshold,
        "false_negative_cost": measured.false_negative,
        "chosen_threshold": measured.chosen,
        "thresholds": measured.thresholds,
        "slices": [asdict(one) for one in measured.slices],
        **{name: int(mask.sum()) for name, mask in measured.doubts.items()},
        "errors": [{"review": name, "explanation": asdict(why)} for _, name, why in measured.errors],
    }


SECTIONS = (curves_section, metrics_section, confusion_section, thresholds_section, slices_section, doubts_section)
"""What is on the page, in this order; the most confident errors follow."""


def evaluation_page(measured: Measured, json: str, csv: str) -> str:
    """The page: conclusions, what limits them, and the sections. `json` and `csv` are the files beside it."""
    about, accuracy = measured.about, measured.metrics["accuracy"]
    low, high = map(percent, accuracy.interval or (0.0, 1.0))
    right = f"{percent(accuracy.value)} of {about['reviews']:,} reviews are classified correctly"
    sentences = [
        f"{right} (95 % interval {low} to {high}).",
        f"Reviews: {about['data_source']}, part {about['split']}.",
        threshold_sentence(measured),
    ]
    if known := about["reviews_in_training"]:
        sentences.append(
            f"{known:,} of these reviews are in the training part of the checkpoint; it knows their labels."
        )
    sections = [*(section(measured) for section in SECTIONS), *error_sections(measured)]
    names = {"title": f"Evaluation: {Path(about['checkpoint']).name}", "json": json, "csv": csv}
    return visible(page("reports/evaluation/page.html.jinja", **names, sentences=sentences, sections=sections))
