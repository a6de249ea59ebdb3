"""The picture of `imdbclf data --picture`: labels and lengths of a source."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from imdbclf.data.cache import LoadedCorpus
from imdbclf.reports.figure import new_figure
from imdbclf.storage import atomic_write


@mpl.rc_context({"text.parse_math": False})
def draw_reviews(loaded: LoadedCorpus, path: Path) -> None:
    """Draw the number of reviews of each part and label, and how long those of each label are (PNG)."""
    figure, panels = new_figure(10, 3.6, 1, 2)
    parts = loaded.corpus.parts
    places, lengths = np.arange(len(parts), dtype=np.int64), {part: reviews.lengths for part, reviews in parts.items()}
    longest = max(float(np.quantile(each, 0.98)) for each in lengths.values() if len(each))
    for number, (name, color) in enumerate(zip(loaded.label_names, ("tab:orange", "tab:blue"), strict=True)):
        chosen = {part: reviews.labels == number for part, reviews in parts.items()}
        label = f"Label {name}" if name else "(none)"
        bar = panels[0, 0].bar(places + 0.4 * number, [mask.sum() for mask in chosen.values()], 0.38, color=color)
        panels[0, 0].bar_label(bar, fmt="{:,.0f}")
        words = np.concatenate([lengths[part][mask] for part, mask in chosen.items()])
        panels[0, 1].hist(words, np.linspace(0, longest, 40), histtype="step", linewidth=2, color=color, label=label)
    panels[0, 0].set(title="Reviews by part and label", xticks=places + 0.2, xticklabels=[*parts], ylabel="Reviews")
    panels[0, 1].set(title="Lengths", xlabel="Words of a review", ylabel="Reviews")
    panels[0, 1].legend()
    for panel in panels.flat:
        panel.yaxis.set_major_formatter("{x:,.0f}")
    with atomic_write(path) as aside:
        figure.savefig(aside, dpi=120, format="png")
