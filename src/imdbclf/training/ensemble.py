"""Several networks: an ensemble, and its distillation into one network.

The members of an ensemble are fitted one after the other, and their logits are averaged. Each member has its own
initial weights, order of the batches and dropout. Members that are fitted together, on the same batches with the same
terms left out, learn the same, and their mean is no better than each of them (measured: five such networks together
have the accuracy of one).

In knowledge distillation (Hinton, Vinyals & Dean 2015) with unlabelled texts, an ensemble gives pseudo-labels to
unlabelled reviews. The student learns from three times as many reviews as have labels, and from terms that no labelled
review has. A pseudo-label is a probability, which says more than a label; it also counts where terms for the columns
are selected.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch

from imdbclf.checkpoint import load_plain, read_checkpoint, write_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sources.base import UNLABELLED
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.inference.evaluate import logits_of
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.reports.history import EpochRow, read_history, write_history
from imdbclf.settings import Settings
from imdbclf.training.fit import Fit, Fitted, attached

log = logging.getLogger(__name__)

_STRIDE = 1_000_003
"""Between the seeds of members, so that ensembles with different small seeds share no member."""

_OF_ONE_FIT = ("optimizer_states", "lr_schedulers", "loops", "callbacks", "current_model_state", "averaging_state")
"""Parts of a checkpoint that only serve to resume its fit; the checkpoint of an ensemble does not have them."""


def fit_ensemble(settings: Settings, folder: RunFolder, data: ReviewDataModule, *, quiet: bool) -> Fitted:
    """Fit the members, each in a folder of its own, and write the ensemble's `best.ckpt` and history.

    A member that an earlier attempt has finished is not fitted again; an interrupted one starts from the beginning.
    Each metric of the history is the mean over the members, and the seconds are those of all fits.
    """
    members = [RunFolder(folder.members / str(number)) for number in range(1, settings.model.members + 1)]
    seconds = 0.0
    for number, member in enumerate(members):
        if _is_fitted(member):
            continue
        log.info("Member %d of %d:", number + 1, len(members))
        member.discard()
        member.path.mkdir(parents=True, exist_ok=True)
        fit = Fit(_of_member(settings, number), member, quiet)
        seconds += fit.run(data.with_seed(fit.settings.seed)).seconds
        member.last.unlink()
    rows = mean_rows([read_history(member.history) for member in members])
    _write_checkpoint(folder, members, attached(settings, data))
    write_history(rows, folder.history)
    return Fitted(rows, seconds, data)


def learn_from_teacher(
    settings: Settings, folder: RunFolder, data: ReviewDataModule, *, quiet: bool
) -> tuple[ReviewDataModule, float]:
    """Fit the teacher, unless an earlier attempt has, and let it label the unlabelled reviews.

    `settings` and `folder` are the student's: its teacher is an ensemble of such networks, in a folder inside.

    Returns:
        The student's reviews, the unlabelled ones with pseudo-labels, and the seconds of the teacher's fits.
    """
    teacher, seconds = RunFolder(folder.teacher), 0.0
    if not _is_fitted(teacher):
        log.info("The teacher (networks: %d) learns from the labelled reviews:", settings.teacher.members)
        ensemble = settings.changed(model={"members": settings.teacher.members}, teacher={"members": 0})
        teacher.path.mkdir(parents=True, exist_ok=True)
        seconds = fit_ensemble(ensemble, teacher, data, quiet=quiet).seconds
    labelled, unlabelled = (data.prepared.matrices[part] for part in ("train", UNLABELLED))
    logits = logits_of(read_checkpoint(teacher.best).network, unlabelled)
    log.info("The student learns from %s labels and %s pseudo-labels:", f"{len(labelled):,}", f"{len(unlabelled):,}")
    return data.with_pseudo_labels(torch.sigmoid(logits).numpy()), seconds


def _is_fitted(member: RunFolder) -> bool:
    """Whether the fit is finished, and its files can be read.

    An interrupted one has a history too, but still its last checkpoint.
    """
    if not member.history.exists() or member.last.exists():
        return False
    try:
        load_plain(member.best)
        read_history(member.history)
    except (UserError, ValueError) as error:
        log.warning("%s; this network is trained again", one_line(error))
        return False
    return True


def _of_member(settings: Settings, number: int) -> Settings:
    seed = (settings.seed + number * _STRIDE) % 2**32
    return settings.changed(model={"members": 1}, seed=seed, teacher={"members": 0})


def mean_rows(histories: Sequence[Sequence[EpochRow]]) -> list[EpochRow]:
    """The mean of each metric over the members, for the epochs that all of them have; seconds are summed."""
    rows = []
    for epochs in zip(*histories, strict=False):
        row = {name: fmean(member[name] for member in epochs) for name in epochs[0]}
        rows.append(row | {"seconds": round(sum(member["seconds"] for member in epochs), 4)})
    return rows


def _write_checkpoint(folder: RunFolder, members: Sequence[RunFolder], attachment: dict[str, Any]) -> None:
    """Write the ensemble's checkpoint from the best ones of its members."""
    contents = [load_plain(member.best) for member in members]
    together = {name: value for name, value in contents[0].items() if name not in _OF_ONE_FIT}
    if len(members) > 1:
        together["state_dict"] = {
            name.replace("network.", f"network.members.{number}.", 1): value
            for number, member in enumerate(contents)
            for name, value in member["state_dict"].items()
        }
    together["hyper_parameters"] = contents[0]["hyper_parameters"] | {"members": len(members)}
    together[CHECKPOINT_KEY] = attachment
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    write_checkpoint(folder.best, together)
