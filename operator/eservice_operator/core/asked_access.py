# SPDX-License-Identifier: Apache-2.0
"""Facts about web services: how each use of the e-service stands, judged once for each decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from eservice_operator.api.uses import Use
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.once import once
from eservice_operator.core.public_route import PublicRoute


@dataclass(frozen=True)
class AskedAccess(PublicRoute):
    """The part of `Facts` that is about the web services which the e-service uses."""

    _standings: dict[Use, UseStanding] = field(default_factory=dict, compare=False, repr=False)

    @once
    def times(self) -> Times:
        """The clock by which access is judged."""
        return Times.under(self.policy, self.now)

    def standing(self, use: Use) -> UseStanding:
        """How a use stands now (R3)."""
        known = self._standings.get(use)
        if known is None:
            access = self.world.access
            known = self._standings[use] = use_standing(access.case(use), access.consumer, self.times)
        return known

    def not_granted(self, uses: Iterable[Use]) -> tuple[UseStanding, ...]:
        """How those of the uses stand that are not allowed."""
        return tuple(found for use in uses if not (found := self.standing(use)).allowed)
