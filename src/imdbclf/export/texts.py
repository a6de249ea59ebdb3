"""The texts on which an export is compared with its checkpoint."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from imdbclf.checkpoint import Checkpoint
from imdbclf.data.load_corpus import open_source
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.inference.evaluate import may_follow

DRAWN = 500
"""Texts that are drawn."""

_BETWEEN = [*"   ", ", ", ". ", "! ", "?", " - ", "\n", "\t", "...", "<br />", "'", "\xa0", " 7 ", "\u2028", "\0"]


def drawn_texts(vocabulary: Vocabulary, count: int = DRAWN, strange: float = 0.05) -> list[str]:
    """Terms of the vocabulary in lower and upper case, with other characters between them; the same ones each time.

    `strange` is the share of characters from all of Unicode among the latter.
    """
    chance = random.Random(0)  # noqa: S311 - no secret
    return [_drawn(vocabulary.terms or ("a",), strange, chance) for _ in range(count)]


def _drawn(terms: Sequence[str], strange: float, chance: random.Random) -> str:
    pieces = []
    for _ in range(chance.choice([0, 1, 2, 10, 40, 200])):
        term = chance.choice(terms)
        pieces.append(chance.choice([term, term, term, term.upper(), term.title()]))
        pieces.append(chance.choice(_BETWEEN) if chance.random() >= strange else _character(chance))
    return "".join(pieces)


def _character(chance: random.Random) -> str:
    """Any character but those whose lower case depends on what is around them, or is in ASCII."""
    while True:
        number = chance.choice([chance.randrange(128, 0x3000), chance.randrange(0x3000, 0x110000)])
        is_half = 0xD800 <= number < 0xE000  # noqa: PLR2004 - of a surrogate pair
        if not is_half and chr(number) != "\u03a3" and not chr(number).lower()[0].isascii():
            return chr(number)


def test_texts(path: Path, checkpoint: Checkpoint) -> list[str]:
    """The test reviews of the run in whose folder the checkpoint lies; none if they cannot be read."""
    origin = checkpoint.run.data.origin
    if not may_follow(path, origin):
        return []
    try:
        parts = open_source(origin.model_copy(update={"group": None, "unlabelled": None})).read().parts
    except (UserError, OSError):
        return []
    return list(parts["test"].column("text").to_pylist()) if "test" in parts else []
