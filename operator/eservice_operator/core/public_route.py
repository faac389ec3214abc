# SPDX-License-Identifier: Apache-2.0
"""Facts about the public route: which object it is, what it shows, and by what the public is served now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import ConditionType, Phase
from eservice_operator.core.conditions import find
from eservice_operator.core.driver import Driver, Serving
from eservice_operator.core.drivers import driver_of, former_driver_of
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.once import once
from eservice_operator.core.policy import Policy
from eservice_operator.core.tidings import SERVED
from eservice_operator.core.world import Observed, World


@dataclass(frozen=True)
class PublicRoute:
    """The part of `Facts` that is read off the routes."""

    world: World
    now: datetime
    policy: Policy

    @once
    def place(self) -> tuple[str, str]:
        """Namespace and name of the EService."""
        metadata = self.world.service.metadata
        return metadata.namespace, metadata.name

    @once
    def driver(self) -> Driver:
        """What publishes."""
        return driver_of(self.policy)

    @once
    def route(self) -> Observed | None:
        """The public route, also while it is being deleted: until it is gone it may be served."""
        return self.world.children.get((self.driver.kind, self.driver.name(*self.place)))

    @once
    def said(self) -> Serving | None:
        """What is read off the public route of its gateway's answer; none without a route."""
        return None if self.route is None else self.driver.serving(self.route)

    @once
    def former(self) -> Observed | None:
        """The public route of the other kind, from before another driver was set up."""
        driver = former_driver_of(self.policy)
        return self.world.children.get((driver.kind, driver.name(*self.place)))

    @once
    def lingering(self) -> Observed | None:
        """The former route, where that shows the e-service.

        One in the e-service's namespace, where others write too, counts only if our own status says that
        it was public.
        """
        if face_of(self.former) is not Face.LIVE:
            return None
        return self.former if former_driver_of(self.policy).far or self.was_public else None

    @once
    def served_by(self) -> tuple[Driver, Observed] | None:
        """The route by which the public is served now, and what reads it; none where it is not."""
        if self.route is not None and face_of(self.route) is Face.LIVE:
            return self.driver, self.route
        return None if self.lingering is None else (former_driver_of(self.policy), self.lingering)

    @once
    def was_public(self) -> bool:
        """Whether our own status says that the public is served; a doubt from outside takes nothing back."""
        status = self.world.service.status
        before = find(status.conditions, ConditionType.PUBLISHED)
        if before is None or before.status is not ConditionStatus.UNKNOWN:
            return before is not None and before.status is ConditionStatus.TRUE
        read = (change.phase for change in reversed(status.history) if change.phase is not Phase.INVALID)
        return next(read, status.phase) in SERVED

    @once
    def face(self) -> Face:
        """What the public route shows, as far as its word can be taken: only a live one serves the e-service.

        What was public on a former route still is, so that it need not pass every gate anew. Not so where
        that lies in the e-service's namespace: others may have written it there.
        """
        if self.served_by is not None and (self.served_by[1] is self.route or self.served_by[0].far):
            return Face.LIVE
        return face_of(self.route)

    @once
    def paused(self) -> bool:
        """Whether the institution has taken the e-service off for a while."""
        paused = self.world.service.spec.publication.paused
        return paused is not None and (paused.until is None or paused.until > self.now)

    @once
    def suspended(self) -> bool:
        """Whether the Agency has taken the e-services of the registration off."""
        return self.world.registration is not None and self.world.registration.spec.suspended is not None
