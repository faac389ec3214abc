# SPDX-License-Identifier: Apache-2.0
"""Objects of an e-service in good order, as manifests, and the world that a decision sees of them.

Each builder answers the whole object as the API server would, and takes what differs as a patch:
maps are merged, ``None`` removes a field, anything else replaces it.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.contested import Standing
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.delivery import DocumentKind
from eservice_operator.api.eservice import EService
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.actions import Action, Failure, Manifest, Ref
from eservice_operator.core.dates import Calendar
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import GatewayRef, NoticeRef, Policy, Preview, PublishBy
from eservice_operator.core.releases import Snapshot, read_snapshot, release_name
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import HostClaim, Observed, World

RIGA: Final = ZoneInfo("Europe/Riga")
NAMESPACE: Final = "pmlp-production"
NAME: Final = "address-declaration"
HOST: Final = "address.latvija.example"
TEMPLATE: Final = "viss-2020"
ROUTES: Final = "eservice-routes"
ROUTE: Final = f"{NAMESPACE}.{NAME}"
CLAIMANTS: Final = {
    "EService": "eservice.dev/v1alpha1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
}
"""Who claims hosts, and the API version of each."""

CALENDAR: Final = Calendar(
    holidays=frozenset({date(2026, 11, 18), date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)}),
    working_weekends=frozenset(),
)
POLICY: Final = Policy(
    zone=RIGA,
    calendar=CALENDAR,
    gateway=GatewayRef("gateway-system", "public"),
    routes_namespace=ROUTES,
)


NOTICED: Final = replace(POLICY, notice=NoticeRef("eservice-notice"))
"""The same with a notice page."""
PREVIEWED: Final = replace(
    POLICY, preview=Preview(GatewayRef("gateway-internal", "internal"), "preview.agency.example")
)
"""The same with a Gateway on which candidates are looked at."""
BY_INGRESS: Final = replace(
    POLICY, publish_by=PublishBy.INGRESS, ingress_class="outside", traffic_from=("traefik",)
)
"""The same in a cluster without the Gateway API."""


def at(day: str, clock: str = "12:00") -> datetime:
    """An instant by the clock on the wall in Riga."""
    local = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), RIGA)
    return local.astimezone(UTC)


NOW: Final = at("2026-10-13")
"""The day after the verification; nothing lags and nothing is due."""


def image(letter: str, repository: str = "registry.example/pmlp/address") -> str:
    """An image by digest; the letter (of a hexadecimal digit) tells contents apart."""
    return f"{repository}@sha256:{letter * 64}"


def merged(base: Any, patch: Any) -> Any:
    """The base with the patch: maps are merged, ``None`` removes, anything else replaces."""
    if not isinstance(base, Mapping) or not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = {key: copy.deepcopy(value) for key, value in base.items() if patch.get(key, ...) is not None}
    for key, value in patch.items():
        if value is not None:
            result[key] = merged(base.get(key), value)
    return result


def _document(kind: str) -> Manifest:
    return {"kind": kind, "url": f"https://docs.example/{kind}", "sha256": "0" * 64}


def own_object(kind: str, name: str, namespace: str, created: str) -> Manifest:
    """An object of ours with what the API server gives every one."""
    metadata = {
        "name": name,
        "uid": f"uid-{kind.lower()}-{namespace or 'cluster'}-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    if namespace:
        metadata["namespace"] = namespace
    return {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "status": {"observedGeneration": -1},
    }


def eservice(**patch: Any) -> Manifest:
    """An e-service in Production that lacks nothing."""
    base = own_object("EService", NAME, NAMESPACE, "2026-09-30T08:00:00Z") | {
        "spec": {
            "registration": NAME,
            "environment": "Production",
            "template": {"name": TEMPLATE, "version": "3.0.0"},
            "release": {
                "image": image("a"),
                "source": {"repository": "https://git.example/pmlp/address", "revision": "4f1c"},
                "documents": [_document(kind.value) for kind in DocumentKind],
            },
            "workload": {"replicas": 2, "port": 8080},
            "publication": {
                "hosts": [HOST],
                "path": "/",
                "catalogue": {
                    "url": "https://latvija.example/p1",
                    "title": {"lv": "Dzīvesvietas deklarēšana"},
                    "description": {"lv": "Deklarē dzīvesvietu"},
                },
                "support": {"email": "help@pmlp.example"},
            },
            "productionRequest": {"requestedAt": "2026-10-05", "requestedBy": "A. Bērziņa"},
        }
    }
    return dict(merged(base, patch))


def version(number: str, released: str, published: str | None = None, **withdrawn: Any) -> Manifest:
    """A version of a template; ``withdrawn`` takes at, reason and replaceBy."""
    entry: Manifest = {"version": number, "released": released}
    if published is not None:
        entry["migrationInstruction"] = {"url": f"https://docs.example/{number}", "published": published}
    if withdrawn:
        entry["withdrawn"] = {"reason": "a fault"} | withdrawn
    return entry


VERSIONS: Final = (version("2.0.0", "2024-02-01", "2024-03-01"), version("3.0.0", "2025-10-01", "2025-11-01"))
"""A service on 2.0.0 is overdue since 2025-11-01; one on 3.0.0 is current."""
NEXT_VERSION: Final = version("4.0.0", "2027-05-01", "2027-06-01")
"""Makes a service on 3.0.0 overdue on 2027-06-01, by Europe/Riga."""


def recalled(at: str, replace_by: str | None = None, reason: str = "a hole") -> tuple[Manifest, Manifest]:
    """`VERSIONS`, with the newer one recalled from a day on."""
    before, used = VERSIONS
    recall = {"at": at, "reason": reason} | ({} if replace_by is None else {"replaceBy": replace_by})
    return before, used | {"withdrawn": recall}


def template(versions: Iterable[Manifest] = VERSIONS, **patch: Any) -> Manifest:
    """The template viss-2020; ``lifecycle=`` is a short way to patch the policy."""
    lifecycle = patch.pop("lifecycle", {})
    base = own_object("EServiceTemplate", TEMPLATE, "", "2024-01-01T08:00:00Z") | {
        "spec": {
            "owner": {"name": "Agency", "email": "platform@agency.example"},
            "versions": list(versions),
            "lifecycle": {},
        }
    }
    return dict(merged(merged(base, {"spec": {"lifecycle": lifecycle}}), patch))


def registration(**patch: Any) -> Manifest:
    """A registration with its number and its namespaces in place."""
    base = own_object("EServiceRegistration", NAME, "", "2026-01-12T08:00:00Z") | {
        "spec": {
            "title": {"lv": "Dzīvesvietas deklarēšana"},
            "institution": {
                "name": "PMLP",
                "code": "90000054163",
                "contacts": [{"name": "A. Bērziņa", "email": "a@pmlp.example"}],
            },
            "agencyContact": {"name": "J. Ozols", "email": "j@agency.example"},
            "application": {
                "document": {"url": "https://docs.example/application", "sha256": "1" * 64},
                "signer": "A. Bērziņa",
                "signedAt": "2026-01-12",
                "timestamp": "2026-01-12T09:30:00Z",
            },
            "namespaces": [
                {"environment": "Test", "name": "pmlp-test"},
                {"environment": "Production", "name": NAMESPACE},
            ],
            "hosts": [
                {"environment": "Production", "host": HOST},
                {"environment": "Test", "host": "*.test.latvija.example"},
            ],
        },
        "status": {
            "observedGeneration": 1,
            "identifier": "EP-000007",
            "conditions": [condition("Ready", "Succeeded"), condition("Registered", "Registered")],
            "namespaces": [
                {"environment": "Test", "name": "pmlp-test", "state": "Ready"},
                {"environment": "Production", "name": NAMESPACE, "state": "Ready"},
            ],
        },
    }
    return dict(merged(base, patch))


def identifier(number: int, registration: str) -> Manifest:
    """A number that belongs to a registration, or to the name of one."""
    return {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "EServiceIdentifier",
        "metadata": {"name": f"ep-{number:06d}", "uid": f"uid-{number}", "resourceVersion": "1"},
        "spec": {"identifier": f"EP-{number:06d}", "registration": registration},
    }


def condition(kind: str, reason: str, status: str = "True", message: str = "") -> Manifest:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-12T10:00:00Z",
        "observedGeneration": 1,
    }


def act(name: str = "act-1", **patch: Any) -> Manifest:
    """The acceptance act of the e-service's release, signed on 2026-10-01."""
    base = own_object("AcceptanceAct", name, "", "2026-10-01T08:00:00Z") | {
        "spec": {
            "eService": {"namespace": NAMESPACE, "name": NAME},
            "template": {"name": TEMPLATE, "version": "3.0.0"},
            "image": image("a"),
            "testPeriod": {"from": "2026-09-01", "to": "2026-09-14"},
            "report": {"url": "https://docs.example/report", "sha256": "2" * 64},
            "document": {"url": "https://docs.example/act", "sha256": "3" * 64},
            "signedAt": "2026-10-01",
            "signatories": [
                {"organisation": "Agency", "name": "J. Ozols"},
                {"organisation": "PMLP", "name": "A. Bērziņa"},
            ],
        }
    }
    return dict(merged(base, patch))


