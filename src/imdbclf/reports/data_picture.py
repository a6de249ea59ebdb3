"""The picture of `imdbclf data --picture`: labels and lengths of a source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imdbclf.data.cache import LoadedCorpus
from imdbclf.reports.figure import LABELS, THOUSANDS, new_figure, save, styled


@styled
def draw_reviews(loaded: LoadedCorpus, path: Path) -> None:
    """Draw the number of reviews of each part and label, and how long those of each label are (PNG)."""
    figure, ((counts, lengths),) = new_figure(7, 3.2, 1, 2)
    parts = loaded.corpus.parts
    places, longest = (
        np.arange(len(parts), dtype=np.int64),
        max(np.quantile(each.lengths, 0.98) for each in parts.values() if len(each)),
    )
    for number, (name, colour) in enumerate(zip(loaded.label_names, LABELS, strict=True)):
        chosen = {part: reviews.labels == number for part, reviews in parts.items()}
        bar = counts.bar(places + 0.4 * number, [mask.sum() for mask in chosen.values()], 0.38, color=colour)
        counts.bar_label(bar, fmt="{:,.0f}", fontsize="small")
        words = np.concatenate([parts[part].lengths[mask] for part, mask in chosen.items()])
        edges = np.linspace(0, longest, 40)
        label = f"Label {name}" if name else "(none)"
        lengths.hist(words, edges, histtype="step", linewidth=1.8, color=colour, label=label)
    counts.set(title="Reviews of each label", xticks=places + 0.2, xticklabels=[*parts], ylabel="Reviews")
    lengths.set(title="Length", xlabel="Words of a review", ylabel="Reviews")
    lengths.legend()
    for axis in (counts.yaxis, lengths.yaxis, lengths.xaxis):
        axis.set_major_formatter(THOUSANDS)
    save(figure, path)
