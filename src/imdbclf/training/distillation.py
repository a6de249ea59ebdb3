"""Learning from reviews that nobody labelled: an ensemble answers for them, and a network learns from its answers.

Knowledge distillation (Hinton, Vinyals & Dean 2015) onto unlabelled texts: the student sees three times as many
reviews as have labels, and terms that no labelled review has. A teacher's answer is a probability, which says more
than a label, and which terms get columns is decided with these probabilities too.
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
    """The reviews for the student, the unlabelled ones with the teacher's answers, and the seconds of its fits.

    Args:
        settings: those of the student; its teacher is an ensemble of networks like it.
        folder: the student's, in which the teacher has one of its own.
        data: what the teacher learns from.
        quiet: whether to show no progress.

    Raises:
        Interrupted: if Ctrl-C or SIGTERM ended a fit.
    """
    teacher, seconds = RunFolder(folder.teacher), 0.0
    if not teacher.best.exists():
        log.info("The teacher (networks: %d) learns from the labelled reviews:", settings.teacher.members)
        model = settings.model.model_copy(update={"members": settings.teacher.members})
        teacher.path.mkdir(parents=True, exist_ok=True)
        _, seconds = fit_ensemble(
            settings.model_copy(update={"model": model, "teacher": TeacherSettings()}), teacher, data, quiet=quiet
        )
    labelled, unlabelled = (data.prepared.matrices[part] for part in ("train", UNLABELLED))
    logits = logits_of(read_checkpoint(teacher.best).network, unlabelled)
    counts = f"{len(labelled):,} labels and {len(unlabelled):,} answers of the teacher"
    log.info("The student learns from %s:", counts)
    return data.with_pseudo_labels(torch.sigmoid(logits).numpy()), seconds
