# SPDX-License-Identifier: Apache-2.0
"""Objects as kubectl prints them: plain dicts, in which anything can be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def part(obj: Mapping[str, Any], *path: str) -> Any:
    """The value at a path, or None where the path ends early."""
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def texts(obj: Mapping[str, Any], *fields: str) -> list[str]:
    """The fields that are there, as text."""
    return [str(obj[field]) for field in fields if obj.get(field)]


def ground(decision: Mapping[str, Any]) -> Mapping[str, Any]:
    """Why a decision holds its e-service overdue, as it recorded that last: in its status, or in its spec."""
    return part(decision, "status", "ground") or part(decision, "spec") or {}


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of the status; empty where there is none."""
    found = (one for one in part(obj, "status", "conditions") or () if one.get("type") == kind)
    return next(found, {})
