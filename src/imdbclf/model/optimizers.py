"""Optimizers: RMSprop and Adagrad as Keras defines them, the others as torch does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pkgutil import resolve_name
from typing import Any, ClassVar, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from imdbclf.setting_values import OPTIMIZERS
from imdbclf.settings import OPTIMIZER_SETTINGS, AdagradSettings, RMSpropSettings


class _KerasOptimizer(Optimizer):
    """An optimizer with Keras' formulas. For each parameter: first weight decay, then `_update`.

    Its arguments are the fields of `settings`, where their ranges and defaults are; others are a `ValidationError`.
    """

    settings: ClassVar[type[RMSpropSettings | AdagradSettings]]

    def __init__(self, params: Iterable[nn.Parameter] | Iterable[dict[str, Any]], **values: float) -> None:
        super().__init__(params, self.settings.model_validate(values).model_dump(exclude={"name"}))

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient; return the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    if group["weight_decay"] > 0:
                        # Decoupled, as in Keras for every optimizer.
                        parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        raise NotImplementedError


class RMSprop(_KerasOptimizer):
    """RMSprop with Keras' semantics: epsilon is added to the mean square *before* the root.

    For a gradient g::

        v ← rho v + (1 - rho) g²
        p ← p - lr g / √(v + epsilon)          (momentum = 0)
        m ← momentum m + lr g / √(v + epsilon);  p ← p - m

    (keras.optimizers.RMSprop, Keras 3.) `torch.optim.RMSprop` adds epsilon after the root. For rare words,
    whose v is tiny, this gives steps of a different size.
    """

    settings = RMSpropSettings

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["mean_square"] = torch.zeros_like(parameter)
            if group["momentum"] > 0:
                state["momentum"] = torch.zeros_like(parameter)
        mean_square = state["mean_square"]
        mean_square.mul_(group["rho"]).addcmul_(gradient, gradient, value=1 - group["rho"])
        root = mean_square.add(group["epsilon"]).sqrt_()
        if group["momentum"] > 0:
            step = state["momentum"].mul_(group["momentum"]).addcdiv_(gradient, root, value=group["lr"])
            parameter.sub_(step)
        else:
            parameter.addcdiv_(gradient, root, value=-group["lr"])


class Adagrad(_KerasOptimizer):
    """Adagrad with Keras' semantics: epsilon is added to the sum of squares *before* the root.

    For a gradient g::

        s ← s + g²
        p ← p - lr g / √(s + epsilon)

    (Duchi, Hazan & Singer 2011; keras.optimizers.Adagrad, Keras 3.) A zero gradient changes nothing. Therefore,
    for a sparse gradient, only its rows are updated, with the same result to the last bit.
    """

    settings = AdagradSettings

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["sum_of_squares"] = torch.full_like(parameter, group["initial_accumulator"])
        sums = state["sum_of_squares"]
        if not gradient.is_sparse:
            sums.addcmul_(gradient, gradient)
            parameter.addcdiv_(gradient, sums.add(group["epsilon"]).sqrt_(), value=-group["lr"])
            return
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        squares = sums.index_select(0, rows).addcmul_(values, values)
        sums.index_copy_(0, rows, squares)
        changed = parameter.index_select(0, rows)
        changed.addcdiv_(values, squares.add_(group["epsilon"]).sqrt_(), value=-group["lr"])
        parameter.index_copy_(0, rows, changed)


def make_optimizer(parameters: Iterable[nn.Parameter], settings: dict[str, Any]) -> Optimizer:
    """The optimizer for plain settings (`name`, `lr`, …); those that are not valid are a `ValidationError`."""
    arguments = OPTIMIZER_SETTINGS.validate_python(settings).model_dump()
    name = arguments.pop("name")
    if name in {"adam", "adamw"}:
        arguments["betas"] = (arguments.pop("beta_1"), arguments.pop("beta_2"))
        arguments["eps"] = arguments.pop("epsilon")
    optimizer: Optimizer = resolve_name(OPTIMIZERS[name])(parameters, **arguments)
    return optimizer


def leaves_rows_without_gradient(settings: dict[str, Any]) -> bool:
    """Whether a gradient of 0 changes neither the weight nor the state of the optimizer.

    Then rows without a gradient can be skipped. This is true for SGD without momentum and for Adagrad; momentum, moving
    averages and weight decay change all rows in every step.
    """
    name = settings.get("name")
    decays = settings.get("weight_decay", 0) > 0
    return not decays and (name == "adagrad" or (name == "sgd" and settings.get("momentum", 0) == 0))
