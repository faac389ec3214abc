# SPDX-License-Identifier: Apache-2.0
"""What something costs, in instructions: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(act: Callable[[], object]) -> int:
    """How many instructions an act takes; what C code does within one of them is not counted."""
    made = 0

    def count(frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        nonlocal made
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        made += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(before)
    return made
