"""The bundled sample: drawn reviews, for a first run without network or licence."""

from __future__ import annotations

from dataclasses import dataclass

from imdbclf.data.sample import draw_reviews, sample_fingerprint
from imdbclf.data.sources.base import Reviews, group_values


@dataclass(frozen=True)
class SampleSource:
    """Reviews drawn from the shipped table of word frequencies (see `imdbclf.data.sample`); nothing groups them."""

    group_column: str | None = None

    @property
    def description(self) -> str:
        """`bundled sample`, with the fact that these are no real reviews."""
        return "bundled sample (drawn, not real reviews)"

    def fingerprint(self) -> str:
        """Hash of the table and of the way it is drawn from."""
        return f"sample {sample_fingerprint()}" + ("" if self.group_column is None else f" {self.group_column}")

    def read(self) -> Reviews:
        """Draw both parts; the same reviews on every machine."""
        train = draw_reviews("train")
        if self.group_column is not None:
            train = train.append_column("group", group_values(train, self.group_column, self.description))
        return Reviews({"train": train, "test": draw_reviews("test")}, ("neg", "pos"))
