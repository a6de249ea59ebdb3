"""Behaviour tests of a checkpoint, as in CheckList (Ribeiro et al., ACL 2020).

A suite is a YAML file with lists of words and tests. The templates of a test become texts with every combination of the
words, or with a seeded sample of them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod
from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError, model_validator

from imdbclf.errors import UserError, nearest, one_line
from imdbclf.inference.predictor import Predictor
from imdbclf.reports.behaviour import Behaviour, Case
from imdbclf.setting_errors import explain
from imdbclf.setting_values import AsText, Fraction, Name
from imdbclf.storage import read_yaml

SUITE = Path(__file__).with_name("suite.yaml")
"""The suite that is shipped."""

ROUNDING = 1e-6
"""Differences of probabilities up to this mean nothing."""

_SLOT = re.compile(r"\{(\w+)\}")
_SWAPPED = re.compile(r"(?<=[^\W\d_])([^\W\d_])(?!\1)(?=[^\W\d_])")
"""A letter within a word in front of another one."""

Floats = npt.NDArray[np.float64]
Templates = Annotated[list[Name], Field(min_length=1)]


class _Test(BaseModel, extra="forbid", frozen=True, strict=True):
    """A test: `texts` are templates, `limit` the most cases of each, drawn with `seed`; `about` says what is tested.

    `min` is the pass rate that the test must have.
    """

    about: Name
    texts: Templates
    limit: Annotated[int, Field(ge=1, le=100_000)] = 200
    seed: int = 0
    min: Annotated[float, Field(ge=0, le=1)] | None = None

    def templates(self) -> list[tuple[str, ...]]:
        """The templates of each case's texts."""
        return [(text,) for text in self.texts]


class LabelTest(_Test):
    """Minimum functionality: the label of every text is known."""

    kind: Literal["label"]
    expect: Literal["positive", "negative"]

    def passes(self, found: Floats, threshold: float) -> npt.NDArray[np.bool_]:
        """Whether each of n cases passes, by its probabilities (n, 1)."""
        return np.equal(found[:, 0] > threshold, self.expect == "positive")


class _ChangeTest(_Test):
    """A test of what a change does: `add` stands after the text, `changed` has a template for each text.

    `vary` is a list of which another word is taken; `typos` is a number of places where two letters are exchanged.
    """

    add: Name | None = None
    changed: Templates | None = None
    vary: Name | None = None
    typos: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_change(self) -> _ChangeTest:
        if sum(change is not None for change in (self.add, self.changed, self.vary, self.typos)) != 1:
            raise ValueError("changes: must be one of add, changed, vary and typos")
        if self.changed is not None and len(self.changed) != len(self.texts):
            raise ValueError(f"changed: must have one text for each of the {len(self.texts)} texts")
        return self

    def templates(self) -> list[tuple[str, ...]]:
        """The templates of each case's two texts."""
        changed = self.changed or [f"{text} {self.add}" if self.add else text for text in self.texts]
        return list(zip(self.texts, changed, strict=True))


class InvarianceTest(_ChangeTest):
    """The label stays the same, and the probability within `tolerance`."""

    kind: Literal["invariance"]
    tolerance: Fraction | None = None

    def passes(self, found: Floats, threshold: float) -> npt.NDArray[np.bool_]:
        """Whether each of n cases passes, by its probabilities (n, 2)."""
        moved, most = np.abs(np.diff(found)[:, 0]), 1.0 if self.tolerance is None else self.tolerance
        same = np.equal(found[:, 0] > threshold, found[:, 1] > threshold)
        return np.logical_and(same, moved <= most + ROUNDING)


class DirectionTest(_ChangeTest):
    """The probability does not rise, or does not fall, by more than `tolerance`."""

    kind: Literal["direction"]
    expect: Literal["no rise", "no fall"]
    tolerance: Fraction = 0.0

    def passes(self, found: Floats, _: float) -> npt.NDArray[np.bool_]:
        """Whether each of n cases passes, by its probabilities (n, 2); at no threshold."""
        rise = (found[:, 1] - found[:, 0]) * (1 if self.expect == "no rise" else -1)
        return rise <= self.tolerance + ROUNDING


AnyTest = LabelTest | InvarianceTest | DirectionTest


