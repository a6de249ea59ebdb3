"""`make exports`: size, differences and speed of each exported format, into benchmarks/exports.json.

The formats are compared with the checkpoint on all test reviews and on drawn Unicode. Rates are texts for each second
of processor time on one thread, which other work on the machine changes little; all take turns, medians are kept.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.command import (
    MEASURED,
    PEERS_PYTHON,
    ROOT,
    ending_in_one_line,
    parser_of_two_runs,
    read_json,
    reviews_folder,
    say,
)
from benchmarks.exported_page import CHROMIUM, NODE, PHONE, in_browser, in_node
from benchmarks.machine import machine, our_versions, peer_versions, today
from benchmarks.reviews import read_part
from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.errors import UserError
from imdbclf.export import onnx
from imdbclf.export.export import format_of, size_of
from imdbclf.export.texts import drawn_texts
from imdbclf.folders.run import checkpoint_in
from imdbclf.inference.predictor import Predictor
from imdbclf.storage import write_json

EXPORTS = {
    "ONNX": ("onnx", "model.onnx", False),
    "ONNX, 16 bits": ("onnx", "half.onnx", True),
    "folder for the Hub": ("hub", "model", False),
    "PyTorch": ("torch", "model.pt2", False),
    "page, 16 bits": ("web", "page.html", True),
    "page, 32 bits": ("web", "full.html", False),
}
DRAWN, STRANGE = 2_000, 0.5
"""Texts that are drawn, and the share of any Unicode between their words."""

STEP = 50
"""Rates are of every fiftieth test review."""

Rate = Callable[[], float]


def files_of(checkpoint: Checkpoint, folder: Path, reviews: Sequence[str]) -> dict[str, dict[str, float]]:
    """For each format: bytes, seconds of writing, and differences from the checkpoint."""
    drawn = drawn_texts(checkpoint.vectorizer.vocabulary, DRAWN, STRANGE)
    texts, found = [*reviews, *drawn], {}
    expected = Predictor(checkpoint).probabilities(texts)
    for title, (to, name, half) in EXPORTS.items():
        path, written = folder / name, format_of(to)
        started = time.perf_counter()
        written.write(checkpoint, path, half=half)
        seconds = time.perf_counter() - started
        said = written.probabilities(path, texts)
        differences = np.abs(said - expected)
        found[title] = {
            "bytes": size_of(path),
            "seconds": round(seconds, 2),
            "difference": float(differences[: len(reviews)].max()),
            "difference_drawn": float(differences[len(reviews) :].max()),
            "other_labels": int(np.count_nonzero((said > checkpoint.threshold) != (expected > checkpoint.threshold))),
        }
        say(f"{title}: {found[title]}")
    return found


def rates_of(folder: Path, texts: Sequence[str]) -> dict[str, Rate]:
    """What measures each of the exports once."""
    session, predictor = onnx.session_of(folder / "model.onnx"), Predictor.load(folder / "model")
    return {
        "ONNX": partial(_rate, partial(onnx.classified, session), texts),
        "folder for the Hub, NumPy": partial(_rate, predictor.probabilities, texts),
        "page, Node": lambda: len(texts) / in_node(folder / "page.html", texts, folder)["seconds"],
    }


def _rate(classify: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    started = time.process_time()
    classify(texts)
    return len(texts) / (time.process_time() - started)


def peer_of(folder: Path) -> Rate:
    """What measures scikit-learn's bag of words with logistic regression once."""
    model, result = folder / "sklearn", folder / "rate.json"
    script = [str(PEERS_PYTHON), "-m", "benchmarks.peers.sklearn_words"]
    subprocess.run([*script, "fit", str(reviews_folder()), str(model), "25000"], check=True, cwd=ROOT)

    def rate() -> float:
        arguments = ["rate", str(reviews_folder()), str(model), str(result), str(STEP)]
        subprocess.run([*script, *arguments], check=True, cwd=ROOT)
        return float(read_json(result)["rate"])

    return rate


def opened(page: Path, folder: Path, repeat: int) -> dict[str, float]:
    """Seconds from a page's address to its first answer, in Chromium and in Chromium as a phone; medians."""
    found: dict[str, list[float]] = {"desktop": [], "phone": []}
    for number in range(repeat):
        for name, device in (("desktop", {}), ("phone", PHONE)):
            done = asyncio.run(in_browser(page, folder / f"{name}-{number}", device=device))
            found[name].append(done.seconds)
    return {name: round(median(seconds), 2) for name, seconds in found.items()}


def measure(runs: dict[str, Path], repeat: int) -> dict[str, Any]:
    """All that is measured, by the name of the run and of the export."""
    reviews = read_part(reviews_folder(), "test")["text"].to_pylist()
    with tempfile.TemporaryDirectory() as name:
        place, files, pages = Path(name), {}, {}
        rates: dict[tuple[str, str], Rate] = {}
        for run, path in runs.items():
            folder = place / run
            folder.mkdir()
            files[run] = files_of(read_checkpoint(checkpoint_in(path)), folder, reviews)
            rates |= {(run, what): rate for what, rate in rates_of(folder, reviews[::STEP]).items()}
            pages[run] = opened(folder / "page.html", folder, repeat)
        rates["scikit-learn", ""] = peer_of(place)
        rounds = [{key: rate() for key, rate in rates.items()} for _ in range(repeat)]
    medians = {key: round(median(one[key] for one in rounds), 1) for key in rates}
    return {
        "date": today(),
        "machine": machine(),
        "versions": our_versions() | {"scikit-learn": peer_versions(PEERS_PYTHON)["scikit-learn"]},
        "reviews": len(reviews),
        "drawn": DRAWN,
        "timed": len(reviews[::STEP]),
        "repeat": repeat,
        "files": files,
        "rates": {run: {what: rate for (of, what), rate in medians.items() if of == run} for run in runs},
        "peer": medians["scikit-learn", ""],
        "ready": pages,
    }


@ending_in_one_line
def main() -> None:
    """Measure and write."""
    parser = parser_of_two_runs("exports", __doc__, repeat=5)
    given = parser.parse_args()
    if NODE is None or CHROMIUM is None:
        raise UserError("node, chromium: both are needed; on Debian: apt install nodejs chromium")
    torch.set_num_threads(1)
    write_json(MEASURED / "exports.json", measure({"lecture": given.lecture, "strong": given.strong}, given.repeat))


if __name__ == "__main__":
    main()
