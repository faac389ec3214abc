# SPDX-License-Identifier: Apache-2.0
"""The decision about one EService: gates, children, the difference as actions, and when to look again.

``decide`` is pure and total. Deciding on the state that a decision leads to yields no action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.abandoned import in_reach
from eservice_operator.core.access_children import access_manifests, closing, is_written
from eservice_operator.core.actions import Action, Create, Delete, Ref, SetFinalizer, Update, target_of
from eservice_operator.core.answering import answer_of
from eservice_operator.core.children import Layout, changes, layout_of
from eservice_operator.core.deadlines import next_instant
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import ROUTE_KIND, with_record
from eservice_operator.core.ledger import fold, informed_at
from eservice_operator.core.opened import NOTHING_OPEN, open_access
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.posting import announced
from eservice_operator.core.records import decision_status, status_write
from eservice_operator.core.repairs import ROUTES, difference, regardless
from eservice_operator.core.rollout import Rollout, plan
from eservice_operator.core.scheduling import new_decision
from eservice_operator.core.showing import taken_off
from eservice_operator.core.unpublication import judge
from eservice_operator.core.world import Observed, World

OFF = "off the public route"


@dataclass(frozen=True)
class Decision:
    """What to do about an EService now, and when to look again."""

    facts: Facts
    rollout: Rollout
    actions: tuple[Action, ...]
    next_at: datetime | None


def decide(world: World, now: datetime, policy: Policy) -> Decision:
    """Decide about one EService at an instant; ``now`` counts in whole seconds.

    Of one whose spec cannot be read only what takes is decided: the children stay as they are.
    """
    facts = Facts(_informed(world), now.replace(microsecond=0), policy)
    rollout = plan(facts)
    if world.service.metadata.deletion_timestamp is not None:
        actions = (
            *_heard(facts),
            *closing(Owner.of(world.service.metadata), NOTHING_OPEN, world.children),
            *take_down(eservice_ref(facts), world.service.metadata, routes_of(world)),
        )
    else:
        records = tuple(_decisions(facts))
        actions = (
            *records,
            *_leftover(facts),
            *_unpublish(facts, rollout, regardless=not records or facts.paused or facts.suspended),
            *_former(facts, rollout),
        )
        if not world.errors:
            written = {target_of(action) for action in actions}
            layout = layout_of(facts, rollout)
            later = [one for one in changes(layout, world.children) if target_of(one) not in written]
            actions += tuple(_with_finalizer(later, _finalizer(facts, layout)))
        else:
            actions += tuple(_ended(facts, rollout))
        actions += tuple(_recorded(facts, rollout, actions))
    return Decision(facts, rollout, actions, next_instant(facts, rollout))


def _informed(world: World) -> World:
    """The world in which a decision counts as told as soon as a channel says so.

    So it is judged by that at once, and the write that shows it in the ledger says what became of it, too.
    """
    if not world.deliveries:
        return world
    return replace(world, decisions=tuple(_as_told(one, world) for one in world.decisions))


def _as_told(decision: UnpublishDecision, world: World) -> UnpublishDecision:
    status = decision.status
    if status.informed_at is not None:
        return decision
    told = informed_at(fold(status.notices, world.deliveries), status.announced_at)
    if told is None:
        return decision
    return decision.model_copy(update={"status": status.model_copy(update={"informed_at": told})})


def eservice_ref(facts: Facts) -> Ref:
    """The EService itself."""
    namespace, name = facts.place
    return Ref(names.API_VERSION, "EService", namespace, name)


def routes_of(world: World) -> tuple[Observed, ...]:
    """Every route of the e-service, of whatever kind."""
    return tuple(child for (kind, _), child in sorted(world.children.items()) if kind in ROUTES)


def take_down(service: Ref, metadata: ObjectMeta, routes: Iterable[Observed]) -> tuple[Action, ...]:
    """Deletion: the routes first, then our finalizer; the rest goes with its owner.

    But for what grants opened (`closing`): whoever holds the EService by a finalizer keeps none of that.
    """
    left = tuple(routes)
    if left:
        return tuple(
            action for route in left for action in _remove_route(route, "the EService is being deleted")
        )
    if names.FINALIZER in metadata.finalizers:
        return (SetFinalizer(service, metadata.uid, present=False, reason="its route is gone"),)
    return ()


def _remove_route(route: Observed | None, reason: str, *, regardless: bool = True) -> Iterator[Action]:
    if route is not None and route.uid and not route.terminating:
        yield Delete(route.ref, route.uid, reason, regardless=regardless)


def _leftover(facts: Facts) -> Iterator[Action]:
    """What an earlier EService of the same name left in the Agency's namespace without its finalizer."""
    for route in facts.world.leftovers:
        yield from _remove_route(route, "left behind by an earlier EService of this name")


