"""The bag of words as scikit-learn makes it, with Keras' rule of what a word is."""

from __future__ import annotations

import re

from sklearn.feature_extraction.text import CountVectorizer

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n '

COLUMNS = 9_999
"""Columns for words; scikit-learn has none for unknown ones."""


def vectorizer() -> CountVectorizer:
    """A vectorizer for the most frequent words.

    Not `binary=True`: it would choose words by the number of reviews they occur in rather than by how often they
    occur, and so other words. Setting the counts to one afterwards takes milliseconds.
    """
    return CountVectorizer(token_pattern=f"[^{re.escape(_FILTERS)}]+", max_features=COLUMNS)
