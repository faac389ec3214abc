# SPDX-License-Identifier: Apache-2.0
"""R8: the brake. Too many unpublications of one template within 24 hours are all held, as one set.

What is about to happen is counted before it happens: decisions about to take effect, and decisions that
are about to be made and would take effect at once. Without the latter the first of sixty e-services
that one wrong date makes overdue would be gone before the second one is decided upon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import count
from typing import NamedTuple

from eservice_operator.api.base import Environment
from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.template import Enforcement
from eservice_operator.core.dates import ONE_SECOND, Period, local_day, parse_period
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import Lag
from eservice_operator.core.policy import Policy
from eservice_operator.core.promise import instant_of, lapsed, promise
from eservice_operator.core.releases import short_hash

WINDOW = timedelta(hours=24)
"""How far the brake looks ahead, and how long what happened goes on counting."""


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


MOST_REPEATS = 8
"""How often the very same e-services may be held before a set that is half made could be split in two."""
FRESH = (Part.DUE, Part.COMING)
"""What can still be held."""
PRODUCTION = Environment.PRODUCTION.value
Subject = tuple[str, str, str]
"""What a decision is about, the same before and after it is made: registration, environment, version."""


class Counted(NamedTuple):
    """One thing that the brake counts."""

    part: Part
    subject: Subject
    decision: UnpublishDecision | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """What the brake makes of a template at an instant."""

    engaged: bool
    token: str
    """Of the set that is to be held; empty unless engaged."""
    freeze: tuple[UnpublishDecision, ...]
    """The decisions that are to be taken into it now; others of it are not made yet."""


RESTS = Wave(engaged=False, token="", freeze=())


@dataclass(frozen=True)
class Brake:
    """The brake of one template, with everything that it reads.

    ``mine`` names a decision whose instant has come: it counts as due whatever its status says.
    """

    known: KnownTemplate
    fleet: Fleet
    now: datetime
    policy: Policy
    mine: str = ""
    _lags: dict[str, Lag | None] = field(default_factory=dict, compare=False, repr=False)
    _coming: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def engages(self) -> bool:
        """Whether too many of them would take effect within the window; counts no further than it needs.

        Each thing counted makes it engage rather than rest, so that the answer is that of a full count.
        """
        limit = self.known.template.spec.lifecycle.brake
        served = {service.registration for service in self.fleet.services if service.published}
        fresh = False
        for number, counted in enumerate(self.counted(), start=1):
            fresh = fresh or counted.part in FRESH
            if counted.part is Part.GONE:
                served.add(counted.subject[0])
            if fresh and number > limit.at_least and number * 100 > limit.percent * len(served):
                return True
        return False

    def wave(self) -> Wave:
        """The set to hold, if any, and which of its decisions still need the token."""
        if not self.engages():
            return RESTS
        fresh = [one for one in self.counted() if one.part in FRESH]
        token = self._token({one.subject for one in fresh})
        freeze = tuple(one.decision for one in fresh if one.decision is not None)
        return Wave(engaged=True, token=token, freeze=freeze)

    def counted(self) -> Iterator[Counted]:
        """Everything that counts: decisions first, then what is about to be decided, each subject once."""
        for decision in self.fleet.decisions:
            if self._far(decision):
                continue
            part = self._part(decision)
            if part is not None:
                yield Counted(part, subject_of(decision), decision)
        if not any(self._comes(version) for version in self.fleet.versions):
            return
        settled = {subject_of(decision) for decision in self.fleet.decisions if self._settles(decision)}
        for service in self.fleet.services:
            subject = service.registration, PRODUCTION, service.version
            if service.published and self._comes(service.version) and subject not in settled:
                settled.add(subject)
                yield Counted(Part.COMING, subject)

    # what is so at the end of the window

    @cached_property
    def _horizon(self) -> datetime:
        return self.now + WINDOW

    @cached_property
    def _day(self) -> date:
        """The last local day of which a part lies in the window."""
        return local_day(self._horizon - ONE_SECOND, self.policy.zone)

    @cached_property
    def _today(self) -> date:
        return local_day(self.now, self.policy.zone)

    @cached_property
    def _enforced(self) -> bool:
        lifecycle = self.known.template.spec.lifecycle
        if lifecycle.enforcement is not Enforcement.ENFORCE:
            return False
        return lifecycle.enforce_from is None or lifecycle.enforce_from <= self._day

    @cached_property
    def _notice(self) -> Period:
        return parse_period(self.known.template.spec.lifecycle.notice_period)

    def _overdue(self, version: str) -> Lag | None:
        """The lag of a version that is overdue and enforced within the window."""
        if version not in self._lags:
            lag = self.known.lag(version, self._today) if self._enforced else None
            self._lags[version] = lag if lag is not None and lag.overdue(self._day) else None
        return self._lags[version]

    # what counts

    def _far(self, decision: UnpublishDecision) -> bool:
        """Whether a decision cannot count, which is so of nearly all of them, told by its dates alone."""
        status = decision.status
        if status.state is DecisionState.CLOSED:
            return True
        return (
            status.hold_token is None
            and status.state is not DecisionState.EFFECTIVE
            and decision.spec.effective_at >= self._horizon
            and decision.metadata.name != self.mine
        )

    def _part(self, decision: UnpublishDecision) -> Part | None:
        status = decision.status
        if status.state is DecisionState.CLOSED or self._revoked(decision):
            return None
        unreleased = status.released_at is None
        if status.state is DecisionState.EFFECTIVE:
            return Part.GONE if unreleased and self._recent(status.effective_since) else None
        if status.hold_token is not None and (unreleased or not lapsed(status)):
            return Part.HELD if unreleased and self._recent(status.held_since) else None
        return Part.DUE if self._due(decision) else None

    def _recent(self, since: datetime | None) -> bool:
        return since is not None and self.now - since < WINDOW

    def _revoked(self, decision: UnpublishDecision) -> bool:
        return decision.spec.revoked is not None and decision.spec.revoked.at <= self._today

    def _due(self, decision: UnpublishDecision) -> bool:
        if self._overdue(decision.spec.release.template.version) is None:
            return False
        if decision.metadata.name == self.mine:
            return True
        if decision.spec.effective_at >= self._horizon:
            return False
        at = instant_of(decision, self.known, self.fleet, self.now, self.policy, self._day)
        return at < self._horizon and not self.fleet.forsaken(decision)

    def _settles(self, decision: UnpublishDecision) -> bool:
        """Whether no further decision about the same version is made beside this one, nor after it."""
        if decision.status.state is not DecisionState.CLOSED:
            return True
        if decision.spec.revoked is None:
            return False
        version = decision.spec.release.template.version
        lag = self.known.lag(version, self._today)
        return lag is not None and decision.spec.caused_by == self.known.cause_of(version, lag)

    def _comes(self, version: str) -> bool:
        """Whether a decision about a version that is about to be made would take effect within the window."""
        if version not in self._coming:
            lag = self._overdue(version)
            since = None if lag is None else lag.overdue_since
            enforce_from = self.known.template.spec.lifecycle.enforce_from
            zone = self.policy.zone
            self._coming[version] = since is not None and (
                promise(since, enforce_from, self._notice, self.now, zone) < self._horizon
            )
        return self._coming[version]

    # its name

    def _token(self, fresh: set[Subject]) -> str:
        """The token of a set that is still being filled, or a new one.

        A set is filled when its members and those to come are together what its token was made of: so an
        operator that died in the middle goes on with the same one. A token that stood for the same e-services
        before, or that the policy releases already, is not used again.
        """
        members: dict[str, set[Subject]] = {}
        for decision in self.fleet.decisions:
            if decision.status.hold_token is not None:
                members.setdefault(decision.status.hold_token, set()).add(subject_of(decision))
        tries = range(MOST_REPEATS)
        for token in sorted(members):
            whole = members[token] | fresh
            if not members[token] & fresh and token in {token_of(whole, attempt) for attempt in tries}:
                return token
        released = self.known.template.spec.lifecycle.brake.release
        names = (token_of(fresh, attempt) for attempt in count())
        return next(name for name in names if name != released and not members.get(name, set()) & fresh)


def subject_of(decision: UnpublishDecision) -> Subject:
    """What a decision is about."""
    spec = decision.spec
    return spec.registration, spec.environment.value, spec.release.template.version


def token_of(subjects: Collection[Subject], attempt: int = 0) -> str:
    """The token of a set: from its members alone, so that it is the same however often it is computed."""
    written = sorted(
        f"{registration}/{environment}@{version}" for registration, environment, version in subjects
    )
    return short_hash([*written, *([attempt] if attempt else [])])
