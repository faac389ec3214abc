# SPDX-License-Identifier: Apache-2.0
"""The operator as people run it, but for its patience: seconds, where that one has a minute or five.

That is how long an API server may be away until kopf gives up or readiness says so, and how long a stream
may be silent.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

from eservice_operator.cluster import client, reflector
from eservice_operator.runtime import checks, watching
from eservice_operator.runtime.__main__ import main as as_usual

SILENCE = 3.0
"""Seconds for which a watch may bring nothing."""
PAUSE = 1.0
"""Seconds at most after a failure."""
OUT_OF_TOUCH = 2.0
"""Seconds without an answer after which it is not ready."""
ENTRY = "tests.support.hasty_operator:main"


def main() -> None:
    """Run the command line; the entry of a forked operator."""
    watching.OUTAGE = (0.2, 0.3, 0.5)  # type: ignore[assignment] # fewer of them
    client.INACTIVITY = SILENCE  # type: ignore[misc]
    checks.OUT_OF_TOUCH = OUT_OF_TOUCH  # type: ignore[misc]
    _hasten(client.KubeApi.__init__, "inactivity", SILENCE)
    _hasten(
        reflector.Reflector.__init__, "longest_pause", PAUSE
    )  # of kinds of which nothing is heard for minutes
    as_usual()


def _hasten(making: Callable[..., None], setting: str, seconds: float) -> None:
    assert isinstance(making, FunctionType)
    assert setting in (making.__kwdefaults__ or {}), "or it would be as patient as ever"
    making.__kwdefaults__[setting] = seconds


if __name__ == "__main__":
    main()
