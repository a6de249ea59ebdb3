"""From texts to probabilities with a finished checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import UNKNOWN, MultiHotMatrix, offsets_of
from imdbclf.errors import one_line, visible
from imdbclf.model.calibration import EVEN, calibrated_array, calibrated_one
from imdbclf.storage import json_text

if TYPE_CHECKING:
    # Torch takes a second to import; to classify with arrays, it is not needed.
    from imdbclf.checkpoint import Checkpoint
    from imdbclf.inference.explain import Explainer
    from imdbclf.inference.pretrained import Pretrained
    from imdbclf.reports.explanation import Explanation

FEW = 64
"""Texts up to which one after the other is faster than Arrow, which must be imported and told the vocabulary."""

FEW_WHEN_WARM = 18
"""The same once this is done, for words alone; runs of words take longer one by one."""

AT_ONCE = 16_384
"""Texts encoded and classified at a time, so that memory does not grow with their number."""


@dataclass(frozen=True)
class Prediction:
    """What the network thinks of one review.

    `label` is the source's name of the class: positive if `probability`, that of being positive, is above the threshold
    of the checkpoint. `known_words` is how many different words of the review the vocabulary holds, n-grams among them
    where it has such.
    """

    label: str
    probability: float
    known_words: int

    def as_line(self, text: str, threshold: float = EVEN) -> str:
        """The prediction and the beginning of its text, with tabs between them; a threshold that is not .5 is said."""
        label, begins = visible(self.label), visible(one_line(text)[:60])
        words = f"{self.known_words} known words" + (f" (positive above {threshold:.3f})" if threshold != EVEN else "")
        return f"{label}\t{self.probability:.4f}\t{words}\t{begins}"

    def as_json(self, text: str) -> str:
        """The prediction and its text as a JSON object, in one line."""
        return json_text(asdict(self) | {"text": text}, indent=None)


class Predictor:
    """A checkpoint ready to classify texts, one or a million; its temperature is in every probability.

    Few texts go one after the other, many in bulk. Both ways find the same terms, and probabilities that differ by
    less than 1e-6: sums of the same numbers are rounded in another order.
    """

    def __init__(self, checkpoint: Checkpoint | Pretrained) -> None:
        self.checkpoint = checkpoint
        self._members = checkpoint.arrays()
        self._is_warm = False

    def __reduce__(self) -> tuple[type[Predictor], tuple[Checkpoint | Pretrained]]:
        """For `pickle` and `copy`: it is made again from its checkpoint."""
        return type(self), (self.checkpoint,)

    @classmethod
    def load(cls, path: Path) -> Predictor:
        """Load a checkpoint, the best one of a run folder, or an exported folder; errors as in the two below."""
        from imdbclf.folders.run import checkpoint_in  # noqa: PLC0415
        from imdbclf.inference.pretrained import is_pretrained  # noqa: PLC0415

        if is_pretrained(path):
            return cls.from_pretrained(path)
        return cls.from_checkpoint(checkpoint_in(path))

    @classmethod
    def from_pretrained(cls, name: str | PathLike[str]) -> Predictor:
        """Load a folder that `imdbclf export --to hub` wrote, or a model of the Hub by its id; torch is not needed.

        Errors as in `read_pretrained` and `downloaded`.
        """
        from imdbclf.inference.pretrained import downloaded, read_pretrained  # noqa: PLC0415

        return cls(read_pretrained(Path(name) if Path(name).is_dir() else downloaded(str(name))))

    @classmethod
    def from_checkpoint(cls, path: str | PathLike[str]) -> Predictor:
        """Load a checkpoint that a run wrote; errors as in `read_checkpoint`."""
        from imdbclf.checkpoint import read_checkpoint  # noqa: PLC0415 - see above

        return cls(read_checkpoint(Path(path)))

    def warm_up(self) -> None:
        """Import Arrow and tell it the vocabulary now; then less than `FEW` texts are faster in bulk, too."""
        self._is_warm = True
        self.predict([""] * (FEW_WHEN_WARM + 1))

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text; a text without known words has the prediction of an empty row.

        Raises:
            TypeError: if `texts` is not a sequence of texts; what is no text is named by its position.
        """
        texts = _texts(texts)
        few = FEW_WHEN_WARM // self.checkpoint.vectorizer.vocabulary.order if self._is_warm else FEW
        if len(texts) <= few:
            return [self._predict_one(text) for text in texts]
        found: list[Prediction] = []
        for start in range(0, len(texts), AT_ONCE):
            rows = self.checkpoint.vectorizer.rows_of(texts[start : start + AT_ONCE])
            logits = np.mean([member.logits(rows) for member in self._members], axis=0)
            probabilities = calibrated_array(logits, self.checkpoint.temperature).astype(np.float32)
            found.extend(map(self._prediction, probabilities.tolist(), _known_words(rows)))
        return found

    def probabilities(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """The probability of being positive for each of n texts, float32 (n,); errors as in `predict`."""
        return np.array([prediction.probability for prediction in self.predict(texts)], dtype=np.float32)

    @property
    def classes_(self) -> npt.NDArray[np.str_]:
        """The names of the two labels, str (2,), in the order of the columns of `predict_proba`."""
        return np.array(self.checkpoint.label_names, dtype=np.str_)

    def predict_proba(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """The probability of each of `classes_` for each of n texts, float32 (n, 2); errors as in `predict`."""
        positive = self.probabilities(texts)
        return np.stack([1 - positive, positive], axis=1)

    def explain(self, texts: Iterable[str]) -> list[Explanation]:
        """What the words of each text do to its probability, exactly; errors as in `predict`."""
        return [self._explainer.explain(text) for text in _texts(texts)]

    @cached_property
    def _explainer(self) -> Explainer:
        from imdbclf.inference.explain import Explainer  # noqa: PLC0415 - predictions do not need it

        return Explainer(self.checkpoint)

    def _predict_one(self, text: str) -> Prediction:
        columns, values = self.checkpoint.vectorizer.row_of(text)
        has_unknown = len(columns) > 0 and columns[0] == UNKNOWN
        logit = sum(member.logit(columns, values) for member in self._members) / len(self._members)
        probability = calibrated_one(logit, self.checkpoint.temperature)
        return self._prediction(probability, len(columns) - int(has_unknown))

    def _prediction(self, probability: float, known_words: int) -> Prediction:
        return Prediction(
            self.checkpoint.label_names[probability > self.checkpoint.threshold], probability, known_words
        )


def _texts(texts: Iterable[str]) -> list[str]:
    # A table iterates over the names of its columns, a dictionary over its keys, a text over its letters.
    if isinstance(texts, str | bytes | Mapping) or hasattr(texts, "columns") or not isinstance(texts, Iterable):
        raise TypeError(f"texts is a {type(texts).__name__}; give a list of texts, such as [text] or table['text']")
    listed = list(texts)
    for position, text in enumerate(listed):
        if not isinstance(text, str):
            shown = f"{type(text).__name__} ({text!r:.40})"
            raise TypeError(f"texts[{position}] is a {shown}; give a str, such as '' for a missing text")
    return listed


def _known_words(rows: MultiHotMatrix) -> list[int]:
    """How many different words of the vocabulary each row has: all its ones but that of unknown words."""
    counts: list[int] = np.diff(offsets_of(rows.columns != UNKNOWN)[rows.offsets]).tolist()
    return counts
