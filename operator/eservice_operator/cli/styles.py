# SPDX-License-Identifier: Apache-2.0
"""Colors, which only repeat what the words say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

GOOD: Final[Mapping[str, Any]] = {"fg": "green"}
BAD: Final[Mapping[str, Any]] = {"fg": "red"}
WAITING: Final[Mapping[str, Any]] = {"fg": "yellow"}
PLAIN: Final[Mapping[str, Any]] = {}
HEADING: Final[Mapping[str, Any]] = {"bold": True}
FAINT: Final[Mapping[str, Any]] = {"dim": True}


def phase_style(phase: str) -> Mapping[str, Any]:
    """Of a phase."""
    if phase in {"Published", "Updating"}:
        return GOOD
    return BAD if phase in {"Unpublished", "Invalid"} else WAITING


def truth_style(status: str) -> Mapping[str, Any]:
    """Of the status of a condition of which True is good."""
    return {"True": GOOD, "False": BAD}.get(status, WAITING)
