# SPDX-License-Identifier: Apache-2.0
"""What access costs at scale: ``python -m bench.access [CLIENTS …]``.

A register with so many consumers, each with a grant, a twin in Test where it tested, and the record of that;
and an agent with so many customers (of more than an assignment lists, as many as it does). All is at rest.

- *a look*: to observe, to decide and to compute the status: what a change costs that concerns it;
- *wakes*: how many objects are looked at because of one change of one of the clients.

Times are processor time of one core, medians.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Collection

from eservice_operator.api.agent import MOST_CUSTOMERS
from eservice_operator.core.keys import ObjectKey
from tests.support.clientele import (
    APPLICATION,
    ASSIGNMENT,
    CONNECTION,
    WEB_SERVICE,
    Clientele,
    grant_key,
    service_key,
)

TARGET = 150
"""Milliseconds: the look at a web service with the most consumers that are measured."""
MOST = 1_000
"""Consumers for which the target holds."""
ROUNDS = 9


def consumers(number: int) -> None:
    """Print what so many consumers of a register cost."""
    there, who = Clientele(consumers=number), f"{number:,} consumers"
    look(there, WEB_SERVICE, f"{who}, the web service", f"≤ {TARGET} ms" if number == MOST else "")
    look(there, grant_key(1), f"{who}, one grant")
    look(there, service_key(1), f"{who}, one e-service that calls")
    told(f"{who}, wakes of one new use", f"{len(there.asks_anew())} objects")
    told(f"{who}, wakes of one grant that ends", f"{len(there.ends(2))} objects")


def customers(number: int) -> None:
    """Print what so many customers of an agent cost."""
    there, who = Clientele(customers=number), f"{number:,} customers"
    look(there, ASSIGNMENT, f"{who}, the agent's assignment")
    look(there, CONNECTION, f"{who}, the agent's grant")
    look(there, APPLICATION, f"{who}, the agent's application")
    look(there, WEB_SERVICE, f"{who}, the web service")
    look(there, service_key(1), f"{who}, one of them")
    told(f"{who}, wakes of one more", f"{len(there.joins())} objects")


def look(there: Clientele, key: ObjectKey, name: str, target: str = "") -> None:
    """Print the median processor time of a look at an object."""
    actions, _ = there.look(key)
    assert not actions or key.kind == "EService"  # noqa: S101 - an e-service has yet to be installed
    gc.collect()
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        there.look(key)
        times.append(time.process_time() - began)
    told(name, f"{statistics.median(times) * 1000:.1f} ms", target)


def told(name: str, value: str, target: str = "") -> None:
    """One line."""
    sys.stdout.write(f"{name:<44}  {value:>10}" + (f"  target {target}" if target else "") + "\n")
    sys.stdout.flush()


def main(numbers: Collection[int]) -> None:
    """Measure registers and agents of these sizes."""
    for number in numbers:
        consumers(number)
    for number in sorted({min(number, MOST_CUSTOMERS - 4) for number in numbers}):
        customers(number)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10, 100, MOST])
