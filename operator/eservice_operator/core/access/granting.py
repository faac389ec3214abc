# SPDX-License-Identifier: Apache-2.0
"""R3, R10: the decision about one grant: what it opens in the holder's namespace, and what it closes.

What ends is closed before anything is opened. Before the first of it opens, the grant gets a finalizer, which
leaves when all of it was observed gone, and what is opened in Production is on record as tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from eservice_operator.api import names
from eservice_operator.api.grant import (
    GrantConsumer,
    WebServiceGrant,
    WebServiceGrantStatus,
)
from eservice_operator.api.webservice import Isolation
from eservice_operator.core import conditions as c
from eservice_operator.core.access.asking import in_question
from eservice_operator.core.access.case import GrantCase, Offer
from eservice_operator.core.access.grant_states import best, bindings_of, children_of, version_states
from eservice_operator.core.access.grant_verdicts import grant_verdicts
from eservice_operator.core.access.proof import record_of
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Standing, Times
from eservice_operator.core.access.turns import next_turn
from eservice_operator.core.access.walls import (
    BINDING_KIND,
    POLICY_KIND,
    ROLE_KIND,
    build_policy,
    build_role,
    build_role_binding,
    versions_in,
)
from eservice_operator.core.access.worlds import GrantWorld
from eservice_operator.core.actions import (
    Action,
    Create,
    Delete,
    Manifest,
    Outcome,
    Ref,
    SetFinalizer,
    Update,
)
from eservice_operator.core.policy import Policy
from eservice_operator.core.repairs import difference
from eservice_operator.core.world import Observed


@dataclass(frozen=True)
class GrantDecision:
    """What to do about a grant now."""

    world: GrantWorld
    standings: tuple[Standing, ...]
    """Whether each contract version is allowed."""
    wanted: tuple[Manifest, ...]
    """The children that should be there; none where nothing is allowed."""
    closing: tuple[Action, ...]
    """What takes a right or a way from somebody: it rests on nothing, and waits for nothing."""
    actions: tuple[Action, ...]
    """All there is to do, ``closing`` first."""
    next_at: datetime | None
    """When the answer can change by time alone."""


def decide_grant(world: GrantWorld, now: datetime, policy: Policy) -> GrantDecision:
    """Decide about one grant: pure, total, and quiet once what is allowed is open and nothing else is."""
    times = Times.under(policy, now)
    found = standings(world.case, times)
    allowed = tuple(standing.version for standing in found if standing.allowed)
    wanted = tuple(_wanted(world.case, allowed))
    closing = tuple(replace(one, regardless=True) for one in _close(world, allowed, wanted))
    actions = [*closing, *_give(world, found, wanted, times)]
    if not wanted:
        actions += _let_go(world)
    return GrantDecision(
        world=world,
        standings=found,
        wanted=wanted,
        closing=closing,
        actions=tuple(actions),
        next_at=next_turn(world.case, times),
    )


def _wanted(case: GrantCase, allowed: Sequence[str]) -> Iterator[Manifest]:
    """The children that should be there.

    A NetworkPolicy closes its Pods to everybody that none lets in: where callers are only observed, no grant
    has one.
    """
    if not allowed:
        return
    offer = case.offer
    if offer is not None and offer.pods is not None and _is_walled(offer):
        yield build_policy(case.grant, offer.pods)
    yield build_role(case.grant, allowed)
    yield build_role_binding(case.grant)


def _is_walled(offer: Offer) -> bool:
    return offer.web_service.spec.isolation is Isolation.ENFORCE


def _stays(case: GrantCase, kind: str, allowed: Sequence[str]) -> bool:
    """Whether a child stays while nobody knows what it should be: the way to Pods that are not known."""
    offer = case.offer
    unknown = offer is None or (
        offer.pods is None and offer.web_service.spec.backend.service is not None and _is_walled(offer)
    )
    return bool(allowed) and kind == POLICY_KIND and unknown


def _give(
    world: GrantWorld, found: Sequence[Standing], wanted: Sequence[Manifest], times: Times
) -> Iterator[Action]:
    """What opens, behind the finalizer and the record."""
    if not wanted:
        return
    if not _bound(world):
        yield _finalizer(world, present=True, reason="something is opened, and its end has to be seen")
    yield from _records(world.case, found, times)
    yield from _open(world, [standing.version for standing in found if standing.allowed], wanted)


def _let_go(world: GrantWorld) -> Iterator[Action]:
    """The finalizer leaves when nothing is left."""
    if _bound(world) and not any(children_of(world)) and not any(bindings_of(world)):
        yield _finalizer(world, present=False, reason="nothing of what was opened is left")


def _bound(world: GrantWorld) -> bool:
    return names.GRANT_FINALIZER in world.case.grant.metadata.finalizers


def _finalizer(world: GrantWorld, *, present: bool, reason: str) -> SetFinalizer:
    metadata = world.case.grant.metadata
    ref = Ref(names.API_VERSION, WebServiceGrant.__name__, metadata.namespace, metadata.name)
    return SetFinalizer(ref, metadata.uid, present, reason, names.GRANT_FINALIZER)


def _close(
    world: GrantWorld, allowed: Sequence[str], wanted: Sequence[Manifest]
) -> Iterator[Create | Update | Delete]:
    """What takes a right or a way from somebody, all of it before anything is given."""
    manifests = {manifest["kind"]: manifest for manifest in wanted}
    for child in children_of(world):
        kind = child.ref.kind
        if child.terminating:
            continue
        if _stays(world.case, kind, allowed):
            continue
        if kind not in manifests:
            yield Delete(child.ref, child.uid, "not granted (any more)")
        elif _other_role(child, manifests[kind]):
            yield Delete(child.ref, child.uid, "gives another Role, which cannot be changed")
        elif kind == ROLE_KIND:
            yield from difference(build_role(world.case.grant, versions_in(child, allowed)), child)
        else:
            yield from difference(manifests[kind], child)


def _other_role(child: Observed, manifest: Manifest) -> bool:
    return child.ref.kind == BINDING_KIND and child.body.get("roleRef") != manifest["roleRef"]


def _records(case: GrantCase, found: Sequence[Standing], times: Times) -> Iterator[Action]:
    """R10: that a connection was tested is on record before it opens, whatever becomes of its test.

    What only stays open was tested before; that is never put on record anew.
    """
    if not times.trusted:  # it would bear the date; what is open by now was on record before
        return
    for version in (one.version for one in found if one.allowed and not one.held):
        manifest = record_of(case, version, times)
        if manifest is not None:
            yield Create(manifest, f"{version} was tested, and is opened")


def _open(world: GrantWorld, allowed: Sequence[str], wanted: Sequence[Manifest]) -> Iterator[Action]:
    """What is missing, and the versions that come to the Role."""
    for manifest in wanted:
        child = world.children.get((manifest["kind"], manifest["metadata"]["name"]))
        if child is None or (_other_role(child, manifest) and not child.terminating):
            yield Create(manifest, "missing")
        elif manifest["kind"] == ROLE_KIND and versions_in(child, allowed) != tuple(allowed):
            yield from difference(manifest, child)


def grant_status(decision: GrantDecision, outcome: Outcome, now: datetime) -> WebServiceGrantStatus:
    """The whole status of a grant; the instant is that of the decision."""
    grant = decision.world.case.grant
    entries = version_states(decision.world, decision.standings, decision.wanted, now, outcome.failure)
    shown, generation = best(entries), grant.metadata.generation
    verdicts = grant_verdicts(decision.world, entries, outcome, unfinished=bool(decision.actions))
    return WebServiceGrantStatus(
        observed_generation=generation,
        state=shown.state,
        reason=shown.reason,
        contract_versions=entries,
        consumer=_consumer(decision.world.case),
        ends_on=_ends_on(decision.standings),
        conditions=c.merge(grant.status.conditions, verdicts, generation, now),
    )


def _consumer(case: GrantCase) -> GrantConsumer | None:
    """Who is let in. Of an e-service that does not ask, or not a confirmed holder, nothing is told."""
    consumer, offer = case.consumer, case.offer
    if offer is None and "WebService" in case.unread:
        return case.grant.status.consumer
    if consumer is None or offer is None or not offer.confirmed or not in_question(case):
        return None
    if consumer.registration is None:  # it cannot be read, and nobody else was let in meanwhile
        return case.grant.status.consumer
    institution = consumer.registration.spec.institution
    environment = consumer.service.spec.environment
    return GrantConsumer(institution=institution.name, code=institution.code, environment=environment)


def _ends_on(found: Sequence[Standing]) -> date | None:
    """The last day of the version that lasts longest; of those that are open, where there are any."""
    open_now = [one for one in found if one.allowed]
    ends = [one.ends_on for one in open_now or found]
    return None if None in ends else max(end for end in ends if end is not None)
