# SPDX-License-Identifier: Apache-2.0
"""A template as decisions read it: its versions, and what follows from them for a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.dates import parse_period
from eservice_operator.core.lag import Lag, LagPolicy, Prospects, measure_lag, prospects
from eservice_operator.core.once import once
from eservice_operator.core.versions import Catalogue

REMEMBERED_LAGS = 1024
"""How many lags a template keeps, so that one is measured once for all e-services of a day."""


@dataclass(frozen=True)
class KnownTemplate:
    """A template that exists, and its versions with the publication dates in effect.

    What follows from it for one day is worked out once for all its e-services.
    """

    template: EServiceTemplate
    catalogue: Catalogue
    _lags: dict[tuple[str, date], Lag | None] = field(default_factory=dict, compare=False, repr=False)

    @once
    def lag_policy(self) -> LagPolicy:
        """The template's policy in the terms of the lag."""
        lifecycle = self.template.spec.lifecycle
        return LagPolicy(
            maximum_lag=parse_period(lifecycle.maximum_lag),
            measure=lifecycle.lag_measure.value,
            migrate_within=parse_period(lifecycle.migrate_within),
        )

    def lag(self, version: str, day: date) -> Lag | None:
        """The lag of a version; none when it is unknown, which is never overdue."""
        key = version, day
        if key not in self._lags:
            if len(self._lags) >= REMEMBERED_LAGS:
                self._lags.clear()
            used = self.catalogue.find(version)
            lag = None if used is None else measure_lag(self.catalogue, used, self.lag_policy, day)
            self._lags[key] = lag
        return self._lags[key]

    def prospects(self, version: str) -> Prospects | None:
        """What the lag of a version follows from on whatever day; none when it is unknown."""
        used = self.catalogue.find(version)
        return None if used is None else prospects(self.catalogue, used, self.lag_policy)

    def cause_of(self, version: str, lag: Lag) -> str | None:
        """The version that makes a release on ``version`` overdue; none when it is its own recall."""
        cause = lag.caused_by
        return None if cause is None or cause == self.catalogue.find(version) else cause.text

    @once
    def turns(self) -> tuple[date, ...]:
        """The local days, in order, on which the template's own dates can change an answer."""
        dated = [self.template.spec.lifecycle.enforce_from]
        for version in self.catalogue.versions:
            dated += [version.released, version.published, version.withdrawn_at]
        return tuple(sorted({day for day in dated if day is not None}))
