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
from eservice_operator.core.dates import instant, parse_instant
from eservice_operator.core.facts import Facts, Subject, deployment_name, rolled_out
from eservice_operator.core.gates import Unmet, blocks_install, check_all
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.unpublication import blocking_decision

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
    serves: bool
    """Whether the public route is to serve the e-service."""
    drained_at: datetime | None
    """When the release before may be scaled to zero at the earliest; none when it already may."""

    @property
    def releases(self) -> tuple[Snapshot, ...]:
        """The releases that have a Deployment."""
        return tuple(running.release for running in self.running)


def plan(facts: Facts) -> Rollout:
    """What is to run and to be public now."""
    gates = check_all(facts, Subject(facts.wanted, wanted=True))
    wanted = _content(facts, gates)
    switching = _may_switch(facts, gates)
    public = wanted if switching or facts.public_name == facts.wanted.name else facts.public
    public_gates = gates
    if public is not None and public.name != facts.wanted.name:
        public_gates = check_all(facts, Subject(public, wanted=False))
    candidate = None if public is not None and public.name == facts.wanted.name else wanted
    switched_at, previous = _switch(facts, switching=switching)
    drained_at = _drained_at(facts, switched_at, previous, switching=switching)
    running = _running(facts, gates, public, candidate, previous, draining=drained_at is not None)
    return Rollout(
        gates=gates,
        public_gates=public_gates,
        public=public,
        candidate=candidate,
        running=running,
        switched_at=switched_at,
        previous=previous,
        serves=_serves(facts, public, public_gates),
        drained_at=drained_at,
    )


def _content(facts: Facts, gates: tuple[Unmet, ...]) -> Snapshot | None:
    """The release that the spec names as it is to run: a gate holds back a change, never what runs.

    None when it is not installed and may not be.
    """
    remembered = facts.installed_snapshot(facts.wanted.name)
    if blocks_install(gates):
        if remembered is None and facts.public_name == facts.wanted.name:
            return facts.public
        return remembered
    if remembered is not None and any(unmet.gate is Gate.HOST_ALLOWED for unmet in gates):
        return replace(facts.wanted, hosts=remembered.hosts, path=remembered.path)
    return facts.wanted


def _full_replicas(facts: Facts) -> int:
    """How many replicas the candidate needs before it is switched to: those of the public release."""
    serving = None if facts.public_name is None else facts.deployment(facts.public_name)
    replicas = 0 if serving is None else int(serving.spec.get("replicas", 0))
    return replicas or _own_replicas(facts, facts.wanted)


def _own_replicas(facts: Facts, release: Snapshot) -> int:
    """The replicas a release is to have as the public one; an autoscaler's number once it has one."""
    scaling = release.workload.autoscaling
    if scaling is None:
        return release.workload.replicas
    deployment = facts.deployment(release.name)
    observed = 0 if deployment is None else int(deployment.spec.get("replicas", 0))
    return min(max(observed, scaling.min_replicas), scaling.max_replicas)


def _may_switch(facts: Facts, gates: tuple[Unmet, ...]) -> bool:
    """Whether the release the spec names becomes public now: every gate, at this instant, and enough Pods."""
    if gates or facts.public_name == facts.wanted.name:
        return False
    return rolled_out(facts.deployment(facts.wanted.name), _full_replicas(facts))


def _switch(facts: Facts, *, switching: bool) -> tuple[str, str]:
    """When the public Service last switched, and from which release; kept on the Service itself."""
    service = facts.public_service
    if switching or service is None:
        return instant(facts.now), (facts.public_name or "") if switching else ""
    at = service.annotations.get(names.SWITCHED_AT_ANNOTATION) or instant(facts.now)
    return at, service.annotations.get(names.PREVIOUS_RELEASE_ANNOTATION, "")


def _drained_at(facts: Facts, switched_at: str, previous: str, *, switching: bool) -> datetime | None:
    """When the release before may be scaled to zero; none when it may be, or there is none."""
    if not previous or previous == facts.wanted.name:
        return None
    earliest = (parse_instant(switched_at) or facts.now) + facts.policy.drain
    if switching or facts.now < earliest:
        return earliest
    name = facts.world.service.metadata.name
    prefix = f"{deployment_name(name, previous)}-"
    for (kind, _), child in facts.world.children.items():
        if kind != "EndpointSlice" or child.labels.get(SERVICE_NAME_LABEL) != name:
            continue
        for endpoint in child.body.get("endpoints") or ():
            if str((endpoint.get("targetRef") or {}).get("name", "")).startswith(prefix):
                return earliest
    return None


def _running(
    facts: Facts,
    gates: tuple[Unmet, ...],
    public: Snapshot | None,
    candidate: Snapshot | None,
    previous: str,
    *,
    draining: bool,
) -> tuple[Running, ...]:
    """Every release that has a Deployment, with its replicas."""
    running = []
    if public is not None:
        running.append(Running(public, _own_replicas(facts, public)))
    if candidate is not None:
        raised = not gates or public is None and facts.public_name is None
        running.append(Running(candidate, _full_replicas(facts) if raised else 1))
    before = facts.installed_snapshot(previous) if previous else None
    if before is not None and before.name not in {entry.release.name for entry in running}:
        deployment = facts.deployment(previous)
        kept = 0 if deployment is None else int(deployment.spec.get("replicas", 0))
        running.append(Running(before, kept if draining else 0))
    return tuple(running)


def _serves(facts: Facts, public: Snapshot | None, gates: tuple[Unmet, ...]) -> bool:
    """Whether the public route is to serve: only R8, a pause and a suspension take a running service off it."""
    if public is None or facts.paused or facts.suspended:
        return False
    if facts.production and blocking_decision(facts, public.template) is not None:
        return False
    return facts.route is not None or not gates
