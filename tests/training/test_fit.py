"""A fit alone: what it starts from, and what it goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from commands import metrics_of, run

from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.settings import DataSettings, FeatureSettings, ModelSettings, Settings, TrainerSettings
from imdbclf.training.fit import Fit

Capture = pytest.CaptureFixture[str]


def fitted(path: Path, settings: Settings, *, drawn_between: int) -> dict[str, torch.Tensor]:
    """The weights of a fit, before whose prepared run somebody drew random numbers."""
    fit = Fit(settings, RunFolder(path), quiet=True)
    fit.prepare()
    torch.rand(drawn_between)
    fit.run(ReviewDataModule(settings.data, settings.seed, features=settings.features))
    state: dict[str, torch.Tensor] = torch.load(path / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    return state


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
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = fitted(here / "other", settings.model_copy(update={"seed": 1}), drawn_between=1)
    assert not torch.equal(first["network.first.weight"], other["network.first.weight"])


def test_several_devices_are_refused_also_where_only_lightning_knows_their_number(here: Path) -> None:
    settings = Settings(experiment="fit", trainer=TrainerSettings.model_validate({"devices": 2, "accelerator": "cpu"}))
    with pytest.raises(UserError, match=r"trainer.devices=2: are 2 here; a run uses one process and one device"):
        Fit(settings, RunFolder(here)).prepare()


def test_a_fit_goes_on_from_a_checkpoint_of_before_there_were_ensembles(
    here: Path, small: list[str], finished_run: Path, capsys: Capture
) -> None:
    contents = torch.load(finished_run / "checkpoints/last.ckpt", weights_only=True)
    del contents["hyper_parameters"]["members"]
    torch.save(contents, here / "old.ckpt")
    result = run(capsys, "train", *small, "ckpt_path=old.ckpt", "trainer.max_epochs=4", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] == 4
