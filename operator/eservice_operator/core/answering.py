# SPDX-License-Identifier: Apache-2.0
"""What the gateway says of the public route, and what its silence means: it has half a minute to answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import parse_instant
from eservice_operator.core.driver import Serving
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import gateway_of
from eservice_operator.core.sightings import PATIENCE
from eservice_operator.core.world import Observed, World

SILENT: Final = frozenset({Reason.AWAITING_GATEWAY, Reason.GATEWAY_NOT_ANSWERING})
"""Reasons of a gateway that has not answered for the route as it is now."""
UNSERVED: Final = SILENT | {Reason.GATEWAY_NOT_FOUND, Reason.INGRESS_CLASS_NOT_FOUND, Reason.ROUTE_REFUSED}
"""Reasons for which a route that shows the e-service is not served; nothing took it off."""


def answer_of(facts: Facts) -> Serving | None:
    """What the gateway says of the public route; none without one."""
    route, said = facts.route, facts.said
    if route is None or said is None:
        return None
    if facts.world.missing_class and not facts.driver.far:
        return _of_no_class(route, facts.world.missing_class)
    return answered(said, route, facts.world, facts.now)


def _of_no_class(route: Observed, missing: str) -> Serving:
    text = f"the {route.ref.kind} {route.ref.name} is there, and its IngressClass {missing} does not exist"
    return Serving(served=False, reason=Reason.INGRESS_CLASS_NOT_FOUND, message=text)


def answered(seen: Serving, route: Observed, world: World, now: datetime) -> Serving:
    """What the gateway says; of one that does not exist nothing holds that it has said before.

    That a listener is missing it says itself.
    """
    gateway = gateway_of(route)
    missing = "" if gateway is None else world.lacks(gateway.whole)
    if missing:
        return Serving(served=False, reason=Reason.GATEWAY_NOT_FOUND, message=missing)
    if seen.reason is not Reason.AWAITING_GATEWAY:
        return seen
    ends = _patience_ends(route)
    if ends is None or now < ends:
        return seen
    text = f"{seen.message}, for more than {PATIENCE.seconds} s: does its controller run?"
    return Serving(seen.served, Reason.GATEWAY_NOT_ANSWERING, text)


def patience_ends(facts: Facts) -> Iterator[datetime]:
    """When silence about the public route begins to mean something, if the gateway is silent."""
    if facts.route is not None and facts.said is not None:
        yield from silence_ends(facts.said, facts.route)


def silence_ends(seen: Serving, route: Observed) -> Iterator[datetime]:
    """When the patience with a gateway ends that has not answered for a route."""
    if seen.reason is not Reason.AWAITING_GATEWAY:
        return
    ends = _patience_ends(route)
    if ends is not None:
        yield ends


def _patience_ends(route: Observed) -> datetime | None:
    written = parse_instant(route.written_at)
    return None if written is None else written + PATIENCE
