# SPDX-License-Identifier: Apache-2.0
"""By what objects are found in the store, besides their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.base import Environment
from eservice_operator.cluster.ownership import is_our_route, owners_of
from eservice_operator.cluster.resources import CHILDREN
from eservice_operator.cluster.roles import invoke_rules
from eservice_operator.cluster.store import Index
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.actions import Manifest
from eservice_operator.core.hosts import EVERY, normal, patterns_over
from eservice_operator.core.owner import OWNED_BY

OWNER = "owner"
"""Children by the UID of their owner, as their label or an owner reference names it."""
UID = "uid"
"""Those that children belong to by their UID."""
REGISTRATION = "registration"
TEMPLATE = "template"
PUBLIC_VERSION = "public-version"
"""EServices in Production by ``template@version`` in public use."""
HOST = "host"
"""By each hostname as it is written; routes and Ingresses without one by `EVERY`."""
UNDER = "under"
"""EServices by each wildcard that covers one of their hosts in a route."""
GATEWAY = "gateway"
"""Our routes by the ``namespace/name`` of the Gateway that they are on."""
ESERVICE = "eservice"
"""Records by the ``namespace/name`` of the EService they speak of."""
INSTITUTION = "institution"
"""Registrations and WebServices by the code of the institution whose they say they are."""
NAMESPACE = "namespace"
"""Registrations by the namespaces they name; what lies in one and matters to its web services by that."""
WEB_SERVICE = "web-service"
"""Grants and assignments by the ``namespace/name`` of their WebService."""
CONSUMER = "consumer"
"""Grants by the ``namespace/name`` of the EService that is let in."""
ANSWER = "answer"
"""Grants by the ``namespace/name`` of their consumer and of their WebService, as `answer_to` puts them."""
ASSIGNMENT = "assignment"
"""Grants by the ``namespace/name`` of the assignment under which an agent's application is let in."""
USES = "uses"
"""EServices, and their remembered releases, by the ``namespace/name`` of each WebService they ask for."""
AGENT = "agent"
"""The same by the ``namespace/name`` of each assignment through which they ask."""
TESTED_AS = "tested-as"
"""WebServices by the ``namespace/name`` of the one at which their consumers test."""
BACKEND = "backend"
"""WebServices by the ``namespace/name`` of the Service behind them."""
CONNECTION = "connection"
"""ConnectionTests by ``namespace/name/registration``: of the WebService, and of who was tested."""
GRANT = "grant"
"""Bindings by the ``namespace/name`` of the grant that they say they rest on."""


