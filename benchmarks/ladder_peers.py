"""Who stands beside the ladder: other libraries on the same texts, and figures that papers give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A peer: its name, what it is, its module of `benchmarks.peers`, that one's arguments, and how often it is run.

    `seeds` is 0 for what gives the same each time. `starts_at` is what it is given, `texts` or `numbers` of words.
    """

    name: str
    what: str
    module: str
    arguments: tuple[str, ...] = ()
    seeds: int = 0
    starts_at: str = "texts"


PEERS = (
    Peer("naive Bayes, words", "MultinomialNB, counts of words", "naive_bayes", ("1",)),
    Peer("naive Bayes, 1–3-grams", "MultinomialNB, counts of up to triples", "naive_bayes", ("3",)),
    Peer("NB-SVM, 1–2-grams", "log-count ratios, LinearSVC, interpolation .25", "nbsvm", ("2",)),
    Peer("NB-SVM, 1–3-grams", "the same with triples", "nbsvm", ("3",)),
    Peer("logistic regression, 1–3-grams", "CountVectorizer(binary=True)", "logistic_regression", ("ones", "3")),
    Peer("logistic regression, TF-IDF", "TfidfVectorizer, words and pairs", "logistic_regression", ("tfidf", "2")),
    Peer("fastText, words", "supervised, 100 dimensions, 5 epochs", "fasttext_texts", ("1",), seeds=3),
    Peer("fastText, 1–2-grams", "the same with pairs", "fasttext_texts", ("2",), seeds=3),
    Peer("the lecture in Keras", "four epochs on all reviews", "keras_lecture_final", seeds=3, starts_at="numbers"),
)


@dataclass(frozen=True)
class Published:
    """A figure that a paper gives for the same 25,000 test reviews; nobody ran it here."""

    name: str
    accuracy: float
    source: str


PUBLISHED = (
    Published(
        "NB-SVM, 1–2-grams",
        0.9122,
        "Wang & Manning 2012, [Baselines and Bigrams](https://aclanthology.org/P12-2018/)",
    ),
    Published(
        "NB-SVM, 1–3-grams",
        0.9187,
        "Mesnil et al. 2015, [Ensemble of Generative and Discriminative Techniques](https://arxiv.org/abs/1412.5335)",
    ),
    Published(
        "seq2-bown-CNN",
        0.9233,
        "Johnson & Zhang 2015, [Effective Use of Word Order](https://aclanthology.org/N15-1011/)",
    ),
)