class Suite(BaseModel, extra="forbid", frozen=True, strict=True):
    """`lists` of words for the templates' `{name}`, and `tests` by their names."""

    lists: dict[str, Annotated[list[Annotated[Name, AsText]], Field(min_length=1)]] = {}
    tests: Annotated[dict[str, Annotated[AnyTest, Field(discriminator="kind")]], Field(min_length=1)]

    @model_validator(mode="after")
    def _lists_exist(self) -> Suite:
        for name, test in self.tests.items():
            vary = getattr(test, "vary", None)
            for slot in filter(None, [*_slots(chain.from_iterable(test.templates())), vary]):
                if slot not in self.lists:
                    raise ValueError(f"tests.{name}: there is no list {slot}{nearest(slot, self.lists)}")
            if vary and len(set(self.lists[vary])) == 1:
                raise ValueError(f"lists.{vary}: must have two words or more, because tests.{name} varies it")
        return self


def read_suite(path: Path) -> Suite:
    """Read a suite.

    Raises:
        UserError: if it cannot be read, has an unknown key, or a value is wrong.
    """
    try:
        contents = read_yaml(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:
        # What YAML and OmegaConf raise has no common class.
        raise UserError(f"{path}: is no YAML file with keys ({one_line(error)[:100]})") from error
    try:
        return Suite.model_validate(contents)
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, _keys(contents))}") from error


def _keys(contents: dict[str, Any]) -> list[str]:
    """All keys that a suite with these lists and tests may have."""
    lists, tests = ([f"{group}.{name}" for name in contents.get(group) or ()] for group in ("lists", "tests"))
    fields = sorted({field for kind in get_args(AnyTest) for field in kind.model_fields})
    return ["lists", "tests", *lists, *tests, *(f"{test}.{field}" for test in tests for field in fields)]


def check(predictor: Predictor, suite: Suite) -> list[Behaviour]:
    """The cases of every test, and which of them the checkpoint passes; of the failed ones, the worst first."""
    behaviours, threshold = [], predictor.checkpoint.threshold
    for name, test in suite.tests.items():
        cases = list(cases_of(test, suite.lists))
        found = predictor.probabilities(list(chain.from_iterable(cases))).astype(np.float64).reshape(len(cases), -1)
        wrong = np.flatnonzero(~test.passes(found, threshold))
        # How far the probability is from where it should be, or how far it moved.
        badness = np.abs(found[wrong, -1] - (found[wrong, 0] if found.shape[1] > 1 else threshold))
        failed = [Case(cases[row], tuple(found[row].tolist())) for row in wrong[np.argsort(-badness, kind="stable")]]
        behaviours.append(Behaviour(name, test.about, test.kind, len(cases), failed, test.min))
    return behaviours


def cases_of(test: AnyTest, lists: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """The texts of each case: one, or the text and the changed text."""
    random = Random(test.seed)  # noqa: S311 - a sample of texts
    vary, typos = getattr(test, "vary", None), getattr(test, "typos", None)
    for templates in test.templates():
        slots = _slots(templates)
        for words in _combinations([lists[slot] for slot in slots], test.limit, random):
            filled = [dict(zip(slots, words, strict=True))] * len(templates)
            if vary in slots:
                others = [word for word in lists[vary] if word != filled[0][vary]]
                filled[1] = filled[0] | {vary: random.choice(others)}
            first, *second = map(_filled, templates, filled)
            yield (first, *([_with_typos(first, typos, random)] if typos else second))


def _filled(template: str, words: dict[str, str]) -> str:
    return _SLOT.sub(lambda found: words[found[1]], template)


def _slots(templates: Sequence[str] | Iterator[str]) -> list[str]:
    """The different `{name}` of templates."""
    return list(dict.fromkeys(slot for template in templates for slot in _SLOT.findall(template)))


def _combinations(lists: Sequence[Sequence[str]], limit: int, random: Random) -> Iterator[list[str]]:
    """All combinations of one word a list, or as many as the limit, drawn."""
    count = min(prod(map(len, lists)), sys.maxsize)
    for number in range(count) if count <= limit else random.sample(range(count), limit):
        words, left = [], number
        for words_of in lists:
            left, place = divmod(left, len(words_of))
            words.append(words_of[place])
        yield words


def _with_typos(text: str, count: int, random: Random) -> str:
    letters, places = list(text), [found.start() for found in _SWAPPED.finditer(text)]
    for place in random.sample(places, min(count, len(places))):
        letters[place : place + 2] = letters[place + 1], letters[place]
    return "".join(letters)
