"""`make course`: run the commands of docs/lecture/ whose pictures it shows, and keep the pictures there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from benchmarks.command import ROOT, ending_in_one_line, reviews_folder, say
from imdbclf.reports.figure import new_figure, save, styled
from imdbclf.storage import atomic_write

PICTURES = ROOT / "docs" / "lecture"
RUNS = ROOT / "dist" / "course"
COMMANDS = (
    ("data", "--picture", str(RUNS / "data.png")),
    ("train", f"hydra.run.dir={RUNS}/lecture"),
    ("train", "-m", "sweep=overfitting", f"hydra.sweep.dir={RUNS}/overfitting"),
)
KEPT = {"data": "data", "reliability": "lecture/reliability", "overfitting": "overfitting/curves"}
"""The pictures of the pages, by those of the commands."""


@styled
def functions() -> Figure:
    """Activations, and the losses of a positive review by its logit."""
    figure, ((left, right),) = new_figure(7, 3.2, 1, 2)
    x = torch.linspace(-8, 8, 400)
    for values, name, form in ((x.relu(), "relu", "-"), (x.tanh(), "tanh", "--"), (x.sigmoid(), "sigmoid", ":")):
        left.plot(x, values, form, label=name)
    left.set(title="Activations", xlabel="Input", ylabel="Output", ylim=(-1.2, 4), xlim=(-8, 8))
    right.plot(x, functional.softplus(-x), "-", label="Cross-entropy (bce)")
    right.plot(x, (1 - x.sigmoid()) ** 2, "--", label="Squared error (mse)")
    right.set(title="Loss of a positive review", xlabel="Logit", ylabel="Loss", xlim=(-8, 8), ylim=(0, 8))
    for panel in (left, right):
        panel.set_xticks(range(-8, 9, 4))
        panel.legend()
    return figure


@ending_in_one_line
def main() -> None:
    """Run the commands and keep the pictures."""
    reviews_folder()
    shutil.rmtree(RUNS, ignore_errors=True)
    RUNS.mkdir(parents=True)
    for command in COMMANDS:
        subprocess.run([Path(sys.executable).with_name("imdbclf"), *command], check=True, cwd=ROOT)
    for name, source in KEPT.items():
        with atomic_write(PICTURES / f"{name}.png") as aside:
            shutil.copyfile(RUNS / f"{source}.png", aside)
    save(functions(), PICTURES / "functions.png")
    say(f"Written: {PICTURES}")


if __name__ == "__main__":
    main()
