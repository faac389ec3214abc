# SPDX-License-Identifier: Apache-2.0
"""A grant and what it rests on, as the store has them; also where some of it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.grant import ALL_VERSIONS, WebServiceGrant
from eservice_operator.api.uses import WebServiceRef
from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import (
    consumer_at,
    offer_of,
)
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import key_of
from eservice_operator.core.access.case import (
    Consumer,
    GrantCase,
    Offer,
)
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.access.unread import last_known_grant, leaving_grant
from eservice_operator.core.access.walls import versions_in
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import age
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import owned_by
from eservice_operator.core.world import Observed


class GrantCases:
    """Builds the cases of grants from the store."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def case(
        self,
        grant: WebServiceGrant,
        *,
        offer: Offer | None = None,
        consumer: Consumer | None = None,
        tested: bool = True,
    ) -> GrantCase:
        """A grant with what it rests on; ``offer`` and ``consumer`` where they are known already."""
        named, spec = named_by(grant), grant.spec
        found = offer or offer_of(named, self._reading)
        asks = consumer or consumer_at(spec.consumer.namespace, spec.consumer.name, self._reading)
        assignment = (
            None
            if spec.agent is None
            else self._reading.readable(AgentAssignment, spec.agent.assignment, named.namespace)
        )
        case = GrantCase(grant, offer=found, consumer=asks, assignment=assignment)
        if asks is not None and tested:
            registration = asks.service.spec.registration
            record = f"{named.namespace}/{named.name}/{registration}"
            case = replace(
                case,
                tests=self._reading.found(ConnectionTest, indexes.CONNECTION, record),
                tested=() if found is None else tuple(self._tested(found, registration)),
                unread=self._unread_tests(record),
            )
        return self._with_what_is_unclear(case)

    def _unread_tests(self, record: str) -> frozenset[str]:
        """Whether a ConnectionTest of a connection cannot be read; a revoked one proves nothing anyway."""
        bodies = self._reading.store.by_index("ConnectionTest", indexes.CONNECTION, record)
        unrevoked = (body["metadata"]["name"] for body in bodies if not part(body, "spec", "revoked"))
        found = (self._reading.unreadable("ConnectionTest", name) for name in unrevoked)
        return frozenset().union(*found)

    def _with_what_is_unclear(self, case: GrantCase) -> GrantCase:
        """The case with what cannot be read of it, and what its Role opened where anything is unclear."""
        grant, named = case.grant, named_by(case.grant)
        unreadable, asked, agent = self._reading.unreadable, grant.spec.consumer, grant.spec.agent
        unread = case.unread | unreadable("WebServiceGrant", grant.metadata.name, named.namespace)
        if case.offer is None:
            unread |= unreadable("WebService", named.name, named.namespace)
        if case.consumer is None:
            unread |= unreadable("EService", asked.name, asked.namespace)
        if agent is not None and case.assignment is None:
            unread |= unreadable("AgentAssignment", agent.assignment, named.namespace)
        return replace(case, unread=unread, opened=self._opened(grant))

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
        """The grants of e-services of one registration at the WebService that another is tested as."""
        at = offer.web_service.spec.tested_as
        if at is None:
            return
        for service in self._reading.store.by_index("EService", indexes.REGISTRATION, registration):
            metadata = service["metadata"]
            for grant in self.found(indexes.CONSUMER, f"{metadata['namespace']}/{metadata['name']}"):
                if named_by(grant) == at:
                    yield self.case(grant, tested=False)

    def found(self, index: str, value: str) -> tuple[WebServiceGrant, ...]:
        """The grants under a value of an index, the oldest first; unread ones as they were last known."""
        bodies = self._reading.store.by_index(WebServiceGrant.__name__, index, value)
        found = (self._known(body) for body in bodies)
        return tuple(sorted((one for one in found if one is not None), key=lambda grant: age(grant.metadata)))

    def _known(self, body: Manifest) -> WebServiceGrant | None:
        read = self._reading.one(WebServiceGrant, key_of(body))
        if isinstance(read, WebServiceGrant):
            return read
        known = self._reading.remember(body, lambda: last_known_grant(body), "known")
        return known if isinstance(known, WebServiceGrant) else None

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


def named_by(grant: WebServiceGrant) -> WebServiceRef:
    """The WebService of a grant, which is beside it."""
    return WebServiceRef(namespace=grant.metadata.namespace, name=grant.spec.web_service)
