# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what grants open for an e-service: its bindings, what its Pods reach, and who reaches them.

What takes needs no spec that can be read, and no release that is remembered: what was opened and is not
allowed any more is closed in any case. Only giving does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.core.access.binding import Binding, binding_for, outside
from eservice_operator.core.access.case import AgentCase, Consumer, Pods, ordered
from eservice_operator.core.access.naming import access_policy, binding_of
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.facts import Facts
from eservice_operator.core.rollout import Rollout

Rule = dict[str, Any]
"""A rule, or a peer, of a NetworkPolicy."""
BINDING_KIND: Final = "ConfigMap"


@dataclass(frozen=True)
class OpenUse:
    """A use that is allowed, of a release that runs."""

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
    ways: tuple[Rule, ...] = ()
    """The ways out of what stays as it is."""
    stays: frozenset[str] = frozenset()
    """The names of the bindings that stay as they are: nobody can tell now what they should be."""


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
    held = [standing for case in access.uses if (standing := facts.standing(case.use)).held]
    opened = [
        OpenUse(binding, tuple(_egress(standing)))
        for case in access.uses
        if (standing := facts.standing(case.use)).allowed
        and not standing.held
        and (binding := _bound(facts, standing, access.consumer, served)) is not None
        and (case.use in new or (kept and _is_there(facts, binding)))
    ]
    customers = sorted({customer.place for _, active in served for customer in active})
    peers = [_peer(namespace, {names.ESERVICE_LABEL: name}) for namespace, name in customers]
    if kept:
        there = _let_in(facts)
        peers = [peer for peer in peers if peer in there]
    return OpenAccess(
        uses=tuple(sorted(opened, key=lambda one: one.binding.name)),
        customers=tuple(peers) if rollout.running else (),
        ports=tuple(sorted({one.release.workload.port for one in rollout.running})),
        stays=frozenset(binding_of(facts.place[1], standing.use) for standing in held),
        ways=tuple(_ways(facts, held, opened)),
    )


def _ways(facts: Facts, held: list[UseStanding], opened: list[OpenUse]) -> Iterator[Rule]:
    """The ways out that stay as they are: to where a held use leads, and to addresses outside.

    With those of the other uses, in the order in which they are there: nothing is written for it.
    """
    wanted = [rule for use in opened for rule in use.egress]
    there = {_leads_to(standing) for standing in held}
    policy = facts.world.child("NetworkPolicy", access_policy(facts.place[1])) if held else None
    for rule in () if policy is None else policy.spec.get("egress") or ():
        peers = [_namespace_of(peer) for peer in rule.get("to") or ()]
        if None in there or rule in wanted or any(one is None or one in there for one in peers):
            yield rule


def _leads_to(standing: UseStanding) -> str | None:
    """The namespace that a use leads to; None where that is not known, as of an agent's."""
    if standing.use.agent is None:
        return standing.use.web_service.namespace
    return None if standing.grant is None else standing.grant.grant.spec.consumer.namespace


def _namespace_of(peer: Rule) -> str | None:
    """The namespace that a peer of ours is in; None for addresses outside."""
    labels = (peer.get("namespaceSelector") or {}).get("matchLabels") or {}
    namespace: str | None = labels.get(names.NAMESPACE_NAME_LABEL)
    return namespace


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
    policy = facts.world.child("NetworkPolicy", access_policy(facts.place[1]))
    rules = () if policy is None else policy.spec.get("ingress") or ()
    return [peer for rule in rules for peer in rule.get("from") or ()]
