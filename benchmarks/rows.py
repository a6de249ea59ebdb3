"""The rows: what is compared, what it must reach, and why the comparison is fair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.judging import Target
from imdbclf.errors import UserError, nearest

SCALING = "scaling"
"""The row of the growing corpus, which is measured and judged in a way of its own."""


@dataclass(frozen=True)
class Row:
    """Two runs and a quantity of each, named as in `benchmarks.runs`.

    `sides` says what stands in the columns ours and peer, `fair` how both are run and why that is fair.
    """

    what: str
    ours: tuple[str, str]
    peer: tuple[str, str]
    unit: str
    target: Target
    sides: tuple[str, str]
    fair: str

    @property
    def runs(self) -> tuple[str, str]:
        """The two runs."""
        return self.ours[0], self.peer[0]


_KERAS = (
    "Keras runs the lecture's script (`benchmarks/peers/keras_lecture.py`) in a process of its own: word numbers from "
    "an `.npz`, as `imdb.load_data` reads its download, multi-hot rows, fit with validation and the checkpoints of the "
    "best and of the last epoch, test on the best, picture, predictions. Its rows are float32 instead of the lecture's "
    "float64, which is in its favour."
)

_SWEEP = (
    "From start to exit of `imdbclf train -m sweep=lecture`: imports, every job's composition, fit, test, picture, "
    "predictions, and the report on all 36; the reviews are encoded before, the sweep's folder is new each time. "
)

_KERAS_SWEEP = (
    "Keras' 36 fits are a projection: one process (`benchmarks/peers/keras_sweep.py`) does the lecture's fit twice, "
    "with fresh networks, validation, both checkpoints and progress, and counts the first plus 35 times the second, "
    "which finds its libraries warm. All 36 are taken to be of the lecture's size, 16-16, while ours go up to "
    "64-64-64; and nothing but `fit` is counted, neither imports nor data, test, pictures or comparison. All of that "
    "is in Keras' favour."
)

ROWS: dict[str, Row] = {
    "lecture_fit": Row(
        "fit: 20 epochs with validation, history, two checkpoints, live progress",
        ("lecture", "fit_seconds"),
        ("keras", "fit_seconds"),
        "s",
        Target("times_less", 8, 13),
        ("imdbclf train", "Keras fit"),
        f"{_KERAS} Both run on a pseudo-terminal, so that both really draw their progress, and both times are those of "
        "the first and only fit of a process, imports and preparation left out.",
    ),
    "lecture_fit_gpu": Row(
        "the same fit on a GPU",
        ("lecture_gpu", "fit_seconds"),
        ("keras", "fit_seconds"),
        "s",
        Target("beside"),
        ("imdbclf train", "Keras fit"),
        "As lecture_fit with `trainer.accelerator=gpu`; Keras runs on whatever device its TensorFlow finds.",
    ),
    "plain_loop": Row(
        "the same fit beside a plain torch loop without any features",
        ("lecture", "fit_seconds"),
        ("plain_loop", "fit_seconds"),
        "s",
        Target("times_as_much", 1.9, 1.4),
        ("imdbclf train", "plain torch loop"),
        "The loop (`benchmarks/ours/plain_loop.py`) has the package's network, optimizer and batches, so that its "
        "arithmetic is the same; it has validation and epoch means, and nothing else: no Lightning, no checkpoints, no "
        "progress. What it takes less is what the features cost.",
    ),
    "command_cached": Row(
        "whole command, reviews encoded before",
        ("lecture", "seconds"),
        ("keras", "seconds"),
        "s",
        Target("times_less", 3, 5),
        ("imdbclf train", "Keras script"),
        "From start to exit, imports included. Ours finds its cache filled, Keras its words numbered.",
    ),
    "command_first": Row(
        "whole command, nothing cached",
        ("lecture_first", "seconds"),
        ("keras", "seconds"),
        "s",
        Target("times_less", 2, 4),
        ("imdbclf train", "Keras script"),
        "Ours starts from texts, with empty caches of its own and of the Hub's library each time; Keras gets its words "
        "numbered beforehand all the same, which is strict against us.",
    ),
    "command_memory": Row(
        "peak memory of the whole command",
        ("lecture", "peak_mb"),
        ("keras", "peak_mb"),
        "MB",
        Target("times_less", 6, 8),
        ("imdbclf train", "Keras script"),
        "The largest resident memory (`ru_maxrss`) of the processes of command_cached.",
    ),
    "encode": Row(
        "25,000 texts to vocabulary and multi-hot matrix",
        ("encode", "seconds"),
        ("sklearn_encode", "seconds"),
        "s",
        Target("times_less", 3, 5),
        ("imdbclf", "CountVectorizer"),
        "Texts in memory on both sides: an Arrow table here, a list of `str` there. `CountVectorizer` gets a "
        "`token_pattern` that gives the same words and its counts are set to one; that both find the same words "
        "(up to ties of the rarest) and the same number of ones is checked in every repetition. Ours also hashes "
        "every review for the split. Each process does it three times and its median counts.",
    ),
    "predict_many": Row(
        "25,000 raw texts to probabilities",
        ("predict", "many_seconds"),
        ("sklearn_predict", "many_seconds"),
        "s",
        Target("times_less", 5, 8),
        ("Predictor", "CountVectorizer + LogisticRegression"),
        "Both models are fitted and loaded beforehand, and all texts are in memory as `str`. Each process does it "
        "three times and its median counts. Logistic regression has less to compute than the network.",
    ),
    "predict_one": Row(
        "one raw text to its probability",
        ("predict", "one_milliseconds"),
        ("sklearn_predict", "one_milliseconds"),
        "ms",
        Target("times_less", 3, 5),
        ("Predictor", "CountVectorizer + LogisticRegression"),
        "As predict_many, one text a call: each of 500 test texts once, and the median of these counts.",
    ),
    "help": Row(
        "`imdbclf --help`",
        ("help", "seconds"),
        ("python", "seconds"),
        "s",
        Target("seconds_more", 0.3, 0.15),
        ("imdbclf", "python -c pass"),
        "From start to exit; three times a repetition.",
    ),
    "completion": Row(
        "completing `imdbclf tr` in the shell",
        ("completion", "seconds"),
        ("python", "seconds"),
        "s",
        Target("seconds_more", 0.3, 0.15),
        ("imdbclf", "python -c pass"),
        "From start to exit; three times a repetition.",
    ),
    "predict_command": Row(
        "`imdbclf predict CKPT TEXT`",
        ("predict_command", "seconds"),
        ("import_torch", "seconds"),
        "s",
        Target("times_as_much", 1.3, 1.1),
        ("imdbclf", "import torch"),
        'From start to exit, beside `python -c "import torch"`, which is nearly all that somebody waits for who asks a '
        "torch network in a process of its own; three times a repetition.",
    ),
    "fasttext_fit": Row(
        "fit: 20 epochs beside fastText",
        ("lecture", "fit_seconds"),
        ("fasttext", "fit_seconds"),
        "s",
        Target("beside"),
        ("imdbclf train", "fastText"),
        "fastText's linear model of 16 dimensions on 15,000 training reviews and every core, reading its file "
        "included; no validation, no checkpoints. It is another, smaller model: reported beside, without a bound.",
    ),
    "sweep_one_process": Row(
        "the lecture's 36 networks, one after the other, with a report",
        ("sweep", "seconds"),
        ("keras_sweep", "sweep_seconds"),
        "s",
        Target("times_less", 6, 9),
        ("imdbclf train -m", "36 Keras fits, projected"),
        f"{_SWEEP}{_KERAS_SWEEP}",
    ),
    "sweep_two_processes": Row(
        "the same in two processes",
        ("sweep_processes", "seconds"),
        ("keras_sweep", "sweep_seconds"),
        "s",
        Target("times_less", 8, 12),
        ("imdbclf train -m, 2 processes", "36 Keras fits, projected"),
        "As sweep_one_process with `hydra/launcher=processes`; two processes are what two cores have room for. Keras "
        "stays one process: its fit takes both cores already.",
    ),
    "sweep_overhead": Row(
        "what a sweep takes besides its fits",
        ("sweep", "besides_seconds"),
        ("sweep", "fits_seconds"),
        "s",
        Target("share", 0.4, 0.2),
        ("everything else", "36 fits"),
        "Of the runs of sweep_one_process: the sum of the jobs' own `fit_seconds` (`metrics.json`), and what the whole "
        "command takes beyond it: imports, composition, folders, pictures, evaluation, predictions, report.",
    ),
}


def chosen_rows(only: Sequence[str], *, gpu: bool) -> list[str]:
    """The names of the rows that are meant: all, or those that begin with a word of `only`.

    Raises:
        UserError: for a word that no row begins with.
    """
    names = [name for name in (*ROWS, SCALING) if name != "lecture_fit_gpu"]
    for word in only:
        if not any(_means(word, name) for name in names):
            msg = f"--only {word}: there is no such row{nearest(word, names)} (rows: {', '.join(names)})"
            raise UserError(msg)
    found = [name for name in names if not only or any(_means(word, name) for word in only)]
    return ["lecture_fit_gpu" if gpu and name == "lecture_fit" else name for name in found]


def _means(word: str, name: str) -> bool:
    return name == word or name.startswith(f"{word}_")
