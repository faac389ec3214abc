# SPDX-License-Identifier: Apache-2.0
"""Lists of kubectl into the operator's own store, and in words what could not be listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eservice_operator.api.names import GROUP
from eservice_operator.cli.kubectl import FORBIDDEN, Kubectl, Listing, Query, Refusal
from eservice_operator.cluster.resources import RESOURCES, Resource, resource_of
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store

GATEWAY_API: Final = "gateway.networking.k8s.io"
FOLLOWS: Final = {
    "EServiceTemplate": "nothing can be said of lag, migration and unpublication",
    "EServiceRegistration": "every registration looks as if it did not exist",
    "AcceptanceAct": "every release looks as if it was not accepted",
    "ProductionVerification": "every release looks as if it was not verified",
    "UnpublishDecision": "unpublications that were decided are not seen",
    "UnpublishDeferral": "deferrals are not seen",
    "EService": "e-services elsewhere are not seen: conflicts over hosts, and what the brake counts",
    "Service": "which release is public is known from the status only",
    "Deployment": "nothing looks installed",
    "ControllerRevision": "how the public release last ran is not known",
    "Ingress": "whether an Ingress serves it is not seen",
    "HTTPRoute": "whether something is served is not seen, nor whether others serve its hosts",
    "WebService": "no web service is seen",
    "WebServiceGrant": "every use looks as if nobody had granted it",
    "AgentAssignment": "every agent looks as if it might call for nobody",
    "ConnectionTest": "connections look as if they were not tested",
    "Namespace": "whose web services there are is not known",
}
ESSENTIAL: Final = frozenset(FOLLOWS) - {"EService", "HTTPRoute", "Ingress"}
"""Without one of these a decision about an EService says something else than the operator's."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind that could not be read."""

    kind: str
    where: str
    """The namespace; empty for all of them, or for a cluster-scoped kind."""
    said: str
    """What kubectl said."""

    @property
    def not_installed(self) -> bool:
        """Whether it is a kind of the Gateway API, which is not there."""
        return FORBIDDEN.match(self.said) is None and GATEWAY_API in resource_of(self.kind).api_version

    @property
    def follows(self) -> str:
        """What follows from it, in words."""
        return FOLLOWS.get(self.kind, "what the operator made of that kind is not seen")

    @property
    def text(self) -> str:
        """A sentence for the person."""
        place = f" in {self.where}" if self.where else ""
        if FORBIDDEN.match(self.said) is None:
            return f"the API server does not know {self.kind}: {self.follows}"
        return f"you may not list {self.kind}{place}: {self.follows}"


def name_of(kind: str) -> str:
    """A kind as kubectl takes it without doubt: plural, version where it matters, group."""
    resource = resource_of(kind)
    group, _, version = resource.api_version.rpartition("/")
    if not group:
        return resource.plural
    return f"{resource.plural}.{group}" if group == GROUP else f"{resource.plural}.{version}.{group}"


def meant(refusal: Refusal) -> Resource:
    """The resource that kubectl names as ``plural`` or ``plural.group``."""
    plural = refusal.resource.partition(".")[0]
    return next(one for one in RESOURCES.values() if one.plural == plural)


def put(store: Store, listings: Iterable[Listing]) -> list[Refusal]:
    """Keep what was listed; answers what was refused."""
    refused: list[Refusal] = []
    for listing in listings:
        for item in listing.items:
            store.upsert(slim(item))
        refused += listing.refused
    return refused


def fill(store: Store, kubectl: Kubectl, queries: Sequence[Query]) -> list[Unread]:
    """Ask for all of it at once, and keep it; answers what could not be read."""
    refused = put(store, kubectl.get(*queries)) if queries else []
    return [Unread(meant(one).kind, one.where, one.said) for one in refused]
