# SPDX-License-Identifier: Apache-2.0
"""Objects of web-service access in good order, as manifests, and the cases that decisions see of them.

Like `worlds`: each builder answers the whole object and takes what differs as a patch. The holder is UR with
its population register (SOAP, v4 and v5) and an address register (REST); the consumer is the e-service of
`worlds`, in Production and in Test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import Consumer, GrantCase, Offer, Pods
from eservice_operator.core.actions import Manifest
from tests.support import worlds
from tests.support.worlds import NAME, NAMESPACE, merged

HOLDER: Final = "ur-production"
HOLDER_IN_TEST: Final = "ur-test"
HOLDER_CODE: Final = "90000270634"
REGISTER: Final = "population-register"
ADDRESSES: Final = "address-register"
AGENT: Final = "evry"

DOCUMENT: Final = {"url": "https://docs.example/evidence", "sha256": "4" * 64}
EVIDENCE: Final = {"selfDeclaration": DOCUMENT, "endToEnd": DOCUMENT}
POD_LABELS: Final = {"app": "register"}
PODS: Final = Pods(HOLDER, POD_LABELS, (8443,))


def _object(kind: str, name: str, namespace: str, created: str = "2026-09-01T08:00:00Z") -> Manifest:
    return worlds.own_object(kind, name, namespace, created)


def web_service(name: str = REGISTER, **patch: Any) -> Manifest:
    """The population register in Production: SOAP, v4 until 2027-10-31 and v5."""
    base = _object("WebService", name, HOLDER) | {
        "spec": {
            "holder": {"institution": "UR", "code": HOLDER_CODE, "email": "api@ur.example"},
            "environment": "Production",
            "protocol": "SOAP",
            "contracts": [{"version": "v4", "endOfLife": "2027-10-31"}, {"version": "v5"}],
            "backend": {"service": {"name": name, "port": 8443}},
            "testedAs": {"namespace": HOLDER_IN_TEST, "name": name},
        }
    }
    return dict(merged(base, patch))


def _in_test(kind: str, name: str) -> Manifest:
    """What tells an object of the holder in Test from the one of the same name in Production."""
    return {"namespace": HOLDER_IN_TEST, "uid": f"uid-{kind.lower()}-{HOLDER_IN_TEST}-{name}"}


def web_service_in_test(name: str = REGISTER, **patch: Any) -> Manifest:
    """The same web service where consumers test."""
    base = web_service(
        name,
        metadata=_in_test("WebService", name),
        spec={"environment": "Test", "testedAs": None},
    )
    return dict(merged(base, patch))


def rest_service(name: str = ADDRESSES, **patch: Any) -> Manifest:
    """The address register in Production: REST, v1."""
    spec = {"protocol": "REST", "testedAs": None, "contracts": [{"version": "v1"}]}
    return dict(merged(web_service(name, spec=spec), patch))


def granted(*versions: str, evidence: Mapping[str, Any] | None = EVIDENCE) -> list[Manifest]:
    """Contract versions as a grant names them, with their evidence."""
    return [{"version": one} | ({} if evidence is None else {"evidence": evidence}) for one in versions]


def grant(name: str = NAME, **patch: Any) -> Manifest:
    """A grant of v5 of the population register to the e-service in Production."""
    base = _object("WebServiceGrant", name, HOLDER, "2026-10-02T08:00:00Z") | {
        "spec": {
            "webService": REGISTER,
            "consumer": {"namespace": NAMESPACE, "name": NAME},
            "contractVersions": granted("v5"),
        }
    }
    return dict(merged(base, patch))


NO_STATUS: Final = {"observedGeneration": -1}
"""What the API server gives every object of ours."""


def opened(grant: Manifest) -> Manifest:
    """A grant that opened what it names, unless its status says otherwise."""
    if grant.get("status", NO_STATUS) != NO_STATUS:
        return grant
    named = [one["version"] for one in grant["spec"].get("contractVersions") or ()] or ["*"]
    entries = [{"version": one, "state": "Active", "reason": "Active"} for one in named]
    generation = grant["metadata"]["generation"]
    return grant | {"status": {"observedGeneration": generation, "contractVersions": entries}}


def grant_in_test(name: str = NAME, **patch: Any) -> Manifest:
    """The grant of v5 with which the e-service tests; it needs no evidence."""
    base = grant(
        name,
        metadata=_in_test("WebServiceGrant", name),
        spec={
            "consumer": {"namespace": "pmlp-test"},
            "contractVersions": granted("v5", evidence=None),
        },
    )
    return dict(merged(base, patch))


def rest_grant(name: str = NAME, **patch: Any) -> Manifest:
    """A grant of the address register, which covers every contract version."""
    return dict(merged(grant(name, spec={"webService": ADDRESSES, "contractVersions": None}), patch))


def connection_test(name: str = "tested-v5", version: str = "v5", **patch: Any) -> Manifest:
    """The Agency's record of a test of the e-service, passed on 2026-09-20."""
    base = _object("ConnectionTest", name, "") | {
        "spec": {
            "webService": {"namespace": HOLDER, "name": REGISTER},
            "registration": NAME,
            "contractVersion": version,
            "passedAt": "2026-09-20T10:00:00Z",
            "report": DOCUMENT,
        }
    }
    return dict(merged(base, patch))


