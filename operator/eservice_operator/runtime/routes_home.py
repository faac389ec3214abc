# SPDX-License-Identifier: Apache-2.0
"""Whether the routes are where the settings say: another ``--routes-namespace`` alone moves none of them.

An operator that began all the same would find none in the new namespace, and take from those in the old
one their way to the e-services: an error under every host. And it could take none of them off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eservice_operator.cluster.admission import takes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_route_of, owners_of
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.gateway_driver import ROUTE_KIND
from eservice_operator.core.owner import route_name
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.startup import CannotStart


class WrongHome(CannotStart):
    """Routes of ours are in another namespace than the settings name."""


def stay_with_routes(store: Store, settings: Settings) -> None:
    """Refuse to begin while routes of ours are served from another namespace than the settings name.

    Raises:
        WrongHome: they are; the message says where, and what to do.
    """
    found = Counter(_elsewhere(store, settings))
    if found:
        where = ", ".join(f"{many} in {namespace}" for namespace, many in sorted(found.items()))
        raise WrongHome(
            f"--routes-namespace is {settings.routes_namespace}, and there are public routes elsewhere:"
            f" {where}. They would lose their way to the e-services, and no decision would reach them. Name"
            " that namespace again, or move them first: docs/operations.md, Moving the routes"
        )


def _elsewhere(store: Store, settings: Settings) -> Iterator[str]:
    """The namespaces of routes elsewhere, once for each of them.

    What counts is a route by our name of an EService that has been public, whose own ReferenceGrant lets that
    namespace in. A tenant can write all of that in namespaces of its own, and anybody could keep the operator
    from starting by it: so a Gateway of the settings has to take routes from there.
    """
    for grant in store.all("ReferenceGrant"):
        namespace, name = grant["metadata"]["namespace"], grant["metadata"]["name"]
        service = store.get("EService", namespace, name)
        if service is None or part(service, "status", "release", "public") is None:
            continue
        uid = service["metadata"]["uid"]
        if uid not in owners_of(grant):
            continue
        for source in {str(part(entry, "namespace")) for entry in part(grant, "spec", "from") or ()}:
            route = store.get(ROUTE_KIND, source, route_name(namespace, name))
            if route is None or source in (settings.routes_namespace, namespace):
                continue
            if is_route_of(route, uid) and _is_taken(route, store, settings):
                yield source


def _is_taken(route: Manifest, store: Store, settings: Settings) -> bool:
    """Whether a Gateway of the settings takes the route, by its own spec."""
    ours = {(one.namespace, one.name) for one in (settings.gateway, *settings.allowed_gateways)}
    home = route["metadata"]["namespace"]
    return any(takes(ref, home, ours, store) for ref in part(route, "spec", "parentRefs") or ())
