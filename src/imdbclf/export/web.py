"""One page that classifies in the browser: no server, and no text leaves the page.

It has the vocabulary and the network inside, deflated and in base64. Its script does what `imdbclf.inference` does:
tokenize, look up terms, compute the network, and take words away for their effects.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from imdbclf import __version__
from imdbclf.checkpoint import Checkpoint
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.inference.predictor import Predictor
from imdbclf.model.network import MLP, make_network, members_of
from imdbclf.reports.page import page
from imdbclf.setting_values import ACTIVATIONS

TOLERANCE = 1e-6
HALF_TOLERANCE = 2.5e-4

EXAMPLE = "This was not a bad film. The acting was great, but the ending is a waste of time."

_HALF, _FULL = "<f2", "<f4"
_MODEL = re.compile('<script type="application/octet-stream" id="model">([^<]*)</script>')
_NAMES = {resolve_name(path): name for name, path in ACTIVATIONS.items() if name != "gelu"}
"""Activations that the script of the page knows."""


def write(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    """Write the page; with `half`, the weights of the first layer have 16 bits."""
    labels, members = list(checkpoint.label_names), members_of(checkpoint.network)
    count = sum(member.parameter_count for member in members)
    about = f"imdbclf {__version__}: {len(checkpoint.vectorizer):,} columns, {count:,} parameters."
    model = base64.b64encode(zlib.compress(_packed(checkpoint, members, half=half), 9)).decode()
    html = page(
        "export/web.html.jinja",
        title=f"{labels[1]} or {labels[0]}?",
        labels=labels,
        example=EXAMPLE,
        model=model,
        pattern=word_pattern(sentence_ends=checkpoint.vectorizer.sentence_ends),
        ends=SENTENCE_ENDS,
        about=about,
        sections=[],
    )
    path.write_text(html, encoding="utf-8")


def _packed(checkpoint: Checkpoint, members: Sequence[MLP], *, half: bool) -> bytes:
    """A line of JSON, then all numbers: the term weights, and the weight and bias of each layer of each member."""
    vectorizer, weights = checkpoint.vectorizer, checkpoint.vectorizer.term_weights
    by_column = None if weights is None else weights.by_column
    activation = next(type(layer) for layer in members[0].rest if not isinstance(layer, nn.Linear | nn.Dropout))
    if activation not in _NAMES:
        raise UserError(f"--to web: the page does not know the activation {activation.__name__}")
    header = {
        "terms": list(vectorizer.vocabulary.terms),
        "labels": list(checkpoint.label_names),
        "temperature": checkpoint.temperature,
        "sentence_ends": vectorizer.sentence_ends,
        "unit_length": weights is not None and weights.unit_length,
        "weighted": by_column is not None,
        "activation": _NAMES[activation],
        "member_count": len(members),
        "layers": _sizes(members[0]),
        "half": half,
    }
    numbers = [] if by_column is None else [by_column.astype(_FULL)]
    for member in members:
        first, *others = (parameter.detach().numpy() for parameter in member.parameters())
        numbers += [first.astype(_HALF if half else _FULL), *(other.astype(_FULL) for other in others)]
    return json.dumps(header, ensure_ascii=False).encode() + b"\n" + b"".join(array.tobytes() for array in numbers)


def _sizes(network: MLP) -> list[tuple[int, int]]:
    """Inputs and outputs of each layer."""
    dense = [layer for layer in network.rest if isinstance(layer, nn.Linear)]
    inputs, outputs = network.first.weight.shape
    return [(inputs, outputs), *((layer.in_features, layer.out_features) for layer in dense)]


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the numbers in the page say of n texts, float32 (n,)."""
    found = _MODEL.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise UserError(f"{path}: is no page with a model")
    line, _, numbers = zlib.decompress(base64.b64decode(found[1])).partition(b"\n")
    header, place = json.loads(line), 0

    def taken(count: int, kind: str) -> npt.NDArray[np.float32]:
        nonlocal place
        found = np.frombuffer(numbers, kind, count, place)
        place += found.nbytes
        return found.astype(np.float32)

    columns, widths = header["layers"][0][0], [outputs for _, outputs in header["layers"][:-1]]
    network = make_network(header["member_count"], columns, widths, header["activation"], 0.0)
    by_column = taken(columns, _FULL) if header["weighted"] else None
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            kind = _HALF if header["half"] and name.endswith("first.weight") else _FULL
            parameter.copy_(torch.from_numpy(taken(parameter.numel(), kind)).view(parameter.shape))
    weights = TermWeights(by_column, header["unit_length"])
    vectorizer = Vectorizer(Vocabulary(header["terms"]), weights, header["sentence_ends"])
    return Predictor(
        Checkpoint(network.eval(), vectorizer, "bce", header["labels"], header["temperature"])
    ).probabilities(texts)


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the page."""
    try:
        return _MODEL.search(path.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeError):
        return False
