# SPDX-License-Identifier: Apache-2.0
"""A holder's web service, and what the operator would have made of a grant: written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eservice_operator.api.names import API_VERSION, GROUP
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.kubectl import Kubectl
from tests.support.rbac import account, bound, rule


def web_service(namespace: str, name: str, **spec: Any) -> Manifest:
    """SOAP with v4, which ended, and v5."""
    usual = {
        "holder": {"institution": "UR", "code": "90000270634", "email": "api@ur.example"},
        "environment": "Test",
        "protocol": "SOAP",
        "contracts": [{"version": "v4", "endOfLife": "2025-10-31"}, {"version": "v5"}, {"version": "v6"}],
        "backend": {"service": {"name": name, "port": 8443}},
    }
    return _manifest("WebService", namespace, name, usual | spec)


def grant(
    namespace: str, name: str, web_service: str, consumer: str, *versions: str, **spec: Any
) -> Manifest:
    """A grant to ``NAMESPACE/NAME``; of no version for REST."""
    place, _, e_service = consumer.partition("/")
    usual = {
        "webService": web_service,
        "consumer": {"namespace": place, "name": e_service},
        "contractVersions": [{"version": version} for version in versions],
    }
    return _manifest("WebServiceGrant", namespace, name, usual | spec)


def active(*versions: str, state: str = "Active") -> Manifest:
    """The status of a grant."""
    entries = [{"version": version, "state": state, "reason": state} for version in versions or ("*",)]
    return {"state": state, "reason": state, "contractVersions": entries}


def role(namespace: str, name: str, web_service: str, consumer: str, *versions: str) -> list[Manifest]:
    """The right to invoke."""
    place, _, e_service = consumer.partition("/")
    resources = [f"webservices/{version}" for version in versions] or ["webservices"]
    named = {"name": name, "namespace": namespace}
    invoke = rule(GROUP, resources, ["invoke"]) | {"resourceNames": [web_service]}
    return bound(named, [invoke], account(place, e_service))


def _manifest(kind: str, namespace: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


@dataclass
class Register:
    """One holder's namespace, as its people and the operator write in it."""

    api: KubeApi
    kubectl: Kubectl
    holder: str
    consumers: str
    made: dict[str, Manifest] = field(default_factory=dict)
    """Everything, by ``KIND/NAME``."""

    async def make(self, *manifests: Manifest) -> None:
        for manifest in manifests:
            created = await self.api.create(manifest)
            self.made[f"{manifest['kind']}/{manifest['metadata']['name']}"] = created

    async def drop(self, kind: str, name: str) -> None:
        live = self.made.pop(f"{kind}/{name}")
        await self.api.delete(ref_of(live), uid=live["metadata"]["uid"])

    async def change(self, kind: str, name: str, subresource: str = "", **fields: Any) -> None:
        """Apply some fields of an object."""
        manifest = {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.holder},
            **fields,
        }
        await self.api.apply(manifest, field_manager="test", force=True, subresource=subresource)

    async def opened(self, name: str, web_service: str, consumer: str, *versions: str, **spec: Any) -> None:
        """A grant that is Active, with its Role."""
        await self.make(
            grant(self.holder, name, web_service, consumer, *versions, **spec),
            *role(self.holder, f"grant.{name}", web_service, consumer, *versions),
        )
        await self.change("WebServiceGrant", name, "status", status=active(*versions))

    async def account(self, name: str) -> str:
        """The ServiceAccount of an e-service, as ``NAMESPACE/NAME``."""
        metadata = {"name": name, "namespace": self.consumers}
        if await self.api.get(Ref("v1", "ServiceAccount", self.consumers, name)) is None:
            await self.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        return f"{self.consumers}/{name}"

    def audience(self, web_service: str) -> str:
        return f"webservice.{GROUP}/{self.holder}/{web_service}"

    async def token(self, name: str, web_service: str, audience: str = "") -> str:
        """A real one, of a ServiceAccount of the consumers' namespace."""
        wanted = audience or self.audience(web_service)
        code, printed = await self.kubectl(
            "create", "token", name, f"--namespace={self.consumers}", f"--audience={wanted}"
        )
        assert code == 0, printed
        return printed.strip()
