"""A Hub that accepts connections and never says a word."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def silent_hub(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address, which is also the one that the Hub's client is told."""
    assert not unreachable_hub.exists()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield address