def verification(name: str = "verified-1", **patch: Any) -> Manifest:
    """A passed verification of the e-service's release on 2026-10-12."""
    base = own_object("ProductionVerification", name, NAMESPACE, "2026-10-12T08:00:00Z") | {
        "spec": {
            "eService": NAME,
            "image": image("a"),
            "template": {"name": TEMPLATE, "version": "3.0.0"},
            "outcome": "Passed",
            "verifiedAt": "2026-10-12T07:00:00Z",
            "verifiedBy": "A. Bērziņa",
        }
    }
    return dict(merged(base, patch))


def deferral(until: str, name: str = "deferral-1", **patch: Any) -> Manifest:
    """A deferral until a day, that day included."""
    base = own_object("UnpublishDeferral", name, "", "2026-10-01T08:00:00Z") | {
        "spec": {
            "eService": {"namespace": NAMESPACE, "name": NAME},
            "until": until,
            "reason": "the renewal is being tested",
            "approvedBy": "J. Ozols",
        }
    }
    return dict(merged(base, patch))


def decision(number: int = 1, **patch: Any) -> Manifest:
    """A decision about the release on 2.0.0, promised for 2026-11-01 in Riga and written by nobody yet."""
    name = f"{NAME}-production-{number:03d}"
    base = own_object("UnpublishDecision", name, "", "2026-10-01T08:00:00Z") | {
        "spec": {
            "eService": {"namespace": NAMESPACE, "name": NAME},
            "registration": NAME,
            "environment": "Production",
            "release": {"image": image("a"), "template": {"name": TEMPLATE, "version": "2.0.0"}},
            "currentVersion": "3.0.0",
            "causedBy": "3.0.0",
            "maximumLag": "P18M",
            "lagMeasure": "ReleaseGap",
            "overdueSince": "2025-11-01",
            "effectiveAt": "2026-10-31T22:00:00Z",
            "decidedAt": "2026-10-01T08:00:00Z",
            "inputsHash": "0123456789abcdef",
        }
    }
    return dict(merged(base, patch))


