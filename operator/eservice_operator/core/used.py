# SPDX-License-Identifier: Apache-2.0
"""R3, R10: the uses of an e-service in its status, with what its institution has heard of each.

They are judged from specs alone, by the same judgement as the grant itself; the status of before tells since
when, what ended, and what was told (`heard`).
"""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api.reasons import Reason
from eservice_operator.api.used import EndedUse, UseStatus
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.access.lacking import lack_of
from eservice_operator.core.access.naming import named
from eservice_operator.core.access.requesting import request_state
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.conditions import told
from eservice_operator.core.facts import Facts
from eservice_operator.core.heard import heard_of, ledger_room, warned_of


def used(facts: Facts) -> tuple[UseStatus, ...]:
    """How each use that the spec names stands now, in the order of the spec."""
    old = facts.world.service.status.uses
    if facts.world.service.metadata.deletion_timestamp is not None:
        return old
    if not facts.spec.uses:
        return ()
    before = {(entry.name, entry.web_service): entry for entry in old}
    entries, free = [], ledger_room(facts)
    for standing in map(facts.standing, facts.spec.uses):
        earlier = before.get((standing.use.name, named(standing.use)))
        entry = _entry(facts, standing, earlier, may_tell=free > 0)
        free -= _tells(earlier, entry)
        entries.append(entry)
    return tuple(entries)


def _tells(old: UseStatus | None, new: UseStatus) -> bool:
    """Whether a new entry makes an institution be told anything."""
    earlier = (None, ()) if old is None else (old.told_at, old.warned)
    return (new.told_at, new.warned) != earlier and (new.told_at is not None or bool(new.warned))


def ended_before(facts: Facts, standing: UseStanding) -> EndedUse | None:
    """Why a use that was granted is not any more, where that is not what is said of it now."""
    for entry in facts.world.service.status.uses:
        if (entry.name, entry.web_service) == (standing.use.name, named(standing.use)):
            ended = _ended(standing, entry, facts.now)
            return None if ended is None or ended.reason == standing.reason else ended
    return None


def _entry(facts: Facts, standing: UseStanding, old: UseStatus | None, *, may_tell: bool) -> UseStatus:
    state = request_state(standing)
    ended = _ended(standing, old, facts.now)
    heard, told_at = heard_of(facts, standing, ended, old, may_tell=may_tell)
    holder, contact = _holder(standing, old)
    shown = lack_of(standing) or standing
    return UseStatus(
        name=standing.use.name,
        web_service=named(standing.use),
        holder=holder,
        contact=contact,
        state=state,
        reason=shown.reason.value,
        message=told(shown.message),
        since=facts.now if old is None or old.state is not state else old.since,
        ends_on=standing.ends_on,
        ended=ended,
        told=heard,
        told_at=told_at,
        warned=warned_of(facts, standing, old, told_at) if may_tell else () if old is None else old.warned,
    )


def _ended(standing: UseStanding, old: UseStatus | None, now: datetime) -> EndedUse | None:
    """Since when and why a use is not granted any more: what ended it first counts."""
    if standing.allowed or old is None:
        return None
    if old.ended is not None or RequestState.GRANTED not in (old.state, old.told):
        return old.ended
    if _is_gone(standing):
        return EndedUse(at=now, reason=Reason.CLOSING.value, message="the grant was deleted")
    return EndedUse(at=now, reason=standing.reason.value, message=told(standing.message))


def _is_gone(standing: UseStanding) -> bool:
    """Whether nothing is left of a grant, not even one of other versions."""
    answered = standing.grant is not None or standing.use.agent is not None
    return not answered and standing.reason is not Reason.VERSION_NOT_GRANTED


def _holder(standing: UseStanding, old: UseStatus | None) -> tuple[str | None, str | None]:
    """Institution and address of the holder; who was granted a web service goes on knowing whose it is."""
    if standing.offer is not None:
        return standing.offer.web_service.spec.holder.institution, standing.contact or None
    if old is not None and (old.state is RequestState.GRANTED or old.ended is not None):
        return old.holder, old.contact
    return None, None
