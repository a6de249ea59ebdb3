"""The machine and the versions that something is measured with, and the date."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from imdbclf.errors import UserError, one_line

OURS = ("imdbclf", "torch", "lightning", "hydra-core", "pyarrow", "numpy", "scipy")
PEERS = ("keras", "tensorflow-cpu", "scikit-learn", "fasttext-wheel", "fasttext", "numpy", "scipy")

_ASK_VERSIONS = """
import json, platform, sys
from importlib import metadata
every = list(metadata.distributions())
known = {each.metadata["Name"].lower().replace("_", "-"): each.version for each in every}
assert "keras" in known and "scikit-learn" in known, "Keras or scikit-learn is not installed in it"
print(json.dumps({"python": platform.python_version()} | {name: known[name] for name in sys.argv[1:] if name in known}))
"""


def require_linux() -> None:
    """Refuse systems that do not show what is measured.

    Raises:
        UserError: where there is no /proc.
    """
    if not Path("/proc/self/status").is_file():
        msg = f"benchmarks: they need Linux (/proc, wait4); this is {platform.system()}"
        raise UserError(msg)


def today() -> str:
    """The date, as 2026-01-02."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine() -> dict[str, str | int]:
    """Processor, cores that may be used, memory and system."""
    processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    total = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    return {
        "processor": processor[1].strip() if processor else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(total[1]) * 1024 / 1e9) if total else 0,
        "system": " ".join([platform.system(), *platform.release().split(".")[:2]]),
    }


def our_versions() -> dict[str, str]:
    """Versions of what this project's side runs on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in OURS}


def peer_versions(python: Path) -> dict[str, str]:
    """Versions of what the peers run on.

    Raises:
        UserError: if the peers' environment is missing or broken.
    """
    command = [str(python), "-c", _ASK_VERSIONS, *PEERS]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        msg = f"{python}: the peers' environment does not work ({one_line(said[-1])[:120]}); run: make peers"
        raise UserError(msg) from error
    versions: dict[str, str] = json.loads(asked.stdout.splitlines()[-1])
    return versions