def _decisions(facts: Facts) -> Iterator[Action]:
    """R8: the records come before what they announce."""
    for decision in facts.decisions:
        judged = announced(facts, decision, judge(facts, decision))
        notices = in_reach(judged.notices, facts.policy)
        if notices is not judged.notices:
            judged = judged.model_copy(update={"notices": notices})
        status = decision_status(decision, judged, facts.now)
        if status is not decision.status and status != decision.status:
            yield status_write(decision, status, f"{status.state.value}: {status.reason}")
    made = new_decision(facts)
    if made is not None:
        yield Create(made, "the public release is overdue, or will be")


def _heard(facts: Facts) -> Iterator[Action]:
    """Who was told, as long as somebody is here to write it down: records outlive the e-service."""
    for decision in facts.decisions:
        status = decision.status
        notices = fold(status.notices, facts.world.deliveries)
        if notices != status.notices:
            heard = status.model_copy(update={"notices": notices})
            yield status_write(decision, heard, "what became of its notices")


def _unpublish(facts: Facts, rollout: Rollout, *, regardless: bool) -> Iterator[Action]:
    """Only the public route is touched; everything else stays.

    What takes comes before what gives, and also where the rest of the spec cannot be read. What a decision
    takes off waits for its record alone: the brake counts by that.
    """
    if rollout.serves or facts.public_name is None or facts.route is None:
        return
    if rollout.shown is None:
        yield from _remove_route(facts.route, OFF, regardless=regardless)
    elif facts.face is Face.LIVE:
        notice = facts.driver.build(Owner.of(facts.world.service.metadata), rollout.shown)
        for swap in difference(notice, facts.route):
            yield replace(swap, reason=OFF, regardless=regardless)


def _former(facts: Facts, rollout: Rollout) -> Iterator[Action]:
    """The route of the driver before goes once a Gateway says that it serves the new one.

    Until then what runs stays, also where a gate keeps it from the new route. Of an Ingress nobody says that:
    the HTTPRoute beside it stays until people delete it. Where the e-service is off, it goes at once.
    """
    if facts.former is None or facts.public_name is None:
        return
    seen = answer_of(facts)
    replaced = rollout.serves and facts.driver.answers and seen is not None and seen.served
    if replaced or taken_off(facts, rollout.public) or face_of(facts.former) is not Face.LIVE:
        yield from _remove_route(facts.former, f"{facts.driver.kind}s publish now" if replaced else OFF)


def _ended(facts: Facts, rollout: Rollout) -> Iterator[Action]:
    """R3: where the rest of the spec cannot be read, too, what was granted is taken once that ends."""
    owner, access = Owner.of(facts.world.service.metadata), open_access(facts, rollout)
    ends = tuple(closing(owner, access, facts.world.children))
    yield from ends
    for manifest in access_manifests(owner, access):
        child = facts.world.child(manifest["kind"], manifest["metadata"]["name"])
        if child is not None and not is_written(manifest, ends):
            for action in difference(manifest, child):
                yield regardless(action, child)


def _recorded(facts: Facts, rollout: Rollout, actions: tuple[Action, ...]) -> Iterator[Action]:
    """What was decided is recorded on a route of a Gateway that is otherwise left as it is, too.

    As where the spec cannot be read, or nobody remembers how the public release runs.
    """
    route, shown = facts.route, rollout.shown
    if route is None or route.terminating or shown is None or not facts.driver.far:
        return
    if any(target_of(action) == route.ref for action in actions) or shown.decision is None:
        return
    if shown.decision != facts.recorded_decision:
        manifest, reason = with_record(route, shown.decision), "what was decided is recorded"
        yield Update(manifest, route.uid, reason, take_over=route.edited)


def _finalizer(facts: Facts, layout: Layout) -> SetFinalizer | None:
    metadata = facts.world.service.metadata
    far = layout.previewed is not None or (layout.on_route is not None and facts.driver.far)
    if not far or names.FINALIZER in metadata.finalizers:
        return None
    reason = "its route lies in another namespace"
    return SetFinalizer(eservice_ref(facts), metadata.uid, present=True, reason=reason)


def _with_finalizer(actions: Sequence[Action], finalizer: SetFinalizer | None) -> Iterator[Action]:
    """The finalizer before the first route that is made: nothing else waits for it, least of all what takes.

    Whoever fills the EService up to what can be stored keeps it from being written.
    """
    for action in actions:
        if finalizer is not None and isinstance(action, Create) and action.manifest["kind"] == ROUTE_KIND:
            yield finalizer
            finalizer = None
        yield action
    if finalizer is not None:
        yield finalizer
