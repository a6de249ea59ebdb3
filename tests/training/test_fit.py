"""The fit of one network: what it starts from, which epochs it keeps, and what it can resume from."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_mutations import mutated
from commands import metrics_of, run

from imdbclf.checkpoint import load_plain
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.settings import DataSettings, FeatureSettings, ModelSettings, Settings, TrainerSettings
from imdbclf.training.fit import Fit
from training.helpers import equal, equal_weights, spoiled_after, weights_of

Capture = pytest.CaptureFixture[str]


def fitted(path: Path, settings: Settings, *, drawn_between: int) -> dict[str, torch.Tensor]:
    """The weights of a fit, with random numbers drawn between its preparation and its start."""
    fit = Fit(settings, RunFolder(path), quiet=True)
    torch.rand(drawn_between)
    fit.run(ReviewDataModule(settings.data, settings.seed, features=settings.features))
    return weights_of(path)


def test_a_network_depends_on_its_seed_and_not_on_what_was_drawn_or_fitted_before(
    here: Path, small_files: dict[str, Path]
) -> None:
    settings = Settings(
        experiment="fit",
        data=DataSettings(source="files", train=str(small_files["train"]), test=str(small_files["test"]), val_size=200),
        features=FeatureSettings(columns=300, dropout=0.2),
        model=ModelSettings(dropout=0.1),
        trainer=TrainerSettings(max_epochs=1),
    )
    first, second = (fitted(here / str(count), settings, drawn_between=count) for count in (1, 1_000))
    assert equal(first, second)
    other = fitted(here / "other", settings.model_copy(update={"seed": 1}), drawn_between=1)
    assert not torch.equal(first["network.first.weight"], other["network.first.weight"])


def test_the_order_of_reviews_in_their_file_changes_nothing(
    here: Path, small: list[str], small_files: dict[str, Path], finished_run: Path, capsys: Capture
) -> None:
    lines = small_files["train"].read_text(encoding="utf-8").splitlines(keepends=True)
    (here / "sorted.jsonl").write_text("".join(sorted(lines)), encoding="utf-8")
    run(capsys, "train", *small, "data.train=sorted.jsonl", "hydra.run.dir=run")
    assert equal_weights(here / "run", finished_run)


def test_the_dense_layout_gives_the_same_metrics_up_to_rounding(
    here: Path, small: list[str], finished_run: Path, capsys: Capture
) -> None:
    run(capsys, "train", *small, "data.layout=dense", "hydra.run.dir=dense")
    assert metrics_of(here / "dense")["val/loss"] == pytest.approx(metrics_of(finished_run)["val/loss"], rel=1e-4)


def test_checkpoints_are_the_best_and_the_last_epoch_although_validation_worsens(
    here: Path, small: list[str], capsys: Capture
) -> None:
    arguments = [*small, "trainer.max_epochs=12", "optimizer.lr=0.03", "hydra.run.dir=run"]
    assert run(capsys, "train", *arguments).status == 0
    best_epoch = metrics_of(here / "run")["best_epoch"]
    assert best_epoch < 12
    epochs = {
        name: torch.load(here / f"run/checkpoints/{name}.ckpt", weights_only=True)["epoch"] + 1
        for name in ("best", "last")
    }
    assert epochs == {"best": best_epoch, "last": 12}


def test_early_stopping_and_other_trainer_arguments_work(here: Path, small: list[str], capsys: Capture) -> None:
    more = ["callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=0.05"]
    arguments = [*more, "trainer.gradient_clip_algorithm=norm", "trainer.gradient_clip_val=1.0", "logger=csv"]
    result = run(capsys, "train", *small, *arguments, "trainer.max_epochs=30", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] < 30
    assert list((here / "run").rglob("csv/**/metrics.csv"))


def test_of_all_devices_one_is_used(here: Path, small: list[str], capsys: Capture) -> None:
    result = run(capsys, "train", *small, "trainer.devices=auto", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] == 1


def test_a_callback_that_cannot_be_made_is_named(here: Path) -> None:
    for target, reason in (
        ("no.such.Thing", "no.such.Thing"),
        ("lightning.pytorch.callbacks.EarlyStopping", "monitor"),
    ):
        settings = Settings(experiment="fit", callbacks={"mine": {"_target_": target}})
        with pytest.raises(UserError, match=rf"^mine \({target}\): .*{reason}"):
            Fit(settings, RunFolder(here))


# Numbers that are not finite


@pytest.mark.parametrize(
    ("val_size", "step", "message"),
    [
        (200, 8, "error: epoch 2: the training loss is not finite"),
        # The last step of the second epoch: validation, or else the weights, show it.
        (200, 14, "error: epoch 2: (val/loss|a weight) is not finite"),
        (0, 20, "error: epoch 2: a weight is not finite"),
    ],
)
def test_a_fit_whose_numbers_are_not_finite_ends_and_leaves_the_last_good_checkpoint(
    here: Path, small: list[str], capsys: Capture, val_size: int, step: int, message: str
) -> None:
    arguments = [f"data.val_size={val_size}", *spoiled_after(step), "hydra.run.dir=run"]
    result = run(capsys, "train", *small, *arguments)
    assert result.status == 2
    assert re.match(message + r" \(the last training loss was 0\.\d+\); try ", result.err)
    assert result.err.endswith(
        "an optimizer.lr below 0.001, or trainer.gradient_clip_val=1; epoch 1 is in run/checkpoints/last.ckpt\n"
    )
    assert len((here / "run/history.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert all(weights.isfinite().all() for weights in weights_of(here / "run", "last").values())


def test_a_sweep_counts_a_job_whose_numbers_are_not_finite_as_failed(
    here: Path, small: list[str], capsys: Capture
) -> None:
    rates = ["optimizer=sgd", "optimizer.lr=1e35,1e36", "trainer.max_epochs=1", "hydra.sweep.dir=sweep"]
    result = run(capsys, "train", "-m", *small, *rates)
    assert result.status == 2
    assert "2 of 2 jobs failed" in result.err
    failure, _ = (here / "sweep").rglob("failure.json")
    assert "epoch 1: the training loss is not finite" in failure.read_text(encoding="utf-8")


# Resuming


def test_a_fit_resumes_from_a_checkpoint_of_before_there_were_ensembles(
    here: Path, small: list[str], finished_run: Path, capsys: Capture
) -> None:
    contents = torch.load(finished_run / "checkpoints/last.ckpt", weights_only=True)
    del contents["hyper_parameters"]["members"]
    torch.save(contents, here / "old.ckpt")
    result = run(capsys, "train", *small, "ckpt_path=old.ckpt", "trainer.max_epochs=4", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] == 4


@pytest.mark.usefixtures("here")
def test_resuming_with_another_network_other_features_or_no_further_epochs_is_refused(
    small: list[str], finished_run: Path, capsys: Capture
) -> None:
    last = f"ckpt_path={finished_run}/checkpoints/last.ckpt"
    assert "another model, loss or optimizer" in run(capsys, "train", *small, last, "model.hidden=8").err
    assert "must be above the checkpoint's 3 epochs" in run(capsys, "train", *small, last).err
    for other in ("features.columns=400", "features.weighting=log_odds", "features.unit_length=true"):
        assert "with other features" in run(capsys, "train", *small, last, other).err


def test_a_final_fit_without_validation_uses_every_review_and_its_last_epoch(
    here: Path, small: list[str], capsys: Capture
) -> None:
    arguments = ["experiment=lecture_final", *small, "data.val_size=0", "trainer.max_epochs=2", "hydra.run.dir=run"]
    result = run(capsys, "train", *arguments)
    assert result.status == 0, result.err
    metrics = metrics_of(here / "run")
    assert metrics["reviews"] == {"train": 600, "val": 0, "test": 200}
    assert metrics["best_epoch"] == 2
    assert "val/loss" not in metrics
    assert "no validation part" in result.out
    assert "Epoch 2 of 2" in result.out
    assert "Best epoch" not in result.out
    assert "one film" not in result.out
    assert equal(weights_of(here / "run", "best"), weights_of(here / "run", "last"))


def test_averaged_weights_are_those_of_the_checkpoints_and_training_goes_on_from_the_others(
    here: Path, small: list[str], capsys: Capture
) -> None:
    average = "callbacks=weight_averaging"
    assert run(capsys, "train", *small, average, "trainer.max_epochs=1", "hydra.run.dir=one").status == 0
    last = "one/checkpoints/last.ckpt"
    contents = load_plain(here / last)
    assert equal(contents["state_dict"], weights_of(here / "one", "best"))
    assert not equal(contents["state_dict"], contents["current_model_state"])
    assert run(capsys, "predict", last, "a good film").status == 0
    more = run(capsys, "train", *small, average, "trainer.max_epochs=2", f"ckpt_path={last}", "hydra.run.dir=two")
    assert more.status == 0, more.err


@pytest.mark.filterwarnings("ignore")  # of Lightning, which a command sends to the log
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 200), marks=pytest.mark.slow)], ids=["8", "192"])
def test_a_fit_goes_on_from_a_changed_checkpoint_or_refuses_it_in_a_line(
    here: Path, small_files: dict[str, Path], seeds: range
) -> None:
    settings = Settings(
        experiment="changed",
        data=DataSettings(source="files", train=str(small_files["train"]), val_size=200),
        features=FeatureSettings(columns=300),
        trainer=TrainerSettings.model_validate({"max_epochs": 2, "limit_train_batches": 2, "limit_val_batches": 1}),
    )
    more = settings.model_copy(update={"trainer": settings.trainer.model_copy(update={"max_epochs": 3})})
    data = ReviewDataModule(settings.data, settings.seed, features=settings.features)
    Fit(settings, RunFolder(here / "begun"), quiet=True).run(data)
    whole = load_plain(here / "begun/checkpoints/last.ckpt")
    for seed in seeds:
        folder = RunFolder(here / str(seed))
        folder.checkpoints.mkdir(parents=True)
        changed, done = mutated(whole, np.random.default_rng(seed))
        torch.save(changed, folder.last)
        torch.save(whole, folder.best)
        try:
            fit = Fit(more, folder, quiet=True, resume_from=folder.last)
            fit.run(data)
        except UserError as error:
            line = str(error)
        except Exception as error:
            raise AssertionError(done) from error
        else:
            line = ""
        assert "\n" not in line
