"""One `.pt2` file of `torch.export`: the network for programs with PyTorch, without the code of this package.

The program takes the set columns of rows, as `torch.nn.EmbeddingBag` does; the vocabulary lies in the file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional

from imdbclf import __version__
from imdbclf.checkpoint import Checkpoint
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.model.network import members_of

TOLERANCE, HALF_TOLERANCE, IS_HALF = 1e-6, 5e-4, False

ABOUT = "imdbclf.json"
"""An extra file: the vocabulary and what else turns a text into a row."""

WEIGHTS = "term_weights"
"""A tensor of the program: the weight of each column, float32 (columns,), if there are any."""


class _Program(nn.Module):
    """Sums of rows instead of a CSR matrix, which a program cannot be given."""

    def __init__(self, checkpoint: Checkpoint, *, half: bool) -> None:
        super().__init__()
        self.perceptrons = deepcopy(members_of(checkpoint.network))
        self.members, self.temperature = nn.ModuleList(self.perceptrons), checkpoint.temperature
        by_column = checkpoint.vectorizer.term_weights.by_column
        self.register_buffer(WEIGHTS, None if by_column is None else torch.from_numpy(by_column))
        for member in self.perceptrons if half else ():
            member.first.weight = nn.Parameter(member.first.weight.half())

    def forward(self, offsets: Tensor, columns: Tensor, values: Tensor) -> Tensor:
        """Logits divided by the temperature, float32 (n,); see `write`."""
        logits = []
        for member in self.perceptrons:
            weight = member.first.weight.float()
            sums = functional.embedding_bag(columns, weight, offsets, mode="sum", per_sample_weights=values)
            logits.append(member.rest(sums + member.first.bias))
        return torch.stack(logits).mean(0).squeeze(1) / self.temperature


def write(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    """Write the program; with `half`, the weights of the first layer have 16 bits.

    Its inputs are `offsets` int64 (n,), where each of n rows begins; `columns` int64 (k,), the set columns of all rows;
    `values` float32 (k,). Its output is the logit of each row, float32 (n,).
    """
    example = torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0, 2]), torch.ones(4)
    ones = Dim("ones", min=0)
    sizes = {"offsets": {0: Dim("rows", min=1)}, "columns": {0: ones}, "values": {0: ones}}
    with torch.no_grad():
        program = torch.export.export(_Program(checkpoint, half=half).eval(), example, dynamic_shapes=sizes)
    vectorizer = checkpoint.vectorizer
    about = {
        "labels": list(checkpoint.label_names),
        "version": __version__,
        "sentence_ends": vectorizer.sentence_ends,
        "unit_length": vectorizer.term_weights.unit_length,
        "terms": list(vectorizer.vocabulary.terms),
    }
    with path.open("wb") as stream:
        torch.export.save(program, stream, extra_files={ABOUT: json.dumps(about, ensure_ascii=False)})


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the program says of n texts, float32 (n,)."""
    extra: dict[str, Any] = {ABOUT: None}  # what torch fills in
    with path.open("rb") as stream:
        program = torch.export.load(stream, extra_files=extra)
    about, by_column = json.loads(extra[ABOUT]), program.state_dict.get(WEIGHTS)
    weights = TermWeights(None if by_column is None else by_column.numpy(), about["unit_length"])
    rows = Vectorizer(Vocabulary(about["terms"]), weights, about["sentence_ends"]).rows_of(texts)
    values = np.ones(len(rows.columns), np.float32) if rows.values is None else rows.values
    pieces = rows.offsets[:-1], rows.columns.astype(np.int64), values
    with torch.inference_mode():
        probabilities: npt.NDArray[np.float32] = torch.sigmoid(program.module()(*map(torch.from_numpy, pieces))).numpy()
    return probabilities


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the file; what is no archive raises an error."""
    with ZipFile(path) as archive:
        return any(name.endswith(f"/{ABOUT}") for name in archive.namelist())
