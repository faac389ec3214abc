# SPDX-License-Identifier: Apache-2.0
"""Bindings: what an e-service's Pods are given for each of its uses, in the layout of Service Binding.

The volume is a function of the use alone, and everything in it that depends on the holder's answer is
optional: granting and revoking change no Pod. Below it the ConfigMap says where the web service answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from eservice_operator.api import names
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import Scheme, WebService
from eservice_operator.core.access.case import Consumer
from eservice_operator.core.access.naming import audience_for, binding_of
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.access.ways import OUT
from eservice_operator.core.actions import Manifest
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.manifests import HTTP_PORT
from eservice_operator.core.owner import Owner
from eservice_operator.core.world import Observed

ROOT: Final = "/bindings"
ROOT_VARIABLE: Final = "SERVICE_BINDING_ROOT"
TOKEN_SECONDS: Final = 3600
"""How long a token lives; the kubelet renews it long before."""
TYPE: Final = "webservice"
HTTPS_PORT: Final = 443


def binding_volume(service: str, use: Use) -> dict[str, Any]:
    """The volume of a use. Where two sources have one file, the later counts: what the operator says."""
    name = binding_of(service, use)
    token = {"audience": audience_for(use), "path": "token", "expirationSeconds": TOKEN_SECONDS}
    sources = [
        {"secret": {"name": name, "optional": True}},
        {"configMap": {"name": name, "optional": True}},
        {"serviceAccountToken": token},
    ]
    return {"name": volume_name(use), "projected": {"sources": sources}}


def binding_mount(use: Use) -> dict[str, Any]:
    """Where containers see it."""
    return {"name": volume_name(use), "mountPath": f"{ROOT}/{use.name}", "readOnly": True}


def volume_name(use: Use) -> str:
    """Name of the volume of a use."""
    return f"binding-{use.name}"


@dataclass(frozen=True)
class Binding:
    """The ConfigMap of a use that is allowed."""

    name: str
    data: Mapping[str, str]
    grant: str
    """``namespace/name`` of the grant that it rests on."""
    credentials: bool
    """Whether the grant's credentials lie beside it, in a Secret of the same name."""


def binding_for(
    service: str, standing: UseStanding, consumer: Consumer, customers: tuple[str, ...]
) -> Binding | None:
    """The binding of an allowed use; None where it does not say who answers.

    ``customers`` are the codes of those for whom an agent's application calls.
    """
    grant, offer = standing.grant, standing.offer
    if grant is None or offer is None:
        return None
    metadata, spec = grant.grant.metadata, grant.grant.spec
    own = standing.agent is None
    data = {
        "type": TYPE,
        "provider": one_line(offer.web_service.spec.holder.institution),
        "protocol": offer.web_service.spec.protocol.value,
        "audience": audience_for(standing.use),
    }
    if own:
        data |= _address(offer.web_service) | _called(standing.use)
    else:
        data |= _through_agent(standing, grant.consumer, consumer)
    if own and spec.agent is not None:
        data["customers"] = "\n".join(customers)
    return Binding(
        name=binding_of(service, standing.use),
        data=data,
        grant=f"{metadata.namespace}/{metadata.name}",
        credentials=own and spec.credentials is not None,
    )


def _called(use: Use) -> dict[str, str]:
    return {} if use.contract_version is None else {"contract-version": use.contract_version}


def _through_agent(standing: UseStanding, agent: Consumer | None, consumer: Consumer) -> dict[str, str]:
    """A customer calls the agent's application; which contract versions that calls is the agent's affair."""
    data = {"on-behalf-of": consumer.code or "", "contract-versions": "\n".join(standing.versions)}
    if standing.agent is not None:
        data["agent"] = one_line(standing.agent.assignment.spec.agent.name)
    if agent is None:
        return data
    namespace, service = agent.place
    return data | _inside(Scheme.HTTP, service, namespace, HTTP_PORT)


def _address(web_service: WebService) -> dict[str, str]:
    backend = web_service.spec.backend
    if backend.service is not None:
        service = backend.service
        inside = _inside(service.scheme, service.name, web_service.metadata.namespace, service.port)
        return inside | {"uri": inside["uri"] + ("" if backend.path == "/" else backend.path)}
    host, port = outside(web_service)
    return {"uri": backend.url or "", "host": host, "port": str(port)}


def _inside(scheme: Scheme, service: str, namespace: str, port: int) -> dict[str, str]:
    """The address of a Service of the cluster."""
    host = f"{service}.{namespace}.svc"
    return {"uri": f"{scheme.value}://{host}:{port}", "host": host, "port": str(port)}


def outside(web_service: WebService) -> tuple[str, int]:
    """Host and port of an address outside of the cluster, which `api.webservice` has made sure of."""
    parts = urlsplit(web_service.spec.backend.url or "")
    port = parts.port or (HTTPS_PORT if parts.scheme == Scheme.HTTPS.value else HTTP_PORT)
    return parts.hostname or "", port


def build_binding(owner: Owner, binding: Binding, egress: Iterable[Manifest]) -> Manifest:
    """The ConfigMap of a binding, which remembers the way out that belongs to it."""
    annotations = {names.GRANT_ANNOTATION: binding.grant}
    rules = list(egress)
    if rules:
        annotations[names.EGRESS_ANNOTATION] = json.dumps(rules, sort_keys=True)
    if binding.credentials:
        annotations[names.CREDENTIALS_ANNOTATION] = binding.name
    return owner.child("v1", "ConfigMap", binding.name, {"data": dict(binding.data)}, annotations=annotations)


def known_binding(child: Observed, *, credentials: bool) -> Binding:
    """The binding that is there; ``credentials`` tells whether it may keep those that it has."""
    return Binding(
        name=child.ref.name,
        data=child.body.get("data") or {},
        grant=child.annotations.get(names.GRANT_ANNOTATION, ""),
        credentials=credentials and names.CREDENTIALS_ANNOTATION in child.annotations,
    )


def known_egress(child: Observed) -> tuple[Manifest, ...]:
    """The way out that a binding remembers; none where somebody else wrote what nobody can read."""
    try:
        rules = json.loads(child.annotations.get(names.EGRESS_ANNOTATION, "[]"))
    except (ValueError, RecursionError):
        return ()
    return tuple(filter(_is_way, rules)) if isinstance(rules, list) else ()


def _is_way(rule: Any) -> bool:
    return isinstance(rule, dict) and all(isinstance(rule.get(field), list) for field in (OUT, "ports"))
