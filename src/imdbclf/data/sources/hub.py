"""A dataset of the Hugging Face Hub, from the local cache if it is there."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from imdbclf.data.sources.base import DEFAULTS, Reviews, named_columns
from imdbclf.data.sources.folder import FolderSource
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

LECTURE_DATASET = "stanfordnlp/imdb"

REVISIONS = {LECTURE_DATASET: "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"}
"""Pinned revisions, so that every run sees the same bytes. Other datasets use the head of their main branch."""

PATIENCE = 3.0
"""Seconds to wait for an answer of the Hub."""


@dataclass(frozen=True)
class HubSource:
    """A Hub dataset by its id. It is downloaded once, and then read like any folder in the Hub's layout."""

    repo_id: str
    settings: SourceSettings = DEFAULTS

    @property
    def description(self) -> str:
        """`Hub dataset ID`, with the revision if it is pinned."""
        revision = REVISIONS.get(self.repo_id)
        return f"Hub dataset {self.repo_id}" + (f" at revision {revision[:8]}" if revision else "")

    def fingerprint(self) -> str:
        """Id and revision. For a pinned revision it needs neither the network nor the files."""
        revision = REVISIONS.get(self.repo_id) or self._folder.name
        return f"hub {self.repo_id}@{revision} {named_columns(self.settings, self.settings.unlabelled)}"

    def read(self) -> Reviews:
        """Download what is missing and read it."""
        return FolderSource(self._folder, self.settings).read()

    def obstacle(self) -> str | None:
        """Why the reviews are not available, in words, or None if they are. Takes seconds at most."""
        if self._cached() is not None:
            return None
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            return "the dataset is not in the Hub cache while HF_HUB_OFFLINE is set"
        endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
        address = f"{endpoint}/api/datasets/{self.repo_id}/revision/{REVISIONS.get(self.repo_id, 'main')}"
        try:
            # The Hub's own client retries without a limit that can be set. urllib asks once, through the same proxies.
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310
                json.load(answer)["siblings"]  # a description of the dataset, not a login page
            _ = self._folder
        except UserError as error:
            why = f"failed to deliver the dataset ({one_line(error.__cause__)[:120]})"
        except urllib.error.HTTPError as refusal:
            refusal.close()
            why = f"refused the dataset (HTTP status {refusal.code})"
        except (OSError, http.client.HTTPException):
            why = "cannot be reached"
        except (ValueError, TypeError, KeyError):
            why = "did not answer with a dataset"
        else:
            return None
        return f"the Hub ({urlsplit(endpoint).hostname}) {why}"

    def _cached(self) -> Path | None:
        """The folder of the pinned revision in the Hub's cache; uses no network."""
        # The same folder as in huggingface_hub, without importing it.
        caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        home = os.environ.get("HF_HOME") or f"{caches}/huggingface"
        cache = Path(os.environ.get("HF_HUB_CACHE") or f"{home}/hub").expanduser()
        revision = REVISIONS.get(self.repo_id, "")
        folder = cache / f"datasets--{self.repo_id.replace('/', '--')}" / "snapshots" / revision
        wanted = [part for part in ("train", "test", self.settings.unlabelled) if part is not None]
        complete = revision and all(list(folder.glob(f"*/{part}-*.parquet")) for part in wanted)
        return folder if complete else None

    @cached_property
    def _folder(self) -> Path:
        if (cached := self._cached()) is not None:
            return cached
        import huggingface_hub  # noqa: PLC0415 - not needed if the reviews are in the cache

        try:
            folder = huggingface_hub.snapshot_download(
                self.repo_id,
                repo_type="dataset",
                revision=REVISIONS.get(self.repo_id),
                ignore_patterns=["*unsupervised*"] if self.settings.unlabelled is None else [],
                etag_timeout=PATIENCE,
            )
        except Exception as error:
            # The client raises errors of many kinds; all mean that the download failed.
            msg = (
                f"data.source={self.repo_id}: neither an existing folder nor a dataset on the Hub "
                f"({one_line(error)[:160]}); allowed: auto, sample, files, a folder, a Hub id"
            )
            raise UserError(msg) from error
        return Path(folder)
