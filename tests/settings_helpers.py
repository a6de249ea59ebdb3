"""Configs for tests of the settings."""

from __future__ import annotations

from typing import Any

import pytest

from imdbclf.errors import UserError
from imdbclf.settings import Settings


def settings_of(**config: Any) -> Settings:
    return Settings.from_config({"experiment": "lecture", **config})


def optimizer(name: str = "rmsprop", **settings: Any) -> dict[str, Any]:
    return {"optimizer": {"name": name, **settings}}


def refusal(**config: Any) -> str:
    with pytest.raises(UserError) as error:
        settings_of(**config)
    assert "\n" not in str(error.value)
    return str(error.value)
