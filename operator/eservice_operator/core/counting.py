# SPDX-License-Identifier: Apache-2.0
"""R8: what counts for the brake of a template, one thing at a time.

What is about to happen is counted before it happens: decisions about to take effect, and decisions that
are about to be made and would take effect at once. Without the latter the first of sixty e-services
that one wrong date makes overdue would be gone before the second one is decided upon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from eservice_operator.api.base import EServiceRef, revoked_by
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDeferral
from eservice_operator.api.lifecycle import Enforcement
from eservice_operator.core.dates import ONE_SECOND, local_day, parse_period
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import Lag
from eservice_operator.core.once import once
from eservice_operator.core.policy import Policy
from eservice_operator.core.promise import instant_of, lapsed, promise
from eservice_operator.core.recorded import recorded_ground

WINDOW = timedelta(hours=24)
"""How far the brake looks ahead, and how long what happened goes on counting."""
DeferralsOf = Callable[[EServiceRef], tuple[UnpublishDeferral, ...]]
"""The deferrals that name an e-service."""
Forsaken = Callable[[UnpublishDecision], bool]
"""Whether no e-service is left that a decision is about, so that nobody judges it."""
Subject = tuple[str, str, str]
"""What a decision is about, the same before and after it is made: registration, environment, version."""


class Part(StrEnum):
    """Why something counts."""

    DUE = "Due"
    """A decision that takes effect within the window."""
    COMING = "Coming"
    """A decision that is about to be made and would do so."""
    HELD = "Held"
    """One that the brake took into a set since less than the window ago."""
    GONE = "Gone"
    """One that took effect since less than the window ago, and was not released."""


FRESH = (Part.DUE, Part.COMING)
"""What can still be held."""


def subject_of(decision: UnpublishDecision) -> Subject:
    """What a decision is about."""
    spec = decision.spec
    return spec.registration, spec.environment.value, spec.release.template.version


@dataclass(frozen=True, slots=True)
class PublicService:
    """An EService in Production that has a public release on the template."""

    registration: str
    version: str
    """The template version in public use."""
    published: bool
    """Whether the public is served: by its HTTPRoute; of an Ingress by its Published condition."""


@dataclass(frozen=True)
class Counting:
    """What counts of one template at one instant, a whole second."""

    known: KnownTemplate
    now: datetime
    policy: Policy
    deferrals: DeferralsOf
    forsaken: Forsaken
    _lags: dict[str, Lag | None] = field(default_factory=dict, compare=False, repr=False)
    _coming: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def part(self, decision: UnpublishDecision, *, mine: bool = False) -> Part | None:
        """Why a decision counts, if it does; ``mine`` is due by its instant, whatever its status says."""
        if self._far(decision) and not mine:
            return None
        status = decision.status
        if status.state is DecisionState.CLOSED or revoked_by(self._today, decision.spec.revoked) is not None:
            return None
        unreleased = status.released_at is None
        if status.state is DecisionState.EFFECTIVE:
            return Part.GONE if unreleased and self._recent(status.effective_since) else None
        if status.hold_token is not None and (unreleased or not lapsed(status)):
            return Part.HELD if unreleased and self._recent(status.held_since) else None
        return Part.DUE if self._due(decision, mine=mine) else None

    def settles(self, decision: UnpublishDecision) -> bool:
        """Whether no further decision about the same version is made beside this one, nor after it."""
        if decision.status.state is not DecisionState.CLOSED:
            return True
        if decision.spec.revoked is None:
            return False
        version = decision.spec.release.template.version
        lag = self.known.lag(version, self._today)
        return lag is not None and recorded_ground(decision).caused_by == self.known.cause_of(version, lag)

    def comes(self, version: str) -> bool:
        """Whether a decision about a version that is about to be made would take effect within the window."""
        if version not in self._coming:
            lag = self._overdue(version)
            since = None if lag is None else lag.overdue_since
            lifecycle = self.known.template.spec.lifecycle
            notice, zone = parse_period(lifecycle.notice_period), self.policy.zone
            self._coming[version] = since is not None and (
                promise(since, lifecycle.enforce_from, notice, self.now, zone) < self._horizon
            )
        return self._coming[version]

    def speaks_of(self, known: KnownTemplate, now: datetime, policy: Policy) -> bool:
        """Whether it is about this very version of the template, this instant and this policy."""
        return self.now == now and self.known.template is known.template and self.policy == policy

    # what is so at the end of the window

    @once
    def _horizon(self) -> datetime:
        return self.now + WINDOW

    @once
    def _day(self) -> date:
        """The last local day of which a part lies in the window."""
        return local_day(self._horizon - ONE_SECOND, self.policy.zone)

    @once
    def _today(self) -> date:
        return local_day(self.now, self.policy.zone)

    @once
    def _enforced(self) -> bool:
        lifecycle = self.known.template.spec.lifecycle
        if lifecycle.enforcement is not Enforcement.ENFORCE:
            return False
        return lifecycle.enforce_from is None or lifecycle.enforce_from <= self._day

    def _overdue(self, version: str) -> Lag | None:
        """The lag of a version that is overdue and enforced within the window."""
        if version not in self._lags:
            lag = self.known.lag(version, self._today) if self._enforced else None
            self._lags[version] = lag if lag is not None and lag.overdue(self._day) else None
        return self._lags[version]

    # of a decision

    def _far(self, decision: UnpublishDecision) -> bool:
        """Whether a decision cannot count, which is so of nearly all of them, told by its dates alone."""
        status = decision.status
        if status.state is DecisionState.CLOSED:
            return True
        return (
            status.hold_token is None
            and status.state is not DecisionState.EFFECTIVE
            and decision.spec.effective_at >= self._horizon
        )

    def _recent(self, since: datetime | None) -> bool:
        return since is not None and self.now - since < WINDOW

    def _due(self, decision: UnpublishDecision, *, mine: bool) -> bool:
        if self._overdue(decision.spec.release.template.version) is None:
            return False
        if mine:
            return True
        if decision.spec.effective_at >= self._horizon:
            return False
        deferrals = self.deferrals(decision.spec.e_service)
        at = instant_of(decision, deferrals, self.known, self.now, self.policy, self._day)
        return at < self._horizon and not self.forsaken(decision)
