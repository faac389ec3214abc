# SPDX-License-Identifier: Apache-2.0
"""Whether the routes are where the settings say: another ``--routes-namespace`` alone moves none of them.

An operator that began all the same would find none in the new namespace, and take from those in the old
one their way to the e-services: an error under every host. And it could take none of them off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eservice_operator.api.names import OWNER_UID_LABEL
from eservice_operator.cluster.indexes import part
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
    found = Counter(_elsewhere(store, settings.routes_namespace))
    if found:
        where = ", ".join(f"{many} in {namespace}" for namespace, many in sorted(found.items()))
        raise WrongHome(
            f"--routes-namespace is {settings.routes_namespace}, and there are public routes elsewhere:"
            f" {where}. They would lose their way to the e-services, and no decision would reach them. Name"
            " that namespace again, or move them first: docs/operations.md, Moving the routes"
        )


def _elsewhere(store: Store, home: str) -> Iterator[str]:
    """The namespaces of routes elsewhere, once for each of them.

    A label alone proves nothing: anybody could keep the operator from starting by it. What counts is a route
    by our name of an EService that has been public, whose own ReferenceGrant lets that namespace in.
    """
    for grant in store.all("ReferenceGrant"):
        namespace, name = grant["metadata"]["namespace"], grant["metadata"]["name"]
        service = store.get("EService", namespace, name)
        if service is None or part(service, "status", "release", "public") is None or not _of(grant, service):
            continue
        for source in {str(part(entry, "namespace")) for entry in part(grant, "spec", "from") or ()}:
            route = store.get(ROUTE_KIND, source, route_name(namespace, name))
            if source not in (home, namespace) and route is not None and _of(route, service):
                yield source


def _of(child: Manifest, service: Manifest) -> bool:
    owner = (part(child, "metadata", "labels") or {}).get(OWNER_UID_LABEL)
    return isinstance(owner, str) and owner == service["metadata"]["uid"]
