# SPDX-License-Identifier: Apache-2.0
"""R3, R10: the decision about one WebService: its Pods closed to everybody without a grant, and who asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.webservice import Isolation, WebService
from eservice_operator.api.webservice_status import (
    MOST_LISTED,
    RequestState,
    WebServiceStatus,
)
from eservice_operator.core import conditions as c
from eservice_operator.core.access.addresses import address_finding
from eservice_operator.core.access.case import Pods
from eservice_operator.core.access.contracts import (
    consumers_by_version,
    contract_statuses,
    customers_by_version,
    next_end_of,
)
from eservice_operator.core.access.grant_checks import unconfirmed
from eservice_operator.core.access.letters import unreachable
from eservice_operator.core.access.naming import audience_of, wall_of
from eservice_operator.core.access.posting import web_service_told
from eservice_operator.core.access.requesting import Request, listed_before, requests_of, shown, told_of
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.trial import trial_finding
from eservice_operator.core.access.turns import (
    assignment_turns,
    contract_turns,
    customer_turns,
    first_after,
    turns,
)
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.actions import Action, Delete, Manifest, Outcome
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.failing import failing
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import short_hash
from eservice_operator.core.repairs import difference
from eservice_operator.core.world import Observed

WALL_KIND = "NetworkPolicy"
REQUESTS_HASH = 16


@dataclass(frozen=True)
class WebServiceDecision:
    """What to do about a web service now."""

    world: WebServiceWorld
    actions: tuple[Action, ...]
    next_at: datetime | None
    """When any of its status can change by time alone."""


def decide_web_service(world: WebServiceWorld, now: datetime, policy: Policy) -> WebServiceDecision:
    """Decide about one web service: pure, total, and quiet once its Pods are closed."""
    return WebServiceDecision(world, tuple(_wall_actions(world)), first_after(now, _turns(world, policy)))


def _turns(world: WebServiceWorld, policy: Policy) -> Iterator[datetime]:
    yield from contract_turns(world.offer.web_service, policy.zone)
    for grant in world.grants:
        yield from turns(grant, policy.zone)
    for agent in world.agents:
        yield from assignment_turns(agent.assignment, policy.zone)
        yield from customer_turns(agent.assignment, policy.zone)


def build_wall(web_service: WebService, pods: Pods) -> Manifest:
    """Default deny for the Pods of a web service: what grants let in is added to it by theirs."""
    spec = {"podSelector": {"matchLabels": dict(pods.selector)}, "policyTypes": ["Ingress"]}
    owner = Owner.of(web_service.metadata, WebService.__name__)
    name = wall_of(web_service.metadata.name)
    return owner.child("networking.k8s.io/v1", WALL_KIND, name, {"spec": spec})


def _wall_actions(world: WebServiceWorld) -> Iterator[Action]:
    """The wall stays as it was last where nobody knows the Pods: it goes only where none is meant to be."""
    web_service, wall = world.offer.web_service, _wall(world)
    if web_service.metadata.deletion_timestamp is not None:
        return
    if not _walled(web_service):
        if wall is not None and not wall.terminating:
            yield Delete(wall.ref, wall.uid, "no longer closed to callers without a grant")
    elif world.offer.pods is not None:
        yield from difference(build_wall(web_service, world.offer.pods), wall)


def _wall(world: WebServiceWorld) -> Observed | None:
    return world.children.get((WALL_KIND, wall_of(world.offer.web_service.metadata.name)))


def _walled(web_service: WebService) -> bool:
    """Whether its Pods are meant to be closed to everybody without a grant."""
    spec = web_service.spec
    return spec.isolation is Isolation.ENFORCE and spec.backend.service is not None


def web_service_status(
    decision: WebServiceDecision, outcome: Outcome, now: datetime, policy: Policy
) -> WebServiceStatus:
    """The whole status of a web service; ``outcome`` is what the actions came to."""
    world, times = decision.world, Times.under(policy, now)
    web_service = world.offer.web_service
    everybody, generation = requests_of(world, times), web_service.metadata.generation
    callers, customers = consumers_by_version(world, times), customers_by_version(world, everybody, times)
    requests, before = told_of(everybody, world), listed_before(world)
    verdicts = tuple(_verdicts(decision, outcome))
    status = WebServiceStatus(
        observed_generation=generation,
        audience=audience_of(web_service.reference),
        request_count=len(requests),
        waiting_count=sum(request.state is RequestState.WAITING for request in requests),
        requests=tuple(shown(one, before.get(one.identity)) for one in requests[:MOST_LISTED]),
        requests_hash=_hash(requests),
        consumer_count=len({place[:2] for found in callers.values() for place in found}),
        contracts=contract_statuses(world, callers, customers, times),
        next_end=next_end_of(web_service, times),
        conditions=c.merge(web_service.status.conditions, verdicts, generation, now),
    )
    return web_service_told(world, status, now, policy)


def _hash(requests: tuple[Request, ...]) -> str:
    """Tells who asks and how far each has got, also of those that are only counted."""
    return short_hash([(one.identity, one.state, one.grant) for one in requests], REQUESTS_HASH)


def _verdicts(decision: WebServiceDecision, outcome: Outcome) -> Iterator[Verdict]:
    world = decision.world
    found, isolated = _backend(world), _isolated(decision)
    yield from _progress(decision, outcome, found)
    yield _grantable(world, found)
    yield _holder(world)
    yield found
    yield isolated
    yield from _trial(world)
    foreign = (("Role", world.foreign_roles), ("RoleBinding", world.foreign_bindings))
    named = "; ".join(f"{kind} {', '.join(sorted(which))}" for kind, which in foreign if which)
    if named:
        text = f"others than the operator give the right to invoke it, and no grant does: {named}"
        yield c.true(ConditionType.FOREIGN_INVOKERS, Reason.FOREIGN_ROLES, text)
    if world.offer.confirmed and world.contact is None:
        yield c.true(ConditionType.HOLDER_UNREACHABLE, Reason.CONTACT_NOT_REGISTERED, unreachable(world))


def _progress(decision: WebServiceDecision, outcome: Outcome, backend: Verdict) -> tuple[Verdict, ...]:
    """Ready, and Reconciling or Stalled where one of them holds: what people have to do is Ready."""
    if outcome.failure is not None:
        return failing(outcome.failure)
    if decision.actions:
        return c.reconciling(Reason.PROGRESSING, "the NetworkPolicy that closes its Pods is being written")
    for verdict in (_holder(decision.world), backend, *_trial(decision.world)):
        if verdict.status is not ConditionStatus.TRUE:
            return (c.true(ConditionType.READY, verdict.reason, verdict.message),)
    return (c.true(ConditionType.READY, Reason.SUCCEEDED, "grants open it, and nothing else does"),)


def _grantable(world: WebServiceWorld, backend: Verdict) -> Verdict:
    """Whether a grant of it opens anything: what one looks for who waits for it."""
    for verdict in (_holder(world), backend):
        if verdict.status is not ConditionStatus.TRUE:
            return c.false(ConditionType.GRANTABLE, verdict.reason, verdict.message)
    return c.true(ConditionType.GRANTABLE, Reason.GRANTABLE, "what is granted is opened")


def _holder(world: WebServiceWorld) -> Verdict:
    kind, spec = ConditionType.HOLDER_CONFIRMED, world.offer.web_service.spec
    if not world.offer.confirmed:
        return c.false(kind, Reason.HOLDER_NOT_CONFIRMED, unconfirmed(world.offer))
    text = f"the namespace is {spec.holder.institution}'s for {spec.environment.value}"
    return c.true(kind, Reason.HOLDER_CONFIRMED, text)


def _backend(world: WebServiceWorld) -> Verdict:
    kind, backend = ConditionType.BACKEND_FOUND, world.offer.web_service.spec.backend
    amiss = address_finding(backend, world.offer.cluster_networks)
    if amiss is not None:
        return c.false(kind, amiss.reason, amiss.message)
    if backend.service is None:
        text = f"{backend.url} is outside of the cluster, and is not asked"
        if backend.networks and not world.offer.cluster_networks:
            text += (
                "; whether its networks are the cluster's own is not known: the operator's --cluster-networks"
                " is not set"
            )
        return c.true(kind, Reason.OUTSIDE_BACKEND, text)
    service = backend.service
    if world.offer.pods is None:
        text = f"there is no Service {service.name} here with port {service.port} and a selector"
        return c.false(kind, Reason.BACKEND_NOT_FOUND, f"{text}: nothing opens until there is")
    text = f"Service {service.name}, port {service.port}"
    called = [port for port in world.offer.pods.ports if isinstance(port, str)]
    if called:
        text += (
            f"; write its targetPort {called[0]} as a number: several network plugins let nobody out by name"
        )
    return c.true(kind, Reason.BACKEND_FOUND, text)


def _trial(world: WebServiceWorld) -> Iterator[Verdict]:
    """Whether consumers can test where ``testedAs`` says; only of a holder that is confirmed."""
    kind, at = ConditionType.TESTED_AS_USABLE, world.offer.web_service.spec.tested_as
    if at is None or not world.offer.confirmed:
        return
    amiss = trial_finding(world.offer)
    if amiss is None:
        yield c.true(kind, Reason.TESTED_AS_USABLE, f"consumers test at {at.namespace}/{at.name}")
    else:
        yield c.false(kind, amiss.reason, amiss.message)


def _isolated(decision: WebServiceDecision) -> Verdict:
    """Whether the wall stands, as it was observed."""
    world = decision.world
    kind, spec, wall = ConditionType.ISOLATED, world.offer.web_service.spec, _wall(world)
    if spec.backend.service is None:
        text = "who may call an address outside of the cluster is not enforced here"
        return c.false(kind, Reason.OUTSIDE_BACKEND, text)
    if spec.isolation is Isolation.OBSERVE:
        text = "isolation is Observe: callers without a grant are counted by the authorizer, and not cut off"
        return c.false(kind, Reason.OBSERVED_ONLY, text)
    name = wall_of(world.offer.web_service.metadata.name)
    if decision.actions or (wall is not None and wall.terminating):
        return c.false(kind, Reason.PROGRESSING, f"NetworkPolicy {name} is not as it should be yet")
    if wall is None:
        return c.false(
            kind, Reason.BACKEND_NOT_FOUND, f"NetworkPolicy {name} is not there: no Pods are known"
        )
    if world.offer.pods is None:
        return c.true(kind, Reason.ISOLATED, "the Pods that the Service selected last stay closed")
    return c.true(kind, Reason.ISOLATED, "its Pods let in those with a grant, and nobody else")
