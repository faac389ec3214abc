# SPDX-License-Identifier: Apache-2.0
"""R8: the brake. Too many unpublications of one template within 24 hours are all held, as one set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.counting import FRESH, Subject, subject_of
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import short_hash

MOST_REPEATS = 8
"""How often the very same e-services may be held before a set that is half made could be split in two."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What the brake makes of a template at an instant."""

    engaged: bool
    token: str
    """Of the set that is to be held; empty unless engaged."""
    freeze: tuple[UnpublishDecision, ...]
    """The decisions that are to be taken into it now; others of it are not made yet."""


RESTS = Wave(engaged=False, token="", freeze=())


@dataclass(frozen=True, slots=True)
class Brake:
    """The brake of one template, with everything that it reads."""

    known: KnownTemplate
    fleet: Fleet
    now: datetime
    policy: Policy

    def engages(self, mine: UnpublishDecision | None = None) -> bool:
        """Whether too many would take effect within the window.

        ``mine`` is a decision whose instant has come: it counts as due whatever its status says.
        """
        return self.fleet.tally(self.known, self.now, self.policy).engages(mine)

    def wave(self) -> Wave:
        """The set to hold, if any, and which of its decisions still need the token."""
        tally = self.fleet.tally(self.known, self.now, self.policy)
        if not tally.engages():
            return RESTS
        fresh = [one for one in tally.counted() if one.part in FRESH]
        token = self._token({one.subject for one in fresh})
        freeze = tuple(one.decision for one in fresh if one.decision is not None)
        return Wave(engaged=True, token=token, freeze=freeze)

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


def token_of(subjects: Collection[Subject], attempt: int = 0) -> str:
    """The token of a set: from its members alone, so that it is the same however often it is computed."""
    written = sorted(
        f"{registration}/{environment}@{version}" for registration, environment, version in subjects
    )
    return short_hash([*written, *([attempt] if attempt else [])])
