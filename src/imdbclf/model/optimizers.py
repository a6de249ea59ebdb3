"""Optimizers by name; RMSprop as Keras defines it, the others as torch does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from imdbclf.settings import OPTIMIZER_SETTINGS


class RMSprop(Optimizer):
    """RMSprop with Keras' semantics: epsilon is added to the mean square *before* the root.

    For a gradient g::

        v ← rho v + (1 - rho) g²
        p ← p - lr g / √(v + epsilon)          (momentum = 0)
        m ← momentum m + lr g / √(v + epsilon);  p ← p - m

    (keras.optimizers.RMSprop, Keras 3.) `torch.optim.RMSprop` adds epsilon after the root instead, which for rarely
    used words, whose v is tiny, gives steps of another size.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        rho: float = 0.9,
        epsilon: float = 1e-7,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "epsilon": epsilon, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient; returns what the closure returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["mean_square"] = torch.zeros_like(parameter)
            if group["momentum"] > 0:
                state["momentum"] = torch.zeros_like(parameter)
        if group["weight_decay"] > 0:
            # Decoupled, as Keras has it for every optimizer.
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
        mean_square = state["mean_square"]
        mean_square.mul_(group["rho"]).addcmul_(gradient, gradient, value=1 - group["rho"])
        root = mean_square.add(group["epsilon"]).sqrt_()
        if group["momentum"] > 0:
            step = state["momentum"].mul_(group["momentum"]).addcdiv_(gradient, root, value=group["lr"])
            parameter.sub_(step)
        else:
            parameter.addcdiv_(gradient, root, value=-group["lr"])


def make_optimizer(parameters: Iterable[nn.Parameter], settings: dict[str, Any]) -> Optimizer:
    """The optimizer that plain settings (`name`, `lr`, …) describe.

    Raises:
        pydantic.ValidationError: for settings that are not valid.
    """
    arguments = OPTIMIZER_SETTINGS.validate_python(settings).model_dump()
    name = arguments.pop("name")
    if name in {"adam", "adamw"}:
        arguments["betas"] = (arguments.pop("beta_1"), arguments.pop("beta_2"))
        arguments["eps"] = arguments.pop("epsilon")
    return OPTIMIZERS[name](parameters, **arguments)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"rmsprop": RMSprop, "adam": Adam, "adamw": AdamW, "sgd": SGD}
