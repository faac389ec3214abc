# SPDX-License-Identifier: Apache-2.0
"""The e-services of one template in Production, as far as the brake has to count them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from eservice_operator.api.base import EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.core.counting import Counting, DeferralsOf, Forsaken, PublicService
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.tally import Tally

TallyOf = Callable[[KnownTemplate, datetime, Policy], Tally]
"""The tally of a fleet by a template, at an instant that is a whole second."""


def no_deferrals(_service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
    """The deferrals of an e-service that has none."""
    return ()


def never_forsaken(_decision: UnpublishDecision) -> bool:
    """Of decisions whose e-services are all there."""
    return False


@dataclass(frozen=True, slots=True)
class Fleet:
    """All e-services of one template in Production, and all decisions ever made about them; in no order."""

    services: tuple[PublicService, ...] = ()
    decisions: tuple[UnpublishDecision, ...] = ()
    deferrals: DeferralsOf = field(default=no_deferrals, compare=False, repr=False)
    """The deferrals that name an e-service."""
    forsaken: Forsaken = field(default=never_forsaken, compare=False, repr=False)
    """Whether no e-service is left that a decision is about, so that nobody judges it."""
    kept: TallyOf | None = field(default=None, compare=False, repr=False)
    """Its tally, where somebody keeps one; else it is made anew each time."""

    @property
    def versions(self) -> set[str]:
        """The template versions in public use."""
        return {service.version for service in self.services}

    def tally(self, known: KnownTemplate, now: datetime, policy: Policy) -> Tally:
        """What the brake counts of it at an instant; to be read at once, since it changes with the fleet."""
        if self.kept is not None:
            return self.kept(known, now, policy)
        counting = Counting(known, now, policy, self.deferrals, self.forsaken)
        return Tally(counting, enumerate(self.services), self.decisions)
