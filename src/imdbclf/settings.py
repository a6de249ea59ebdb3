"""The typed, validated form of what the configs say; refuses a wrong value before any work is done.

What each setting means is said beside its key in `configs/`, and by `imdbclf train --help`.
Hydra composes plain YAML; `Settings.from_config` turns the result into frozen objects. Every refusal is one line that
names key, value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.fields import FieldInfo

from imdbclf.errors import UserError
from imdbclf.setting_errors import explain
from imdbclf.setting_values import (
    Activation,
    Column,
    Count,
    Delimiter,
    Encoding,
    Escape,
    Few,
    Fraction,
    LabelValue,
    Layout,
    LossName,
    Name,
    NotNegative,
    Positive,
    Quote,
    Selection,
    TermWeighting,
    Width,
)


class NotComputed:
    """Marks a setting that changes nothing about the results of a run; `Settings.computed` leaves it out."""


class Later:
    """Marks a setting that earlier versions did not have; `Settings.computed` leaves it out at its default."""


class _Frozen(BaseModel):
    # Strict, because a typo such as `batch_size=51.2` or `layers=true` must be refused rather than rounded;
    # a whole number where a fraction may stand is still accepted.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, loc_by_alias=False)

    def __hash__(self) -> int:
        """Settings are keys of what is kept for them; a dictionary among them has no hash of its own."""
        return hash(self.model_dump_json())


class SourceSettings(_Frozen):
    """Where the reviews come from.

    What a run computes depends on the content of the reviews, not on their place; so only `positive` counts.
    """

    source: Annotated[Name, NotComputed] = "auto"
    train: Annotated[Name | None, NotComputed] = None
    test: Annotated[Name | None, NotComputed] = None
    text_column: Annotated[Column, NotComputed] = "text"
    label_column: Annotated[Column, NotComputed] = "label"
    delimiter: Annotated[Delimiter | None, NotComputed] = None
    quote: Annotated[Quote | None, NotComputed] = None
    escape: Annotated[Escape | None, NotComputed] = None
    encoding: Annotated[Encoding | None, NotComputed] = None
    config: Annotated[str | None, NotComputed] = None
    header: Annotated[bool, NotComputed] = True
    split_column: Annotated[Column | None, NotComputed] = None
    group: Annotated[Column | None, NotComputed] = None
    labels: Annotated[dict[LabelValue, LabelValue] | None, NotComputed] = None
    positive: Annotated[LabelValue | None, Later] = None
    unlabelled: Annotated[Name | None, NotComputed] = None
    cache_dir: Annotated[Name | None, NotComputed] = None

    @model_validator(mode="after")
    def _two_classes(self) -> SourceSettings:
        if self.labels is not None and len({str(value) for value in self.labels.values()}) != 2:  # noqa: PLR2004
            msg = f"labels={self.labels}: must map values to two classes, such as 'data.labels={{1:neg,2:neg,5:pos}}'"
            raise ValueError(msg)
        return self

    @property
    def origin(self) -> SourceSettings:
        """These settings alone."""
        return SourceSettings(**self.model_dump(include=set(SourceSettings.model_fields)))


class SplitSettings(_Frozen):
    """How training reviews are split.

    Composing a command line unsets `adapt_val_size` if `val_size` was typed.
    """

    val_size: Annotated[int, Field(ge=0)] | Fraction = 10_000
    adapt_val_size: Annotated[bool, NotComputed] = False
    test_size: Annotated[Annotated[int, Field(ge=0)] | Fraction, Later] = 0
    folds: Annotated[Annotated[int, Field(ge=2)] | None, Later] = None
    fold: Annotated[Annotated[int, Field(ge=0)] | None, Later] = None

    @model_validator(mode="after")
    def _a_fold_of_the_folds(self) -> SplitSettings:
        if self.folds is None and self.fold is not None:
            msg = f"fold={self.fold}: only with data.folds, the number of folds"
            raise ValueError(msg)
        if self.folds is not None and (self.fold is None or self.fold >= self.folds):
            shown = "null" if self.fold is None else self.fold
            every = f"-m 'data.fold=range({self.folds})' trains with each"
            msg = f"fold={shown}: must be a number from 0 to {self.folds - 1}, one of data.folds={self.folds}; {every}"
            raise ValueError(msg)
        return self

    @property
    def validates(self) -> bool:
        """Whether there is to be a validation part."""
        return self.folds is not None or self.val_size > 0


class BatchSettings(_Frozen):
    """How reviews become batches."""

    batch_size: Count = 512
    layout: Layout = "csr"


class DataSettings(BatchSettings, SplitSettings, SourceSettings):
    """All keys of `data`."""


class FeatureSettings(_Frozen):
    """What the columns of the multi-hot tensor are, and what they hold; all learnt from the training part.

    The terms are chosen by `imdbclf.data.selection`, the values of set columns by `imdbclf.data.term_weights`.
    """

    sentence_ends: Annotated[
        bool, Field(validation_alias=AliasChoices("sentence_ends", "marks"), serialization_alias="marks")
    ] = False
    order: Annotated[int, Field(ge=1, le=3)] = 1
    columns: Annotated[int, Field(ge=3, le=2**31 - 1)] = 10_000
    selection: Selection = "frequency"
    min_documents: Count = 1
    weighting: TermWeighting = "multi_hot"
    unit_length: bool = False
    smoothing: Positive = 1.0
    dropout: Fraction = 0.0


class ModelSettings(_Frozen):
    """The multi-layer perceptron; with several `members` an ensemble of them."""

    layers: Few = 2
    hidden: Width | list[Width] = 16
    activation: Activation = "relu"
    dropout: Fraction = 0.0
    members: Few = 1

    @model_validator(mode="after")
    def _a_width_for_each_layer(self) -> ModelSettings:
        if isinstance(self.hidden, list) and len(self.hidden) != self.layers:
            msg = f"hidden={self.hidden}: one width, or one for each of model.layers={self.layers} hidden layers"
            raise ValueError(msg)
        return self

    @property
    def widths(self) -> list[int]:
        """The width of each hidden layer, first to last."""
        return self.hidden if isinstance(self.hidden, list) else [self.hidden] * self.layers


class LossSettings(_Frozen):
    """The loss by name, on the sigmoid's output. Validation and test losses are not weighted."""

    name: LossName = "bce"
    positive_weight: Annotated[Positive | Literal["balanced"], Later] = 1.0


