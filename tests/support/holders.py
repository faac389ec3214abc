# SPDX-License-Identifier: Apache-2.0
"""Web services in good order, as manifests: a register in Test and Production, who asks, and its grants.

Each builder takes what differs as a patch, as those of `worlds` do.
"""

from __future__ import annotations

from typing import Any, Final

from eservice_operator.core.actions import Manifest
from tests.support import worlds
from tests.support.worlds import merged

HOLDER: Final = "ur-production"
HOLDER_TEST: Final = "ur-test"
CONSUMER: Final = worlds.NAMESPACE
CONSUMER_TEST: Final = "pmlp-test"
REGISTER: Final = "population-register"
USE: Final = {
    "name": "persons",
    "webService": {"namespace": HOLDER, "name": REGISTER},
    "contractVersion": "v5",
}
"""How the e-service of `worlds` asks for the register in Production."""
AS_AGENT: Final = USE | {"asAgent": "evry"}
"""How an agent's application asks."""
USE_IN_TEST: Final = USE | {"webService": {"namespace": HOLDER_TEST, "name": REGISTER}}
EVIDENCE: Final = {
    "selfDeclaration": {"url": "https://docs.example/declaration", "sha256": "4" * 64},
    "endToEnd": {"url": "https://docs.example/end-to-end", "sha256": "5" * 64},
}
SELECTOR: Final = {"app": REGISTER}


def body(kind: str, name: str, namespace: str = "", api_version: str = "eservice.dev/v1alpha1") -> Manifest:
    """An object with what the API server gives every object."""
    metadata = {
        "name": name,
        "uid": f"uid-{kind.lower()}-{namespace or 'cluster'}-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-12T08:00:00Z",
    } | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def namespace(name: str = HOLDER, environment: str = "production", **patch: Any) -> Manifest:
    """The holder's namespace, as administrators have labelled it."""
    labels = {"eservice.dev/institution": "90000270634", "eservice.dev/environment": environment}
    base = body("Namespace", name, api_version="v1")
    return dict(merged(base, {"metadata": {"labels": labels}} | patch))


def backend(place: str = HOLDER, **patch: Any) -> Manifest:
    """The Service behind the register, which somebody else made."""
    spec = {"selector": SELECTOR, "ports": [{"name": "api", "port": 8443, "targetPort": "https"}]}
    return dict(merged(body("Service", REGISTER, place, "v1") | {"spec": spec}, patch))


def web_service(place: str = HOLDER, **patch: Any) -> Manifest:
    """The register in Production: SOAP, versions v4 and v5, tested in Test."""
    production = place == HOLDER
    spec: Manifest = {
        "holder": {"institution": "UR", "code": "90000270634", "email": "api@ur.example"},
        "environment": "Production" if production else "Test",
        "protocol": "SOAP",
        "contracts": [{"version": "v4", "endOfLife": "2027-10-31"}, {"version": "v5"}],
        "backend": {"service": {"name": REGISTER, "port": 8443}},
    }
    if production:
        spec["testedAs"] = {"namespace": HOLDER_TEST, "name": REGISTER}
    return dict(merged(body("WebService", REGISTER, place) | {"spec": spec}, patch))


def grant(name: str = "address", place: str = HOLDER, **patch: Any) -> Manifest:
    """The holder's answer to the e-service of `worlds`, or to its twin in Test: v5."""
    production = place == HOLDER
    version: Manifest = {"version": "v5"} | ({"evidence": EVIDENCE} if production else {})
    spec = {
        "webService": REGISTER,
        "consumer": {"namespace": CONSUMER if production else CONSUMER_TEST, "name": worlds.NAME},
        "contractVersions": [version],
    }
    return dict(merged(body("WebServiceGrant", name, place) | {"spec": spec}, patch))


def asking(**patch: Any) -> Manifest:
    """The e-service of `worlds`, which asks for the register."""
    return worlds.eservice(**merged({"spec": {"uses": [USE]}}, patch))


def asking_in_test(**patch: Any) -> Manifest:
    """Its twin in Test, which asks for the register there."""
    uid = f"uid-eservice-{CONSUMER_TEST}-{worlds.NAME}"
    twin = {
        "metadata": {"namespace": CONSUMER_TEST, "uid": uid},
        "spec": {"environment": "Test", "uses": [USE_IN_TEST], "productionRequest": None},
    }
    return worlds.eservice(**merged(twin, patch))


def assignment(name: str = "evry", **patch: Any) -> Manifest:
    """An agent's assignment with its agreement and two pilots."""
    pilots = [
        {"name": pilot, "code": code, "evidence": EVIDENCE}
        for pilot, code in (("Rēzekne", "90000025465"), ("Cēsis", "90000031048"))
    ]
    spec = {
        "webService": REGISTER,
        "agent": {"name": "Evry", "code": "40003000000"},
        "agreement": {
            "number": "A-12",
            "signedAt": "2026-02-01",
            "document": {"url": "https://docs.example/agreement", "sha256": "6" * 64},
        },
        "pilotCustomers": pilots,
        "customers": [{"name": "Ogre", "code": "90000024455", "since": "2026-09-01"}],
    }
    return dict(merged(body("AgentAssignment", name, HOLDER) | {"spec": spec}, patch))


def connection_test(name: str = "passed", **spec: Any) -> Manifest:
    """Proof that the e-service's registration was tested with v5."""
    base = {
        "webService": {"namespace": HOLDER, "name": REGISTER},
        "registration": worlds.NAME,
        "contractVersion": "v5",
        "passedAt": "2026-09-01T08:00:00Z",
        "report": {"url": "https://docs.example/test", "sha256": "7" * 64},
    }
    return body("ConnectionTest", name) | {"spec": merged(base, spec)}


def granted() -> tuple[Manifest, ...]:
    """Everything that makes the grant in Production allowed on `worlds.NOW`."""
    return (
        namespace(),
        namespace(HOLDER_TEST, "test"),
        backend(),
        backend(HOLDER_TEST),
        web_service(),
        web_service(HOLDER_TEST),
        grant(),
        grant(place=HOLDER_TEST),
        worlds.registration(),
        asking(),
        asking_in_test(),
    )
