# SPDX-License-Identifier: Apache-2.0
"""How each contract version of a grant stands, once what is allowed is compared with what is there.

What is allowed comes from `standing`, what is there was observed. The status of before tells since when a
version is Active, whether one that is closed was ever open, and that one was once seen as it should be: what
differs by now, and lets the consumer call all the same, shuts nobody out. Nothing is opened by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.grant import (
    ALL_VERSIONS,
    MOST_GRANTED,
    GrantedVersionStatus,
    GrantState,
)
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.access.terms import Answer, Finding, Standing, waiting
from eservice_operator.core.access.walls import BINDING_KIND, KINDS, ROLE_KIND, versions_in
from eservice_operator.core.access.worlds import GrantWorld
from eservice_operator.core.actions import Failure, Manifest
from eservice_operator.core.conditions import told
from eservice_operator.core.difference import first_difference
from eservice_operator.core.failing import refusal, words
from eservice_operator.core.owner import owned_by
from eservice_operator.core.world import Observed

BEST_FIRST: Final = (
    GrantState.ACTIVE,
    GrantState.PENDING,
    GrantState.REVOKING,
    GrantState.REVOKED,
    GrantState.EXPIRED,
    GrantState.REFUSED,
)
DATED: Final = frozenset({Reason.EXPIRED, Reason.CONTRACT_RETIRED})
"""Ends that come by the grant's own dates."""
OPEN: Final = frozenset({GrantState.ACTIVE, GrantState.REVOKING})


def children_of(world: GrantWorld) -> Iterator[Observed]:
    """The grant's own children that are there, in the order in which they are closed."""
    name = grant_child(world.case.grant.metadata.name)
    for kind in KINDS:
        child = world.children.get((kind, name))
        if child is not None:
            yield child


def bindings_of(world: GrantWorld) -> Iterator[Observed]:
    """The bindings that are still to be removed.

    One that is being deleted is as good as gone, and one that no EService is left to remove is not waited
    for: nobody in a consumer's namespace can keep the holder's grant, and so its namespace, from going.
    """
    consumer, place = world.case.consumer, world.case.grant.spec.consumer
    uid = "" if consumer is None else consumer.service.metadata.uid
    for binding in chain(world.bindings, world.customers_bindings):
        beside_it = binding.ref.namespace == place.namespace
        if not binding.terminating and (not beside_it or _is_of(binding, uid)):
            yield binding


def _is_of(binding: Observed, uid: str) -> bool:
    """Whether a binding is one that the EService of that UID removes when it rests on nothing."""
    return bool(uid) and (
        binding.labels.get(names.OWNER_UID_LABEL) == uid or owned_by(binding.body["metadata"], uid)
    )


def version_states(
    world: GrantWorld,
    standings: Sequence[Standing],
    wanted: Sequence[Manifest],
    now: datetime,
    failure: Failure | None = None,
) -> tuple[GrantedVersionStatus, ...]:
    """The states of what the grant names, then of what it named before and is still being closed.

    ``failure`` is the write that failed: what is allowed is not open, or not as it should be, for that.
    """
    earlier = {entry.version: entry for entry in world.case.grant.status.contract_versions}
    named = {standing.version for standing in standings}
    hindrance = _hindrance(world, failure)
    entries = [_entry(world, one, wanted, earlier.get(one.version), now) for one in standings]
    entries = [
        _hindered(world, entry, wanted, hindrance) if one.allowed else entry
        for one, entry in zip(standings, entries, strict=True)
    ]
    gone = (
        Standing(
            version, Answer.OVER, Reason.VERSION_NOT_GRANTED, f"the grant does not name {version} any more"
        )
        for version, entry in earlier.items()
        if version not in named and _is_open(world, version, entry, allowed=bool(wanted))
    )
    entries += [_entry(world, one, wanted, earlier[one.version], now) for one in gone]
    return tuple(entries[: 2 * MOST_GRANTED])


def best(entries: Sequence[GrantedVersionStatus]) -> GrantedVersionStatus:
    """The one that stands for all; there always is one."""
    return min(entries, key=lambda entry: BEST_FIRST.index(entry.state))


