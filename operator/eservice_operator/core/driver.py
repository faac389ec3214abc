# SPDX-License-Identifier: Apache-2.0
"""What publishes an e-service: one Protocol for every kind of route, and which of them is set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.actions import Manifest
from eservice_operator.core.faces import Face
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed


@dataclass(frozen=True, slots=True)
class Serving:
    """What the gateway says of a route."""

    served: bool
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a public route is to show, and of which release its hosts and path are."""

    face: Face
    release: Snapshot
    notice: str = ""
    """For the notice page: what it is told about the e-service, as the value of a header."""
    cannot_move: str = ""
    """Why its route stays on a Gateway that it is to leave; empty where it is where it is to be."""
    decision: RememberedDecision | None = None
    """The last UnpublishDecision about the e-service, for the record; none where there was none."""
    chosen: bool = False
    """Whether the institution chose the Gateway to which it cannot move, rather than the settings."""


class Driver(Protocol):
    """Builds the public route of an e-service and reads what became of it; pure."""

    @property
    def kind(self) -> str:
        """The kind of its routes."""

    @property
    def notices(self) -> bool:
        """Whether it can show the notice page under the hosts of an e-service that is off."""

    @property
    def previews(self) -> bool:
        """Whether a candidate that people look at has a route of its own (see `preview`)."""

    @property
    def exclusive(self) -> bool:
        """Whether nobody but the Agency can take the hosts of its routes."""

    @property
    def answers(self) -> bool:
        """Whether anybody says of its routes that they are served, rather than that they are there."""

    @property
    def far(self) -> bool:
        """Whether its routes lie in another namespace, where no owner reference reaches."""

    def sources(self, release: Snapshot | None) -> Iterator[str]:
        """The namespaces that requests to a release on the public route come from; one may be named twice."""

    def name(self, namespace: str, service: str) -> str:
        """The name of the public route of an e-service."""

    def build(self, owner: Owner, shown: Shown) -> Manifest:
        """The public route; never of the face `Nothing`, which is no route."""

    def beside(self, owner: Owner) -> Iterator[Manifest]:
        """What the route needs in the namespace of the e-service."""

    def serving(self, route: Observed) -> Serving:
        """Whether the gateway serves the route as it is now.

        While it has answered for an earlier generation only, what it said then holds: it goes on serving
        that.
        """

    def refuses(self, gateway: GatewayRef) -> tuple[Reason, str] | None:
        """Why no e-service may choose this Gateway; none where it may."""

    def lacks(self, release: Snapshot) -> Iterator[str]:
        """What it cannot do of what the settings and a release ask, in words."""

    def strays(self, route: Observed) -> tuple[str, ...]:
        """The annotations on a route that are not ours and may change what it serves, sorted."""

    def hosts(self, route: Observed) -> tuple[str, ...]:
        """The hosts that a route serves."""

    def path(self, route: Observed) -> str:
        """The path prefix that a route serves."""


def url_of(driver: Driver, route: Observed) -> str | None:
    """Where the public reaches what a route serves: its first host, and its path."""
    hosts = driver.hosts(route)
    return f"https://{hosts[0]}{driver.path(route)}" if hosts else None
