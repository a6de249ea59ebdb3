"""From texts to probabilities with a finished checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from imdbclf.data.batches import EVALUATION_BATCH, csr_tensor
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.inference.checkpoint import Checkpoint, read_checkpoint
from imdbclf.model.mlp import MLP


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
    """A checkpoint ready to classify texts."""

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
        texts = list(texts)
        vocabulary = self.checkpoint.vocabulary
        probabilities = torch.sigmoid(logits_of(self.checkpoint.network, rows_of(vocabulary, texts)))
        return [
            Prediction(self._label_names[probability > 0.5], probability, vocabulary.known_words(text))  # noqa: PLR2004
            for text, probability in zip(texts, probabilities.tolist(), strict=True)
        ]


def rows_of(vocabulary: Vocabulary, texts: Iterable[str]) -> MultiHotMatrix:
    """The multi-hot rows of texts."""
    rows = [vocabulary.columns_of(text) for text in texts]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    columns: npt.NDArray[np.int32] = np.concatenate([np.zeros(0, dtype=np.int32), *rows])
    return MultiHotMatrix(offsets, columns, len(vocabulary))


@torch.inference_mode()
def logits_of(network: MLP, matrix: MultiHotMatrix) -> torch.Tensor:
    """The logit of every row, (n,) float32."""
    rows = np.arange(len(matrix))
    starts = range(0, len(matrix), EVALUATION_BATCH)
    batches = (matrix.take(rows[start : start + EVALUATION_BATCH]) for start in starts)
    return torch.cat([torch.zeros(0), *(network(csr_tensor(batch)) for batch in batches)])
