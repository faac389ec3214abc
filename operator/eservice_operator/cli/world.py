# SPDX-License-Identifier: Apache-2.0
"""The live world: what kubectl may read, in the operator's own store, seen through its own observer.

What the person may not read is named with what follows from it, so that nobody takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import click

from eservice_operator.api.names import GROUP
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.kubectl import FORBIDDEN, Kubectl, Listing, Query, Refusal
from eservice_operator.cli.policy import Setup, year_of
from eservice_operator.cluster.indexes import INDEXES, part
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, Resource, resource_of
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.cluster.workdays import calendar_of, years_around
from eservice_operator.core.ingress_driver import INGRESS_KIND
from eservice_operator.core.policy import GatewayRef, NoticeRef, Policy, PublishBy

UNUSED: Final = frozenset(
    {
        *("EServiceIdentifier", "Namespace", "IngressClass", "Gateway", "GatewayClass"),
        *("ConfigMap", "Role", "RoleBinding"),
    }
)
"""What no forecast rests on: who wants its hosts besides is told, and changes nothing; a Gateway that is not
there keeps a route from moving, and changes no date. Ingresses are read only where they publish."""
BESIDE: Final = frozenset({"ProductionVerification"})
"""Of our own kinds those that speak of e-services in their own namespace only."""
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


@dataclass(frozen=True)
class Live:
    """The cluster as decisions see it, at one instant."""

    store: Store
    observer: Observer
    policy: Policy
    now: datetime
    unread: tuple[Unread, ...] = ()

    @property
    def clock_doubted(self) -> bool:
        """Whether the operator holds decisions because its clock and the API server's differ."""
        return any(
            part(body, "status", "reason") == Reason.CLOCK_SKEW
            for body in self.store.all("UnpublishDecision")
        )

    @property
    def essential(self) -> tuple[Unread, ...]:
        """What is missing so that a decision computed here would not be the operator's."""
        return tuple(one for one in self.unread if one.kind in ESSENTIAL)


def live(kubectl: Kubectl, setup: Setup, now: datetime, namespace: str | None = None) -> Live:
    """Read the cluster: with ``namespace`` what decisions about its EServices need, else all of it.

    Raises:
        KubectlError: kubectl failed for another reason than rights.
        ClickException: the holidays of the country are not known.
    """
    store = Store(INDEXES)
    unused = UNUSED if setup.publish_by == PublishBy.INGRESS else UNUSED | {INGRESS_KIND}
    resources = [one for one in (*OWN, *CHILDREN, *OBSERVED) if one.kind not in unused]
    unread = _fill(store, kubectl, resources, namespace, setup.routes_namespace)
    if setup.publish_by == PublishBy.INGRESS:
        unread = [one for one in unread if not one.not_installed]
    for resource in resources:
        store.mark_synced(resource.kind)
    policy = policy_of(setup, now, store)
    return Live(store, Observer(store, policy), policy, now, tuple(unread))


def policy_of(setup: Setup, now: datetime, store: Store) -> Policy:
    """The arguments of every decision beside the world.

    Raises:
        ClickException: the holidays of the country are not known.
    """
    try:
        calendar = calendar_of(setup.holiday_country, years_around(year_of(now, setup)))
    except NotImplementedError:
        text = (
            f"the public holidays of {setup.holiday_country!r} are not known; write two letters: LV, EE, SE"
        )
        raise click.ClickException(text) from None
    channels = setup.channels if setup.channels is not None else sorted(_channels_seen(store))
    return Policy(
        zone=setup.time_zone,
        calendar=calendar,
        gateway=GatewayRef(*setup.gateway),
        allowed_gateways=tuple(GatewayRef(*one) for one in setup.allowed_gateways),
        routes_namespace=setup.routes_namespace,
        publish_by=PublishBy(setup.publish_by),
        ingress_annotations=("*",),  # which ones the operator takes off is not known here
        notice=None if setup.notice_service is None else NoticeRef(*setup.notice_service),
        channels=tuple((Channel(channel), sink) for channel, sink in channels),
    )


def _channels_seen(store: Store) -> set[tuple[str, str]]:
    """The channels that the ledgers of the cluster speak of."""
    return {
        (notice["channel"], notice["recipient"] if notice["channel"] == Channel.CLOUD_EVENTS else "")
        for resource in OWN
        for body in store.all(resource.kind)
        for notice in part(body, "status", "notices") or ()
    }


def _fill(
    store: Store, kubectl: Kubectl, resources: Iterable[Resource], namespace: str | None, routes: str
) -> list[Unread]:
    """List everything; what may not be listed everywhere is listed where the decision looks."""
    wanted = list(resources)
    queries = list(_queries(wanted, namespace))
    refused = _put(store, kubectl.get(*queries))
    unread, again = [], []
    for one in refused:
        resource = _meant(one, wanted)
        unread.append(Unread(resource.kind, one.where, one.said))
        if namespace and resource.namespaced and not one.where:
            place = routes if resource.kind == "HTTPRoute" else namespace
            again.append(Query((_name(resource),), place, _options(resource)))
    if again:
        _put(store, kubectl.get(*again))  # what is refused here too is named already
    return unread


def _meant(refusal: Refusal, resources: list[Resource]) -> Resource:
    """The resource that kubectl names as ``plural`` or ``plural.group``."""
    return next(one for one in resources if one.plural == refusal.resource.partition(".")[0])


def _queries(resources: list[Resource], namespace: str | None) -> Iterator[Query]:
    """What decisions about one namespace read: its children, and of everything else all there is."""
    far = [one for one in resources if one in OWN and one.kind not in BESIDE]
    yield Query(tuple(_name(one) for one in far), "")
    near = [one for one in resources if one not in far and GATEWAY_API not in one.api_version]
    yield Query(tuple(_name(one) for one in near), namespace or "", ("--show-managed-fields",))
    for one in resources:
        if GATEWAY_API in one.api_version:
            everywhere = one.kind == "HTTPRoute" or not namespace
            yield Query((_name(one),), "" if everywhere else namespace, _options(one))


def _options(resource: Resource) -> tuple[str, ...]:
    return () if resource in OWN else ("--show-managed-fields",)


def _name(resource: Resource) -> str:
    """As kubectl takes it without doubt: plural, version where it matters, group."""
    group, _, version = resource.api_version.rpartition("/")
    if not group:
        return resource.plural
    return f"{resource.plural}.{group}" if group == GROUP else f"{resource.plural}.{version}.{group}"


def _put(store: Store, listings: list[Listing]) -> list[Refusal]:
    """Keep what was listed; answers what was refused."""
    refused: list[Refusal] = []
    for listing in listings:
        for item in listing.items:
            store.upsert(slim(item))
        refused += listing.refused
    return refused
