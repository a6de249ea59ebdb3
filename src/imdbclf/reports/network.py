"""The network as in the lecture: a row for each layer, and what its fit is to reach."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from rich.table import Table
from torch import nn

from imdbclf.console import text_table
from imdbclf.model.network import MLP, make_network, members_of
from imdbclf.setting_values import FORMULAS
from imdbclf.settings import Settings


def network_table(settings: Settings, columns: int) -> Table:
    """The layers with output shapes and parameters, for rows of this many columns.

    n is the number of reviews in a batch.
    """
    model = settings.model
    with torch.device("meta"):
        network = make_network(model.members, columns, model.widths, model.activation, model.dropout)
    title = f"The network: {network.parameter_count:,} parameters"
    if model.members > 1:
        title += f" in {model.members} networks like this one; the mean of their outputs goes into the sigmoid"
    rows = [["multi-hot rows", "", f"(n, {columns:,})", ""], *_layers(members_of(network)[0])]
    rows.append(["sigmoid", FORMULAS["sigmoid"], "(n, 1)", "0"])
    return text_table(["layer", "formula", "output", "parameters"], rows, 2, title)


def _layers(network: MLP) -> Iterator[list[str]]:
    width = 0
    for layer in (network.first, *network.rest):
        weights, name, formula = list(layer.parameters()), network.activation, FORMULAS[network.activation]
        if weights:
            width, name, formula = len(weights[-1]), "linear", "rows @ weight + bias"
        elif isinstance(layer, nn.Dropout):
            name, formula = "dropout", f"in training, 0 with probability {layer.p:g}, else x / {1 - layer.p:g}"
        yield [name, formula, f"(n, {width:,})", f"{sum(one.numel() for one in weights):,}"]


def goals(settings: Settings) -> Iterator[str]:
    """What the fit makes smaller, how it does so, and what is measured besides: a line each."""
    weight, optimizer = settings.loss.positive_weight, settings.optimizer.model_dump(exclude={"name"})
    more = "" if weight == 1 else f"; positive_weight={weight}"
    yield f"Loss:   {settings.loss.name}: {FORMULAS[settings.loss.name]}; the mean over a batch{more}"
    yield f"Steps:  {settings.optimizer.name}: {', '.join(f'{name}={value}' for name, value in optimizer.items())}"
    yield "Metric: accuracy: the share of reviews with the right label; p above .5 means positive"
