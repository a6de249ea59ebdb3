"""From the corpus to multi-hot rows: split, vocabulary, vectorizing. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import LoadedCorpus, cache_folder
from imdbclf.data.corpus import Corpus
from imdbclf.data.load_corpus import load_corpus
from imdbclf.data.multihot import MultiHotMatrix, gathered
from imdbclf.data.selection import PseudoLabelled, learn_vocabulary
from imdbclf.data.sources.base import UNLABELLED
from imdbclf.data.split import Rows, fitting_size, split_reviews, split_test
from imdbclf.data.term_weights import Labels, learn_term_weights, naive_bayes
from imdbclf.data.vectorize import Vectorizer
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings

if TYPE_CHECKING:
    from imdbclf.data.batches import KeptBatches


@dataclass(frozen=True)
class PreparedReviews:
    """A corpus, and the parts made from it: `train`, `val` and optionally `test` and `unlabelled`.

    Each part has a matrix and labels, int8 (n,); labels of unlabelled reviews are -1. Reviews with pseudo-labels are in
    the training part, whose labels are then float32 probabilities. `keep` is the memory, in bytes, for batches that are
    kept for other jobs of a sweep.
    """

    loaded: LoadedCorpus
    vectorizer: Vectorizer
    matrices: dict[str, MultiHotMatrix]
    labels: dict[str, Labels]
    keep: int = 0

    @cached_property
    def kept(self) -> KeptBatches | None:
        """The batches that were made and kept."""
        from imdbclf.data.batches import KeptBatches  # noqa: PLC0415 - needs torch, which reading does without

        return KeptBatches(self.keep) if self.keep else None

    @cached_property
    def naive_bayes(self) -> dict[str, float]:
        """The accuracy of naive Bayes on the other labelled parts: what a network has to beat."""
        train = self.matrices["train"], self.labels["train"]
        labelled = {part: labels for part, labels in self.labels.items() if part != "train" and (labels >= 0).all()}
        return {
            part: float(np.mean(naive_bayes(*train, self.matrices[part]) == (labels == 1)))
            for part, labels in labelled.items()
            if len(labels)
        }


def load_reviews(settings: DataSettings, seed: int, features: FeatureSettings = LECTURE.features) -> PreparedReviews:
    """All steps before the network, and their errors: open the source, load or encode its reviews, split, vectorize."""
    loaded = load_corpus(settings, sentence_ends=features.sentence_ends)
    return prepare_reviews(loaded, settings, features, seed)


def prepare_reviews(
    loaded: LoadedCorpus,
    settings: DataSettings,
    features: FeatureSettings,
    seed: int,
    pseudo_labels: npt.NDArray[np.float32] | None = None,
) -> PreparedReviews:
    """Split off the validation part, learn the columns from the rest, vectorize every part.

    `pseudo_labels` are the probabilities of being positive of the unlabelled reviews; these become training reviews. A
    matrix that is too large for the memory lies in the cache folder.

    Raises:
        UserError: if there is no training part, if the validation part would leave no training reviews, or if there
            are fewer n-grams than columns.
    """
    if "train" not in loaded.corpus.parts:
        raise UserError(f"{loaded.source.description}: there is no training part")
    loaded = with_test_part(loaded, settings)
    corpus, disk = loaded.corpus, cache_folder(settings.cache_dir)
    if (size := fitting_size(settings, n := len(corpus.parts["train"]))) != settings.val_size:
        why = f"data.val_size={settings.val_size} is more than half of the {n:,} training reviews; it is {size} here"
        loaded = replace(loaded, notes=(*loaded.notes, why))
    rows, val_rows = split_reviews(corpus.parts["train"], settings, seed)
    more = None if pseudo_labels is None else PseudoLabelled(corpus.parts[UNLABELLED], pseudo_labels)
    vectorizer, matrix, labels = _learn(corpus, features, rows, more, disk)
    prepared = PreparedReviews(loaded, vectorizer, {"train": matrix}, {"train": labels})
    others = {"val": ("train", val_rows), "test": ("test", None)}
    if more is None:
        others[UNLABELLED] = (UNLABELLED, None)
    for name, (part, part_rows) in others.items():
        if part in corpus.parts:
            reviews = corpus.parts[part]
            prepared.matrices[name] = vectorizer.encode(corpus, reviews, part_rows, disk)
            prepared.labels[name] = reviews.labels if part_rows is None else reviews.labels[part_rows]
    return prepared


def with_test_part(loaded: LoadedCorpus, settings: DataSettings) -> LoadedCorpus:
    """The corpus with the test part that `data.test_size` splits off the training part.

    Raises:
        UserError: if the source has a test part, or the size does not fit.
    """
    parts = loaded.corpus.parts
    if not settings.test_size:
        return loaded
    if "test" in parts:
        msg = f"data.test_size={settings.test_size}: must be 0; {loaded.source.description}: there is a test part"
        raise UserError(msg)
    rows, test_rows = split_test(parts["train"], settings)
    split = {"train": parts["train"].taken(rows), "test": parts["train"].taken(test_rows)}
    return replace(loaded, corpus=replace(loaded.corpus, parts={**parts, **split}))


def _learn(
    corpus: Corpus, features: FeatureSettings, rows: Rows, more: PseudoLabelled | None, disk: Path
) -> tuple[Vectorizer, MultiHotMatrix, Labels]:
    """What the columns are and hold, from the training reviews alone, and the rows and labels of these."""
    train = corpus.parts["train"]
    terms = Vectorizer(learn_vocabulary(corpus, train, features, rows, more), sentence_ends=features.sentence_ends)
    matrix, labels = terms.encode(corpus, train, rows, disk), train.labels[rows]
    if more is not None:
        both = matrix, terms.encode(corpus, more.reviews, None, disk)
        matrix = gathered(((np.diff(each.offsets), each.columns) for each in both), len(terms))
        labels = np.concatenate([labels.astype(np.float32), more.probabilities])
    learnt = replace(terms, term_weights=learn_term_weights(features, matrix, labels))
    return learnt, matrix.weighted(learnt.term_weights), labels
