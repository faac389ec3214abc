# SPDX-License-Identifier: Apache-2.0
"""E-services as institutions and the Agency write them: manifests to apply, in any number.

Dates count from today, because the operator goes by the machine's clock: of the template's versions 1.0.0
is two years old and within the limit, until the instruction for 3.0.0 is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.names import API_VERSION, INSTITUTION_LABEL
from eservice_operator.core.actions import Manifest, Ref
from eservice_operator.core.releases import release_name
from eservice_operator.runtime.clock import now
from tests.support.worlds import merged

RIGA: Final = ZoneInfo("Europe/Riga")
CODE: Final = "90000054163"
"""Of the institution that all of them belong to."""
DOCUMENTS: Final = ("Instructions", "Description", "Terms", "RequirementsSpecification", "DesignDescription")
DELIVERED: Final = 3
"""Days ago on which the act was signed; the request came the day after."""


def today() -> date:
    """The local day."""
    return now().astimezone(RIGA).date()


def months_ago(months: int) -> str:
    """The first day of the month so many months ago."""
    day = today()
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return str(date(years, month + 1, 1))


def days_ago(days: int) -> str:
    return str(today() - timedelta(days=days))


def seconds_ago(seconds: float) -> str:
    return _written(now() - timedelta(seconds=seconds))


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def sha(text: str) -> str:
    """A digest that belongs to the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _object(kind: str, name: str, namespace: str = "", **content: Any) -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **content}


def namespace(name: str, code: str = CODE, **labels: str) -> Manifest:
    """A namespace that an administrator has labelled for the institution."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {INSTITUTION_LABEL: code} | labels},
    }


def instruction(version: str, published: str) -> Manifest:
    return {"url": f"https://docs.agency.example/viss/{version}", "published": published}


VERSIONS: Final = (("1.0.0", 22, 21), ("2.0.0", 12, 11), ("3.0.0", 1, None))
"""Number, months since its release, months since its instruction: 3.0.0 has none yet."""


def template(
    name: str, versions_of: Iterable[tuple[str, int, int | None]] = VERSIONS, **lifecycle: Any
) -> Manifest:
    """The Agency's template; 1.0.0 is 21 months older than 3.0.0, which is too much once that is current."""
    versions = [
        {"version": number, "released": months_ago(released)}
        | ({} if published is None else {"migrationInstruction": instruction(number, months_ago(published))})
        for number, released, published in versions_of
    ]
    owner = {"name": "Agency", "email": "platform@agency.example"}
    return _object(
        "EServiceTemplate", name, spec={"owner": owner, "versions": versions, "lifecycle": lifecycle}
    )


def with_instruction(body: Manifest, number: str = "3.0.0", published: str | None = None) -> Manifest:
    """The template once the instruction for a version is published, by default today."""
    versions = [
        entry | {"migrationInstruction": instruction(number, published or str(today()))}
        if entry["version"] == number
        else entry
        for entry in body["spec"]["versions"]
    ]
    return dict(merged(body, {"spec": {"versions": versions}}))


