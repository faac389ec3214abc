# SPDX-License-Identifier: Apache-2.0
"""A grant and what it rests on, as the store has them; also where some of it cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.grant import ALL_VERSIONS, WebServiceGrant
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.uses import WebServiceRef
from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import Parties
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import KNOWN, Reading
from eservice_operator.cluster.standings import Standings
from eservice_operator.cluster.store import key_of
from eservice_operator.core.access.case import (
    AgentCase,
    Consumer,
    GrantCase,
    Offer,
)
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.access.unread import last_known_grant, leaving_grant
from eservice_operator.core.access.walls import versions_in
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import owned_by
from eservice_operator.core.seniority import age
from eservice_operator.core.world import Observed


class GrantCases:
    """Builds the cases of grants from the store, for one look."""

    def __init__(self, reading: Reading) -> None:
        self.parties = Parties(reading)
        self._reading = reading

    def case(
        self, grant: WebServiceGrant, *, consumer: Consumer | None = None, tested: bool = True
    ) -> GrantCase:
        """A grant with what it rests on; ``consumer`` where that is known already."""
        namespace, spec = grant.metadata.namespace, grant.spec
        found = self.parties.offer(namespace, spec.web_service)
        asks = consumer or self.parties.consumer(spec.consumer.namespace, spec.consumer.name)
        assignment = (
            None
            if spec.agent is None
            else self._reading.readable(AgentAssignment, spec.agent.assignment, namespace)
        )
        unread = self._unread(grant, found, asks, assignment)
        tests: tuple[ConnectionTest, ...] = ()
        trials: tuple[GrantCase, ...] = ()
        if asks is not None and tested:
            registration = asks.service.spec.registration
            record = f"{namespace}/{spec.web_service}/{registration}"
            trials = () if found is None else tuple(self._tested(found, registration))
            bodies = self._reading.store.by_index("ConnectionTest", indexes.CONNECTION, record)
            read = [self._reading.one(ConnectionTest, key_of(body)) for body in bodies]
            tests = tuple(one for one in read if isinstance(one, ConnectionTest))
            if len(tests) < len(bodies):
                unread |= self._unread_tests(bodies)
        opened = self._opened(grant)
        return GrantCase(grant, found, asks, tests, trials, assignment, unread, opened)

    def _unread(
        self,
        grant: WebServiceGrant,
        offer: Offer | None,
        consumer: Consumer | None,
        assignment: AgentAssignment | None,
    ) -> frozenset[str]:
        """The kinds of what is there and cannot be read: the grant, and what it names."""
        unreadable, namespace = self._reading.unreadable, grant.metadata.namespace
        asked, agent = grant.spec.consumer, grant.spec.agent
        unread = unreadable("WebServiceGrant", grant.metadata.name, namespace)
        if offer is None:
            unread |= unreadable("WebService", grant.spec.web_service, namespace)
        if consumer is None:
            unread |= unreadable("EService", asked.name, asked.namespace)
        if agent is not None and assignment is None:
            unread |= unreadable("AgentAssignment", agent.assignment, namespace)
        return unread

    def _unread_tests(self, bodies: Iterable[Manifest]) -> frozenset[str]:
        """Whether a ConnectionTest of a connection cannot be read; a revoked one proves nothing anyway."""
        unrevoked = (body["metadata"]["name"] for body in bodies if not part(body, "spec", "revoked"))
        found = (self._reading.unreadable("ConnectionTest", name) for name in unrevoked)
        return frozenset().union(*found)

    def _opened(self, grant: WebServiceGrant) -> frozenset[str]:
        """The contract versions that the Role of a grant gives the right to."""
        metadata = grant.metadata
        role = self._reading.store.get("Role", metadata.namespace, grant_child(metadata.name))
        if role is None or not owned_by(role["metadata"], metadata.uid):
            return frozenset()
        if "deletionTimestamp" in role["metadata"]:
            return frozenset()
        versions = [entry.version for entry in grant.spec.contract_versions] or [ALL_VERSIONS]
        return frozenset(versions_in(Observed(role), versions))

    def _tested(self, offer: Offer, registration: str) -> Iterator[GrantCase]:
        """The grants at the WebService that another is tested as, of who stands for a registration.

        Nothing is open for anybody else that names it.
        """
        at, store = offer.web_service.spec.tested_as, self._reading.store
        body = None if at is None else store.get(EServiceRegistration.__name__, "", registration)
        if at is None or body is None:
            return
        for service in store.beside(Standings).standing_for(body):
            place, tested = f"{service.namespace}/{service.name}", f"{at.namespace}/{at.name}"
            for grant in self.found(indexes.ANSWER, indexes.answer_to(place, tested)):
                yield self.case(grant, tested=False)

    def found(self, index: str, value: str, of: WebServiceRef | None = None) -> tuple[WebServiceGrant, ...]:
        """The grants under a value of an index, the oldest first; unread ones as they were last known.

        With ``of`` only those of that WebService.
        """
        bodies = self._reading.store.by_index(WebServiceGrant.__name__, index, value)
        found = (self._known(body) for body in bodies if of is None or _is_of(body, of))
        return tuple(sorted((one for one in found if one is not None), key=lambda grant: age(grant.metadata)))

    def _known(self, body: Manifest) -> WebServiceGrant | None:
        read = self._reading.one(WebServiceGrant, key_of(body))
        if isinstance(read, WebServiceGrant):
            return read
        known = self._reading.remember(body, lambda: last_known_grant(body), KNOWN)
        return known if isinstance(known, WebServiceGrant) else None

    def agent(self, assignment: AgentAssignment, *, orders: bool) -> AgentCase:
        """An assignment with its connections; ``orders`` where it matters who asks to be served by it."""
        metadata = assignment.metadata
        place = WebServiceRef(namespace=metadata.namespace, name=assignment.spec.web_service)
        grants = self.found(indexes.ASSIGNMENT, f"{metadata.namespace}/{metadata.name}", of=place)
        return AgentCase(
            assignment,
            self.parties.offer(place.namespace, place.name),
            connections=tuple(map(self.case, grants)),
            orders=tuple(self.parties.orders_through(metadata.name, place)) if orders else (),
        )

    def leaving(self, key: ObjectKey) -> GrantCase | None:
        """A grant that cannot be read, and is being deleted: what it opened goes, and its finalizer."""
        body = self._reading.store.get(key.kind, key.namespace, key.name)
        if body is None or not part(body, "metadata", "deletionTimestamp"):
            return None
        known = self._known(body)
        if known is not None:
            return self.case(known)
        rest = leaving_grant(body)
        return None if rest is None else GrantCase(rest)


def _is_of(grant: Manifest, place: WebServiceRef) -> bool:
    named = grant["metadata"]["namespace"], part(grant, "spec", "webService")
    return named == (place.namespace, place.name)
