# SPDX-License-Identifier: Apache-2.0
"""A register in Test and Production, who asks, and its grants: everything that a whole cluster has of them.

The objects are those of `access`; here are their places, and what others made beside them. Each builder takes
what differs as a patch, as those of `worlds` do.
"""

from __future__ import annotations

from typing import Any, Final

from eservice_operator.core.actions import Manifest
from tests.support import access, worlds
from tests.support.access import EVIDENCE, HOLDER, REGISTER
from tests.support.worlds import merged

__all__ = ["EVIDENCE", "HOLDER", "REGISTER"]

HOLDER_TEST: Final = access.HOLDER_IN_TEST
CONSUMER: Final = worlds.NAMESPACE
CONSUMER_TEST: Final = "pmlp-test"
USE: Final = access.use()
"""How the e-service of `worlds` asks for the register in Production."""
AS_AGENT: Final = access.use(as_agent=access.AGENT)
"""How an agent's application asks."""
USE_IN_TEST: Final = access.use(namespace=HOLDER_TEST)
SELECTOR: Final = {"app": REGISTER}


def body(kind: str, name: str, namespace: str = "", api_version: str = "eservice.dev/v1alpha1") -> Manifest:
    """An object with what the API server gives every object."""
    made = worlds.own_object(kind, name, namespace, "2026-01-12T08:00:00Z")
    return {"apiVersion": api_version, "kind": kind, "metadata": made["metadata"]}


def namespace(name: str = HOLDER, environment: str = "production", **patch: Any) -> Manifest:
    """The holder's namespace, as administrators have labelled it."""
    labels = {"eservice.dev/institution": access.HOLDER_CODE, "eservice.dev/environment": environment}
    base = body("Namespace", name, api_version="v1")
    return dict(merged(base, {"metadata": {"labels": labels}} | patch))


def backend(place: str = HOLDER, **patch: Any) -> Manifest:
    """The Service behind the register, which somebody else made."""
    spec = {"selector": SELECTOR, "ports": [{"name": "api", "port": 8443, "targetPort": "https"}]}
    return dict(merged(body("Service", REGISTER, place, "v1") | {"spec": spec}, patch))


def web_service(place: str = HOLDER, **patch: Any) -> Manifest:
    """The register in Production or in Test: SOAP, versions v4 and v5."""
    return access.web_service(**patch) if place == HOLDER else access.web_service_in_test(**patch)


def grant(name: str = "address", place: str = HOLDER, **patch: Any) -> Manifest:
    """The holder's answer to the e-service of `worlds`, or to its twin in Test: v5."""
    return access.grant(name, **patch) if place == HOLDER else access.grant_in_test(name, **patch)


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


def assignment(name: str = access.AGENT, **patch: Any) -> Manifest:
    """An agent's assignment with its agreement, two pilots and a further customer."""
    customers = [{"name": "Ogre", "code": "90000024455", "since": "2026-09-01"}]
    return dict(merged(access.assignment(name, spec={"customers": customers}), patch))


def connection_test(name: str = "passed", **spec: Any) -> Manifest:
    """Proof that the e-service's registration was tested with v5."""
    return access.connection_test(name, spec=spec)


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
