# SPDX-License-Identifier: Apache-2.0
"""Releases on their way: what runs at how many replicas, what is public, and when it is switched.

A candidate is installed beside the public release at one replica, raised to the public one's replicas
once every gate is passed, and switched to in one write of the Service. The release before is scaled to
zero once it is drained, and kept as the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.reasons import Gate
from eservice_operator.core.availability import available, emptying, replicas_of, rolled_out
from eservice_operator.core.dates import instant, parse_instant
from eservice_operator.core.driver import Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.gates import blocks_install, blocks_publish, check_all
from eservice_operator.core.owner import deployment_name
from eservice_operator.core.releases import Snapshot, newest
from eservice_operator.core.showing import on_allowed_gateway, on_own_hosts, shown_by
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Unmet
from eservice_operator.core.world import Observed

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Running:
    """A release that has a Deployment, and how many replicas it is to have."""

    release: Snapshot
    replicas: int


@dataclass(frozen=True)
class Rollout:
    """What is to run and to be public, once this decision is carried out."""

    gates: tuple[Unmet, ...]
    """Of the release that the spec names."""
    public_gates: tuple[Unmet, ...]
    """Of the public release; the same when the spec names it."""
    public: Snapshot | None
    """The public release, after a switch that this decision makes."""
    candidate: Snapshot | None
    running: tuple[Running, ...]
    switched_at: str
    previous: str
    shown: Shown | None
    """What the public route is to show; none where there is to be no route."""
    drained_at: datetime | None
    """When the release before may be scaled to zero at the earliest; none when it already may."""
    switches_at: datetime | None
    """When the candidate is switched to, where only the drain of the last switch is waited for."""

    @property
    def face(self) -> Face:
        """What the public is to see."""
        return Face.NOTHING if self.shown is None else self.shown.face

    @property
    def serves(self) -> bool:
        """Whether the public route is to serve the e-service."""
        return self.face is Face.LIVE


def plan(facts: Facts) -> Rollout:
    """What is to run and to be public now."""
    gates = check_all(facts, Subject(facts.wanted, wanted=True))
    wanted = _content(facts, gates)
    ready = _may_switch(facts, gates)
    switches_at = _still_draining(facts) if ready else None
    switching = ready and switches_at is None
    is_public = switching or facts.public_name == facts.wanted.name
    public, candidate = (wanted, None) if is_public else (facts.public, wanted)
    if public is not None:
        public = on_own_hosts(facts, public)
        if facts.route is not None:
            public = on_allowed_gateway(facts, public, facts.route)
    public_gates = gates
    if public is not None and not is_public:
        public_gates = check_all(facts, Subject(public, wanted=False))
    switched_at, previous = _switch(facts, switching=switching)
    drained_at = _drained_at(facts, previous, switching=switching)
    running = _running(facts, public, candidate, previous, draining=drained_at is not None)
    return Rollout(
        gates=gates,
        public_gates=public_gates,
        public=public,
        candidate=candidate,
        running=(*running, *_on_its_way(facts, gates, candidate)),
        switched_at=switched_at,
        previous=previous,
        shown=shown_by(facts, public, public_gates),
        drained_at=drained_at,
        switches_at=switches_at,
    )


def _content(facts: Facts, gates: tuple[Unmet, ...]) -> Snapshot | None:
    """The release that the spec names as it is to run: a gate holds back a change, never what runs.

    None when it is not installed and may not be.
    """
    wanted, remembered = facts.wanted, newest(facts.world.snapshots, facts.wanted.name)
    if blocks_install(gates):
        if facts.public_name == wanted.name:
            return remembered or facts.public
        return remembered if remembered is not None and facts.vouched_for(remembered) else None
    if remembered is None:
        return wanted
    configured_at = remembered.configured_at
    if wanted.configuration != remembered.configuration:
        configured_at = instant(facts.now)
    if blocks_publish(gates):
        return replace(
            wanted,
            hosts=remembered.hosts,
            path=remembered.path,
            gateway=remembered.gateway,
            configured_at=configured_at,
        )
    return wanted if configured_at == wanted.configured_at else replace(wanted, configured_at=configured_at)


def _full_replicas(facts: Facts) -> int:
    """How many replicas the candidate needs before it is switched to: those of the public release."""
    serving = None if facts.public_name is None else facts.deployment(facts.public_name)
    return replicas_of(serving) or _own_replicas(facts, facts.wanted)


def _own_replicas(facts: Facts, release: Snapshot) -> int:
    """The replicas a release is to have as the public one; an autoscaler's number once it has one."""
    scaling = release.workload.autoscaling
    if scaling is None:
        return release.workload.replicas
    observed = replicas_of(facts.deployment(release.name))
    return min(max(observed, scaling.min_replicas), scaling.max_replicas)


