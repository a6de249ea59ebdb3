"""The environment of a run: versions, machine, command."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata
from typing import Any

import torch

_PACKAGES = ("imdbclf", "torch", "lightning", "hydra-core", "datasets", "numpy", "pyarrow", "torchmetrics", "scipy")


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that the metrics depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES}


def _accelerator() -> str:
    device = torch.accelerator.current_accelerator()
    return device.type if device else "none"


def environment(command: str) -> dict[str, Any]:
    """Versions, machine and command of a run."""
    return {
        "command": command,
        "versions": versions(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerators": [f"{_accelerator()}:{number}" for number in range(torch.accelerator.device_count())],
    }
