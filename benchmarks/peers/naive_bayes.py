"""Raw texts to test accuracy by multinomial naive Bayes on counts of n-grams, everything at scikit-learn's defaults."""

from __future__ import annotations

import sys

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from benchmarks.peers.texts import both_parts, leave


def main(data: str, result: str, longest: str) -> None:
    """Count n-grams of up to `longest` words, fit, test."""
    (texts, labels), (test_texts, test_labels) = both_parts(data)
    terms = CountVectorizer(ngram_range=(1, int(longest)))
    fitted = MultinomialNB().fit(terms.fit_transform(texts), labels)
    leave(result, fitted.score(terms.transform(test_texts), test_labels), parameters=2 * len(terms.vocabulary_))


if __name__ == "__main__":
    main(*sys.argv[1:])
