# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what grants open for an e-service: its bindings, what its Pods reach, and who reaches them.

What takes needs no spec that can be read, and no release that is remembered: what was opened and is not
allowed any more is closed in any case. Only giving does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.core.access.binding import (
    Binding,
    binding_for,
    known_binding,
    known_egress,
    outside,
)
from eservice_operator.core.access.case import AgentCase, Consumer, Pods, UseCase, ordered
from eservice_operator.core.access.grant_checks import GRANT
from eservice_operator.core.access.naming import access_policy, binding_of
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.access.ways import OUT, within
from eservice_operator.core.facts import Facts
from eservice_operator.core.rollout import Rollout

Rule = dict[str, Any]
"""A rule, or a peer, of a NetworkPolicy."""
BINDING_KIND: Final = "ConfigMap"


@dataclass(frozen=True)
class OpenUse:
    """A use that is allowed, of a release that runs; of one that is held, what is there."""

    binding: Binding
    egress: tuple[Rule, ...]


@dataclass(frozen=True)
class OpenAccess:
    """All that is open."""

    uses: tuple[OpenUse, ...] = ()
    """By the name of the binding."""
    customers: tuple[Rule, ...] = ()
    """The peers that an agent's application lets in, by namespace and name."""
    ports: tuple[int, ...] = ()
    """Where they come in."""


NOTHING_OPEN = OpenAccess()


def open_access(facts: Facts, rollout: Rollout) -> OpenAccess:
    """What is open now; of what may only be taken from, no more than is there."""
    access = facts.world.access
    if access.consumer is None or not (access.uses or access.served):
        return NOTHING_OPEN
    reads = not facts.world.errors
    new = {use for one in rollout.running for use in one.release.uses} if reads else set()
    kept = not reads or (facts.lost and rollout.public is None)
    served = [(case, tuple(_active(facts, case))) for case in access.served]
    held = [
        use
        for case in access.uses
        if (standing := facts.standing(case.use)).held and (use := _as_it_is(facts, standing)) is not None
    ]
    opened = [
        OpenUse(binding, tuple(_egress(standing)))
        for case in access.uses
        if (standing := facts.standing(case.use)).allowed
        and not standing.held
        and (binding := _bound(facts, standing, access.consumer, served)) is not None
        and (case.use in new or (kept and _is_there(facts, binding)))
    ]
    may = {customer.place for _, active in served for customer in active}
    there, held_in = _let_in(facts), {customer.place for customer in _held_customers(facts)}
    peers = [
        peer
        for place in sorted(may | held_in)
        if (peer := _peer(place[0], {names.ESERVICE_LABEL: place[1]})) in there or (place in may and not kept)
    ]
    return OpenAccess(
        uses=tuple(sorted((*held, *opened), key=lambda one: one.binding.name)),
        customers=tuple(peers) if rollout.running else (),
        ports=tuple(sorted({one.release.workload.port for one in rollout.running})),
    )


def _as_it_is(facts: Facts, standing: UseStanding) -> OpenUse | None:
    """What a held use has now, read from its children: no more than is there, and none of what others have.

    What can be read narrows it all the same: where an address outside is, and that no credentials are given.
    """
    child = facts.world.child(BINDING_KIND, binding_of(facts.place[1], standing.use))
    if child is None:
        return None
    leads_to = tuple(_egress(standing)) if _is_outside(standing) else known_egress(child)
    return OpenUse(
        known_binding(child, credentials=_may_keep(standing)), within(_ways(facts, "egress"), leads_to, OUT)
    )


def _is_outside(standing: UseStanding) -> bool:
    """Whether it is known to lead to an address outside of the cluster."""
    offer = standing.offer
    return standing.use.agent is None and offer is not None and offer.web_service.spec.backend.url is not None


def _may_keep(standing: UseStanding) -> bool:
    """Whether the grant of a held use may still give credentials: it does, or it cannot be read."""
    grant = standing.grant
    return grant is None or grant.grant.spec.credentials is not None or GRANT in grant.unread


def _bound(
    facts: Facts,
    standing: UseStanding,
    consumer: Consumer,
    served: list[tuple[AgentCase, tuple[Consumer, ...]]],
) -> Binding | None:
    """The binding of a use; an agent's application reads in it for whom it may call."""
    grant = standing.grant
    agent = None if grant is None else grant.grant.spec.agent
    codes: set[str] = set()
    if grant is not None and agent is not None:
        assignment = grant.grant.metadata.namespace, agent.assignment
        for case, active in served:
            metadata = case.assignment.metadata
            if (metadata.namespace, metadata.name) == assignment:
                codes |= {customer.code for customer in active if customer.code is not None}
    return binding_for(facts.place[1], standing, consumer, tuple(sorted(codes)))


def _active(facts: Facts, case: AgentCase) -> Iterator[Consumer]:
    """The customers of an assignment that may call through this e-service now."""
    for order in case.orders:
        standing = use_standing(ordered(order, case), order.consumer, facts.times)
        through = None if standing.grant is None else standing.grant.consumer
        if standing.allowed and through is not None and through.place == facts.place:
            yield order.consumer


def _held_customers(facts: Facts) -> Iterator[Consumer]:
    """Who was let in by an assignment that cannot be read now, and is a customer for all that can be."""
    for order in facts.world.access.unsure:
        case = UseCase(order.use, unread=order.unread, bound=order.bound)
        if use_standing(case, order.consumer, facts.times).allowed:
            yield order.consumer


def _egress(standing: UseStanding) -> Iterator[Rule]:
    """The way to the web service, or to the application of the agent."""
    grant, offer = standing.grant, standing.offer
    if standing.agent is not None:
        agent = None if grant is None else grant.consumer
        if agent is not None and agent.pods is not None:
            yield _to_pods(agent.pods)
    elif offer is not None and offer.pods is not None:
        yield _to_pods(offer.pods)
    elif offer is not None and offer.web_service.spec.backend.networks:
        _, port = outside(offer.web_service)
        blocks = [{"ipBlock": {"cidr": cidr}} for cidr in offer.web_service.spec.backend.networks]
        yield {"to": blocks, "ports": [_port(port)]}


def _to_pods(pods: Pods) -> Rule:
    return {"to": [_peer(pods.namespace, dict(pods.selector))], "ports": [_port(one) for one in pods.ports]}


def _peer(namespace: str, labels: dict[str, str]) -> Rule:
    """Pods of a namespace: both selectors in one peer, which has to match both."""
    return {
        "namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: namespace}},
        "podSelector": {"matchLabels": labels},
    }


def _port(port: int | str) -> Rule:
    return {"port": port, "protocol": "TCP"}


def _is_there(facts: Facts, binding: Binding) -> bool:
    return facts.world.child(BINDING_KIND, binding.name) is not None


def _let_in(facts: Facts) -> list[Rule]:
    """The peers that the policy of before lets in."""
    return [peer for rule in _ways(facts, "ingress") for peer in rule.get("from") or ()]


def _ways(facts: Facts, direction: str) -> Sequence[Rule]:
    """The rules of a direction that the policy of before has."""
    policy = facts.world.child("NetworkPolicy", access_policy(facts.place[1]))
    return () if policy is None else policy.spec.get(direction) or ()
