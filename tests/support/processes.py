# SPDX-License-Identifier: Apache-2.0
"""The tests in several processes (pytest-xdist), each with a control plane of its own.

A process takes file after file, so that a module's operator is started once. What takes longest comes first,
so that all end at about the same time.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from typing_extensions import override
from xdist.scheduler import LoadFileScheduling

TESTS = Path(__file__).parents[1]
TOGETHER = "tests/gateways"
"""Its files share what a session starts for each gateway: one process takes them all."""
LONGEST = ("gateways", "faults", "transitions", "adversarial", "operator")
"""The folders that are begun first."""


class FilesInTurn(LoadFileScheduling):  # type: ignore[misc] # xdist says nothing of its types
    """File after file, but for the folder whose files belong together."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER if PurePosixPath(TOGETHER) in PurePosixPath(file).parents else file


def sort(items: list[pytest.Item]) -> None:
    """Files that need the control plane come first, those of the longest folders before all others."""
    cluster = {item.path for item in items if item.get_closest_marker("cluster")}

    def turn(item: pytest.Item) -> tuple[bool, int]:
        folder = item.path.relative_to(TESTS).parts[0]
        return item.path not in cluster, LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=turn)
