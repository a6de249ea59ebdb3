"""The rungs of the ladder: command lines of `imdbclf train`, each the one below plus one change.

Recipes change, and the ladder with them: the last rung of each is the recipe itself, and those below it take back
what the rungs above add. What differs between two rungs is read off their composed settings, never written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hydra import compose, initialize_config_dir

from imdbclf.training.compose import CONFIGS, PRIMARY, override, validated_ahead

Changed = dict[str, Any]
"""Settings by their keys, as an override names them."""


@dataclass(frozen=True)
class Rung:
    """A rung: its name, what is changed and why, and the overrides of its command.

    `beside` is the rung that it is compared with, where that is not the one below it. `like` names an experiment and
    keys whose values are taken from it, so that a rung can go towards a recipe that it does not begin from.
    """

    name: str
    what: str
    overrides: tuple[str, ...]
    like: tuple[str, tuple[str, ...]] | None = None
    beside: str | None = None

    @property
    def command(self) -> list[str]:
        """All overrides but the seed."""
        if self.like is None:
            return list(self.overrides)
        experiment, keys = self.like
        there = composed([f"experiment={experiment}"])
        return [*self.overrides, *(override(key, str(there[key])) for key in keys)]


_NO_TEACHER = ("teacher=none", "data.unlabelled=null", "features.min_documents=2")
_ALL_REVIEWS = ("refit=false", "data.val_size=0", "calibration=none", *_NO_TEACHER)
_ALL_TERMS = ("features.dropout=0", *_ALL_REVIEWS)
_NO_MARKS = ("features.sentence_ends=false", *_ALL_TERMS)
_FREQUENT = ("features.selection=frequency", *_NO_MARKS)
_WORDS = ("features.order=1", *_FREQUENT)

RUNGS = (
    Rung("lecture", "the lecture's final fit: 10,000 words, 16-16, four epochs", ("experiment=lecture_final",)),
    Rung("one-layer", "one hidden layer: less to overfit with", ("experiment=lecture_final", "model.layers=1")),
    Rung("adamw", "small steps and more of them", ("experiment=strong_10k", *_WORDS)),
    Rung("ngrams", "pairs and triples of words among the 10,000 columns", ("experiment=strong_10k", *_FREQUENT)),
    Rung("selection", "the terms that tell the labels apart most surely", ("experiment=strong_10k", *_NO_MARKS)),
    Rung("marks", "the ends of sentences are words", ("experiment=strong_10k", *_ALL_TERMS)),
    Rung("dropout", "terms are left out at random in training", ("experiment=strong_10k", *_ALL_REVIEWS)),
    Rung(
        "refit",
        "validation chooses the epochs and the temperature, then all reviews are learnt from",
        ("experiment=strong_10k", *_NO_TEACHER),
    ),
    Rung("columns", "more columns", ("experiment=strong_10k", *_NO_TEACHER), ("strong", ("features.columns",))),
    Rung("strong", "log-odds instead of ones, rows of length 1, Adagrad", ("experiment=strong",)),
    Rung("strong_ensemble", "five networks of two layers answer together", ("experiment=strong_ensemble",)),
    Rung("strong_semi", "five more learn from five, on 50,000 more reviews", ("experiment=strong_semi",)),
    Rung("strong_10k", "a teacher and 50,000 more reviews", ("experiment=strong_10k",), beside="refit"),
)
"""From the lecture to the strongest."""

_NO_RESULT = {"seed", "experiment", "threads", "ckpt_path", "fail_fast", "shared_batches", "logger"}
"""Settings that a rung does not decide."""


def composed(overrides: list[str]) -> Changed:
    """The settings of a command, validated, by their keys."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        settings = validated_ahead(compose(PRIMARY, overrides=overrides, return_hydra_config=True))
    kept = {name: value for name, value in settings.model_dump(mode="json").items() if name not in _NO_RESULT}
    return _flat(kept)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Changed:
    flat: Changed = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def changed(below: Changed, above: Changed) -> Changed:
    """The settings of a rung that the one below does not have, or has otherwise."""
    return {key: value for key, value in above.items() if key not in below or below[key] != value}


def compared_with(rungs: Sequence[Rung] = RUNGS) -> dict[str, str]:
    """The rung that each is compared with, by their names; the lowest with none."""
    return {above.name: above.beside or below.name for below, above in pairwise(rungs)}
