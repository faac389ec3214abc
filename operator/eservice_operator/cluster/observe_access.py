# SPDX-License-Identifier: Apache-2.0
"""Reads the store and builds what access is judged on: of grants, web services, assignments and e-services.

Only specs and what is observed of children go in; the status of a grant is what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import WebService
from eservice_operator.cluster import indexes
from eservice_operator.cluster.bindings import CustomersBindings, own_bindings
from eservice_operator.cluster.consumers import consumer_of, is_bound
from eservice_operator.cluster.grant_cases import GrantCases
from eservice_operator.cluster.holders import contact_domains
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
    Order,
    UseCase,
)
from eservice_operator.core.access.naming import grant_child, wall_of
from eservice_operator.core.access.worlds import AssignmentWorld, Children, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

Named = tuple[str, str]
"""An assignment, by its namespace and name."""
CHILD_KINDS = ("NetworkPolicy", "Role", "RoleBinding")
"""What a grant has in the holder's namespace, and of these a WebService the first."""


class AccessObserver:
    """Builds the worlds of web-service access from the store."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def grant(self, key: ObjectKey) -> GrantWorld | InvalidObject | None:
        """The world of a WebServiceGrant; None when there is none."""
        grant, cases = self._reading.one(WebServiceGrant, key), GrantCases(self._reading)
        if isinstance(grant, InvalidObject):
            case = cases.leaving(key)
            if case is None:
                return grant
        elif grant is None:
            return None
        else:
            case = cases.case(grant)
        return GrantWorld(
            case=case,
            children=self._children(case.grant.metadata),
            bindings=tuple(own_bindings(case.grant, self._reading)),
            customers_bindings=CustomersBindings(case.grant, self._reading),
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
        versions = [None if one is None else one["metadata"]["resourceVersion"] for one in (behind, wall)]
        return *_spec_mark(body["metadata"]), *versions

    def mark_of_assignment(self, key: ObjectKey) -> object:
        """A mark of what an assignment cannot wait for: its spec, and the grants that connect the agent."""
        store = self._reading.store
        body = store.get(key.kind, key.namespace, key.name)
        if body is None:
            return None
        grants = store.by_index("WebServiceGrant", indexes.ASSIGNMENT, f"{key.namespace}/{key.name}")
        return _spec_mark(body["metadata"]), *sorted(_spec_mark(grant["metadata"]) for grant in grants)

    def web_service(self, key: ObjectKey) -> WebServiceWorld | InvalidObject | None:
        """The world of a WebService; None when there is none."""
        web_service = self._reading.one(WebService, key)
        if not isinstance(web_service, WebService):
            return web_service
        cases, place = GrantCases(self._reading), f"{key.namespace}/{key.name}"
        grants = cases.found(indexes.WEB_SERVICE, place)
        assignments = self._reading.found(AgentAssignment, indexes.WEB_SERVICE, place)
        own = {grant_child(grant.metadata.name): grant.metadata.uid for grant in grants}
        return WebServiceWorld(
            offer=cases.parties.offered(web_service),
            grants=tuple(cases.case(grant) for grant in grants),
            orders=tuple(cases.parties.orders_of(web_service.reference)),
            agents=tuple(cases.agent(one, orders=False) for one in assignments),
            children=self._children(web_service.metadata),
            foreign_roles=tuple(self._foreign_roles(key, own)),
            foreign_bindings=tuple(self._foreign_bindings(key, own)),
            contact_domains=contact_domains(web_service.spec.holder.code, self._reading),
        )

    def assignment(self, key: ObjectKey) -> AssignmentWorld | InvalidObject | None:
        """The world of an AgentAssignment; None when there is none."""
        assignment = self._reading.one(AgentAssignment, key)
        if not isinstance(assignment, AgentAssignment):
            return assignment
        return AssignmentWorld(GrantCases(self._reading).agent(assignment, orders=True))

    def of(self, service: EService, snapshots: tuple[Snapshot, ...]) -> Access:
        """What an EService has to do with web services: as one that asks, and as an agent's application."""
        place = f"{service.metadata.namespace}/{service.metadata.name}"
        asked = uses_of(service, snapshots)
        if not asked:
            return NO_ACCESS
        cases = GrantCases(self._reading)
        asked_for = sorted({(use.web_service.namespace, use.web_service.name) for use in asked})
        answers = (indexes.answer_to(place, "/".join(one)) for one in asked_for)
        grants = tuple(grant for value in answers for grant in cases.found(indexes.ANSWER, value))
        named = self._named(grants, asked)
        consumer = consumer_of(service, self._reading)
        uses = tuple(self._use(use, consumer, grants, cases) for use in consumer.uses)
        served, unsure = tuple(self._served(named, cases)), tuple(self._unsure(named, cases))
        return Access(consumer, uses, served, unsure)

    def _use(
        self, use: Use, consumer: Consumer, grants: tuple[WebServiceGrant, ...], cases: GrantCases
    ) -> UseCase:
        answers = (one for one in grants if one.web_service == use.web_service)
        assignment = (
            None
            if use.agent is None
            else self._reading.readable(AgentAssignment, use.agent, use.web_service.namespace)
        )
        return UseCase(
            use,
            cases.parties.offer(use.web_service.namespace, use.web_service.name),
            grants=tuple(cases.case(one, consumer=consumer) for one in answers),
            agent=None if assignment is None else cases.agent(assignment, orders=False),
            unread=self._unread_of(use),
            bound=use.agent is not None and is_bound(consumer, use, self._reading),
        )

    def _unread_of(self, use: Use) -> frozenset[str]:
        """The kinds of what a use through an agent names that is there and cannot be read."""
        if use.agent is None:
            return frozenset()
        unreadable, at = self._reading.unreadable, use.web_service
        return unreadable("WebService", at.name, at.namespace) | unreadable(
            "AgentAssignment", use.agent, at.namespace
        )

    def _named(self, grants: tuple[WebServiceGrant, ...], asked: tuple[Use, ...]) -> dict[Named, set[str]]:
        """The assignments by which an EService is let in as an agent's application, with its web services.

        Only those that it names itself: nobody makes it one.
        """
        granted = {(one.metadata.namespace, one.spec.agent.assignment) for one in grants if one.spec.agent}
        named: dict[Named, set[str]] = {}
        for use in asked:
            if use.as_agent and (place := (use.web_service.namespace, use.as_agent)) in granted:
                named.setdefault(place, set()).add(use.web_service.name)
        return dict(sorted(named.items()))

    def _served(self, named: dict[Named, set[str]], cases: GrantCases) -> Iterator[AgentCase]:
        """Those that can be read, each once."""
        for namespace, name in named:
            assignment = self._reading.readable(AgentAssignment, name, namespace)
            if assignment is not None:
                yield cases.agent(assignment, orders=True)

    def _unsure(self, named: dict[Named, set[str]], cases: GrantCases) -> Iterator[Order]:
        """Who orders through those that are there and cannot be read."""
        for (namespace, name), web_services in named.items():
            if self._reading.unreadable(AgentAssignment.__name__, name, namespace):
                for web_service in sorted(web_services):
                    place = WebServiceRef(namespace=namespace, name=web_service)
                    yield from cases.parties.orders_through(name, place)

    def _children(self, owner: ObjectMeta) -> Children:
        """Own children, by either mark, and only where we put them."""
        by_owner = partial(self._reading.store.by_index, index=indexes.OWNER, value=owner.uid)
        return {
            (kind, body["metadata"]["name"]): Observed(body)
            for kind in CHILD_KINDS
            for body in by_owner(kind)
            if body["metadata"].get("namespace") == owner.namespace
        }

    def _foreign_roles(self, key: ObjectKey, own: Mapping[str, str]) -> Iterator[str]:
        """Names of the Roles beside a web service, not of its grants, by which somebody may invoke it.

        ClusterRoles that somebody binds there are not looked at.
        """
        for role in self._reading.store.by_index("Role", indexes.NAMESPACE, key.namespace):
            name = role["metadata"]["name"]
            if name in own and is_owned(role, own[name]):
                continue
            named = [rule.get("resourceNames") for rule in invoke_rules(role)]
            if any(not which or key.name in which for which in named):
                yield name

    def _foreign_bindings(self, key: ObjectKey, own: Mapping[str, str]) -> Iterator[str]:
        """Names of the RoleBindings, not of its grants, by which somebody has what a Role of theirs gives."""
        store = self._reading.store
        for binding in store.by_index("RoleBinding", indexes.NAMESPACE, key.namespace):
            name, role = binding["metadata"]["name"], binding["roleRef"]["name"]
            if role not in own or (name == role and is_owned(binding, own[role])):
                continue
            if store.get("Role", key.namespace, role) is not None:
                yield name


def _spec_mark(metadata: Manifest) -> tuple[str, str, str]:
    """Tells one spec of one object from another, and whether it is being deleted."""
    return metadata["uid"], str(metadata.get("generation")), str(metadata.get("deletionTimestamp"))
