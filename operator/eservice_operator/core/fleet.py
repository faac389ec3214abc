# SPDX-License-Identifier: Apache-2.0
"""The e-services of one template in Production, as far as the brake has to count them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from eservice_operator.api.base import EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral

DeferralsOf = Callable[[EServiceRef], tuple[UnpublishDeferral, ...]]


def no_deferrals(_service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
    """The deferrals of an e-service that has none."""
    return ()


def never_forsaken(_decision: UnpublishDecision) -> bool:
    """Of decisions whose e-services are all there."""
    return False


@dataclass(frozen=True, slots=True)
class PublicService:
    """An EService in Production that has a public release on the template."""

    registration: str
    version: str
    """The template version in public use."""
    published: bool
    """Whether its Published condition is True."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All e-services of one template in Production, and all decisions ever made about them; in no order."""

    services: tuple[PublicService, ...] = ()
    decisions: tuple[UnpublishDecision, ...] = ()
    deferrals: DeferralsOf = field(default=no_deferrals, compare=False, repr=False)
    """The deferrals that name an e-service."""
    forsaken: Callable[[UnpublishDecision], bool] = field(default=never_forsaken, compare=False, repr=False)
    """Whether no e-service is left that a decision is about, so that nobody judges it."""

    @property
    def versions(self) -> set[str]:
        """The template versions in public use."""
        return {service.version for service in self.services}
