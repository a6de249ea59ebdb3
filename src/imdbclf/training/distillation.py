"""Distillation: an ensemble gives pseudo-labels to unlabelled reviews, and a network learns from them too.

Knowledge distillation (Hinton, Vinyals & Dean 2015) with unlabelled texts: the student learns from three times as many
reviews as have labels, and from terms that no labelled review has. A pseudo-label is a probability, which says more
than a label; it also counts where terms for the columns are selected.
"""

from __future__ import annotations

import logging

import torch

from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sources.base import UNLABELLED
from imdbclf.folders.run import RunFolder
from imdbclf.inference.predictor import logits_of
from imdbclf.settings import Settings, TeacherSettings
from imdbclf.training.ensemble import fit_ensemble

log = logging.getLogger(__name__)


def learn_from_teacher(
    settings: Settings, folder: RunFolder, data: ReviewDataModule, *, quiet: bool = False
) -> tuple[ReviewDataModule, float]:
    """Fit the teacher, unless an earlier attempt has, and let it label the unlabelled reviews.

    Args:
        settings: those of the student; its teacher is an ensemble of such networks.
        folder: the student's; the teacher's folder is inside.
        data: what the teacher learns from.
        quiet: whether to show no progress.

    Returns:
        The student's reviews, the unlabelled ones with pseudo-labels, and the seconds of the teacher's fits.

    Raises:
        Interrupted: if Ctrl-C or SIGTERM ended a fit.
    """
    teacher, seconds = RunFolder(folder.teacher), 0.0
    if not teacher.best.exists():
        log.info("The teacher (networks: %d) learns from the labelled reviews:", settings.teacher.members)
        model = settings.model.model_copy(update={"members": settings.teacher.members})
        ensemble = settings.model_copy(update={"model": model, "teacher": TeacherSettings()})
        teacher.path.mkdir(parents=True, exist_ok=True)
        seconds = fit_ensemble(ensemble, teacher, data, quiet=quiet).seconds
    labelled, unlabelled = (data.prepared.matrices[part] for part in ("train", UNLABELLED))
    logits = logits_of(read_checkpoint(teacher.best).network, unlabelled)
    log.info("The student learns from %s labels and %s pseudo-labels:", f"{len(labelled):,}", f"{len(unlabelled):,}")
    return data.with_pseudo_labels(torch.sigmoid(logits).numpy()), seconds