def eservice_in_test(**patch: Any) -> Manifest:
    """The same e-service in the test environment, without anything that only Production needs."""
    base = eservice(
        metadata={"namespace": "pmlp-test"},
        spec={
            "environment": "Test",
            "release": {"image": "registry.example/pmlp/address:main", "source": None, "documents": None},
            "publication": {"hosts": ["address.test.latvija.example"], "catalogue": None, "support": None},
            "productionRequest": None,
        },
    )
    return dict(merged(base, patch))


def deployment_of(service: EService, **patch: Any) -> Manifest:
    """The Deployment of the release that the spec names, as far as gates read it."""
    namespace, name = service.metadata.namespace, service.metadata.name
    base = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": f"{name}-{release_name(service.spec.release.image, service.spec.template)}",
            "namespace": namespace,
            "uid": "uid-deployment",
            "generation": 1,
        },
        "spec": {"replicas": 2},
    }
    return dict(merged(base, patch))


def known(*templates: EServiceTemplate) -> dict[str, KnownTemplate]:
    """The templates as a world has them, with the publication dates in effect."""
    return {one.metadata.name: KnownTemplate(one, catalogue_of(one)) for one in templates}


def snapshots_of(children: Iterable[Manifest]) -> tuple[Snapshot, ...]:
    """The releases that ControllerRevisions remember, as far as they can be read."""
    found = []
    for child in children:
        if child["kind"] == "ControllerRevision":
            with contextlib.suppress(ValueError):
                found.append(read_snapshot(child.get("data") or {}, child.get("revision", 0)))
    return tuple(sorted(found, key=lambda snapshot: snapshot.revision))


def world(
    service: Manifest | None = None,
    *,
    templates: Sequence[Manifest] | None = None,
    registered: Manifest | bool = True,
    acts: Sequence[Manifest] | None = None,
    verifications: Sequence[Manifest] | None = None,
    deferrals: Sequence[Manifest] = (),
    decisions: Sequence[Manifest] = (),
    senior: Manifest | None = None,
    claims: Sequence[tuple[str, str]] = (),
    contenders: Sequence[HostClaim] = (),
    children: Sequence[Manifest] = (),
) -> World:
    """What a decision sees of the e-service; by default everything is in order, and nothing is installed."""
    return World(
        service=EService.model_validate(eservice() if service is None else service),
        templates=known(
            *(
                EServiceTemplate.model_validate(body)
                for body in ([template()] if templates is None else templates)
            )
        ),
        registration=_registration(registered),
        acts=tuple(AcceptanceAct.model_validate(body) for body in ([act()] if acts is None else acts)),
        verifications=tuple(
            ProductionVerification.model_validate(body)
            for body in ([verification()] if verifications is None else verifications)
        ),
        deferrals=tuple(UnpublishDeferral.model_validate(body) for body in deferrals),
        decisions=tuple(UnpublishDecision.model_validate(body) for body in decisions),
        senior=None if senior is None else EService.model_validate(senior).metadata,
        claims=tuple(claim(host, owner) for host, owner in claims),
        contenders=tuple(contenders),
        children={(child["kind"], child["metadata"]["name"]): Observed(child) for child in children},
        snapshots=snapshots_of(children),
    )


def claim(host: str, owner: str, standing: Standing = Standing.SERVES) -> HostClaim:
    """Somebody else's claim; ``owner`` is written as ``Kind namespace/name``."""
    kind, _, place = owner.partition(" ")
    namespace, _, name = place.partition("/")
    return HostClaim(host, Ref(CLAIMANTS[kind], kind, namespace, name), standing, f"uid-{name}")


def _registration(body: Manifest | bool) -> EServiceRegistration | None:
    if body is False:
        return None
    return EServiceRegistration.model_validate(registration() if body is True else body)


def failure(action: Action, reason: str, message: str, *, transient: bool) -> Failure:
    """What a write came to."""
    return Failure(action, reason, message, transient)


DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