def pilot(name: str, code: str, evidence: Mapping[str, Any] | None = EVIDENCE) -> Manifest:
    """A pilot customer."""
    return {"name": name, "code": code} | ({} if evidence is None else {"evidence": evidence})


PILOTS: Final = (pilot("Rēzekne", "90000025465"), pilot("Cēsis", "90000031048"))


def assignment(name: str = AGENT, **patch: Any) -> Manifest:
    """The assignment of an agent for the population register, in force, with its two pilots."""
    base = _object("AgentAssignment", name, HOLDER) | {
        "spec": {
            "webService": REGISTER,
            "agent": {"name": "Evry", "code": "40003022232"},
            "agreement": {"number": "A-12", "signedAt": "2026-02-01", "document": DOCUMENT},
            "pilotCustomers": list(PILOTS),
            "customers": [],
        }
    }
    return dict(merged(base, patch))


def own_assignment(**patch: Any) -> Manifest:
    """One whose agent is the institution of the e-service."""
    agent = {"name": "PMLP", "code": "90000054163"}
    return dict(merged(assignment(**patch), {"spec": {"agent": agent}}))


def use(
    version: str | None = "v5",
    *,
    name: str = "persons",
    namespace: str = HOLDER,
    web_service: str = REGISTER,
    agent: str | None = None,
    as_agent: str | None = None,
) -> Manifest:
    """An entry of ``spec.uses``."""
    optional = {"contractVersion": version, "agent": agent, "asAgent": as_agent}
    entry = {"name": name, "webService": {"namespace": namespace, "name": web_service}}
    return entry | {key: value for key, value in optional.items() if value is not None}


def labels(service: Manifest) -> dict[str, str]:
    """The labels by which administrators confirm the namespace of a WebService."""
    spec = service["spec"]
    return {
        names.INSTITUTION_LABEL: spec["holder"]["code"],
        names.ENVIRONMENT_LABEL: spec["environment"].lower(),
    }


def offer(
    service: Manifest | None = None,
    *,
    pods: Pods | None = PODS,
    namespace_labels: Mapping[str, str] | None = None,
    trial: Offer | bool | None = True,
) -> Offer:
    """A WebService whose holder is confirmed, whose Pods are there, and at whose testedAs one can test."""
    body = web_service() if service is None else service
    outside = "url" in body["spec"]["backend"]
    there = (
        offer(web_service_in_test(), pods=None) if trial is True and body["spec"].get("testedAs") else trial
    )
    return Offer(
        WebService.model_validate(body),
        labels(body) if namespace_labels is None else namespace_labels,
        None if outside else pods,
        trial=there if isinstance(there, Offer) else None,
    )


def consumer(
    *uses: Manifest,
    service: Manifest | None = None,
    registered: Manifest | bool | None = True,
    senior: Manifest | None = None,
) -> Consumer:
    """The e-service in Production; it asks for what is given, and by itself for v4 and v5."""
    wanted = uses or (use("v5"), use("v4", name="persons-before"))
    body = worlds.eservice() if service is None else service
    registration = worlds.registration() if registered is True else registered or None
    return Consumer(
        EService.model_validate(body),
        None if registration is None else EServiceRegistration.model_validate(registration),
        None if senior is None else EService.model_validate(senior).metadata,
        tuple(Use.model_validate(entry) for entry in wanted),
    )


def consumer_in_test(*uses: Manifest) -> Consumer:
    """The e-service in Test; it asks for v5 by itself."""
    wanted = uses or (use("v5", namespace=HOLDER_IN_TEST),)
    return consumer(*wanted, service=worlds.eservice_in_test())


def case(
    body: Manifest | None = None,
    *,
    offered: Offer | bool | None = True,
    consumed: Consumer | bool | None = True,
    tests: Iterable[Manifest] | None = None,
    tested: Sequence[GrantCase] = (),
    assigned: Manifest | None = None,
) -> GrantCase:
    """A grant in good order: everything is there, and a ConnectionTest of v5 and of v4."""
    records = (connection_test(), connection_test("tested-v4", "v4")) if tests is None else tests
    granted = WebServiceGrant.model_validate(grant() if body is None else body)
    agent = None if granted.spec.agent is None else granted.spec.agent.assignment
    asks = (use("v5", as_agent=agent), use("v4", name="persons-before", as_agent=agent))
    return GrantCase(
        grant=granted,
        offer=offer() if offered is True else offered or None,
        consumer=consumer(*asks) if consumed is True else consumed or None,
        tests=tuple(ConnectionTest.model_validate(record) for record in records),
        tested=tuple(tested),
        assignment=None if assigned is None else AgentAssignment.model_validate(assigned),
    )


def rest_case(body: Manifest | None = None, **parts: Any) -> GrantCase:
    """A grant of the REST service in good order."""
    standard: dict[str, Any] = {
        "offered": offer(rest_service()),
        "consumed": consumer(use(None, web_service=ADDRESSES)),
        "tests": (),
    }
    return case(rest_grant() if body is None else body, **(standard | parts))


def case_in_test(body: Manifest | None = None, **parts: Any) -> GrantCase:
    """The grant of the same e-service in Test, in good order."""
    standard: dict[str, Any] = {
        "offered": offer(web_service_in_test()),
        "consumed": consumer_in_test(),
        "tests": (),
    }
    return case(grant_in_test() if body is None else body, **(standard | parts))
