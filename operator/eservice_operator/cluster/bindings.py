# SPDX-License-Identifier: Apache-2.0
"""The bindings that rest on a grant: children of an EService that it lets in, itself or by its agent.

Anybody can annotate a ConfigMap, and own it by something that stays. What such an EService owns is either a
binding, or is removed by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eservice_operator.api import names
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.uses import WebServiceRef
from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import SERVICE, ordering_through
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.core.owner import owned_by
from eservice_operator.core.world import Observed

KIND = "ConfigMap"


def own_bindings(grant: WebServiceGrant, reading: Reading) -> Iterator[Observed]:
    """Those of its consumer."""
    place, store = grant.spec.consumer, reading.store
    consumer = store.get(SERVICE, place.namespace, place.name)
    if consumer is None:
        return
    uid = consumer["metadata"]["uid"]
    for body in store.by_index(KIND, indexes.OWNER, uid):
        metadata = body["metadata"]
        says = part(body, "metadata", "annotations", names.GRANT_ANNOTATION)
        if (metadata["namespace"], says) == (place.namespace, _named(grant)) and owned_by(metadata, uid):
            yield Observed(body)


@dataclass(frozen=True, slots=True)
class CustomersBindings:
    """Those of its agent's customers: looked for whenever they are gone through, and not before."""

    grant: WebServiceGrant
    reading: Reading

    def __iter__(self) -> Iterator[Observed]:
        metadata, agent, consumer = self.grant.metadata, self.grant.spec.agent, self.grant.spec.consumer
        if agent is None:
            return
        found = self.reading.store.by_index(KIND, indexes.GRANT, _named(self.grant))
        named = WebServiceRef(namespace=metadata.namespace, name=agent.assignment)
        owners = ordering_through(named, self.reading) if found else {}
        application = self.reading.store.get(SERVICE, consumer.namespace, consumer.name)
        if application is not None:
            owners.get(consumer.namespace, set()).discard(application["metadata"]["uid"])
        for body in found:
            child = body["metadata"]
            if any(owned_by(child, uid) for uid in owners.get(child["namespace"], ())):
                yield Observed(body)


def _named(grant: WebServiceGrant) -> str:
    return f"{grant.metadata.namespace}/{grant.metadata.name}"
