# SPDX-License-Identifier: Apache-2.0
"""A holder with a register beside a site's e-services, as people write it, and what they ask of kubectl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.access.naming import grant_child, wall_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.fleet import Planned, namespace, registration, seconds_ago, sha
from tests.support.kubectl import Kubectl
from tests.support.site import Site
from tests.support.waiting import eventually
from tests.support.worlds import merged

CODE = "90000270634"
NAME = "population-register"
CHILD_KINDS = {
    "NetworkPolicy": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
}


def signed(what: str) -> Manifest:
    address = f"https://documents.ur.example/{what}.edoc"
    return {"url": address, "sha256": sha(address)}


@dataclass(frozen=True)
class Register:
    """A SOAP register in Production with v5 and v6, for the e-services of a site."""

    site: Site

    @property
    def namespace(self) -> str:
        return f"ur-{self.site.mark}"

    @property
    def ref(self) -> Ref:
        return Ref(API_VERSION, "WebService", self.namespace, NAME)

    @property
    def wall(self) -> Ref:
        return Ref("networking.k8s.io/v1", "NetworkPolicy", self.namespace, wall_of(NAME))

    def use(self, version: str = "v5") -> Manifest:
        """How an e-service asks for it."""
        name = {"namespace": self.namespace, "name": NAME}
        return {"name": f"persons-{version}", "webService": name, "contractVersion": version}

    def _object(self, kind: str, name: str, spec: Manifest, place: str) -> Manifest:
        metadata = {"name": name} | ({"namespace": place} if place else {})
        return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}

    def registration(self) -> Manifest:
        """Its institution in the Agency's register, which says where letters to it may go."""
        contacts = [{"name": "K. Kalns", "email": "k.kalns@ur.example", "role": "Owner"}]
        institution = {"name": "UR", "code": CODE, "contacts": contacts}
        return registration(f"ur-{self.site.mark}", (), spec={"institution": institution})

    def home(self) -> Manifest:
        """Its namespace, confirmed."""
        return namespace(self.namespace, CODE, **{"eservice.dev/environment": "production"})

    def backend(self) -> Manifest:
        """The Service behind it."""
        ports = [{"name": "api", "port": 8443, "targetPort": 9443, "protocol": "TCP"}]
        metadata = {"name": NAME, "namespace": self.namespace}
        spec = {"selector": {"app": NAME}, "ports": ports}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    def web_service(self, **patch: Any) -> Manifest:
        spec = {
            "holder": {"institution": "UR", "code": CODE, "email": "api@ur.example"},
            "environment": "Production",
            "protocol": "SOAP",
            "contracts": [{"version": "v5"}, {"version": "v6"}],
            "backend": {"service": {"name": NAME, "port": 8443}},
        }
        return dict(merged(self._object("WebService", NAME, spec, self.namespace), patch))

    def tested(self, planned: Planned, version: str = "v5") -> Manifest:
        """The Agency's word that an e-service's connection was tested."""
        spec = {
            "webService": {"namespace": self.namespace, "name": NAME},
            "registration": planned.name,
            "contractVersion": version,
            "passedAt": seconds_ago(60),
            "report": signed("test"),
        }
        return self._object("ConnectionTest", f"{planned.name}-{version}", spec, "")

    def grant(self, planned: Planned, *versions: str, **spec: Any) -> Manifest:
        """The answer to an e-service, by its name."""
        evidence = {"selfDeclaration": signed("declaration"), "endToEnd": signed("end-to-end")}
        granted = [{"version": version, "evidence": evidence} for version in versions or ("v5",)]
        consumer = {"namespace": planned.namespace, "name": planned.name}
        base = {"webService": NAME, "consumer": consumer, "contractVersions": granted}
        return self._object("WebServiceGrant", planned.name, merged(base, spec), self.namespace)

    def assignment(self) -> Manifest:
        """An agent that has applied, and signed nothing yet."""
        spec = {"webService": NAME, "agent": {"name": "SIA Tilts", "code": "40003000000"}}
        return self._object("AgentAssignment", "tilts", spec, self.namespace)

    def grant_ref(self, planned: Planned) -> Ref:
        return Ref(API_VERSION, "WebServiceGrant", self.namespace, planned.name)

    def children(self, planned: Planned) -> list[Ref]:
        """What its grant has, in the holder's namespace."""
        name = grant_child(planned.name)
        return [Ref(version, kind, self.namespace, name) for kind, version in CHILD_KINDS.items()]

    async def prepare(self) -> None:
        """The holder's namespace as administrators confirm it, the Service and the WebService."""
        await self.site.apply(self.home(), self.backend(), self.web_service())

    async def clear(self) -> None:
        """Take the grants and the WebService away, while the operator is there to see their end."""
        for kind in ("WebServiceGrant", "WebService"):
            items, _ = await self.site.api.list(resource_of(kind), self.namespace)
            for item in items:
                await self.site.delete(ref_of(item))
                await self.site.gone(ref_of(item))

    async def may(self, kubectl: Kubectl, planned: Planned, version: str = "v5") -> bool:
        """What ``kubectl auth can-i invoke`` says of a ServiceAccount; without a version as for REST."""
        account = f"system:serviceaccount:{planned.namespace}:{planned.name}"
        of = (f"--subresource={version}",) if version else ()
        where = (*of, f"--namespace={self.namespace}", f"--as={account}")
        code, printed = await kubectl("auth", "can-i", "invoke", f"webservices/{NAME}", *where)
        # with a reason behind the no, while the authorizer has heard of a binding and not of its Role
        assert printed.strip().splitlines()[-1].split(" ")[0] in {"yes", "no"}, printed
        return code == 0

    async def comes_to_may(self, kubectl: Kubectl, planned: Planned, version: str = "v5") -> None:
        """Wait until it may: the API server's authorizer hears of Roles a moment after they are there."""
        await eventually(lambda: self.may(kubectl, planned, version), f"a right to {version or 'REST'}")

    async def may_no_more(self, kubectl: Kubectl, planned: Planned, version: str = "v5") -> None:
        """Wait until it may not, as `comes_to_may`."""

        async def lost() -> bool:
            return not await self.may(kubectl, planned, version)

        await eventually(lost, f"no right to {version or 'REST'}")