def _may_switch(facts: Facts, gates: tuple[Unmet, ...]) -> bool:
    """Whether the release the spec names becomes public now: every gate, at this instant, and enough Pods.

    A spec that cannot be read gives nothing. The Pods of one that the Service leads to are not counted again.
    A Service that was led elsewhere is put right first: that waits for nothing, as a switch may have to.
    """
    if gates or facts.world.errors or facts.public_name == facts.wanted.name or facts.led_astray:
        return False
    return facts.unrecorded or rolled_out(facts.deployment(facts.wanted.name), _full_replicas(facts))


def _switch(facts: Facts, *, switching: bool) -> tuple[str, str]:
    """When the public Service last switched, and from which release; kept on the Service itself."""
    service = facts.public_service
    noted = None if switching and not facts.unrecorded else _noted_switch(facts)
    noted_before = "" if service is None else service.annotations.get(names.PREVIOUS_RELEASE_ANNOTATION, "")
    return instant(noted or facts.now), (facts.public_name or "") if switching else noted_before


def _noted_switch(facts: Facts) -> datetime | None:
    """When the public Service says that it last switched; none when nobody could have written that."""
    service = facts.public_service
    noted = "" if service is None else service.annotations.get(names.SWITCHED_AT_ANNOTATION, "")
    at = parse_instant(noted)
    return at if at is not None and at <= facts.now + facts.policy.drain else None


def _drained_at(facts: Facts, previous: str, *, switching: bool) -> datetime | None:
    """When the release before may be scaled to zero; none when it may be, or nothing of it runs.

    Where the Service does not say when it switched, only its EndpointSlices count: an instant that moves
    with the clock would never come. While the route records it, the switch may be taken back to it.
    """
    if not previous or previous == facts.wanted.name or not replicas_of(facts.deployment(previous)):
        return None
    since = facts.now if switching and not facts.unrecorded else _noted_switch(facts)
    earliest = facts.now if since is None else since + facts.policy.drain
    recorded = facts.record is not None and facts.record.name == previous
    return earliest if facts.now < earliest or recorded or not _traffic_moved(facts, previous) else None


def _still_draining(facts: Facts) -> datetime | None:
    """Until when the release before the public one drains; none when the next switch need not wait for it.

    A switch takes the Pods of that one away at once, and a gateway that follows late may still ask them.
    Going back to it takes nothing away. Nothing waits where it is not known when the last switch was, nor
    for one that was made already.
    """
    if facts.unrecorded:
        return None
    service, since = facts.public_service, _noted_switch(facts)
    previous = "" if service is None else service.annotations.get(names.PREVIOUS_RELEASE_ANNOTATION, "")
    if since is None or previous == facts.wanted.name or not replicas_of(facts.deployment(previous)):
        return None
    until = since + facts.policy.drain
    return until if facts.now < until else None


def _traffic_moved(facts: Facts, previous: str) -> bool:
    """Whether the public Service's EndpointSlices show Pods, and none of the release before."""
    service = facts.world.service.metadata.name
    prefix = f"{deployment_name(service, previous)}-"
    pods = [pod for child in facts.world.children.values() for pod in _pods_of(child, service)]
    return bool(pods) and not any(pod.startswith(prefix) for pod in pods)


def _pods_of(child: Observed, service: str) -> list[str]:
    """The Pods that an EndpointSlice of that Service shows; none for anything else."""
    if child.body.get("kind") != "EndpointSlice" or child.labels.get(SERVICE_NAME_LABEL) != service:
        return []
    endpoints = child.body.get("endpoints") or ()
    return [str((endpoint.get("targetRef") or {}).get("name", "")) for endpoint in endpoints]


def _running(
    facts: Facts, public: Snapshot | None, candidate: Snapshot | None, previous: str, *, draining: bool
) -> tuple[Running, ...]:
    """The public release and the one before it, with their replicas."""
    running = [] if public is None else [Running(public, _own_replicas(facts, public))]
    before = newest(facts.world.snapshots, previous) if previous else None
    others = {release.name for release in (public, candidate) if release is not None}
    if before is not None and before.name not in others:
        kept = replicas_of(facts.deployment(previous)) if draining else 0
        running.append(Running(before, kept))
    return tuple(running)


def _on_its_way(facts: Facts, gates: tuple[Unmet, ...], candidate: Snapshot | None) -> tuple[Running, ...]:
    """The candidate: one replica beside a public release; all of them once every gate is passed.

    More replicas are not Available before their Pods are: once raised, that does not lower it again. What may
    not be installed is not started either: the release before stays at zero until its gates are passed, and
    until its Pods are gone: those that go would be taken for its new ones.
    """
    if candidate is None:
        return ()
    deployment = facts.deployment(candidate.name)
    if facts.public_name is not None and blocks_install(gates):
        return (Running(candidate, min(1, replicas_of(deployment))),)
    if emptying(deployment):
        return (Running(candidate, 0),)
    waiting = any(unmet.gate is not Gate.INSTALLED for unmet in gates)
    there = available(deployment) or replicas_of(deployment) > 1
    raised = facts.public_name is None or (there and not waiting)
    return (Running(candidate, _full_replicas(facts) if raised else 1),)
