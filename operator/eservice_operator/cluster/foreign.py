# SPDX-License-Identifier: Apache-2.0
"""Routes and Ingresses that answer, or may answer, for a host of an EService.

Of HTTPRoutes only those count that attach to the Gateway of the e-services: what another Gateway serves is no
conflict, nor is a route that ours does not admit. Which controller serves an Ingress is not known: it is
reported and holds nothing back, or whoever may write Ingresses could keep anybody off the public route. So is
a route from a namespace that no listener of the Gateway admits, whatever its status says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.api.contested import Standing
from eservice_operator.api.eservice import EService
from eservice_operator.cluster import indexes
from eservice_operator.cluster.admission import admits
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import SERVICE, is_our_route, is_preview, service_of
from eservice_operator.cluster.slim import INGRESS_CLASS
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest, Ref, ref_of
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.gateway_driver import gateway_of
from eservice_operator.core.hosts import EVERY, patterns_over
from eservice_operator.core.owner import owned_by, route_name
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.world import HostClaim, Observed

REFUSED_FOR_ANOTHER: Final = "RuleMatchConflict"
"""A gateway's reason for refusing the younger of two routes that match the same requests."""


class Neighbours:
    """Who else answers for the hosts of one EService."""

    def __init__(self, service: EService, store: Store, policy: Policy) -> None:
        self._uid = service.metadata.uid
        self._namespace = service.metadata.namespace
        self._name = service.metadata.name
        self._store = store
        self._policy = policy
        home = route_name(service.metadata.namespace, service.metadata.name)
        own = store.get("HTTPRoute", policy.routes_namespace, home)
        self._gateways = tuple(gateways_of(service, own, policy))
        serves = own is not None and self._is_own(own) and _accepted(own, self._gateways)
        self._served = frozenset(part(own, "spec", "hostnames") or ()) if own and serves else frozenset()
        """The hosts that our own route has: one that names no exact host cannot take them from it."""

    def claims(self, host: str) -> Iterator[HostClaim]:
        """The claims of routes and Ingresses to a host."""
        patterns = patterns_over(host)
        for pattern in patterns:
            for route in self._store.by_index("HTTPRoute", indexes.HOST, pattern):
                standing = self._standing(route, host, exact=pattern == patterns[0])
                if standing is not None:
                    yield self._claim(host, route, standing)
        for pattern in {patterns[0], *patterns[1:2], EVERY}:  # a wildcard of an Ingress covers one label
            for ingress in self._store.by_index("Ingress", indexes.HOST, pattern):
                if not self._is_own(ingress) and (pattern == patterns[0] or self._may_serve(ingress)):
                    yield self._claim(host, ingress, Standing.BESIDE)

    def _claim(self, host: str, found: Manifest, standing: Standing) -> HostClaim:
        home = service_of(found) if self._is_ours(found) else None
        if home is None:
            return HostClaim(host, ref_of(found), standing, found["metadata"]["uid"])
        labels = found["metadata"].get("labels") or {}
        owner = Ref(names.API_VERSION, home.kind, home.namespace, home.name)
        return HostClaim(host, owner, standing, labels.get(names.OWNER_UID_LABEL, ""))

    def _is_own(self, found: Manifest) -> bool:
        """Of Ingresses, which lie where tenants write, only the one that is put right and taken off."""
        metadata = found["metadata"]
        if found["kind"] == "Ingress":
            place = metadata.get("namespace"), metadata["name"]
            return place == (self._namespace, self._name) and owned_by(metadata, self._uid)
        uid = (metadata.get("labels") or {}).get(names.OWNER_UID_LABEL)
        mine = uid == self._uid if uid else service_of(found) == (SERVICE, self._namespace, self._name)
        return mine and self._is_ours(found)

    def _is_ours(self, found: Manifest) -> bool:
        """Whether it is the route of an EService, in the namespace where nobody else writes."""
        return found["metadata"].get("namespace") == self._policy.routes_namespace and is_our_route(found)

    def _standing(self, route: Manifest, host: str, *, exact: bool) -> Standing | None:
        """How a route stands to a host; None when it is our own, or does not answer for the host."""
        if self._is_own(route):
            return None
        if self._is_ours(route):
            if is_preview(route) or not _accepted(route):
                return None
            return Standing.RESERVED if face_of(Observed(route)) is Face.NOTICE else Standing.SERVES
        if not _attaches(route, self._gateways) or _only_to_https(route):
            return None
        if not exact and self._makes_way(route):
            return None
        if not self._admitted(route):
            return Standing.BESIDE if exact and _accepted(route, self._gateways) else None
        if _accepted(route, self._gateways):
            return Standing.SERVES if exact or host not in self._served else Standing.BESIDE
        answers = _answers(route, self._gateways)
        conflict = any(answer.get("reason") == REFUSED_FOR_ANOTHER for answer in answers)
        return Standing.WAITS if conflict else None

    def _admitted(self, route: Manifest) -> bool:
        """Whether a Gateway that it names takes routes from its namespace; an unknown one is believed to."""
        home = route["metadata"].get("namespace", "")
        for parent in part(route, "spec", "parentRefs") or ():
            for ref in (ref for ref in self._gateways if _names(parent, ref, home)):
                gateway = self._store.get("Gateway", ref.namespace, ref.name)
                sections = (ref.section, parent.get("sectionName") or "")
                if gateway is None or admits(gateway, home, self._store, *sections):
                    return True
        return False

    def _makes_way(self, route: Manifest) -> bool:
        metadata = route["metadata"]
        home = metadata.get("namespace") == self._policy.routes_namespace
        return home and (metadata.get("labels") or {}).get(names.FALLBACK_LABEL) == "true"

    def _may_serve(self, ingress: Manifest) -> bool:
        """Whether the controller behind our Gateway may serve it, as far as can be told.

        Of one program the controllers for Gateways and for Ingresses are named by one domain.
        """
        annotations = ingress["metadata"].get("annotations") or {}
        name = part(ingress, "spec", "ingressClassName") or annotations.get(INGRESS_CLASS)
        behind = [self._controller(gateway) for gateway in self._gateways]
        if name is None or None in behind:
            return True
        known = self._store.get("IngressClass", "", name)
        controller = None if known is None else part(known, "spec", "controller")
        return controller is not None and _maker(controller) in [_maker(one) for one in behind if one]

    def _controller(self, ref: GatewayRef) -> str | None:
        """The name of the controller behind a Gateway."""
        gateway = self._store.get("Gateway", ref.namespace, ref.name)
        name = None if gateway is None else part(gateway, "spec", "gatewayClassName")
        known = None if name is None else self._store.get("GatewayClass", "", name)
        controller = None if known is None else part(known, "spec", "controllerName")
        return controller if isinstance(controller, str) else None


