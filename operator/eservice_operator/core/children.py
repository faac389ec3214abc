# SPDX-License-Identifier: Apache-2.0
"""The children of an e-service: what they should be, and the writes that bring them there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.reasons import Gate
from eservice_operator.core.access_children import access_manifests, closing, is_written
from eservice_operator.core.actions import Action, Delete, Manifest
from eservice_operator.core.driver import Driver, Shown
from eservice_operator.core.drivers import driver_of, former_driver_of
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import ROUTE_KIND
from eservice_operator.core.manifests import (
    CANDIDATE_SUFFIX,
    build_autoscaler,
    build_budget,
    build_candidate_service,
    build_network_policy,
    build_public_service,
    build_service_account,
    build_snapshot,
    let_in,
)
from eservice_operator.core.opened import OpenAccess, open_access
from eservice_operator.core.owner import Owner, preview_name
from eservice_operator.core.pods import build_deployment
from eservice_operator.core.policy import Policy
from eservice_operator.core.preview import build_preview
from eservice_operator.core.releases import Snapshot, earlier, newest
from eservice_operator.core.repairs import becomes_public, difference, regardless
from eservice_operator.core.rollout import Rollout, Running
from eservice_operator.core.world import Observed

Children = Mapping[tuple[str, str], Observed]

PRUNED = frozenset({"Deployment", "ControllerRevision", "HorizontalPodAutoscaler"})
REMEMBERED = 20_000
"""How many e-services keep the outcome of their last comparison."""


@dataclass(frozen=True)
class Layout:
    """Everything that the children of an e-service are built from."""

    owner: Owner
    policy: Policy
    running: tuple[Running, ...]
    public: Snapshot | None
    candidate: Snapshot | None
    shown: bool
    """Whether the candidate has a Service of its own, for people to look at it before it goes on."""
    remembered: tuple[Snapshot, ...]
    switched_at: str
    previous: str
    on_route: Shown | None
    """What the public route shows; none where there is no route."""
    still_let_in: tuple[str, ...]
    """The namespaces that a route of before is served from, beside those of the driver."""
    kept: str
    """A public release that is left as it is, since nobody remembers how it runs; or empty."""
    access: OpenAccess
    """What grants open for it."""
    becomes_public: bool = False
    """Whether the public release becomes that, or comes onto the public route, by this decision."""

    @property
    def previewed(self) -> Snapshot | None:
        """The candidate, where it has a route of its own."""
        return self.candidate if self.shown and driver_of(self.policy).previews else None


def layout_of(facts: Facts, rollout: Rollout) -> Layout:
    """What the children are to be built from now."""
    metadata = facts.world.service.metadata
    lost = facts.lost and rollout.public is None
    return Layout(
        owner=Owner.of(metadata),
        policy=facts.policy,
        running=rollout.running,
        public=rollout.public,
        candidate=rollout.candidate,
        shown=_is_looked_at(facts, rollout),
        remembered=facts.world.snapshots,
        switched_at=rollout.switched_at,
        previous=rollout.previous,
        on_route=rollout.shown,
        still_let_in=tuple(_still_let_in(facts, rollout)),
        kept=facts.public_name or "" if lost else "",
        access=open_access(facts, rollout),
        becomes_public=becomes_public(facts, rollout),
    )


def _still_let_in(facts: Facts, rollout: Rollout) -> Iterator[str]:
    """Whoever the NetworkPolicy lets in stays while a former route shows the e-service: it may be served.

    Where the controller of an Ingress runs, only the settings of before said; so what is let in tells it.
    """
    if face_of(facts.former) is not Face.LIVE:
        return
    policy = facts.world.child("NetworkPolicy", facts.world.service.metadata.name)
    if policy is not None:
        yield from let_in(policy)
    yield from former_driver_of(facts.policy).sources(rollout.public)


def _is_looked_at(facts: Facts, rollout: Rollout) -> bool:
    """Whether anything but its Pods keeps the candidate from going on: else it is switched to at once.

    A Service that is there stays until then.
    """
    waits = any(unmet.gate is not Gate.INSTALLED for unmet in rollout.gates)
    name = facts.world.service.metadata.name + CANDIDATE_SUFFIX
    return waits or facts.world.child("Service", name) is not None


def desired(layout: Layout) -> Iterator[Manifest]:
    """Every child that should be there, in the order in which one needs the other.

    Little follows what is refused for good: what needs no Deployment comes before it, its memory after it.
    """
    owner, driver = layout.owner, driver_of(layout.policy)
    on_route = None if layout.on_route is None else layout.on_route.release
    if layout.running:
        yield build_service_account(owner)
        releases = [running.release for running in layout.running]
        releases += earlier(releases, layout.remembered)  # Pods lose no network before they are replaced
        sources = (*driver.sources(on_route), *layout.still_let_in)
        yield build_network_policy(owner, releases, sources)
        yield build_budget(owner)
    yield from access_manifests(owner, layout.access)
    if layout.public is not None or layout.previewed is not None or layout.kept:
        yield from driver.beside(owner)
    for running in layout.running:
        yield build_deployment(owner, running.release, running.replicas)
        yield build_snapshot(owner, running.release, _revision(layout, running.release))
    if layout.candidate is not None and layout.shown:
        yield build_candidate_service(owner, layout.candidate)
    if layout.public is not None:
        yield build_public_service(owner, layout.public, layout.switched_at, layout.previous)
    # the record of a switch comes right after it: before what a quota may refuse
    yield from _routes(layout, driver)
    autoscaler = None if layout.public is None else build_autoscaler(owner, layout.public)
    if autoscaler is not None:
        yield autoscaler


def _routes(layout: Layout, driver: Driver) -> Iterator[Manifest]:
    """The public route and that of the candidate."""
    preview, looked_at = layout.policy.preview, layout.previewed
    if layout.public is not None and layout.on_route is not None:
        yield driver.build(layout.owner, layout.on_route)
    if preview is not None and looked_at is not None:
        yield build_preview(layout.owner, looked_at, preview, layout.policy)


def _revision(layout: Layout, release: Snapshot) -> int:
    """The revision of a snapshot: its own while it is the newest of its release, else one more than that."""
    known = newest(layout.remembered, release.name)
    if known is None:
        return 1
    return known.revision if known.content == release.content else known.revision + 1


def changes(layout: Layout, children: Children) -> tuple[Action, ...]:
    """The writes that bring the children to what they should be; none when they are.

    Pure. As objects are never changed once they are read, the answer about the very same ones is remembered:
    of a fleet that rests, only what moved is compared again.
    """
    known = _answers.get(layout.owner.uid)
    if known is not None and known[0] == layout and _same(known[1], children):
        # the next layout shares the objects of this one, and these are equal without a look inside
        _answers[layout.owner.uid] = layout, known[1], known[2]
        _answers.move_to_end(layout.owner.uid)
        return known[2]
    answer = tuple(_changes(layout, children))
    _answers[layout.owner.uid] = layout, {key: child.body for key, child in children.items()}, answer
    if len(_answers) > REMEMBERED:
        _answers.popitem(last=False)
    return answer


Answer = tuple[Layout, dict[tuple[str, str], Mapping[str, Any]], tuple[Action, ...]]
_answers: OrderedDict[str, Answer] = OrderedDict()


def _same(bodies: Mapping[tuple[str, str], Mapping[str, Any]], children: Children) -> bool:
    return len(bodies) == len(children) and all(
        bodies.get(key) is child.body for key, child in children.items()
    )


def _changes(layout: Layout, children: Children) -> Iterator[Action]:
    ends = tuple(closing(layout.owner, layout.access, children))
    yield from ends
    wanted, driver = set(), driver_of(layout.policy)
    for manifest in desired(layout):
        key = manifest["kind"], manifest["metadata"]["name"]
        wanted.add(key)
        if layout.kept and key == ("NetworkPolicy", layout.owner.name) and key in children:
            continue  # what the kept release needs of it is not known
        if is_written(manifest, ends):
            continue
        strays = driver.strays(children[key]) if manifest["kind"] == driver.kind and key in children else ()
        yield from _written(layout, manifest, children.get(key), strays)
    for key, child in sorted(children.items()):
        if key not in wanted and _superfluous(layout, key, child):
            reason = "no longer part of the e-service"
            yield Delete(child.ref, child.uid, reason, regardless=key[0] == ROUTE_KIND)


def _written(
    layout: Layout, manifest: Manifest, child: Observed | None, strays: tuple[str, ...]
) -> Iterator[Action]:
    """`difference`, with what does not wait for what failed before it marked."""
    public = "" if layout.public is None else layout.public.name
    for write in difference(manifest, child, strays):
        yield regardless(write, child, public, giving=layout.becomes_public)


def _superfluous(layout: Layout, key: tuple[str, str], child: Observed) -> bool:
    """Whether an own child that is not wanted any more goes; what the public release stands on never does."""
    kind, name = key
    if child.terminating or not child.uid:
        return False
    if kind == "Service":
        return name == layout.owner.name + CANDIDATE_SUFFIX
    if kind == ROUTE_KIND:
        return name == preview_name(layout.owner.namespace, layout.owner.name)
    if kind == "HorizontalPodAutoscaler":
        return not layout.kept
    if kind == "ReferenceGrant":  # of a candidate that is looked at no more: nothing leads there
        return layout.public is None
    return kind in PRUNED and (not layout.kept or child.labels.get(names.RELEASE_LABEL) != layout.kept)
