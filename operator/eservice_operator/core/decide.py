# SPDX-License-Identifier: Apache-2.0
"""The decision about one EService: gates, children, the difference as actions, and when to look again.

``decide`` is pure and total. Deciding on the state that a decision leads to yields no action.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.acts import UnpublishDecision
from eservice_operator.core.actions import (
    Action,
    Create,
    Delete,
    Manifest,
    Ref,
    SetFinalizer,
    SetStatus,
    Update,
)
from eservice_operator.core.deadlines import next_instant
from eservice_operator.core.difference import first_difference
from eservice_operator.core.facts import CANDIDATE_SUFFIX, Facts, route_name
from eservice_operator.core.manifests import (
    build_autoscaler,
    build_budget,
    build_candidate_service,
    build_network_policy,
    build_public_service,
    build_service_account,
    build_snapshot,
)
from eservice_operator.core.pods import build_deployment
from eservice_operator.core.records import decision_status
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.rollout import Rollout, plan
from eservice_operator.core.routing import build_reference_grant, build_route
from eservice_operator.core.unpublication import judge, new_decision
from eservice_operator.core.world import Observed, Policy, World

PRUNED = ("Deployment", "ControllerRevision", "HorizontalPodAutoscaler", "Service")


@dataclass(frozen=True)
class Decision:
    """What to do about an EService now, and when to look again."""

    facts: Facts
    rollout: Rollout
    actions: tuple[Action, ...]
    next_at: datetime | None


def decide(world: World, now: datetime, policy: Policy) -> Decision:
    """Decide about one EService at an instant; ``now`` counts in whole seconds."""
    facts = Facts(world, now.replace(microsecond=0), policy)
    rollout = plan(facts)
    if world.service.metadata.deletion_timestamp is not None:
        actions = tuple(_take_down(facts))
    else:
        actions = (
            *_decisions(facts),
            *_unpublish(facts, rollout),
            *_children(facts, rollout),
            *_prune(facts, rollout),
        )
    return Decision(facts, rollout, actions, next_instant(facts, rollout))


def _take_down(facts: Facts) -> Iterator[Action]:
    """Deletion: the route first, then our finalizer; the rest goes with its owner."""
    route = facts.world.children.get(("HTTPRoute", route_name(facts.world)))
    if route is not None and not route.terminating:
        yield Delete(route.ref, route.uid, "the EService is being deleted")
    if route is None and names.FINALIZER in facts.world.service.metadata.finalizers:
        yield SetFinalizer(
            eservice_ref(facts), facts.world.service.metadata.uid, present=False, reason="route gone"
        )


def eservice_ref(facts: Facts) -> Ref:
    """The EService itself."""
    metadata = facts.world.service.metadata
    return Ref(names.API_VERSION, "EService", metadata.namespace, metadata.name)


def _decisions(facts: Facts) -> Iterator[Action]:
    """R8: the records come before what they announce."""
    for decision in facts.world.decisions:
        status = decision_status(decision, judge(facts, decision), facts.now)
        if status != decision.status:
            yield SetStatus(
                Ref(names.API_VERSION, UnpublishDecision.__name__, "", decision.metadata.name),
                decision.metadata.uid,
                status.model_dump(mode="json", by_alias=True, exclude_none=True),
                f"{status.state.value}: {status.reason}",
            )
    made = new_decision(facts)
    if made is not None:
        yield Create(made, "the public release is overdue, or will be")


def _unpublish(facts: Facts, rollout: Rollout) -> Iterator[Action]:
    """Only the public route is touched; everything else stays."""
    if facts.route is not None and not rollout.serves and facts.public_name is not None:
        yield Delete(facts.route.ref, facts.route.uid, "off the public route")


def _desired(facts: Facts, rollout: Rollout) -> Iterator[Manifest]:
    """Every child, in the order in which one needs the other."""
    if rollout.running:
        yield build_service_account(facts)
        yield build_network_policy(facts, rollout.releases)
        yield build_budget(facts)
    for running in rollout.running:
        yield build_snapshot(facts, running.release, _revision(facts, running.release))
        yield build_deployment(facts, running.release, running.replicas)
    if rollout.candidate is not None:
        yield build_candidate_service(facts, rollout.candidate)
    if rollout.public is not None:
        yield build_public_service(facts, rollout.public, rollout.switched_at, rollout.previous)
        autoscaler = build_autoscaler(facts, rollout.public)
        if autoscaler is not None:
            yield autoscaler
        yield build_reference_grant(facts)
        if rollout.serves:
            yield build_route(facts, rollout.public.hosts, rollout.public.path)


def _revision(facts: Facts, release: Snapshot) -> int:
    """The revision of a snapshot: its own while it is the newest of its release, else one more than that."""
    newest = facts.installed_snapshot(release.name)
    if newest is None:
        return 1
    return newest.revision if newest.content == release.content else newest.revision + 1


def _children(facts: Facts, rollout: Rollout) -> Iterator[Action]:
    """The difference between the children that should be and those that are."""
    if rollout.serves and names.FINALIZER not in facts.world.service.metadata.finalizers:
        uid = facts.world.service.metadata.uid
        yield SetFinalizer(
            eservice_ref(facts), uid, present=True, reason="its route lies in another namespace"
        )
    for manifest in _desired(facts, rollout):
        observed = facts.world.children.get((manifest["kind"], manifest["metadata"]["name"]))
        yield from difference(manifest, observed)


def difference(manifest: Manifest, observed: Observed | None) -> Iterator[Action]:
    """The action that brings one child to its manifest; none while it is being deleted or already there."""
    if observed is None:
        yield Create(manifest, "missing")
        return
    if observed.terminating:
        return
    found = first_difference(manifest, observed.body)
    if found is not None or observed.edited:
        yield Update(manifest, observed.uid, found or "edited by somebody else", take_over=observed.edited)


def _prune(facts: Facts, rollout: Rollout) -> Iterator[Action]:
    """Own children that are not wanted any more, once nothing points to them."""
    wanted = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in _desired(facts, rollout)}
    kept = {running.release.name for running in rollout.running} | {facts.public_name}
    for (kind, name), child in sorted(facts.world.children.items()):
        if kind not in PRUNED or (kind, name) in wanted or child.terminating:
            continue
        release = child.labels.get(names.RELEASE_LABEL)
        if kind == "Service" and not name.endswith(CANDIDATE_SUFFIX):
            continue
        if kind == "Deployment" and release in kept:
            continue
        yield Delete(child.ref, child.uid, "no longer part of the e-service")
