"""Any override is refused in one line or taken; `make fuzz` tries thousands."""

from __future__ import annotations

from fuzz.overrides import composed, validated

SEED = 1


def test_any_value_of_any_setting_is_refused_in_one_line_or_taken_as_it_is() -> None:
    tally = validated(180, SEED)
    assert tally.faults == []
    assert min(tally.ends.values()) > 10


def test_any_override_composes_or_is_refused_in_one_line() -> None:
    tally = composed(20, SEED)
    assert tally.faults == []
    assert tally.ends["refused"] > 5
