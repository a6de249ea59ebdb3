"""The network with its loss and optimizer as a `LightningModule`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.optim import Optimizer

from imdbclf.errors import UserError
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.calibration import EVEN, calibrated
from imdbclf.model.losses import make_loss, weighted
from imdbclf.model.network import make_network, members_of
from imdbclf.model.optimizers import leaves_rows_without_gradient, make_optimizer
from imdbclf.settings import LECTURE


class EpochSums:
    """Sums of loss and correct predictions over an epoch, on the device, so that no step waits for a copy."""

    def __init__(self, device: torch.device) -> None:
        self.loss = torch.zeros((), dtype=torch.float32, device=device)
        self.hits = torch.zeros((), dtype=torch.int64, device=device)
        self.count = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean loss, its logits (n,) and its labels (n,) of 0.0 and 1.0."""
        self.loss.add_(loss.detach(), alpha=len(labels))
        # A pseudo-label is a probability.
        self.hits.add_(torch.eq(logits > 0, labels > EVEN).sum())
        self.count += len(labels)

    def means(self, stage: str) -> dict[str, Tensor]:
        """`STAGE/loss` and `STAGE/accuracy` over all added reviews."""
        return {f"{stage}/loss": self.loss / self.count, f"{stage}/accuracy": self.hits / self.count}


class ReviewClassifier(pl.LightningModule):
    """The network as a `LightningModule`: multi-hot rows in, the logit of being positive out.

    Training loss and accuracy are means over the batches of the epoch, while the weights change, as Keras reports them.
    Validation and test metrics are those after the epoch. All settings are plain types. Therefore a checkpoint loads
    with `torch.load(weights_only=True)`, and `ReviewClassifier.load_from_checkpoint(path)` needs the path only.

    `in_features` is the width of the multi-hot rows; the other arguments are those of `imdbclf.settings`, and of the
    lecture by default. With several `members`, logits are averaged. `imdbclf.training.ensemble` trains the members one
    after the other, since members that are trained together become too similar.
    """

    def __init__(
        self,
        in_features: int = LECTURE.features.columns,
        widths: Sequence[int] = tuple(LECTURE.model.widths),
        activation: str = LECTURE.model.activation,
        dropout: float = LECTURE.model.dropout,
        loss: str = LECTURE.loss.name,
        optimizer: dict[str, Any] | None = None,
        members: int = LECTURE.model.members,
        positive_weight: float = 1.0,
    ) -> None:
        super().__init__()
        widths, optimizer = list(widths), optimizer or LECTURE.optimizer.model_dump()
        self.save_hyperparameters()
        self.network = make_network(members, in_features, widths, activation, dropout)
        self.loss = make_loss(loss)
        self.training_loss = weighted(self.loss, positive_weight)
        self.optimizer_settings = optimizer
        self.attachment: dict[str, Any] = {}
        """What a checkpoint holds in addition to the weights. Training fills it, loading restores it."""
        self._epoch: dict[str, EpochSums] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; for texts, skip the module's search for parameters.

        Lightning sets the name of the current hook on the module about forty times per training step.
        """
        if isinstance(value, str | None) and name in self.__dict__:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def vocabulary(self) -> list[str]:
        """The terms of columns 1, 2, 3 …, from the checkpoint; empty for a network that was not trained by a run."""
        terms = self.attachment.get("vocabulary", "")
        return terms.split("\n") if terms else []

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """Logits (n,) for multi-hot features (n, in_features), sparse CSR or dense."""
        logits: Tensor = self.network(features, transpose)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
        """The batch's mean loss."""
        return self._loss("train", batch)

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor | None]) -> None:
        """Add the batch to the validation metrics."""
        self._loss("val", batch)

    def test_step(self, batch: tuple[Tensor, Tensor, Tensor | None]) -> None:
        """Add the batch to the test metrics."""
        self._loss("test", batch)

    def predict_step(self, batch: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
        """The probability of being positive for each review of the batch, (n,), at the checkpoint's temperature.

        Losses and metrics of the other steps do not use the temperature.
        """
        return calibrated(self(batch[0]), self.attachment.get("temperature", 1.0))

    def configure_optimizers(self) -> Optimizer:
        """The optimizer of the settings."""
        return make_optimizer(self.parameters(), self.optimizer_settings)

    def epoch_means(self, stage: str) -> dict[str, Tensor]:
        """`STAGE/loss` and `STAGE/accuracy` of the epoch so far; `stage` is train, val or test."""
        return self._epoch[stage].means(stage) if stage in self._epoch else {}

    def on_fit_start(self) -> None:
        """Use sparse gradients for the first layer if the optimizer gives the same results with them.

        Clipping needs all gradients, and strategies for several devices need dense ones. Temperature and
        threshold of the checkpoint are dropped: they belong to weights that are about to change.
        """
        self._check_columns()
        for key in ("temperature", "threshold"):
            self.attachment.pop(key, None)
        alone = isinstance(self.trainer.strategy, SingleDeviceStrategy) and self.trainer.gradient_clip_val is None
        for member in members_of(self.network):
            member.first.sparse_gradient = alone and leaves_rows_without_gradient(self.optimizer_settings)

    def on_fit_end(self) -> None:
        """Make gradients dense again, for later uses of the network."""
        for member in members_of(self.network):
            member.first.sparse_gradient = False

    def _check_columns(self) -> None:
        """Compare the network's terms with those of the data module, if both are known.

        Raises:
            UserError: if they differ: a column would be another term than in training.
        """
        theirs = getattr(getattr(self.trainer, "datamodule", None), "vocabulary", None)
        ours = self.attachment.get("vocabulary")
        if ours is not None and theirs is not None and theirs.as_text() != ours:
            msg = (
                "datamodule: its vocabulary differs from that of the network; give the data module of the network's "
                "run, or measure the checkpoint with imdbclf.inference.evaluate.evaluate_checkpoint"
            )
            raise UserError(msg)

    on_validation_start = on_test_start = on_predict_start = _check_columns

    def on_train_epoch_start(self) -> None:
        """Drop the sums of the epoch before, validation included."""
        self._epoch.clear()

    def on_validation_epoch_start(self) -> None:
        """Drop the sums of an earlier validation."""
        self._epoch.pop("val", None)

    def on_test_epoch_start(self) -> None:
        """Drop the sums of an earlier test."""
        self._epoch.pop("test", None)

    def on_train_epoch_end(self) -> None:
        """Log the metrics of the epoch, once."""
        self._log("train")

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of validation, once."""
        self._log("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test, once."""
        self._log("test")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the attachment."""
        checkpoint[CHECKPOINT_KEY] = self.attachment

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the attachment."""
        self.attachment = checkpoint.get(CHECKPOINT_KEY, {})

    def _loss(self, stage: str, batch: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
        features, labels, transpose = batch
        logits = self(features, transpose)
        loss = (self.training_loss if stage == "train" else self.loss)(logits, labels)
        if stage not in self._epoch:
            self._epoch[stage] = EpochSums(self.device)
        self._epoch[stage].add(loss, logits.detach(), labels)
        return loss

    def _log(self, stage: str) -> None:
        if means := self.epoch_means(stage):
            self.log_dict(means, batch_size=self._epoch[stage].count)
