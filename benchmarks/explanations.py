"""`make explanations`: the exact effects of words beside those of LIME and SHAP, into benchmarks/explanations.json.

LIME and SHAP ask the network itself about changed texts. So all three run in one process, of our environment; what
only the peers have is taken from theirs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import spearmanr

from benchmarks.behaviour import trained
from benchmarks.command import MEASURED, PEERS_PYTHON, ending_in_one_line, reviews_folder
from benchmarks.reviews import read_part
from imdbclf.data.tokenize import FILTERS, tokenize
from imdbclf.inference.predictor import Predictor
from imdbclf.storage import write_json

EXPERIMENTS = ("lecture_final", "strong")
REVIEWS, LIME_TEXTS, SHAP_TEXTS, STRONGEST = 15, 5000, (500, 5000), 5
"""Reviews; changed texts a review: the defaults of the two, and of SHAP as many as of LIME; words that are compared."""

Effects = dict[str, float]
Method = Callable[[str], Effects]


class _Counted:
    """The network as LIME and SHAP call it; counts the texts."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.texts = predictor, 0

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The probability of both classes, (n, 2)."""
        self.texts += len(texts)
        positive = self.predictor.probabilities(list(texts))
        return np.stack([1 - positive, positive], axis=1)


def methods(network: _Counted) -> dict[str, Method]:
    """What gives the effects of a text's words, by its name."""
    import shap  # noqa: PLC0415 - is in the peers' environment
    from lime.lime_text import LimeTextExplainer  # noqa: PLC0415

    between = f"[ {re.escape(FILTERS)}]+"
    lime = LimeTextExplainer(split_expression=between, random_state=0)
    shapley = shap.Explainer(network, shap.maskers.Text(between, " "), seed=0)

    def by_lime(text: str) -> Effects:
        count = len(set(tokenize(text)))
        return dict(lime.explain_instance(text, network, num_features=count, num_samples=LIME_TEXTS).as_list())

    def by_shap(count: int, text: str) -> Effects:
        found, effects = shapley([text], max_evals=count, silent=True), Effects()
        for token, value in zip(found.data[0], found.values[0][:, 1], strict=True):
            for word in tokenize(token):
                effects[word] = effects.get(word, 0.0) + float(value)
        return effects

    def exact(text: str) -> Effects:
        (found,) = network.predictor.explain([text])
        return {one.word: one.effect for one in found.words if tokenize(one.word)}

    return {
        "imdbclf explain": exact,
        f"LIME, {LIME_TEXTS:,} texts": by_lime,
        **{f"SHAP, {count:,} texts": partial(by_shap, count) for count in SHAP_TEXTS},
    }


def compare(predictor: Predictor, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Milliseconds a review, texts that the network classified, and what agrees with the exact effects."""
    network, found = _Counted(predictor), {}
    expected: list[Effects] = []
    for name, method in methods(network).items():
        method(texts[0])  # what is made once is made now
        network.texts, seconds, effects = 0, [], []
        for text in texts:
            started = time.perf_counter()
            effects.append(method(text))
            seconds.append(time.perf_counter() - started)
        expected = expected or effects
        agreement = [_agreement(*pair) for pair in zip(expected, effects, strict=True)]
        found[name] = {
            "milliseconds": 1000 * median(seconds),
            "texts": network.texts / len(texts),
            "rank_correlation": mean(one for one, _ in agreement),
            "strongest_shared": mean(one for _, one in agreement),
        }
    return found


def _agreement(exact: Effects, other: Effects) -> tuple[float, float]:
    """The rank correlation over the words that the network knows, and the share of the strongest that are the same."""
    words = list(exact)
    correlation = spearmanr([exact[word] for word in words], [other.get(word, 0.0) for word in words]).statistic
    ours, theirs = (
        set(sorted(words, key=lambda word, each=each: -abs(each.get(word, 0.0)))[:STRONGEST])  # type: ignore[misc]
        for each in (exact, other)
    )
    return float(correlation), len(ours & theirs) / STRONGEST


@ending_in_one_line
def main() -> None:
    """Train, compare and write; runs in a folder that is given are used, and kept."""
    reviews = reviews_folder()
    torch.set_num_threads(1)
    question = [str(PEERS_PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    sys.path.append(subprocess.run(question, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
    texts = read_part(str(reviews), "test")["text"]
    drawn = np.random.default_rng(0).choice(len(texts), REVIEWS, replace=False)
    # For LIME a capital letter makes another word.
    chosen = [text.lower() for text in texts.take(drawn.tolist()).to_pylist()]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(sys.argv[1] if len(sys.argv) > 1 else folder)
        found = {
            name: compare(Predictor.from_checkpoint(trained(name, place) / "checkpoints/best.ckpt"), chosen)
            for name in EXPERIMENTS
        }
    about = {"date": f"{datetime.now(tz=UTC):%Y-%m-%d}", "reviews": REVIEWS, "strongest": STRONGEST}
    versions = {name: version(name) for name in ("lime", "shap")}
    write_json(MEASURED / "explanations.json", {**about, "versions": versions, "networks": found})


if __name__ == "__main__":
    main()
