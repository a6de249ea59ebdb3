"""Raw texts to test accuracy by logistic regression on n-grams: ones, or TF-IDF; scikit-learn's defaults."""

from __future__ import annotations

import sys

from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.peers.texts import both_parts, leave


def main(data: str, result: str, rows: str, longest: str) -> None:
    """Encode n-grams of up to `longest` words as `rows` says (`ones` or `tfidf`), fit, test."""
    (texts, labels), (test_texts, test_labels) = both_parts(data)
    ngrams = (1, int(longest))
    ones = rows == "ones"
    terms = CountVectorizer(ngram_range=ngrams, binary=True) if ones else TfidfVectorizer(ngram_range=ngrams)
    fitted = LogisticRegression().fit(terms.fit_transform(texts), labels)
    accuracy = fitted.score(terms.transform(test_texts), test_labels)
    leave(result, accuracy, parameters=fitted.coef_.size + 1, iterations=int(fitted.n_iter_[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
