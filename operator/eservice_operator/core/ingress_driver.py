# SPDX-License-Identifier: Apache-2.0
"""Clusters without the Gateway API: an Ingress beside the e-service, and what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eservice_operator.api import names
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Manifest
from eservice_operator.core.driver import Serving, Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.manifests import HTTP_PORT
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

INGRESS_API = "networking.k8s.io/v1"
INGRESS_KIND = "Ingress"


@dataclass(frozen=True, slots=True)
class IngressDriver:
    """One Ingress for each e-service that is on, and none while it is off.

    It reaches Services of its own namespace only, so that it lies where the tenant may write, and leads to no
    notice page.
    """

    policy: Policy
    kind: str = INGRESS_KIND
    far: bool = False
    notices: bool = False
    previews: bool = False
    exclusive: bool = False
    answers: bool = False

    def sources(self, release: Snapshot | None) -> Iterator[str]:  # noqa: ARG002 - as the Protocol has it
        """The namespaces that the settings name: an Ingress does not say where its controller runs."""
        yield from self.policy.traffic_from

    def name(self, namespace: str, service: str) -> str:  # noqa: ARG002 - it lies in that namespace
        """The name of the e-service."""
        return service

    def build(self, owner: Owner, shown: Shown) -> Manifest:
        """A rule for each host: a rule without one, and a default backend, would take those of others."""
        if shown.face is not Face.LIVE or not shown.release.hosts:
            raise ValueError("an Ingress shows an e-service under its hosts, and nothing else")
        backend = {"service": {"name": owner.name, "port": {"number": HTTP_PORT}}}
        path = {"path": shown.release.path, "pathType": "Prefix", "backend": backend}
        rules = [{"host": host, "http": {"paths": [path]}} for host in shown.release.hosts]
        spec = {"ingressClassName": self.policy.ingress_class, "rules": rules}
        shows = {names.SHOWS_LABEL: shown.face.value}
        return owner.child(INGRESS_API, self.kind, owner.name, {"spec": spec}, labels=shows)

    def beside(self, owner: Owner) -> Iterator[Manifest]:  # noqa: ARG002 - as the Protocol has it
        """Nothing: it reaches the Service next to it."""
        yield from ()

    def serving(self, route: Observed) -> Serving:
        """Whether it is there: no Ingress controller says whether it serves one.

        Some write an address at once, whatever the Ingress leads to, and some never write any: that there is
        one is said, and is no answer.
        """
        addressed = (route.status.get("loadBalancer") or {}).get("ingress")
        address = "with an address" if addressed else "without an address, which some controllers never write"
        what = f"the Ingress {route.ref.name} of class {self.policy.ingress_class} is there, {address}"
        text = f"{what}; an Ingress controller does not say whether it serves it"
        return Serving(served=True, reason=Reason.PUBLISHED, message=text)

    def refuses(self, gateway: GatewayRef) -> tuple[Reason, str] | None:
        """Every one: who asks for another entrance does not mean this one."""
        text = f"an {self.kind} leads through no Gateway: leave out spec.publication.gateway ({gateway})"
        return Reason.NOT_WITH_INGRESS, text

    def lacks(self, release: Snapshot) -> Iterator[str]:
        """What needs Gateways."""
        if release.gateway is not None:
            yield "a Gateway of its own (spec.publication.gateway)"
        if self.policy.preview is not None:
            yield "a preview of the candidate (--preview-gateway)"

    def hosts(self, route: Observed) -> tuple[str, ...]:
        """The hosts of its rules."""
        return tuple(rule["host"] for rule in route.spec.get("rules") or () if rule.get("host"))

    def path(self, route: Observed) -> str:
        """The path of its rules."""
        paths = [
            path
            for rule in route.spec.get("rules") or ()
            for path in (rule.get("http") or {}).get("paths") or ()
        ]
        return next((str(path["path"]) for path in paths if "path" in path), "/")
