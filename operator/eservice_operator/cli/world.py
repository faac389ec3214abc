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

from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.access_reading import ALL as ACCESS
from eservice_operator.cli.access_reading import read_access
from eservice_operator.cli.filling import ESSENTIAL, GATEWAY_API, Unread, meant, name_of, put
from eservice_operator.cli.kubectl import Kubectl, Query
from eservice_operator.cli.policy import Setup, year_of
from eservice_operator.cluster.indexes import INDEXES, part
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, Resource
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
there keeps a route from moving, and changes no date. Ingresses are read only where they publish, Namespaces
only of holders."""
BESIDE: Final = frozenset({"ProductionVerification"})
"""Of our own kinds those that speak of e-services in their own namespace only."""


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
    apart = unused if namespace is None else unused | set(ACCESS)
    resources = [one for one in (*OWN, *CHILDREN, *OBSERVED) if one.kind not in apart]
    unread = _fill(store, kubectl, resources, namespace, setup.routes_namespace)
    unread += read_access(store, kubectl, namespace)
    if setup.publish_by == PublishBy.INGRESS:
        unread = [one for one in unread if not one.not_installed]
    for resource in resources:
        store.mark_synced(resource.kind)
    policy = policy_of(setup, now, store)
    told_once = {one.text: one for one in unread}.values()
    return Live(store, Observer(store, policy), policy, now, tuple(told_once))


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
    refused = put(store, kubectl.get(*queries))
    unread, again = [], []
    for one in refused:
        resource = meant(one)
        unread.append(Unread(resource.kind, one.where, one.said))
        if namespace and resource.namespaced and not one.where:
            place = routes if resource.kind == "HTTPRoute" else namespace
            again.append(Query((name_of(resource.kind),), place, _options(resource)))
    if again:
        put(store, kubectl.get(*again))  # what is refused here too is named already
    return unread


def _queries(resources: list[Resource], namespace: str | None) -> Iterator[Query]:
    """What decisions about one namespace read: its children, and of everything else all there is."""
    far = [one for one in resources if one in OWN and one.kind not in BESIDE]
    yield Query(tuple(name_of(one.kind) for one in far), "")
    near = [one for one in resources if one not in far and GATEWAY_API not in one.api_version]
    yield Query(tuple(name_of(one.kind) for one in near), namespace or "", ("--show-managed-fields",))
    for one in resources:
        if GATEWAY_API in one.api_version:
            everywhere = one.kind == "HTTPRoute" or not namespace
            yield Query((name_of(one.kind),), "" if everywhere else namespace, _options(one))


def _options(resource: Resource) -> tuple[str, ...]:
    return () if resource in OWN else ("--show-managed-fields",)
