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
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf import __version__
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.inference.predictor import Predictor
from imdbclf.inference.pretrained import Pretrained
from imdbclf.model.arrays import ArrayNetwork
from imdbclf.reports.page import page
from imdbclf.setting_values import ACTIVATIONS

if TYPE_CHECKING:
    # A server of an exported folder needs no torch.
    from imdbclf.checkpoint import Checkpoint

TOLERANCE, HALF_TOLERANCE, IS_HALF = 1e-6, 2.5e-4, True

EXAMPLE = "This was not a bad film. The acting was great, but the ending is a waste of time."

_HALF, _FULL = "<f2", "<f4"
_MODEL = re.compile('<script type="application/octet-stream" id="model">([^<]*)</script>')
_KNOWN = ACTIVATIONS.keys() - {"gelu"}
"""Activations that the script of the page knows."""


def write(checkpoint: Checkpoint | Pretrained, path: Path, *, half: bool) -> None:
    """Write the page; with `half`, the weights of the first layer have 16 bits."""
    path.write_text(html_of(checkpoint, half=half), encoding="utf-8")


def html_of(checkpoint: Checkpoint | Pretrained, *, half: bool) -> str:
    """The page; see `write`."""
    labels = list(checkpoint.label_names)
    count = sum(array.size for member in checkpoint.arrays() for array in member.arrays)
    about = f"imdbclf {__version__}: {len(checkpoint.vectorizer):,} columns, {count:,} parameters."
    model = base64.b64encode(zlib.compress(_packed(checkpoint, half=half), 9)).decode()
    return page(
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


def _packed(checkpoint: Checkpoint | Pretrained, *, half: bool) -> bytes:
    """A line of JSON, then all numbers: the term weights, and the weight and bias of each layer of each member."""
    vectorizer, members = checkpoint.vectorizer, checkpoint.arrays()
    weights = vectorizer.term_weights
    if members[0].activation not in _KNOWN:
        raise UserError(f"--to web: the page does not know the activation {members[0].activation}")
    first, _, *others = members[0].arrays
    header = {
        "terms": list(vectorizer.vocabulary.terms),
        "labels": list(checkpoint.label_names),
        "temperature": checkpoint.temperature,
        "threshold": checkpoint.threshold,
        "sentence_ends": vectorizer.sentence_ends,
        "unit_length": weights.unit_length,
        "weighted": weights.by_column is not None,
        "activation": members[0].activation,
        "member_count": len(members),
        "layers": [first.shape, *(weight.shape[::-1] for weight in others[::2])],
        "half": half,
    }
    numbers = [] if weights.by_column is None else [weights.by_column.astype(_FULL)]
    for member in members:
        first, *others = member.arrays
        numbers += [first.astype(_HALF if half else _FULL), *(other.astype(_FULL) for other in others)]
    return json.dumps(header, ensure_ascii=False).encode() + b"\n" + b"".join(array.tobytes() for array in numbers)


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the numbers in the page say of n texts, float32 (n,)."""
    found = _MODEL.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise UserError(f"{path}: is no page with a model")
    line, _, numbers = zlib.decompress(base64.b64decode(found[1])).partition(b"\n")
    header = json.loads(line)
    (columns, units), *others = header["layers"]
    shapes = [(columns, units), (units,)]
    for inputs, outputs in others:
        shapes += [(outputs, inputs), (outputs,)]
    kinds = [_HALF if header["half"] else _FULL, *[_FULL] * (len(shapes) - 1)]
    member = np.dtype([(str(place), *array) for place, array in enumerate(zip(kinds, shapes, strict=True))])
    weighted = columns * np.dtype(_FULL).itemsize if header["weighted"] else 0
    members = [
        ArrayNetwork([array.astype(np.float32) for array in arrays], header["activation"])
        for arrays in np.frombuffer(numbers, member, offset=weighted)
    ]
    by_column = np.frombuffer(numbers[:weighted], _FULL) if weighted else None
    weights = TermWeights(by_column, header["unit_length"])
    vectorizer = Vectorizer(Vocabulary(header["terms"]), weights, header["sentence_ends"])
    return Predictor(Pretrained(members, vectorizer, header["labels"], header["temperature"])).probabilities(texts)


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the page; what is no text raises an error."""
    return _MODEL.search(path.read_text(encoding="utf-8")) is not None
