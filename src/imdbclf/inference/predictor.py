"""From texts to probabilities with a finished checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.data.batches import EVALUATION_BATCH, csr_tensor
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.vocabulary import UNKNOWN
from imdbclf.model.calibration import calibrated
from imdbclf.model.network import MLP, Network, members_of

FEW = 64
"""Texts up to which one after the other is faster than Arrow, which must be imported and told the vocabulary."""

AT_ONCE = 16_384
"""Texts encoded and classified at a time, so that memory does not grow with their number."""


@dataclass(frozen=True)
class Prediction:
    """What the network thinks of one review.

    `label` is the source's name of the likelier class, `probability` that of being positive, `known_words` how many
    different words of the review the vocabulary holds, n-grams among them where it has such.
    """

    label: str
    probability: float
    known_words: int


class Predictor:
    """A checkpoint ready to classify texts, one or a million; its temperature is in every probability."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._label_names: tuple[str, str] = tuple(checkpoint.about["label_names"])
        self._members = [OneRowNetwork(member) for member in members_of(checkpoint.network)]

    @classmethod
    def from_checkpoint(cls, path: str | PathLike[str]) -> Predictor:
        """Load a checkpoint that a run wrote.

        Raises:
            UserError: if the file is not a readable checkpoint of ours.
        """
        return cls(read_checkpoint(Path(path)))

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text; a text without known words is answered by what the network says of no words."""
        texts = list(texts)
        if len(texts) <= FEW:
            return [self._predict_one(text) for text in texts]
        return [
            self._prediction(probability, known)
            for rows, probabilities in self._in_bulk(texts)
            for probability, known in zip(probabilities.tolist(), _known_words(rows), strict=True)
        ]

    def probabilities(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """The probability of being positive for each of n texts, float32 (n,)."""
        texts = list(texts)
        if len(texts) <= FEW:
            return np.array([prediction.probability for prediction in self.predict(texts)], dtype=np.float32)
        return np.concatenate([probabilities for _, probabilities in self._in_bulk(texts)])

    def _predict_one(self, text: str) -> Prediction:
        columns, values = self.checkpoint.vectorizer.row_of(text)
        has_unknown = len(columns) > 0 and columns[0] == UNKNOWN
        logit = sum(member.logit(columns, values) for member in self._members) / len(self._members)
        probability = _sigmoid(logit / self.checkpoint.temperature)
        return self._prediction(probability, len(columns) - int(has_unknown))

    def _in_bulk(self, texts: Sequence[str]) -> Iterator[tuple[MultiHotMatrix, npt.NDArray[np.float32]]]:
        """Rows and probabilities of some texts after the other."""
        from imdbclf.data.text_rows import encode_texts  # noqa: PLC0415 - Arrow is a tenth of a second few texts save

        for start in range(0, len(texts), AT_ONCE):
            rows = encode_texts(self.checkpoint.vectorizer, texts[start : start + AT_ONCE])
            logits = logits_of(self.checkpoint.network, rows)
            yield rows, calibrated(logits, self.checkpoint.temperature).numpy()

    def _prediction(self, probability: float, known_words: int) -> Prediction:
        return Prediction(self._label_names[probability > 0.5], probability, known_words)  # noqa: PLR2004


class OneRowNetwork:
    """A network for one row at a time.

    Its sums are NumPy's, on the same weights: for a single row torch takes five times as long to find out what to do as
    to do it. The activations stay torch's own.
    """

    def __init__(self, network: MLP) -> None:
        self._rows, self._bias = network.first.weight.detach().numpy(), network.first.bias.detach().numpy()
        self._layers = [_on_numpy(layer) for layer in network.rest if not isinstance(layer, nn.Dropout)]

    def logit(self, columns: npt.NDArray[np.int32], values: npt.NDArray[np.float32] | None = None) -> float:
        """The logit of the row with the given columns set, (k,), to `values` (k,) or to 1."""
        rows = self._rows.take(columns, axis=0)
        hidden = (rows.sum(axis=0) if values is None else values @ rows) + self._bias
        for layer in self._layers:
            hidden = layer(hidden)
        return float(hidden[0])


_Layer = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


def _on_numpy(layer: nn.Module) -> _Layer:
    if isinstance(layer, nn.Linear):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        return lambda hidden: weight @ hidden + bias
    return lambda hidden: layer.forward(torch.from_numpy(hidden)).numpy()


def _sigmoid(logit: float) -> float:
    """Without overflow, whichever way the logit points."""
    small = exp(-abs(logit))
    return (1 if logit >= 0 else small) / (1 + small)


@torch.inference_mode()
def logits_of(network: Network, matrix: MultiHotMatrix) -> torch.Tensor:
    """The logit of every row, (n,) float32."""
    starts = range(0, len(matrix), EVALUATION_BATCH)
    batches = (matrix.between(start, start + EVALUATION_BATCH) for start in starts)
    return torch.cat([torch.zeros(0), *(network(csr_tensor(batch)) for batch in batches)])


def _known_words(rows: MultiHotMatrix) -> list[int]:
    """How many different words of the vocabulary each row has: all its ones but that of unknown words."""
    known = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(rows.columns != UNKNOWN)])
    counts: list[int] = np.diff(known[rows.offsets]).tolist()
    return counts
