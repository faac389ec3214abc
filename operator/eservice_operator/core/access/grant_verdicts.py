# SPDX-License-Identifier: Apache-2.0
"""The conditions of a grant: whether it is open, whether its credentials were copied, and who is at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.grant import GrantedVersionStatus, GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.access.grant_states import best, bindings_of, children_of
from eservice_operator.core.access.worlds import Copied, GrantWorld
from eservice_operator.core.actions import Outcome
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.failing import failing

ONLY_THE_SPEC: Final = frozenset({Reason.VERSIONS_NOT_NAMED, Reason.VERSIONS_NOT_ALLOWED})
"""What only another spec of the grant can mend."""
NOT_COPIED: Final = {
    Copied.MISSING: (Reason.CREDENTIALS_MISSING, "there is no Secret {name} beside the grant"),
    Copied.WRONG_TYPE: (
        Reason.CREDENTIALS_WRONG_TYPE,
        "Secret {name} is not copied: make one of type eservice.dev/credentials",
    ),
    Copied.TOO_LARGE: (Reason.CREDENTIALS_TOO_LARGE, "Secret {name} is not copied: it is larger than 64 KiB"),
    Copied.FORBIDDEN: (
        Reason.CREDENTIALS_FORBIDDEN,
        "the operator may not copy Secrets: an administrator applies rbac-credentials.yaml",
    ),
    Copied.NAME_TAKEN: (
        Reason.NAME_COLLISION,
        "Secret {name} is not copied: the consumer has one of its own by the name of the copy",
    ),
}


def grant_verdicts(
    world: GrantWorld, entries: Sequence[GrantedVersionStatus], outcome: Outcome, *, unfinished: bool
) -> tuple[Verdict, ...]:
    """Every condition of the grant; ``unfinished`` while there are writes left to make."""
    copied = tuple(_copied(world, entries))
    return (*_progress(world, entries, outcome, copied, unfinished=unfinished), _active(entries), *copied)


def _progress(
    world: GrantWorld,
    entries: Sequence[GrantedVersionStatus],
    outcome: Outcome,
    copied: Sequence[Verdict],
    *,
    unfinished: bool,
) -> tuple[Verdict, ...]:
    """Ready, and Reconciling or Stalled where one of them holds; never both."""
    shown = best(entries)
    if outcome.failure is not None:
        return failing(outcome.failure)
    if world.case.grant.metadata.deletion_timestamp is not None:
        left = _left(world) or "the finalizer"
        return c.reconciling(Reason.TERMINATING, f"being closed; still there: {left}")
    closing = any(entry.state is GrantState.REVOKING for entry in entries)
    if unfinished or closing:
        left = _left(world) if closing else ""
        text = f"being closed; still there: {left}" if left else "the grant is being carried out"
        return c.reconciling(Reason.PROGRESSING, text)
    if shown.reason == Reason.OPENING:
        return c.reconciling(Reason.PROGRESSING, shown.message)
    if shown.reason in ONLY_THE_SPEC:
        return c.stalling(Reason(shown.reason), shown.message)
    for verdict in copied:
        if verdict.status is ConditionStatus.FALSE:
            return (c.true(ConditionType.READY, verdict.reason, verdict.message),)
    reason = Reason.SUCCEEDED if shown.reason == shown.state.value else Reason(shown.reason)
    return (c.true(ConditionType.READY, reason, _said(entries)),)


def _left(world: GrantWorld) -> str:
    """What there is that a grant opened, in words."""
    return ", ".join(str(one.ref) for one in (*children_of(world), *bindings_of(world)))


def _active(entries: Sequence[GrantedVersionStatus]) -> Verdict:
    """Whether the consumer may call at all; the message says it of each contract version."""
    shown, kind = best(entries), ConditionType.ACTIVE
    if shown.state is GrantState.ACTIVE:
        return c.true(kind, Reason(shown.reason), _said(entries))
    return c.false(kind, Reason(shown.reason), _said(entries))


def _said(entries: Sequence[GrantedVersionStatus]) -> str:
    if len(entries) == 1:
        return entries[0].message
    return "; ".join(f"{entry.version}: {entry.message}" for entry in entries)


def _copied(world: GrantWorld, entries: Sequence[GrantedVersionStatus]) -> Iterator[Verdict]:
    """Only where credentials belong to what is open. What was not tried (yet) is as it was."""
    credentials, kind = world.case.grant.spec.credentials, ConditionType.CREDENTIALS_COPIED
    if credentials is None or best(entries).state is not GrantState.ACTIVE:
        return
    if world.copied is Copied.COPIED:
        yield c.true(
            kind, Reason.CREDENTIALS_COPIED, f"Secret {credentials.secret_name} is with the consumer"
        )
    elif world.copied is not None:
        reason, text = NOT_COPIED[world.copied]
        yield c.false(kind, reason, text.format(name=credentials.secret_name))
    else:
        before = c.find(world.case.grant.status.conditions, kind)
        yield _as_before(before) if before else c.unknown(kind, Reason.PROGRESSING, "not copied yet")


def _as_before(condition: Condition) -> Verdict:
    return Verdict(
        ConditionType.CREDENTIALS_COPIED, condition.status, Reason(condition.reason), condition.message
    )
