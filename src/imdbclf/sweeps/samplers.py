"""A sampler whose choice for a trial depends on the search's seed, the trial's place and what is known by then.

Optuna's samplers draw from a generator that lives as long as the process, so that a search that was interrupted would
go on otherwise than it would have. Here each trial has a sampler of its own, seeded by its place in the search.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from imdbclf.sweeps.optuna_names import make_sampler, plain_name
from imdbclf.sweeps.search_settings import SearchSettings
from imdbclf.sweeps.space import Space

ABANDONED = "abandoned"
"""Marks a trial whose process died while its values were chosen; it counts for nothing."""

_OF_ONE_SEQUENCE = {"grid", "qmc"}
"""Samplers that go through one sequence, which the seed decides: it must be the same for all trials."""


class SeededSampler(BaseSampler):
    """Asks a fresh sampler for each trial.

    Args:
        make: makes one from a seed.
        seed: of the search.
        is_one_sequence: whether all of them must have the same seed.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int, *, is_one_sequence: bool) -> None:
        self._make, self._seed, self._is_one_sequence = make, seed, is_one_sequence
        self._of_trial = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make the trial's own."""
        self._of_trial = self._made_for(study, trial)
        self._of_trial.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The axes whose values are drawn together."""
        return self._of_trial.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Their values."""
        return self._of_trial.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value of an axis on its own."""
        return self._of_trial.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Let the sampler write down what it wants to know later."""
        # Those that go through a finite space say when it is at its end, in a way that only `optimize` understands;
        # the search counts combinations itself.
        with contextlib.suppress(RuntimeError):
            self._made_for(study, trial).after_trial(study, trial, state, values)

    def _made_for(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        if self._is_one_sequence:
            return self._make(self._seed)
        earlier = study.get_trials(deepcopy=False)[: trial.number]
        place = trial.number - sum(ABANDONED in other.user_attrs for other in earlier)
        return self._make(int(np.random.SeedSequence([self._seed, place]).generate_state(1)[0]))


def seeded_sampler(settings: SearchSettings, space: Space) -> SeededSampler:
    """The sampler that the settings name.

    Raises:
        UserError: if there is none of that name, or it can't be made.
    """
    grid = None if space.size is None else {key: axis.values() for key, axis in space.axes.items()}

    def make(seed: int) -> BaseSampler:
        return make_sampler(settings.sampler, settings.sampler_options, seed, grid)

    is_one_sequence = plain_name(settings.sampler) in _OF_ONE_SEQUENCE
    return SeededSampler(make, settings.sampler_seed, is_one_sequence=is_one_sequence)
