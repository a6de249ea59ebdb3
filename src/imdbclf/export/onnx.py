"""One ONNX file from texts to probabilities, for any program with ONNX Runtime.

The graph makes lower case, finds words, looks up terms, drops repeated columns, and computes the network and its
temperature. It uses ONNX operators and `Tokenizer`, which ONNX Runtime has built in.

Only ASCII is lower-cased in the graph: its rules for other letters depend on the machine's locales. The usual spellings
of a word with other letters are therefore keys of the lookup. Three things are left: the Kelvin sign and İ, which
Python turns into ASCII letters; Σ before a mark that a letter follows; and mixed case in words with many such letters.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from imdbclf import __version__
from imdbclf.checkpoint import Checkpoint
from imdbclf.data.ngrams import WORD_BITS
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.data.vectorize import Vectorizer
from imdbclf.errors import UserError
from imdbclf.model.arrays import ArrayNetwork

TOLERANCE, HALF_TOLERANCE, IS_HALF = 5e-6, 5e-4, False

AT_ONCE = 64
"""Texts classified at a time: every text takes as much memory and time as the longest."""

PAD = "#"
"""What fills up the words of shorter texts; a filtered character, so no word."""

MOST_SPELLINGS = 64
"""Of a word whose letters beyond ASCII can be capital ones."""

_ONNX, _ML, _MICROSOFT = "", "ai.onnx.ml", "com.microsoft"
_OPSETS = {_ONNX: 20, _ML: 2, _MICROSOFT: 1}
_LAST = 2**62


def write(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    """Write the file; with `half`, the weights of the first layer have 16 bits.

    Its input is `texts`, string (n,); its outputs are `probability` of being positive, float32 (n,), and `label`,
    string (n,). Labels, temperature, threshold, number of columns and version are in its metadata.
    """
    graph = _Graph()
    columns = _columns(graph, checkpoint.vectorizer)
    values = _values(graph, checkpoint.vectorizer, columns)
    logits = [_logit(graph, member, columns, values, half=half) for member in checkpoint.arrays()]
    logit = graph("Squeeze", graph("Mean", *logits), graph.whole(1))
    scaled = graph("Div", logit, graph.const(np.float32(checkpoint.temperature)))
    probability = graph("Sigmoid", scaled)
    names = list(checkpoint.label_names)
    positive = graph("Greater", probability, graph.const(np.float32(checkpoint.threshold)))
    label = graph("Where", positive, *map(graph.text, reversed(names)))
    about = {
        "labels": json.dumps(names, ensure_ascii=False),
        "temperature": str(checkpoint.temperature),
        "threshold": str(checkpoint.threshold),
        "columns": str(len(checkpoint.vectorizer)),
        "version": __version__,
    }
    model = graph.model({"probability": probability, "label": label}, about)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the file says of n texts, float32 (n,)."""
    return classified(session_of(path), texts)


