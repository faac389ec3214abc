# SPDX-License-Identifier: Apache-2.0
"""The command line's own tests, and the operator on the real control plane for those that need it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operator.conftest import site
from tests.support.cluster import GIVEN

__all__ = ["site"]

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> Callable[[str, str], None]:
    """Compares a text with the file of that name; ``--update-golden`` writes it, for a person to review."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if pytestconfig.getoption("update_golden"):
            path.write_text(text)
        assert text == path.read_text(), f"{path.name}: look at the difference, then --update-golden"

    return compare


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests."""
    for name in list(os.environ):
        if (name.startswith("ESERVICE_") and name != GIVEN) or name in {"KUBECTL", "NO_COLOR"}:
            monkeypatch.delenv(name)
