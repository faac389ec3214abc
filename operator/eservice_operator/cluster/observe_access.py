# SPDX-License-Identifier: Apache-2.0
"""Reads the store and builds what access is judged on: of grants, web services, assignments and e-services.

Only specs and what is observed of children go in; the status of a grant is what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import WebService
from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import (
    consumer_at,
    consumer_of,
    offer_of,
    offered,
    orders_of,
    orders_through,
)
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_owned
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.roles import invoke_rules
from eservice_operator.cluster.snapshots import uses_of
from eservice_operator.core.access.case import (
    NO_ACCESS,
    Access,
    AgentCase,
    Consumer,
    GrantCase,
    Offer,
    UseCase,
)
from eservice_operator.core.access.naming import grant_child, wall_of
from eservice_operator.core.access.worlds import AssignmentWorld, Children, GrantWorld, WebServiceWorld
from eservice_operator.core.facts import age
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import owned_by
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

CHILD_KINDS = ("NetworkPolicy", "Role", "RoleBinding")
"""What a grant has in the holder's namespace, and of these a WebService the first."""


class AccessObserver:
    """Builds the worlds of web-service access from the store."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def grant(self, key: ObjectKey) -> GrantWorld | InvalidObject | None:
        """The world of a WebServiceGrant; None when there is none."""
        grant = self._reading.one(WebServiceGrant, key)
        if not isinstance(grant, WebServiceGrant):
            return grant
        return GrantWorld(
            case=self._case(grant),
            children=self._children(grant.metadata),
            bindings=tuple(self._bindings(key)),
        )

    def wall_of(self, key: ObjectKey) -> object:
        """A mark of what closes a web service, or has to: its spec, its Service and its NetworkPolicy."""
        store = self._reading.store
        body = store.get(key.kind, key.namespace, key.name)
        if body is None:
            return None
        service = part(body, "spec", "backend", "service", "name")
        behind = store.get("Service", key.namespace, service) if isinstance(service, str) else None
        wall = store.get("NetworkPolicy", key.namespace, wall_of(key.name))
        metadata = body["metadata"]
        versions = [None if one is None else one["metadata"]["resourceVersion"] for one in (behind, wall)]
        return metadata["uid"], metadata.get("generation"), metadata.get("deletionTimestamp"), *versions

    def web_service(self, key: ObjectKey) -> WebServiceWorld | InvalidObject | None:
        """The world of a WebService; None when there is none."""
        web_service = self._reading.one(WebService, key)
        if not isinstance(web_service, WebService):
            return web_service
        offer, place = offered(web_service, self._reading), f"{key.namespace}/{key.name}"
        grants = self._grants(indexes.WEB_SERVICE, place)
        assignments = self._reading.found(AgentAssignment, indexes.WEB_SERVICE, place)
        return WebServiceWorld(
            offer=offer,
            grants=tuple(self._case(grant, offer=offer) for grant in grants),
            orders=tuple(orders_of(web_service.reference, self._reading)),
            agents=tuple(self._agent(one, orders=False) for one in assignments),
            children=self._children(web_service.metadata),
            foreign_roles=tuple(self._foreign_roles(key, grants)),
        )

    def assignment(self, key: ObjectKey) -> AssignmentWorld | InvalidObject | None:
        """The world of an AgentAssignment; None when there is none."""
        assignment = self._reading.one(AgentAssignment, key)
        if not isinstance(assignment, AgentAssignment):
            return assignment
        return AssignmentWorld(self._agent(assignment, orders=True))

    def of(self, service: EService, snapshots: tuple[Snapshot, ...]) -> Access:
        """What an EService has to do with web services: as one that asks, and as an agent's application."""
        place = f"{service.metadata.namespace}/{service.metadata.name}"
        grants = self._grants(indexes.CONSUMER, place)
        served = tuple(self._served(grants))
        if not served and not uses_of(service, snapshots):
            return NO_ACCESS
        consumer = consumer_of(service, self._reading)
        uses = tuple(self._use(use, consumer, grants) for use in consumer.uses)
        return Access(consumer, uses, served)

    def _use(self, use: Use, consumer: Consumer, grants: tuple[WebServiceGrant, ...]) -> UseCase:
        offer = offer_of(use.web_service, self._reading)
        answers = (one for one in grants if _named(one) == use.web_service)
        assignment = (
            None
            if use.agent is None
            else self._reading.readable(AgentAssignment, use.agent, use.web_service.namespace)
        )
        return UseCase(
            use,
            offer,
            grants=tuple(self._case(one, offer=offer, consumer=consumer) for one in answers),
            agent=None if assignment is None else self._agent(assignment, orders=False),
        )

    def _served(self, grants: tuple[WebServiceGrant, ...]) -> Iterator[AgentCase]:
        """The assignments by which an EService is let in as an agent's application, each once."""
        named = {(one.metadata.namespace, one.spec.agent.assignment) for one in grants if one.spec.agent}
        for namespace, name in sorted(named):
            assignment = self._reading.readable(AgentAssignment, name, namespace)
            if assignment is not None:
                yield self._agent(assignment, orders=True)

    def _agent(self, assignment: AgentAssignment, *, orders: bool) -> AgentCase:
        metadata = assignment.metadata
        place = WebServiceRef(namespace=metadata.namespace, name=assignment.spec.web_service)
        offer = offer_of(place, self._reading)
        grants = self._grants(indexes.ASSIGNMENT, f"{metadata.namespace}/{metadata.name}")
        connections = (one for one in grants if _named(one) == place)
        return AgentCase(
            assignment,
            offer,
            connections=tuple(self._case(one, offer=offer) for one in connections),
            orders=tuple(orders_through(metadata.name, place, self._reading)) if orders else (),
        )

    def _case(
        self,
        grant: WebServiceGrant,
        *,
        offer: Offer | None = None,
        consumer: Consumer | None = None,
        tested: bool = True,
    ) -> GrantCase:
        """A grant with what it rests on; ``offer`` and ``consumer`` where they are known already."""
        named, spec = _named(grant), grant.spec
        found = offer or offer_of(named, self._reading)
        asks = consumer or consumer_at(spec.consumer.namespace, spec.consumer.name, self._reading)
        case = GrantCase(
            grant,
            offer=found,
            consumer=asks,
            assignment=None
            if spec.agent is None
            else self._reading.readable(AgentAssignment, spec.agent.assignment, named.namespace),
        )
        if found is None or asks is None or not tested:
            return case
        registration = asks.service.spec.registration
        record = f"{named.namespace}/{named.name}/{registration}"
        return GrantCase(
            grant,
            offer=found,
            consumer=asks,
            tests=self._reading.found(ConnectionTest, indexes.CONNECTION, record),
            tested=tuple(self._tested(found, registration)),
            assignment=case.assignment,
        )

    def _tested(self, offer: Offer, registration: str) -> Iterator[GrantCase]:
        """The grants of e-services of one registration at the WebService that another is tested as."""
        at = offer.web_service.spec.tested_as
        if at is None:
            return
        for service in self._reading.store.by_index("EService", indexes.REGISTRATION, registration):
            metadata = service["metadata"]
            for grant in self._grants(indexes.CONSUMER, f"{metadata['namespace']}/{metadata['name']}"):
                if _named(grant) == at:
                    yield self._case(grant, tested=False)

    def _grants(self, index: str, value: str) -> tuple[WebServiceGrant, ...]:
        """The readable grants under a value of an index, the oldest first."""
        found = self._reading.found(WebServiceGrant, index, value)
        return tuple(sorted(found, key=lambda grant: age(grant.metadata)))

    def _children(self, owner: ObjectMeta) -> Children:
        """Own children, by either mark, and only where we put them."""
        by_owner = partial(self._reading.store.by_index, index=indexes.OWNER, value=owner.uid)
        return {
            (kind, body["metadata"]["name"]): Observed(body)
            for kind in CHILD_KINDS
            for body in by_owner(kind)
            if body["metadata"].get("namespace") == owner.namespace
        }

    def _foreign_roles(self, key: ObjectKey, grants: tuple[WebServiceGrant, ...]) -> Iterator[str]:
        """Names of the Roles beside a web service, not of its grants, by which somebody may invoke it.

        ClusterRoles that somebody binds there are not looked at.
        """
        own = {grant_child(grant.metadata.name): grant.metadata.uid for grant in grants}
        for role in self._reading.store.by_index("Role", indexes.NAMESPACE, key.namespace):
            name = role["metadata"]["name"]
            if name in own and is_owned(role, own[name]):
                continue
            named = [rule.get("resourceNames") for rule in invoke_rules(role)]
            if any(not which or key.name in which for which in named):
                yield name

    def _bindings(self, grant: ObjectKey) -> Iterator[Observed]:
        """The bindings that rest on a grant: whatever is no EService's by reference is nobody's binding.

        Anybody can annotate a ConfigMap. But with such a reference either the e-service removes it, or the
        garbage collector does.
        """
        place = f"{grant.namespace}/{grant.name}"
        for body in self._reading.store.by_index("ConfigMap", indexes.GRANT, place):
            if owned_by(body["metadata"]):
                yield Observed(body)


def _named(grant: WebServiceGrant) -> WebServiceRef:
    """The WebService of a grant, which is beside it."""
    return WebServiceRef(namespace=grant.metadata.namespace, name=grant.spec.web_service)