def session_of(path: Path) -> onnxruntime.InferenceSession:
    """The file in ONNX Runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path.read_bytes(), options)


def classified(session: onnxruntime.InferenceSession, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What a session says of n texts, float32 (n,); texts of about the same length go together."""
    found = np.empty(len(texts), np.float32)
    by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for start in range(0, len(texts), AT_ONCE):
        numbers = by_length[start : start + AT_ONCE]
        batch = np.array([texts[number] for number in numbers], dtype=object)
        (found[numbers],) = session.run(["probability"], {"texts": batch})
    return found


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the file; what is no ONNX file raises an error of protobuf."""
    return bool(onnx.load(path).producer_name == "imdbclf")


class _Graph:
    """Nodes and constants of a graph; a call adds a node and returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: str, domain: str = _ONNX, outputs: int = 1, **attributes: Any) -> str:
        names = [f"{operator}_{len(self._nodes)}_{number}" for number in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names[0]

    def const(self, value: Any) -> str:
        """The name of a constant."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def text(self, value: str) -> str:
        """The name of a text."""
        return self.const(np.array([value], dtype=object))

    def whole(self, *numbers: int) -> str:
        """The name of a list of whole numbers."""
        return self.const(np.array(numbers, dtype=np.int64))

    def between(self, name: str, start: int, stop: int) -> str:
        """The given columns of all rows."""
        return self("Slice", name, self.whole(start), self.whole(stop), self.whole(1))

    def lookup(self, name: str, table: Mapping[Any, int], default: int) -> str:
        """The value of each text or whole number in the table."""
        kind = "strings" if isinstance(next(iter(table)), str) else "int64s"
        keys: dict[str, Any] = {f"keys_{kind}": list(table), "values_int64s": list(table.values())}
        return self("LabelEncoder", name, domain=_ML, default_int64=default, **keys)

    def model(self, outputs: Mapping[str, str], about: Mapping[str, str]) -> onnx.ModelProto:
        """The whole model; `outputs` are names inside the graph by the names that users see."""
        nodes = [*self._nodes, *(helper.make_node("Identity", [name], [shown]) for shown, name in outputs.items())]
        kinds = {"probability": TensorProto.FLOAT, "label": TensorProto.STRING}
        given = [helper.make_tensor_value_info("texts", TensorProto.STRING, ["n"])]
        found = [helper.make_tensor_value_info(shown, kinds[shown], ["n"]) for shown in outputs]
        graph = helper.make_graph(nodes, "imdbclf", given, found, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        model = helper.make_model(graph, producer_name="imdbclf", opset_imports=opsets, ir_version=9)
        helper.set_model_props(model, dict(about))
        return model


def _columns(graph: _Graph, vectorizer: Vectorizer) -> str:
    """The set columns of each text, int64 (n, most); what repeats or fills up is the number of columns."""
    terms, nothing = vectorizer.vocabulary.terms, len(vectorizer)
    words = _words(graph, sentence_ends=vectorizer.sentence_ends)
    single = _spelled({term: column for column, term in enumerate(terms, start=1) if " " not in term})
    found = [graph.lookup(words, single | {PAD: nothing}, 0)]
    in_runs = dict.fromkeys(word for term in terms if " " in term for word in term.split(" "))
    numbers = {word: number for number, word in enumerate(in_runs, start=1)}
    numbered = graph.lookup(words, _spelled(numbers), 0) if numbers else ""
    for order in range(2, vectorizer.vocabulary.order + 1):
        parts = [graph.between(numbered, place, (place - order + 1) or _LAST) for place in range(order)]
        key = parts[0]
        for part in parts[1:]:
            key = graph("Add", graph("Mul", key, graph.whole(1 << WORD_BITS)), part)
        keys = {}
        for column, term in enumerate(terms, start=1):
            if len(run := term.split(" ")) == order:
                keys[sum(numbers[word] << WORD_BITS * place for place, word in enumerate(reversed(run)))] = column
        if keys:
            found.append(graph.lookup(key, keys, nothing))
    return _distinct(graph, graph("Concat", *found, axis=1), nothing)


def _words(graph: _Graph, *, sentence_ends: bool) -> str:
    """The words of each text, (n, most); see `imdbclf.data.tokenize`."""
    lowered = graph("StringNormalizer", "texts", case_change_action="LOWER", locale="C")
    expression = word_pattern(sentence_ends=sentence_ends)
    words = graph("Tokenizer", lowered, domain=_MICROSOFT, mark=0, mincharnum=1, pad_value=PAD, tokenexp=expression)
    for word in dict.fromkeys(SENTENCE_ENDS.values()) if sentence_ends else ():
        characters = "".join(character for character, end in SENTENCE_ENDS.items() if end == word)
        words = graph("Where", graph("RegexFullMatch", words, pattern=f"[{characters}]+"), graph.text(word), words)
    return words


def _distinct(graph: _Graph, columns: str, nothing: int) -> str:
    """Sorted columns; what equals its predecessor becomes `nothing`."""
    width = graph("Gather", graph("Shape", columns), graph.whole(1))
    ordered = graph("TopK", columns, width, axis=1, outputs=2)
    rest, before = graph.between(ordered, 1, _LAST), graph.between(ordered, 0, -1)
    kept = graph("Where", graph("Equal", rest, before), graph.whole(nothing), rest)
    return graph("Concat", graph.between(ordered, 0, 1), kept, axis=1)


def _values(graph: _Graph, vectorizer: Vectorizer, columns: str) -> str | None:
    """The value of each column of `_columns`, (n, 1, most); None for ones."""
    weights = vectorizer.term_weights
    if weights.are_ones:
        return None
    by_column = np.ones(len(vectorizer), np.float32) if weights.by_column is None else weights.by_column
    values = graph("Gather", graph.const(np.append(by_column, np.float32(0))), columns)
    if weights.unit_length:
        length = graph("ReduceL2", values, graph.whole(1), keepdims=1)
        zero, one = graph.const(np.float32(0)), graph.const(np.float32(1))
        values = graph("Div", values, graph("Where", graph("Greater", length, zero), length, one))
    return graph("Unsqueeze", values, graph.whole(1))


def _logit(graph: _Graph, network: ArrayNetwork, columns: str, values: str | None, *, half: bool) -> str:
    """The logits of a perceptron, float32 (n, 1)."""
    first, first_bias, *dense = network.arrays
    padded = np.vstack([first, np.zeros_like(first[:1])])
    rows = graph("Gather", graph.const(padded.astype(np.float16 if half else np.float32)), columns)
    rows = graph("Cast", rows, to=TensorProto.FLOAT) if half else rows
    if values is None:
        hidden = graph("ReduceSum", rows, graph.whole(1), keepdims=0)
    else:
        hidden = graph("Squeeze", graph("MatMul", values, rows), graph.whole(1))
    hidden = graph("Add", hidden, graph.const(first_bias))
    for weight, bias in zip(dense[::2], dense[1::2], strict=True):
        hidden = _activated(graph, network.activation, hidden)
        hidden = graph("Gemm", hidden, graph.const(weight), graph.const(bias), transB=1)
    return hidden


def _activated(graph: _Graph, activation: str, hidden: str) -> str:
    """By the operator of the same name, `LeakyRelu` for `leaky_relu`; their defaults are torch's."""
    if activation == "silu":
        return graph("Mul", hidden, graph("Sigmoid", hidden))
    operator = activation.title().replace("_", "")
    if not onnx.defs.has(operator):
        raise UserError(f"--to onnx: the activation {activation} is not known there")
    return graph(operator, hidden)


def _spelled(table: Mapping[str, int]) -> dict[str, int]:
    """The table, for all spellings of its words."""
    return {spelling: value for word, value in table.items() for spelling in spellings(word)}


def spellings(word: str) -> list[str]:
    """What the word is written like where ASCII is in lower case; of many possible ones, only the usual."""
    if word.isascii():
        return [word]
    letters = [(letter, *_capitals().get(letter, ())) for letter in word]
    if prod(map(len, letters)) <= MOST_SPELLINGS:
        found: Iterable[str] = map("".join, product(*letters))
    else:
        found = [word, _lower_ascii(word.upper()), _lower_ascii(word.title())]
    return [word, *(spelling for spelling in dict.fromkeys(found) if spelling != word and spelling.lower() == word)]


def _lower_ascii(word: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in word)


@cache
def _capitals() -> dict[str, list[str]]:
    """The letters beyond ASCII that become each letter in lower case."""
    capitals = defaultdict(list, {"ς": ["Σ"]})
    for number in range(128, 0x110000):
        lower = chr(number).lower()
        if lower != chr(number) and len(lower) == 1 and not lower.isascii():
            capitals[lower].append(chr(number))
    return capitals