def part(obj: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of JSON, or None where the path ends early."""
    value: Any = obj
    for step in path:
        if not isinstance(value, dict):  # which is asked so often that a Mapping would be felt
            return None
        value = value.get(step)
    return value


def _one(*path: str) -> Index:
    def index(obj: Manifest) -> Iterable[str]:
        value = part(obj, *path)
        return (value,) if isinstance(value, str) else ()

    return index


def _each(path: tuple[str, ...], field: str | None = None) -> Index:
    def index(obj: Manifest) -> Iterable[str]:
        entries = part(obj, *path)
        values = [part(entry, field) if field else entry for entry in entries or ()]
        return tuple(value for value in values if isinstance(value, str))

    return index


def _templates(service: Manifest) -> Iterable[str]:
    """The template that the spec names and that of the public release."""
    named = (
        part(service, "spec", "template", "name"),
        part(service, "status", "release", "public", "template", "name"),
    )
    return {value for value in named if isinstance(value, str)}


def _public_version(service: Manifest) -> Iterable[str]:
    template = part(service, "status", "release", "public", "template")
    if part(service, "spec", "environment") != Environment.PRODUCTION or template is None:
        return ()
    return (f"{part(template, 'name')}@{part(template, 'version')}",)


_named_hosts = _each(("spec", "publication", "hosts"))
_named_hostnames = _each(("spec", "hostnames"))


def _hosts(service: Manifest) -> Iterable[str]:
    return {normal(host) for host in _named_hosts(service)}


def _wildcards(service: Manifest) -> Iterable[str]:
    return {pattern for host in _hosts(service) for pattern in patterns_over(host)[1:-1]}


def _hostnames(route: Manifest) -> Iterable[str]:
    return {normal(host) for host in _named_hostnames(route)} or {EVERY}


def _gateways(route: Manifest) -> Iterable[str]:
    parents = part(route, "spec", "parentRefs") or () if is_our_route(route) else ()
    return {f"{parent.get('namespace')}/{parent.get('name')}" for parent in parents}


def _rule_hosts(ingress: Manifest) -> Iterable[str]:
    """The hosts of its rules; `EVERY` for a rule without one, and for a default backend."""
    hosts = {normal(rule.get("host") or EVERY) for rule in part(ingress, "spec", "rules") or ()}
    return hosts | ({EVERY} if part(ingress, "spec", "defaultBackend") is not None else set())


def _named_eservice(record: Manifest) -> Iterable[str]:
    return (f"{part(record, 'spec', 'eService', 'namespace')}/{part(record, 'spec', 'eService', 'name')}",)


def _verified_eservice(verification: Manifest) -> Iterable[str]:
    return (f"{part(verification, 'metadata', 'namespace')}/{part(verification, 'spec', 'eService')}",)


def _decided(decision: Manifest) -> Iterable[str]:
    return (f"{part(decision, 'spec', 'registration')}/{part(decision, 'spec', 'environment')}",)


def _beside(*path: str) -> Index:
    """``namespace/name`` of what lies beside an object, which names it."""

    def index(obj: Manifest) -> Iterable[str]:
        name = part(obj, *path)
        return (f"{part(obj, 'metadata', 'namespace')}/{name}",) if isinstance(name, str) else ()

    return index


def _place(ref: Any) -> tuple[str, ...]:
    namespace, name = part(ref, "namespace"), part(ref, "name")
    return (f"{namespace}/{name}",) if namespace and name else ()


def answer_to(consumer: str, web_service: str) -> str:
    """The value of `ANSWER` for an EService and a WebService, each as ``namespace/name``."""
    return f"{consumer} {web_service}"


def _answered(grant: Manifest) -> Iterable[str]:
    named = _beside("spec", "webService")(grant)
    return [answer_to(asks, place) for asks in _place(part(grant, "spec", "consumer")) for place in named]


def _asked(*path: str) -> Index:
    """The web services that ``uses`` at a path name; whoever may write snapshots may write nonsense there."""

    def index(obj: Manifest) -> Iterable[str]:
        uses = part(obj, *path)
        entries = uses if isinstance(uses, list) else ()
        return {place for use in entries for place in _place(part(use, "webService"))}

    return index


def _asked_through(*path: str) -> Index:
    """The assignments that ``uses`` at a path name."""

    def index(obj: Manifest) -> Iterable[str]:
        uses = part(obj, *path)
        entries = uses if isinstance(uses, list) else ()
        named = ((part(use, "webService", "namespace"), part(use, "agent")) for use in entries)
        return {f"{namespace}/{agent}" for namespace, agent in named if namespace and agent}

    return index


def _tested(test: Manifest) -> Iterable[str]:
    registration = part(test, "spec", "registration")
    return (f"{place}/{registration}" for place in _place(part(test, "spec", "webService")))


def _invoked_in(role: Manifest) -> Iterable[str]:
    return (part(role, "metadata", "namespace"),) if invoke_rules(role) else ()


def _bound_in(binding: Manifest) -> Iterable[str]:
    """Where somebody is bound to the Role of a grant."""
    role = binding.get("roleRef") or {}
    bound = role.get("kind") == "Role" and role["name"].startswith(grant_child(""))
    return (part(binding, "metadata", "namespace"),) if bound else ()


INDEXES: dict[tuple[str, str], Index] = {
    **{(kind, OWNER): owners_of for kind in (*(resource.kind for resource in CHILDREN), "EndpointSlice")},
    **{(kind, UID): _one("metadata", "uid") for kind in OWNED_BY},
    ("EService", REGISTRATION): _one("spec", "registration"),
    ("EService", TEMPLATE): _templates,
    ("EService", PUBLIC_VERSION): _public_version,
    ("EService", HOST): _hosts,
    ("EService", UNDER): _wildcards,
    ("HTTPRoute", HOST): _hostnames,
    ("HTTPRoute", GATEWAY): _gateways,
    ("Ingress", HOST): _rule_hosts,
    ("AcceptanceAct", ESERVICE): _named_eservice,
    ("UnpublishDeferral", ESERVICE): _named_eservice,
    ("ProductionVerification", ESERVICE): _verified_eservice,
    ("UnpublishDecision", REGISTRATION): _decided,
    ("UnpublishDecision", TEMPLATE): _one("spec", "release", "template", "name"),
    ("EServiceRegistration", NAMESPACE): _each(("spec", "namespaces"), "name"),
    ("EServiceRegistration", INSTITUTION): _one("spec", "institution", "code"),
    ("EServiceIdentifier", REGISTRATION): _one("spec", "registration"),
    ("EService", USES): _asked("spec", "uses"),
    ("EService", AGENT): _asked_through("spec", "uses"),
    ("ControllerRevision", USES): _asked("data", "uses"),
    ("ControllerRevision", AGENT): _asked_through("data", "uses"),
    ("WebService", INSTITUTION): _one("spec", "holder", "code"),
    ("WebService", NAMESPACE): _one("metadata", "namespace"),
    ("WebService", TESTED_AS): lambda obj: _place(part(obj, "spec", "testedAs")),
    ("WebService", BACKEND): _beside("spec", "backend", "service", "name"),
    ("WebServiceGrant", WEB_SERVICE): _beside("spec", "webService"),
    ("WebServiceGrant", CONSUMER): lambda obj: _place(part(obj, "spec", "consumer")),
    ("WebServiceGrant", ANSWER): _answered,
    ("WebServiceGrant", ASSIGNMENT): _beside("spec", "agent", "assignment"),
    ("AgentAssignment", WEB_SERVICE): _beside("spec", "webService"),
    ("ConnectionTest", CONNECTION): _tested,
    ("ConnectionTest", WEB_SERVICE): lambda obj: _place(part(obj, "spec", "webService")),
    ("ConfigMap", GRANT): _one("metadata", "annotations", names.GRANT_ANNOTATION),
    ("Role", NAMESPACE): _invoked_in,
    ("RoleBinding", NAMESPACE): _bound_in,
}