def gateways_of(service: EService, route: Manifest | None, policy: Policy) -> Iterator[GatewayRef]:
    """The Gateways whose routes concern an EService: the one it is on, and the one it asks for."""
    chosen = snapshot_of(service).gateway
    yield chosen if chosen is not None and policy.allows(chosen) else policy.gateway
    on = None if route is None else gateway_of(Observed(route))
    if on is not None:
        yield on


def _maker(controller: str) -> list[str]:
    """``traefik.io`` of ``traefik.io/ingress-controller``."""
    return controller.partition("/")[0].split(".")[-2:]


def _attaches(route: Manifest, gateways: Sequence[GatewayRef]) -> bool:
    """Whether the route wants to be served by one of them, by a listener of ours if ours are some only."""
    home = route["metadata"].get("namespace", "")
    parents = part(route, "spec", "parentRefs") or ()
    return any(_names(parent, gateway, home) for parent in parents for gateway in gateways)


def _names(parent: Mapping[str, Any], gateway: GatewayRef, home: str) -> bool:
    section = parent.get("sectionName")
    return (
        parent.get("kind", "Gateway") == "Gateway"
        and parent.get("name") == gateway.name
        and parent.get("namespace", home) == gateway.namespace
        and (not gateway.section or not section or section == gateway.section)
    )


def _answers(route: Manifest, gateways: Sequence[GatewayRef] = ()) -> Iterator[Mapping[str, Any]]:
    """The conditions ``Accepted`` that controllers wrote, about these Gateways; without them about any."""
    home = route["metadata"].get("namespace", "")
    for parent in part(route, "status", "parents") or ():
        ref = parent.get("parentRef") or {}
        if not gateways or any(_names(ref, gateway, home) for gateway in gateways):
            yield from (one for one in parent.get("conditions") or () if one.get("type") == "Accepted")


def _accepted(route: Manifest, gateways: Sequence[GatewayRef] = ()) -> bool:
    return any(answer.get("status") == "True" for answer in _answers(route, gateways))


def _only_to_https(route: Manifest) -> bool:
    """Whether all that the route does is to send people to the same host by another scheme or port."""
    rules = part(route, "spec", "rules") or ()
    return bool(rules) and all(_to_same_host(rule) for rule in rules)


def _to_same_host(rule: Mapping[str, Any]) -> bool:
    filters = rule.get("filters") or ()
    redirects = [one.get("requestRedirect") or {} for one in filters if one.get("type") == "RequestRedirect"]
    return bool(redirects) and not any({"hostname", "path"} & set(one) for one in redirects)