class RMSpropSettings(_Frozen):
    """RMSprop as Keras defines it (see `imdbclf.model.optimizers.RMSprop`)."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 1e-3
    rho: Fraction = 0.9
    epsilon: Positive = 1e-7
    momentum: Fraction = 0.0
    weight_decay: NotNegative = 0.0


class AdamSettings(_Frozen):
    """Adam or AdamW as in torch, with Keras' default epsilon."""

    name: Literal["adam", "adamw"]
    lr: Positive = 1e-3
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7
    weight_decay: NotNegative = 0.0


class SGDSettings(_Frozen):
    """Stochastic gradient descent as in torch, with Keras' default rate."""

    name: Literal["sgd"]
    lr: Positive = 1e-2
    momentum: Fraction = 0.0
    nesterov: bool = False
    weight_decay: NotNegative = 0.0

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> SGDSettings:
        if self.nesterov and self.momentum == 0:
            msg = "nesterov=true: only with a momentum above 0"
            raise ValueError(msg)
        return self


class AdagradSettings(_Frozen):
    """Adagrad as Keras defines it (see `imdbclf.model.optimizers.Adagrad`)."""

    name: Literal["adagrad"] = "adagrad"
    lr: Positive = 1e-3
    initial_accumulator: NotNegative = 0.1
    epsilon: Positive = 1e-7
    weight_decay: NotNegative = 0.0


AnyOptimizer = RMSpropSettings | AdamSettings | SGDSettings | AdagradSettings
OptimizerSettings = Annotated[AnyOptimizer, Field(discriminator="name")]


class CalibrationSettings(_Frozen):
    """How logits become probabilities: unchanged, or divided by a temperature fitted on the validation part.

    If a false negative costs another number of false positives than 1, the threshold is chosen there, too.
    """

    name: Literal["none", "temperature"] = "none"
    false_negative_cost: Annotated[Positive, Later] = 1.0


