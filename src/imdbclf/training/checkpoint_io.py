"""How Lightning writes its checkpoints: as we write ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import TorchCheckpointIO

from imdbclf.checkpoint import write_checkpoint


class DurableCheckpointIO(TorchCheckpointIO):
    """Writes beside the target. Lightning's own writes in `TMPDIR` first, which can be on another file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, *_: Any, **__: Any) -> None:
        """Write the checkpoint with its digest, completely or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(path, checkpoint)