@dataclass(frozen=True)
class Planned:
    """One e-service and what people write about it; ``content`` stands for the image's content."""

    name: str
    namespace: str
    template: str
    version: str = "2.0.0"
    content: str = "a"
    replicas: int = 1

    @property
    def ref(self) -> Ref:
        return Ref(API_VERSION, "EService", self.namespace, self.name)

    @property
    def registered(self) -> Ref:
        """Its registration, which has the same name."""
        return Ref(API_VERSION, "EServiceRegistration", "", self.name)

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.latvija.example"

    @property
    def image(self) -> str:
        return f"registry.example/{self.namespace}/{self.name}@sha256:{sha(self.content)}"

    @property
    def release(self) -> str:
        """The name of the release."""
        return release_name(self.image, TemplateRef(name=self.template, version=self.version))

    @property
    def deployment(self) -> str:
        return f"{self.name}-{self.release}"

    @property
    def route(self) -> Ref:
        return Ref(
            "gateway.networking.k8s.io/v1", "HTTPRoute", "eservice-routes", f"{self.namespace}.{self.name}"
        )

    def renewed(self, version: str = "3.0.0", content: str = "b") -> Planned:
        """The next release of it."""
        return replace(self, version=version, content=content)

    def registration(self, **patch: Any) -> Manifest:
        body = registration(self.name, [("Production", self.namespace)], [("Production", self.host)])
        return dict(merged(body, patch))

    def eservice(self, **patch: Any) -> Manifest:
        """The EService in Production with a full delivery."""
        catalogue = {
            "url": f"https://latvija.example/lv/PPK/{self.name}",
            "title": {"lv": "Dzīvesvietas deklarēšana", "en": "Declaration of residence"},
            "description": {"lv": "Deklarējiet savu dzīvesvietu.", "en": "Declare your place of residence."},
            "channels": ["Web"],
        }
        spec = {
            "registration": self.name,
            "environment": "Production",
            "template": {"name": self.template, "version": self.version},
            "release": {
                "image": self.image,
                "source": {
                    "repository": f"https://git.example/{self.name}",
                    "revision": sha(self.content)[:12],
                },
                "documents": [_document(self.name, kind) for kind in DOCUMENTS],
            },
            "workload": {
                "replicas": self.replicas,
                "port": 8080,
                "env": [{"name": "LOG_LEVEL", "value": "info"}],
                "resources": {"requests": {"cpu": "0.1", "memory": "64Mi"}, "limits": {"memory": "0.5Gi"}},
                "probes": {"readiness": {"httpGet": {"path": "/ready"}}},
                "egress": [{"cidr": "192.0.2.10/32", "ports": [{"port": 5432}]}],
            },
            "publication": {
                "hosts": [self.host],
                "catalogue": catalogue,
                "support": {"email": "help@pmlp.example", "phone": "+371 6700 0100"},
            },
            "productionRequest": {"requestedAt": days_ago(DELIVERED - 1), "requestedBy": "A. Bērziņa"},
        }
        return dict(merged(_object("EService", self.name, self.namespace, spec=spec), patch))

    def act(self, **patch: Any) -> Manifest:
        """The acceptance act of the release, signed by both sides."""
        spec = {
            "eService": {"namespace": self.namespace, "name": self.name},
            "template": {"name": self.template, "version": self.version},
            "image": self.image,
            "testPeriod": {"from": days_ago(30), "to": days_ago(16)},
            "demonstratedAt": days_ago(10),
            "report": _signed(f"{self.name}-report"),
            "document": _signed(f"{self.name}-act"),
            "signedAt": days_ago(DELIVERED),
            "signatories": [
                {"organisation": "Agency", "name": "J. Ozols"},
                {"organisation": "PMLP", "name": "A. Bērziņa"},
            ],
        }
        name = f"{self.namespace}.{self.name}.{self.release}"
        return dict(merged(_object("AcceptanceAct", name, spec=spec), patch))

    def verification(self, outcome: str = "Passed", number: int = 1, **patch: Any) -> Manifest:
        """The institution's verification of the release, a moment ago."""
        spec = {
            "eService": self.name,
            "image": self.image,
            "template": {"name": self.template, "version": self.version},
            "outcome": outcome,
            "verifiedAt": seconds_ago(2),
            "verifiedBy": "A. Bērziņa",
            "notes": "checked by the list",
        }
        name = f"{self.name}-{self.release}-{number}"
        return dict(merged(_object("ProductionVerification", name, self.namespace, spec=spec), patch))

    def deferral(self, days: int, **patch: Any) -> Manifest:
        """The Agency's exception to R8, for so many days from today."""
        spec = {
            "eService": {"namespace": self.namespace, "name": self.name},
            "until": str(today() + timedelta(days=days)),
            "reason": "the renewal is being tested",
            "approvedBy": "J. Ozols",
        }
        return dict(merged(_object("UnpublishDeferral", f"{self.namespace}.{self.name}", spec=spec), patch))

    def everything(self) -> list[Manifest]:
        """All that it takes to become public, the EService last."""
        return [self.registration(), self.act(), self.verification(), self.eservice()]


def registration(
    name: str,
    namespaces: Iterable[tuple[str, str]],
    hosts: Iterable[tuple[str, str]] = (),
    **patch: Any,
) -> Manifest:
    """A registration; ``namespaces`` and ``hosts`` are pairs with the environment."""
    spec = {
        "title": {"lv": "Dzīvesvietas deklarēšana", "en": "Declaration of residence"},
        "institution": {
            "name": "PMLP",
            "code": CODE,
            "contacts": [{"name": "A. Bērziņa", "email": f"{name}@pmlp.example", "role": "Owner"}],
        },
        "agencyContact": {"name": "J. Ozols", "email": "j@agency.example"},
        "application": {
            "document": _signed(f"{name}-application"),
            "signer": "A. Bērziņa",
            "signedAt": days_ago(60),
            "timestamp": seconds_ago(60 * 86_400),
        },
        "namespaces": [{"environment": environment, "name": place} for environment, place in namespaces],
        "hosts": [{"environment": environment, "host": host} for environment, host in hosts],
    }
    return dict(merged(_object("EServiceRegistration", name, spec=spec), patch))


def in_test(planned: Planned, **patch: Any) -> Manifest:
    """The same e-service in Test, with what Test asks of it and nothing more."""
    spec = {
        "registration": planned.name,
        "environment": "Test",
        "template": {"name": planned.template, "version": planned.version},
        "release": {"image": f"registry.example/{planned.name}:main"},
        "workload": {"replicas": 1},
        "publication": {"hosts": [planned.host]},
    }
    return dict(merged(_object("EService", planned.name, planned.namespace, spec=spec), patch))


def _document(name: str, kind: str) -> Manifest:
    address = f"https://documents.pmlp.example/{name}/{kind.lower()}.pdf"
    return {"kind": kind, "url": address, "sha256": sha(address)}


def _signed(name: str) -> Manifest:
    address = f"https://documents.agency.example/{name}.edoc"
    return {"url": address, "sha256": sha(address)}
