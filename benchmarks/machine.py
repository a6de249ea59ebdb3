"""On what was measured: processor, memory, versions of both sides."""

from __future__ import annotations

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
assert "keras" in known and "scikit-learn" in known, "no Keras or no scikit-learn in it"
print(json.dumps({"python": platform.python_version()} | {name: known[name] for name in sys.argv[1:] if name in known}))
"""


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
    """Versions of what the peers run on; asking also shows that they are there.

    Raises:
        UserError: if the peers' environment is missing or broken.
    """
    try:
        asked = subprocess.run(
            [python, "-c", _ASK_VERSIONS, *PEERS],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        msg = f"{python}: the peers' environment does not work ({one_line(said[-1])[:120]}); run: make peers"
        raise UserError(msg) from error
    versions: dict[str, str] = json.loads(asked.stdout.splitlines()[-1])
    return versions
