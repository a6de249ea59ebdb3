"""From texts to probabilities with a finished checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from imdbclf.data.batches import EVALUATION_BATCH, csr_tensor
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.vocabulary import UNKNOWN
from imdbclf.inference.checkpoint import Checkpoint, read_checkpoint
from imdbclf.model.mlp import MLP

FEW = 64
"""Texts up to which one after the other is faster than Arrow, which must be imported and told the vocabulary."""

AT_ONCE = 16_384
"""Texts encoded and classified at a time, so that memory does not grow with their number."""


@dataclass(frozen=True)
class Prediction:
    """What the network thinks of one review.

    `label` is the source's name of the likelier class, `probability` that of being positive, `known_words` how many
    different words of the review the vocabulary holds.
    """

    label: str
    probability: float
    known_words: int


class Predictor:
    """A checkpoint ready to classify texts, one or a million."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._label_names: tuple[str, str] = tuple(checkpoint.about["label_names"])

    @classmethod
    def from_checkpoint(cls, path: str | PathLike[str]) -> Predictor:
        """Load a checkpoint that a run wrote.

        Raises:
            UserError: if the file is not a readable checkpoint of ours.
        """
        return cls(read_checkpoint(Path(path)))

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text; a text without known words is answered by what the network says of no words."""
        return [
            Prediction(self._label_names[probability > 0.5], probability, known)  # noqa: PLR2004
            for answers in self._answers(list(texts))
            for probability, known in zip(answers.probabilities.tolist(), answers.known_words.tolist(), strict=True)
        ]

    def probabilities(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """The probability of being positive for each of n texts, float32 (n,)."""
        found = [answers.probabilities for answers in self._answers(list(texts))]
        return np.concatenate([np.zeros(0, dtype=np.float32), *found])

    def _answers(self, texts: Sequence[str]) -> Iterator[_Answers]:
        if len(texts) <= FEW:
            yield from map(self._answer_one, texts)
            return
        from imdbclf.data.text_rows import encode_texts  # noqa: PLC0415 - Arrow is a tenth of a second few texts save

        for start in range(0, len(texts), AT_ONCE):
            rows = encode_texts(self.checkpoint.vocabulary, texts[start : start + AT_ONCE])
            probabilities = torch.sigmoid(logits_of(self.checkpoint.network, rows)).numpy()
            yield _Answers(probabilities, _known_words(rows))

    @torch.inference_mode()
    def _answer_one(self, text: str) -> _Answers:
        """Without any matrix, which for one text takes longer to make than to use."""
        columns = self.checkpoint.vocabulary.columns_of(text)
        logit = self.checkpoint.network.logit_of_columns(torch.from_numpy(columns))
        return _Answers(torch.sigmoid(logit).numpy(), np.count_nonzero(columns, keepdims=True))


class _Answers(NamedTuple):
    """Of n texts the probabilities of being positive, float32, and the different words known, int64, both (n,)."""

    probabilities: npt.NDArray[np.float32]
    known_words: npt.NDArray[np.int64]


@torch.inference_mode()
def logits_of(network: MLP, matrix: MultiHotMatrix) -> torch.Tensor:
    """The logit of every row, (n,) float32."""
    starts = range(0, len(matrix), EVALUATION_BATCH)
    batches = (matrix.between(start, start + EVALUATION_BATCH) for start in starts)
    return torch.cat([torch.zeros(0), *(network(csr_tensor(batch)) for batch in batches)])


def _known_words(rows: MultiHotMatrix) -> npt.NDArray[np.int64]:
    """How many different words of the vocabulary each row has: all its ones but that of unknown words."""
    known = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(rows.columns != UNKNOWN)])
    return np.diff(known[rows.offsets])
