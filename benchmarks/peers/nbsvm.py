"""Raw texts to test accuracy by NB-SVM (Wang & Manning 2012): a linear SVM on log-count ratios, near naive Bayes.

The paper's values: ones where a review has a term, smoothing 1, C = 1, and a quarter of the SVM beside three quarters
of naive Bayes, whose weights all have the mean size of the SVM's. Punctuation counts as words, as in the scripts of
those who repeated it (Mesnil et al. 2015); scikit-learn would leave it out, and words of one letter.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC

from benchmarks.peers.texts import both_parts, leave, spaced

SMOOTHING = 1.0
INTERPOLATION = 0.25


def main(data: str, result: str, longest: str) -> None:
    """Weight n-grams of up to `longest` words, fit, interpolate, test."""
    (texts, labels), (test_texts, test_labels) = both_parts(data)
    terms = CountVectorizer(
        ngram_range=(1, int(longest)), binary=True, preprocessor=spaced, tokenizer=str.split, token_pattern=None
    )
    ones = terms.fit_transform(texts).astype(np.float64)
    positive, negative = (SMOOTHING + np.asarray(ones[labels == label].sum(axis=0)).ravel() for label in (1, 0))
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    # The order in which the SVM visits reviews is drawn; a fixed one gives the same figures each time.
    svm = LinearSVC(C=1.0, random_state=0).fit(ones.multiply(ratios).tocsr(), labels)
    weights = svm.coef_.ravel()
    weights = (1 - INTERPOLATION) * np.abs(weights).mean() + INTERPOLATION * weights
    # Both labels are equally frequent, so that naive Bayes has no intercept to be mixed in.
    intercept = INTERPOLATION * svm.intercept_[0]
    said = terms.transform(test_texts) @ (ratios * weights) + intercept > 0
    leave(result, (said == test_labels).mean(), parameters=len(weights) + 1, iterations=int(svm.n_iter_))


if __name__ == "__main__":
    main(*sys.argv[1:])
