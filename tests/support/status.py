# SPDX-License-Identifier: Apache-2.0
"""The status contract as one assertion for the tests of every kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from eservice_operator.api.base import Status
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.actions import Manifest

TYPES = frozenset(ConditionType)
REASONS = frozenset(Reason)


def assert_status_sound(obj: Manifest, *, before: Status | None = None) -> None:
    """Hold the status of an object (a manifest) against the contract.

    Ready is always there; Reconciling and Stalled only while True, and never both; every condition says
    which generation it speaks of; they are sorted, Ready first; types and reasons are documented words.
    With ``before``, the status that this one replaced: transition times moved only where a status flipped.
    """
    status = obj["status"]
    who = f"{obj['kind']} {obj['metadata']['name']}"
    conditions: list[Manifest] = status.get("conditions") or []
    by_type = {condition["type"]: condition for condition in conditions}
    assert len(by_type) == len(conditions), f"{who}: a condition type twice in {list(by_type)}"
    assert "Ready" in by_type, f"{who}: no Ready in {list(by_type)}"
    for kind in ("Reconciling", "Stalled"):
        assert by_type.get(kind, {"status": "True"})["status"] == "True", (
            f"{who}: {kind} is there and not True"
        )
    assert not {"Reconciling", "Stalled"} <= set(by_type), f"{who}: Reconciling and Stalled at once"
    if {"Reconciling", "Stalled"} & set(by_type):
        assert by_type["Ready"]["status"] == "False", f"{who}: Ready although it is not done"
    else:
        assert by_type["Ready"]["status"] == "True", f"{who}: not Ready, and nothing says why"
    assert list(by_type) == sorted(by_type, key=lambda kind: (kind != "Ready", kind)), f"{who}: not sorted"
    generation = obj["metadata"].get("generation", 0)
    assert 0 <= status["observedGeneration"] <= generation, f"{who}: a generation that there never was"
    for condition in conditions:
        _assert_condition_sound(condition, f"{who}, {condition['type']}", status["observedGeneration"])
    if before is not None:
        _assert_transitions_sound(by_type, before, who)


def _assert_condition_sound(condition: Manifest, who: str, generation: int) -> None:
    assert condition["type"] in TYPES, f"{who}: not a documented type"
    assert condition["status"] in {"True", "False", "Unknown"}, f"{who}: {condition['status']!r}"
    assert condition["reason"] in REASONS, f"{who}: {condition['reason']!r} is not a documented reason"
    assert condition["observedGeneration"] == generation, f"{who}: speaks of another generation"
    assert _instant(condition["lastTransitionTime"]).microsecond == 0, f"{who}: parts of a second"
    negative = condition["status"] != "True" or condition["type"] in {"Stalled", "Reconciling"}
    assert condition["message"] or not negative, f"{who}: a negative answer without a message"


def _assert_transitions_sound(by_type: dict[str, Manifest], before: Status, who: str) -> None:
    for old in before.conditions:
        new = by_type.get(old.type)
        if new is not None and new["status"] == old.status.value:
            moved = _instant(new["lastTransitionTime"]) != old.last_transition_time
            assert not moved, f"{who}: {old.type} did not flip, and its transition time moved"


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value)
