"""What is wrong with settings, in one line: the errors of pydantic in the form `key=value: what is allowed`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

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


def what_is_allowed(schema: dict[str, Any]) -> str:
    """What a value of this JSON schema, as pydantic makes it of a field, can be, in the words of a refusal."""
    if several := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(map(what_is_allowed, several)))
    if names := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(map(_shown, names))
    if schema["type"] == "array":
        return f"a list, each {what_is_allowed(schema['items'])}"
    limits = [
        _RANGES[problem].format(**{unit: schema[key]})
        for key, (problem, unit) in _LIMITS.items()
        # Larger ones are those of the computer.
        if schema.get(key, 1e9) < 1e9  # noqa: PLR2004
    ]
    limits += ["not empty"] * ("minLength" in schema)
    return _TYPES[schema["type"]] + (f" ({', '.join(limits)})" if limits else "")


_TYPES = {
    "integer": _RANGES["int_type"],
    "number": _RANGES["float_type"],
    "string": _RANGES["string_type"],
    "boolean": _RANGES["bool_type"],
    "object": "a group of keys",
    "null": "null",
}
_LIMITS = {
    "minimum": ("greater_than_equal", "ge"),
    "exclusiveMinimum": ("greater_than", "gt"),
    "maximum": ("less_than_equal", "le"),
    "exclusiveMaximum": ("less_than", "lt"),
}
"""The limits of a JSON schema, as pydantic calls them."""
