# SPDX-License-Identifier: Apache-2.0
"""Waiting until an operator has done all it can, after others have written what it may not know of yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch
from tests.support.site import Site, poll

LOOKED_AT = 90.0
"""Seconds, on a machine that is busy with other things."""
Rested = Callable[[], Awaitable[None]]
"""Waits so for the operator and the site of a test."""


async def rested(operator: OperatorProcess, site: Site, watch: Watch | None = None) -> None:
    """What the operator has not heard of is no work to it, and at rest it may be about to hear of it.

    So once ``watch``, which watches as it does, was told of everything that there is, the operator has to
    have looked at each object of ours, and to rest still. Without a ``watch``, whoever writes a status should
    write a generation into it that is wrong: only then a look at it shows.
    """
    await operator.at_rest()
    if watch is not None:
        await watch.caught_up()
    await poll(site.is_looked_at, lambda: "the operator has looked at all that is here", LOOKED_AT)
    await operator.at_rest()
