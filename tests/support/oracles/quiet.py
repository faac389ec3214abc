# SPDX-License-Identifier: Apache-2.0
"""Oracle: an operator that has nothing to do writes nothing, however often it looks."""

from __future__ import annotations

from collections import Counter

from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN
from tests.support.audit import AuditLog, counted
from tests.support.operator import OperatorProcess
from tests.support.oracles.writes import ELSEWHERE
from tests.support.site import poll

LISTED = frozenset(resource.plural for resource in (*OWN, *CHILDREN, *OBSERVED))
PATIENCE = 120.0
"""Seconds for a few resync periods, each of seconds, on a machine that is busy with other things."""


async def assert_quiet(operator: OperatorProcess, audit: AuditLog, periods: int) -> None:
    """Wait for so many of its resync periods, and fail if it wrote anything in them."""
    assert operator.settings.get("resync", "10m").endswith("s"), "its resync is too long to wait for"
    await operator.at_rest()
    audit.skip()

    def listed() -> Counter[str]:
        return Counter(request.resource for request in audit.by() if request.verb == "list")

    async def done() -> bool:
        lists = listed()
        return all(lists[plural] >= periods for plural in LISTED)

    def seen() -> str:
        return f"{periods} lists of each kind: {dict(listed())}"

    await poll(done, seen, PATIENCE)
    written = [request for request in audit.writes() if request.resource not in ELSEWHERE - {"events"}]
    assert not written, f"it wrote with nothing to do: {counted(written)}, such as {written[0]}"
