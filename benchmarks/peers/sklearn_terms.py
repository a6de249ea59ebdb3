"""Raw texts to test accuracy by scikit-learn's linear models on n-grams, and the encoding alone.

NB-SVM (Wang & Manning 2012) is a linear SVM on log-count ratios, near naive Bayes, with the paper's values: ones where
a review has a term, smoothing 1, C = 1, and a quarter of the SVM beside three quarters of naive Bayes, whose weights
all have the mean size of the SVM's. Punctuation counts as words, as in the scripts of those who repeated it (Mesnil et
al. 2015); scikit-learn would leave it out, and words of one letter. Everything else is at scikit-learn's defaults.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from benchmarks.reviews import both_parts, leave, read_part, run, spaced

SMOOTHING = 1.0
INTERPOLATION = 0.25


def naive_bayes(data: str, result: str, longest: str) -> None:
    """Count n-grams of up to `longest` words, fit, test."""
    from sklearn.naive_bayes import MultinomialNB  # noqa: PLC0415 - each process imports its own model alone

    (texts, labels), (test_texts, test_labels) = both_parts(data)
    terms = CountVectorizer(ngram_range=(1, int(longest)))
    fitted = MultinomialNB().fit(terms.fit_transform(texts), labels)
    accuracy = float(fitted.score(terms.transform(test_texts), test_labels))
    leave(result, test_accuracy=accuracy, parameters=2 * len(terms.vocabulary_))


def logistic_regression(data: str, result: str, rows: str, longest: str) -> None:
    """Encode n-grams of up to `longest` words as `rows` says (`ones` or `tfidf`), fit, test."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    (texts, labels), (test_texts, test_labels) = both_parts(data)
    ngrams = (1, int(longest))
    terms = TfidfVectorizer(ngram_range=ngrams) if rows == "tfidf" else CountVectorizer(ngram_range=ngrams, binary=True)
    fitted = LogisticRegression().fit(terms.fit_transform(texts), labels)
    accuracy = float(fitted.score(terms.transform(test_texts), test_labels))
    leave(result, test_accuracy=accuracy, parameters=fitted.coef_.size + 1, iterations=int(fitted.n_iter_[0]))


def nbsvm(data: str, result: str, longest: str) -> None:
    """Weight n-grams of up to `longest` words, fit, interpolate, test."""
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    (texts, labels), (test_texts, test_labels) = both_parts(data)
    terms = CountVectorizer(
        ngram_range=(1, int(longest)), binary=True, preprocessor=spaced, tokenizer=str.split, token_pattern=None
    )
    ones = terms.fit_transform(texts).astype(np.float64)
    positive, negative = (SMOOTHING + np.asarray(ones[labels == label].sum(axis=0)).ravel() for label in (1, 0))
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    # The SVM visits reviews in a random order; a fixed seed gives the same metrics each time.
    svm = LinearSVC(C=1.0, random_state=0).fit(ones.multiply(ratios).tocsr(), labels)
    weights = svm.coef_.ravel()
    weights = (1 - INTERPOLATION) * np.abs(weights).mean() + INTERPOLATION * weights
    # Both labels are equally frequent, so naive Bayes has no intercept to mix in.
    intercept = INTERPOLATION * svm.intercept_[0]
    said = terms.transform(test_texts) @ (ratios * weights) + intercept > 0
    accuracy = float((said == test_labels).mean())
    leave(result, test_accuracy=accuracy, parameters=len(weights) + 1, iterations=int(svm.n_iter_))


def encode(data: str, result: str, longest: str) -> None:
    """Time training texts in memory to rows of n-grams, once: the peak memory is that of one encoding."""
    texts = read_part(data, "train")["text"].to_pylist()
    started = time.perf_counter()
    matrix = CountVectorizer(ngram_range=(1, int(longest)), binary=True).fit_transform(texts)
    seconds = time.perf_counter() - started
    leave(result, seconds=seconds, ones=int(matrix.nnz), columns=int(matrix.shape[1]))


if __name__ == "__main__":
    run(naive_bayes, logistic_regression, nbsvm, encode)
