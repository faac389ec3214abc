# SPDX-License-Identifier: Apache-2.0
"""Who of several operators may write: a Lease (``coordination.k8s.io``), and one candidate for it.

Nothing here asks a clock or a server. A candidate is told what was read and what was written, each with an
instant in seconds of a clock of its own, which only runs forward, and says what it would do next. The clocks
of other machines are compared with nothing: a foreign lease has run out once it was not seen to change for
its duration (as in client-go, whose Lease this is).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from eservice_operator.cluster.resources import LEASES
from eservice_operator.core.actions import Manifest, Ref

LONGEST: Final = 300.0
"""Seconds: the most that a foreign lease is believed to last, whatever it says of itself."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what all candidates go, in seconds: ``duration`` > ``renew_deadline`` > ``retry``."""

    duration: float = 15.0
    """Without being renewed the lease is another's to take after this."""
    renew_deadline: float = 10.0
    """Without having renewed it its holder begins no write after this, and ends."""
    retry: float = 2.0
    """From one look or renewal to the next."""

    @property
    def request_timeout(self) -> float:
        """One that gets no answer leaves time for another."""
        return self.renew_deadline / 2


class Lease(NamedTuple):
    """What a Lease says, as far as it counts here."""

    holder: str
    """Empty once it was given back."""
    seconds: float
    """Its duration; 0 where it says none."""
    transitions: int
    """How often it has changed hands."""
    renewed: str
    """When, by the holder's wall clock: only that it changes counts."""


def lease_of(obj: Manifest) -> Lease:
    """What an object of the API says."""
    spec: dict[str, Any] = obj.get("spec") or {}
    return Lease(
        spec.get("holderIdentity") or "",
        float(spec.get("leaseDurationSeconds") or 0),
        int(spec.get("leaseTransitions") or 0),
        f"{spec.get('acquireTime')} {spec.get('renewTime')}",
    )


class Move(Enum):
    """What a candidate would do now."""

    LOOK = auto()
    """Read the lease."""
    CREATE = auto()
    """Make it: there is none."""
    UPDATE = auto()
    """Write itself into the version that it has read last."""
    WAIT = auto()
    """Another one's time has not run out."""
    LEAVE = auto()
    """End: it held the lease, and must not count on it any more."""


class Candidate:
    """One operator that wants the lease, or holds it.

    It holds the lease from the instant *before* the request was sent that got or renewed it: whoever took it
    from there could not have seen that change before, and waits for the whole duration afterwards.
    """

    def __init__(self, identity: str, terms: Terms) -> None:
        self.identity = identity
        self.terms = terms
        self._looked = False
        self._known: Manifest | None = None
        self._lease: Lease | None = None
        self._vacant_from = -math.inf
        self._vanished = False
        self._held_since: float | None = None
        self._lost = False

    @property
    def lease(self) -> Lease | None:
        """As it was last read or written; None while there was none."""
        return self._lease

    @property
    def holding(self) -> bool:
        """Whether it got the lease and nothing that it was told since says that it has lost it."""
        return self._held_since is not None

    @property
    def leave_at(self) -> float:
        """From when on it may begin no write, unless it renews before; in the past while it holds nothing."""
        return -math.inf if self._held_since is None else self._held_since + self.terms.renew_deadline

    def time_left(self, now: float) -> float:
        """Seconds within which a write that begins now has to be over; 0 or less: it must not begin."""
        if self._held_since is None or now >= self.leave_at:
            return 0.0
        return self._held_since + self.terms.duration - now

    def seen(self, obj: Manifest | None, now: float) -> None:
        """The lease was read, or there is none; ``now`` is when the answer had come."""
        self._looked = True
        self._known = obj
        before, self._lease = self._lease, None if obj is None else lease_of(obj)
        if self._lease is None:
            if before is not None:  # whoever held it when it was deleted may still count on it
                self._vanished = True
                self._vacant_from = now + max(self.terms.duration, self._lasts(before))
        elif self._lease.holder == self.identity:
            if self._vanished and not self.holding and self._lease != before:
                self._vacant_from = now + self._lasts(self._lease)  # a late request of ours, after another's
        else:
            if self.holding:
                self.resign()
            if not self._lease.holder:
                self._vacant_from = -math.inf
            elif self._lease != before:
                self._vacant_from = now + self._lasts(self._lease)

    def doubt(self) -> None:
        """What was read last is out of date, or may be: a write of it was refused, or not answered."""
        self._looked = False

    def held(self, obj: Manifest, sent: float) -> None:
        """It was written as `next_version` has it, by a request that was sent at ``sent`` or later."""
        self._looked = True
        self._known, self._lease = obj, lease_of(obj)
        self._held_since = None if self._lost else sent

    def resign(self) -> None:
        """Write nothing from now on; what is left to do with the lease is to give it back."""
        self._held_since = None
        self._lost = True

    def move(self, now: float) -> Move:
        """What to do, as far as it knows."""
        if self._lost or (self._held_since is not None and now >= self.leave_at):
            return Move.LEAVE
        if not self._looked:
            return Move.LOOK
        if not self.holding and now < self._vacant_from:
            return Move.WAIT
        return Move.CREATE if self._lease is None else Move.UPDATE

    def _lasts(self, lease: Lease) -> float:
        return min(LONGEST, lease.seconds or self.terms.duration)

    def next_version(self, ref: Ref, wall: datetime, *, released: bool = False) -> Manifest:
        """The lease with this candidate as its holder, or given back; ``wall`` is what people are shown."""
        old = self._known or {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": _metadata(ref)}
        spec = dict(old.get("spec") or {})
        renewed = _micro_time(wall, other_than=spec.get("renewTime"))
        if spec.get("holderIdentity") != self.identity:
            spec["acquireTime"] = renewed
            spec["leaseTransitions"] = 0 if self._lease is None else self._lease.transitions + 1
        spec["holderIdentity"] = "" if released else self.identity
        spec["leaseDurationSeconds"] = 1 if released else math.ceil(self.terms.duration)
        spec["renewTime"] = renewed
        return {**old, "spec": spec}


def ref_of_lease(namespace: str, name: str) -> Ref:
    """Where a lease is."""
    return Ref(LEASES.api_version, LEASES.kind, namespace, name)


def _metadata(ref: Ref) -> dict[str, str]:
    return {"namespace": ref.namespace, "name": ref.name}


def _micro_time(wall: datetime, *, other_than: object) -> str:
    """As Kubernetes writes it, and another text than before: a renewal that changes nothing is not seen."""
    text = _text(wall)
    return text if text != other_than else _text(wall + timedelta(microseconds=1))


def _text(wall: datetime) -> str:
    return f"{wall.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