def _hindrance(world: GrantWorld, failure: Failure | None) -> Finding:
    """What keeps all that is allowed from being as it should be, as far as that is known."""
    refused = None if failure is None else refusal(failure)
    held = [child for child in children_of(world) if child.terminating]
    if refused is not None:
        return waiting(*refused)
    if failure is not None:
        return waiting(Reason.OPENING, words(failure))
    if held:
        return waiting(Reason.OPENING, f"{held[0].ref} is being deleted, and something holds it")
    return waiting(Reason.OPENING, "it is being written")


def _hindered(
    world: GrantWorld, entry: GrantedVersionStatus, wanted: Sequence[Manifest], hindrance: Finding
) -> GrantedVersionStatus:
    """What is allowed, with what stands in the way of it: of its being open, or as it should be."""
    if entry.state is GrantState.PENDING:
        reason, text = hindrance.reason, f"granted, and not yet open: {hindrance.message}"
    elif _in_place(world, entry.version, wanted):
        return entry
    else:
        reason, text = Reason.DRIFTED, f"{entry.message}; open, and not as it should be: {hindrance.message}"
    return entry.model_copy(update={"reason": reason.value, "message": told(text)})


def _entry(
    world: GrantWorld,
    standing: Standing,
    wanted: Sequence[Manifest],
    earlier: GrantedVersionStatus | None,
    now: datetime,
) -> GrantedVersionStatus:
    state = _state(world, standing, wanted, earlier)
    since = None if earlier is None else earlier.active_since
    if state is GrantState.ACTIVE and (earlier is None or earlier.state is not GrantState.ACTIVE):
        since = now
    return GrantedVersionStatus(
        version=standing.version,
        state=state,
        reason=standing.reason.value,
        message=told(standing.message),
        active_since=since,
        ends_on=standing.ends_on,
    )


def _state(
    world: GrantWorld,
    standing: Standing,
    wanted: Sequence[Manifest],
    earlier: GrantedVersionStatus | None,
) -> GrantState:
    if standing.allowed:
        was_open = earlier is not None and earlier.state is GrantState.ACTIVE
        opened = _lets_in if was_open else _in_place
        return GrantState.ACTIVE if opened(world, standing.version, wanted) else GrantState.PENDING
    if _is_open(world, standing.version, earlier, allowed=bool(wanted)):
        return GrantState.REVOKING
    if standing.answer is Answer.REFUSED:
        return GrantState.REFUSED
    if standing.reason in DATED:
        return GrantState.EXPIRED
    was_active = earlier is not None and earlier.active_since is not None
    if was_active or standing.reason is Reason.CLOSING:
        return GrantState.REVOKED
    return GrantState.PENDING if standing.answer is Answer.WAITING else GrantState.EXPIRED


def _lets_in(world: GrantWorld, version: str, wanted: Sequence[Manifest]) -> bool:
    """Whether the consumer has the right to call the version, and all else is there, whatever it says."""
    for manifest in wanted:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        child = world.children.get((kind, name))
        if child is None or child.terminating:
            return False
        if kind == ROLE_KIND and not versions_in(child, (version,)):
            return False
        if kind == BINDING_KIND and first_difference(manifest | {"metadata": {}}, child.body) is not None:
            return False
    return bool(wanted)


def _in_place(world: GrantWorld, version: str, wanted: Sequence[Manifest]) -> bool:
    """Whether all that lets the consumer call the version was seen in the cluster as it should be."""
    return _lets_in(world, version, wanted) and all(
        first_difference(manifest, world.children[manifest["kind"], manifest["metadata"]["name"]].body)
        is None
        for manifest in wanted
        if manifest["kind"] != ROLE_KIND
    )


def _is_open(world: GrantWorld, version: str, earlier: GrantedVersionStatus | None, *, allowed: bool) -> bool:
    """Whether anything is left of what let the consumer call a version that it may not call (any more).

    Where another version stays open, only the Role and the bindings tell one from the other.
    """
    if any(_binds(binding, version) for binding in bindings_of(world)):
        return True
    left = tuple(children_of(world))
    if any(child.ref.kind == ROLE_KIND and versions_in(child, (version,)) for child in left):
        return True
    was_open = earlier is not None and earlier.state in OPEN
    return was_open and not allowed and bool(left)


def _binds(binding: Observed, version: str) -> bool:
    """Whether a binding leads to the version; one that names none leads to all."""
    data = binding.body.get("data") or {}
    told_of = f"{data.get('contract-version') or ''} {data.get('contract-versions') or ''}"
    named = [one for one in re.split(r"[\s,]+", told_of) if one]
    return not named or version == ALL_VERSIONS or version in named
