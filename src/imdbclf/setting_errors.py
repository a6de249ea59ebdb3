"""What is wrong with settings, in one line: the errors of pydantic in the form `key=value: what is allowed`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from imdbclf.errors import nearest, one_line

Problem = Mapping[str, Any]
"""One of the problems that pydantic lists: `type`, `loc`, `input`, `msg` and, for some, `ctx`."""


def explain(error: ValidationError, keys: Collection[str]) -> str:
    """The first problem of a validation as `key=value: what is allowed`; `keys` are all dotted keys of the settings."""
    problems = error.errors(include_url=False)
    first = problems[0]
    path = _config_path(first, keys)
    key = ".".join(path)
    value = _shown(first.get("ctx", {}).get("tag", first["input"]))
    if first["type"] == "extra_forbidden":
        others = [known for known in keys if known != key]
        return f"{key}={value}: there is no such key{nearest(key, others)}"
    if first["type"] in {"missing", "union_tag_not_found"}:
        return f"{key}: must be given"
    if first["type"] == "value_error" and isinstance(first["input"], dict):
        text = one_line(first["ctx"]["error"])
        return f"{key}.{text}" if key else text
    same_key = [problem for problem in problems if _config_path(problem, keys) == path]
    allowed = " or ".join(dict.fromkeys(_allowed(problem) for problem in same_key))
    return f"{key}={value}: must be {allowed}{nearest(value, _names(first))}"


def _config_path(problem: Problem, keys: Collection[str]) -> list[str]:
    """Where in the config the problem is, without the names that pydantic gives to members of a union."""
    path: list[str] = []
    steps = [str(part) for part in problem["loc"]]
    unknown = steps[-1:] if problem["type"] == "extra_forbidden" else []
    for step in steps[: len(steps) - len(unknown)]:
        if path in ([], ["callbacks"], ["logger"]) or ".".join([*path, step]) in keys:
            path.append(step)
    path += unknown
    if problem["type"].startswith("union_tag"):
        path.append(problem["ctx"]["discriminator"].strip("'"))
    return path


_RANGES = {
    "greater_than_equal": "{ge:.15g} or more",
    "greater_than": "above {gt:.15g}",
    "less_than": "below {lt:.15g}",
    "less_than_equal": "{le:.15g} or less",
    "literal_error": "{expected}",
    "union_tag_invalid": "{expected_tags}",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "list_type": "a list",
    "too_long": "a list of {max_length}",
    "too_short": "a list of {min_length}",
    "value_error": "{error}",
    "dict_type": "a group of keys, as a file in configs/ gives",
    "model_type": "a group of keys, as a file in configs/ gives",
    "model_attributes_type": "a group of keys, as a file in configs/ gives",
}
"""What is allowed, by pydantic's name of the problem."""


def _allowed(problem: Problem) -> str:
    template = _RANGES.get(problem["type"])
    return template.format(**problem.get("ctx", {})).replace("'", "") if template else one_line(problem["msg"])


def _names(problem: Problem) -> list[str]:
    context = problem.get("ctx", {})
    names = str(context.get("expected", context.get("expected_tags", "")))
    return names.replace("'", "").replace(" or ", ", ").split(", ") if names else []


def _shown(value: Any, width: int = 60) -> str:
    """The value as it would be typed on a command line, cut where it is long."""
    text = "null" if value is None else one_line(str(value).lower() if isinstance(value, bool) else value)
    return text if len(text) <= width else text[: width - 1] + "…"


_TYPES = {bool: "bool_type", int: "int_type", float: "float_type", str: "string_type"}
_LARGE = 1e9
"""Upper limits from here on are those of the computer, and are not said."""


def what_is_allowed(annotation: Any, metadata: Collection[Any] = ()) -> str:
    """What a field of this type takes, in the words in which a refusal says it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        nested = [one.metadata if isinstance(one, FieldInfo) else [one] for one in arguments[1:]]
        return what_is_allowed(arguments[0], [one for several in nested for one in several])
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(map(what_is_allowed, arguments)))
    if origin is Literal:
        return ", ".join(map(_shown, arguments))
    if origin is list:
        return f"a list, each {what_is_allowed(arguments[0])}"
    if words := {NoneType: "null", dict: "a group of keys"}.get(origin or annotation):
        return words
    limits = ", ".join(filter(None, map(_limit, metadata)))
    return _RANGES[_TYPES[annotation]] + (f" ({limits})" if limits else "")


def _limit(limit: object) -> str:
    """A limit of annotated_types, such as `Ge(ge=1)`, in words."""
    for name, problem in _LIMITS.items():
        if (value := getattr(limit, name, None)) is not None:
            return "" if value > _LARGE else _RANGES[problem].format(**{name: value})
    return "not empty" if getattr(limit, "min_length", 0) else ""


_LIMITS = {
    "ge": "greater_than_equal",
    "gt": "greater_than",
    "lt": "less_than",
    "le": "less_than_equal",
}