class TeacherSettings(_Frozen):
    """Number of teacher networks that pseudo-label unlabelled reviews for the network to learn from; 0 disables it."""

    members: Annotated[int, Field(ge=0, le=1_000)] = 0


class TrainerSettings(_Frozen):
    """Arguments of Lightning's `Trainer`; those without a field here are passed on and checked later."""

    model_config = ConfigDict(extra="allow")

    max_epochs: Count = 20


class Settings(_Frozen):
    """One experiment, whole."""

    experiment: Annotated[str, NotComputed]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    threads: Few | None = 1
    ckpt_path: str | None = None
    refit: bool = False
    fail_fast: Annotated[bool, NotComputed] = False
    shared_batches: Annotated[int, Field(ge=0, le=2**31 - 1), NotComputed] = 1_000
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = RMSpropSettings()
    teacher: TeacherSettings = TeacherSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    trainer: TrainerSettings = TrainerSettings()
    callbacks: dict[str, dict[str, Any]] = {}
    logger: Annotated[dict[str, dict[str, Any]], NotComputed] = {}

    @model_validator(mode="after")
    def _choices_fit_together(self) -> Settings:
        msg = None
        if self.calibration.name == "temperature" and not self.data.validates:
            msg = "calibration=temperature: needs a validation part; give a data.val_size above 0, or calibration=none"
        elif self.calibration.false_negative_cost != 1 and not self.data.validates:
            given = f"calibration.false_negative_cost={self.calibration.false_negative_cost:g}"
            msg = (
                f"{given}: needs a validation part; give a data.val_size above 0, or calibration.false_negative_cost=1"
            )
        elif self.teacher.members > 0 and self.data.unlabelled is None:
            msg = f"teacher.members={self.teacher.members}: pseudo-labels unlabelled reviews; data.unlabelled is null"
        elif self.ckpt_path is not None and self.fits_several:
            msg = f"ckpt_path={self.ckpt_path}: several networks can't go on from one checkpoint; must be null"
        if msg:
            raise ValueError(msg)
        return self

    @property
    def fits_several(self) -> bool:
        """Whether several networks are fitted one after the other; such a run can't go on from one checkpoint."""
        return self.model.members > 1 or self.teacher.members > 0

    def changed(self, **changes: Any) -> Settings:
        """A copy with other values; a group takes a dictionary of those that change."""
        for name, change in changes.items():
            if isinstance(group := getattr(self, name), BaseModel):
                changes[name] = group.model_copy(update=change)
        return self.model_copy(update=changes)

    def computed(self) -> dict[str, Any]:
        """The settings that decide what a run computes, as plain types.

        They have the names of the first version that had them, so that a key made of them stays the same.
        """
        plain = self.model_dump(by_alias=True)
        for key, field in _fields(Settings):
            group, _, name = key.rpartition(".")
            values = plain[group] if group else plain
            if NotComputed in field.metadata or (Later in field.metadata and values[name] == field.default):
                del values[name]
        return plain

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Settings:
        """Validate a resolved config.

        Raises:
            UserError: with the first thing that is wrong, in one line.
        """
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            raise UserError(explain(error, settings_keys())) from error


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field of the settings, nested ones included, by its dotted key."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        for member in get_args(field.annotation) or (field.annotation,):
            if isinstance(member, type) and issubclass(member, BaseModel):
                yield from _fields(member, f"{prefix}{name}.")


def settings_keys() -> list[str]:
    """Every dotted key that the settings know, for naming the nearest right one."""
    return list(dict.fromkeys(key for key, _ in _fields(Settings)))


RENAMED = {
    f"{key.rpartition('.')[0]}.{field.serialization_alias}": key
    for key, field in _fields(Settings)
    if field.serialization_alias
}
"""Keys of older versions, still read from command lines, run folders and checkpoints, and what they are called now."""


LECTURE = Settings(experiment="lecture")
"""The lecture's settings, which are the defaults."""

OPTIMIZER_SETTINGS: TypeAdapter[AnyOptimizer] = TypeAdapter(OptimizerSettings)
