"""What one value of the settings can be: a name of a table, a number in a range, a text.

A table gives the class or function behind each name by its import path, as `_target_` does in a config: choices are
checked without importing torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

ACTIVATIONS = {
    "relu": "torch.nn.ReLU",
    "tanh": "torch.nn.Tanh",
    "sigmoid": "torch.nn.Sigmoid",
    "gelu": "torch.nn.GELU",
    "elu": "torch.nn.ELU",
    "selu": "torch.nn.SELU",
    "silu": "torch.nn.SiLU",
    "leaky_relu": "torch.nn.LeakyReLU",
}
"""What `model.activation` can be: classes of modules. An activation of torch is a line here."""

LOSSES = {
    "bce": "imdbclf.model.losses.binary_cross_entropy",
    "mse": "imdbclf.model.losses.mean_squared_error",
}
"""What `loss.name` can be: functions of the type `imdbclf.model.losses.Loss`."""

OPTIMIZERS = {
    "rmsprop": "imdbclf.model.optimizers.RMSprop",
    "adam": "torch.optim.Adam",
    "adamw": "torch.optim.AdamW",
    "sgd": "torch.optim.SGD",
    "adagrad": "imdbclf.model.optimizers.Adagrad",
}
"""The classes of the optimizers, by the `name` of their settings."""

SELECTIONS = {
    "frequency": "imdbclf.data.selection.frequency",
    "log_odds": "imdbclf.data.selection.distance_from_even",
    "z_score": "imdbclf.data.selection.z_score",
}
"""What `features.selection` can be: functions that give each term a score."""

TERM_WEIGHTS = {
    "multi_hot": "imdbclf.data.term_weights.ones",
    "log_odds": "imdbclf.data.term_weights.log_odds",
}
"""What `features.weighting` can be: functions that give each term a weight."""

FORMULAS = {
    "relu": "max(0, x)",
    "tanh": "tanh(x), from -1 to 1",
    "sigmoid": "1 / (1 + e^-x), from 0 to 1",
    "gelu": "x times the probability that a standard normal number is below x",
    "elu": "x if x > 0, else e^x - 1",
    "selu": "elu with a slope of 1.05 and a floor of -1.76",
    "silu": "x / (1 + e^-x)",
    "leaky_relu": "x if x > 0, else x / 100",
    "bce": "binary cross-entropy, -log(p) if the review is positive, else -log(1 - p)",
    "mse": "mean squared error, (1 - p)² if the review is positive, else p²",
}
"""What activations make of a number x, and losses of the probability p of being positive."""

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""What `data.delimiter` can be: between the cells of a line. The characters themselves are allowed, too."""

QUOTES = {"double": '"', "single": "'", "none": None}
"""What `data.quote` can be: around a cell with delimiters or line ends; doubled, it is a character of the cell."""

ESCAPES = {"backslash": "\\", "none": None}
"""What `data.escape` can be: in front of a quotation mark that is a character of the cell."""

if TYPE_CHECKING:
    Activation: TypeAlias = str
    LossName: TypeAlias = str
    Selection: TypeAlias = str
    TermWeighting: TypeAlias = str
    Delimiter: TypeAlias = str
    Quote: TypeAlias = str
    Escape: TypeAlias = str
else:
    # The tables above give the names, so that a new one is a line in its table.
    Activation, LossName, Selection, TermWeighting = (
        Literal[tuple(table)] for table in (ACTIVATIONS, LOSSES, SELECTIONS, TERM_WEIGHTS)
    )
    Delimiter, Quote, Escape = (
        Annotated[Literal[tuple(table)], BeforeValidator(lambda value, table=table: _named(value, table))]
        for table in (DELIMITERS, QUOTES, ESCAPES)
    )


def _named(value: object, table: dict[str, str | None]) -> object:
    """The name of a character of the table; other values stay as they are."""
    return next((name for name, character in table.items() if value is not None and value == character), value)


AsText = BeforeValidator(lambda value: str(value) if type(value) is int else value)
"""A text that is a number needs no quotation marks."""

Column = Annotated[str, AsText]
"""The name of a column."""

LabelValue = str | int | float | bool
"""A label as typed or as in a file."""

Name = Annotated[str, Field(min_length=1)]
Layout = Literal["csr", "dense"]

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Width = Annotated[int, Field(ge=1, le=1_000_000)]
Few = Annotated[int, Field(ge=1, le=1_000)]
LARGEST, SMALLEST = 1e37, 1e-37
"""Between these, numbers are what they say in single precision."""


def _not_tiny(value: float) -> float:
    if value < SMALLEST:
        msg = f"{SMALLEST} or more"
        raise ValueError(msg)
    return value


def _known_to_python(encoding: str) -> str:
    try:
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        msg = "an encoding that Python knows, such as utf-8, cp1252, latin-1 or utf-16"
        raise ValueError(msg) from error
    return encoding


Encoding = Annotated[str, AfterValidator(_known_to_python)]
Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False), AfterValidator(_not_tiny)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
