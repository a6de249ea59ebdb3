"""Classifying movie reviews: the lecture's multi-hot network in PyTorch Lightning and Hydra.

The names below are the public interface in Python. They are imported when first used, so that `import imdbclf` is fast.
For everything else, use the command `imdbclf`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imdbclf.data.datamodule import ReviewDataModule
    from imdbclf.inference.predictor import Predictor
    from imdbclf.model.classifier import ReviewClassifier
    from imdbclf.settings import DataSettings

__version__ = "0.1.0"
__all__ = ["DataSettings", "Predictor", "ReviewClassifier", "ReviewDataModule", "__version__"]

_HOMES = {
    "DataSettings": "imdbclf.settings",
    "Predictor": "imdbclf.inference.predictor",
    "ReviewClassifier": "imdbclf.model.classifier",
    "ReviewDataModule": "imdbclf.data.datamodule",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'imdbclf' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
