# SPDX-License-Identifier: Apache-2.0
"""For every rule of the CRDs: what it refuses, with its message, and what it lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.contract.manifests import IMAGE, OTHER_IMAGE

DOCUMENT = {"url": "https://documents.example/1", "sha256": "f" * 64}
DIGITS = "64 hexadecimal digits"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that looks at one object: ``path`` set to a bad value is refused, to a good one accepted.

    ``given`` is set first in both.
    """

    message: str
    kind: str
    path: str
    bad: tuple[Any, ...]
    good: tuple[Any, ...]
    given: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule that compares with what was there: from ``before``, ``bad`` is refused and ``good`` accepted."""

    message: str
    kind: str
    bad: dict[str, Any]
    good: dict[str, Any]
    before: tuple[tuple[str, Any], ...] = ()


def _workload(**fields: Any) -> dict[str, Any]:
    return {"port": 8080, **fields}


def _container(name: str = "proxy", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, **fields}


def _use(name: str = "persons", **fields: Any) -> dict[str, Any]:
    return {"name": name, "webService": {"namespace": "pmlp-test", "name": "population-register"}, **fields}


def _volume(name: str, path: str, **source: Any) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **(source or {"emptyDir": {}})}


WORKLOAD = (
    Rule(
        "'app' is the main container: write another name for the further container",
        "EService",
        "spec.workload",
        (_workload(containers=[_container("app")]), _workload(initContainers=[_container("app")])),
        (_workload(containers=[_container()], initContainers=[_container("migrate")]), _workload()),
    ),
    Rule(
        "a container has the name of an init container: write another name",
        "EService",
        "spec.workload",
        (_workload(containers=[_container()], initContainers=[_container()]),),
        (_workload(containers=[_container()], initContainers=[_container("migrate")]),),
    ),
    Rule(
        "a volumeMount names no volume: write the name of one of the volumes",
        "EService",
        "spec.workload",
        (
            _workload(containers=[_container(volumeMounts=[{"name": "data", "mountPath": "/data"}])]),
            _workload(
                volumes=[_volume("cache", "/cache")],
                initContainers=[_container(volumeMounts=[{"name": "data", "mountPath": "/data"}])],
            ),
        ),
        (
            _workload(
                volumes=[_volume("data", "/var/data")],
                containers=[_container(volumeMounts=[{"name": "data", "mountPath": "/data"}])],
            ),
        ),
    ),
    Rule(
        "the operator mounts a folder at /tmp in each container: write another mountPath",
        "EService",
        "spec.workload",
        (
            _workload(
                volumes=[_volume("data", "/data")],
                containers=[_container(volumeMounts=[{"name": "data", "mountPath": "/tmp"}])],  # noqa: S108
            ),
        ),
        (
            _workload(
                volumes=[_volume("data", "/data")],
                containers=[_container(volumeMounts=[{"name": "data", "mountPath": "/tmp/data"}])],  # noqa: S108
            ),
        ),
    ),
    Rule(
        "the operator mounts the volume tmp at /tmp: write another name and mountPath",
        "EService",
        "spec.workload.volumes",
        ([_volume("tmp", "/data")], [_volume("data", "/tmp")]),  # noqa: S108
        ([_volume("temporary", "/data")], []),
    ),
    Rule(
        "two volumes have the same mountPath: write another one",
        "EService",
        "spec.workload.volumes",
        ([_volume("a", "/data"), _volume("b", "/data")],),
        ([_volume("a", "/data"), _volume("b", "/data/b")],),
    ),
    Rule(
        "name exactly one of configMap, secret, persistentVolumeClaim and emptyDir",
        "EService",
        "spec.workload.volumes",
        (
            [{"name": "a", "mountPath": "/a"}],
            [_volume("a", "/a", configMap={"name": "x"}, secret={"name": "y"})],
        ),
        (
            [_volume("a", "/a", configMap={"name": "x"})],
            [_volume("a", "/a", secret={"name": "x", "optional": True})],
            [_volume("a", "/a", persistentVolumeClaim={"claimName": "x"})],
            [_volume("a", "/a", emptyDir={"medium": "Memory", "sizeLimit": "64Mi"})],
        ),
    ),
    Rule(
        "name exactly one of configMapKeyRef and secretKeyRef",
        "EService",
        "spec.workload.env",
        (
            [{"name": "A", "valueFrom": {}}],
            [
                {
                    "name": "A",
                    "valueFrom": {
                        "configMapKeyRef": {"name": "x", "key": "y"},
                        "secretKeyRef": {"name": "x", "key": "y"},
                    },
                }
            ],
        ),
        (
            [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}],
            [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y", "optional": True}}}],
        ),
    ),
    Rule(
        "write value or valueFrom, not both",
        "EService",
        "spec.workload.env",
        ([{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}],),
        ([{"name": "A", "value": "1"}, {"name": "B", "value": ""}, {"name": "C"}],),
    ),
    Rule(
        "name exactly one of configMapRef and secretRef",
        "EService",
        "spec.workload.envFrom",
        ([{"prefix": "A_"}], [{"configMapRef": {"name": "x"}, "secretRef": {"name": "x"}}]),
        ([{"configMapRef": {"name": "x"}}, {"prefix": "DB_", "secretRef": {"name": "x"}}],),
    ),
    Rule(
        "with Equal write a key; with Exists leave value out",
        "EService",
        "spec.workload.scheduling.tolerations",
        ([{"value": "x"}], [{"operator": "Exists", "key": "dedicated", "value": "x"}]),
        ([{"operator": "Exists"}, {"key": "dedicated", "value": "egov", "effect": "NoSchedule"}],),
    ),
    Rule(
        "maxReplicas must not be below minReplicas: write a higher number",
        "EService",
        "spec.workload.autoscaling",
        ({"minReplicas": 3, "maxReplicas": 2}, {"maxReplicas": 1}),
        ({"minReplicas": 3, "maxReplicas": 3}, {"minReplicas": 1, "maxReplicas": 1}),
    ),
)
REGISTER = (
    Rule(
        "a system namespace never hosts e-services: name one of the institution's own",
        "EServiceRegistration",
        "spec.namespaces",
        (
            [{"environment": "Test", "name": "kube-system"}],
            [{"environment": "Test", "name": "kube-flannel"}],
            [{"environment": "Test", "name": "default"}],
        ),
        ([{"environment": "Test", "name": "kubernetes-school"}], []),
    ),
    Rule(
        "two environments may not share a namespace: name one namespace for each environment",
        "EServiceRegistration",
        "spec.namespaces",
        ([{"environment": "Test", "name": "pmlp"}, {"environment": "Production", "name": "pmlp"}],),
        ([{"environment": "Test", "name": "pmlp-test"}, {"environment": "Production", "name": "pmlp"}],),
    ),
    Rule(
        "migrationInstruction.published must not be before released: write a later day",
        "EServiceTemplate",
        "spec.versions[3].migrationInstruction.published",
        ("2026-01-11",),
        ("2026-01-12", "2027-01-01"),
    ),
    Rule(
        "withdrawn.replaceBy must not be before withdrawn.at: write a later day",
        "EServiceTemplate",
        "spec.versions[2].withdrawn.replaceBy",
        ("2025-04-13",),
        ("2025-04-14", None),
    ),
    Rule(
        "in Production name the image by digest: write <repository>@sha256:<64 hexadecimal digits>",
        "EService",
        "spec.release.image",
        ("registry.example/pmlp/address:2.0.0", "registry.example/pmlp/address@sha256:abc", IMAGE + "0"),
        (IMAGE, f"registry.example/pmlp/address:2.0.0@sha256:{'a' * 64}"),
    ),
    Rule(
        "in Production name the image by digest: write <repository>@sha256:<64 hexadecimal digits>",
        "EService",
        "spec.environment",
        ("Production",),
        ("Test", "Acceptance"),
        given=(("spec.release.image", "registry.example/pmlp/address:2.0.0"),),
    ),
    Rule(
        "with uses the operator mounts volumes named binding-… below /bindings: write another name and"
        " mountPath",
        "EService",
        "spec.workload",
        (
            _workload(volumes=[_volume("binding-persons", "/data")]),
            _workload(volumes=[_volume("data", "/bindings")]),
            _workload(volumes=[_volume("data", "/bindings/persons")]),
            _workload(
                volumes=[_volume("data", "/data")],
                containers=[_container(volumeMounts=[{"name": "data", "mountPath": "/bindings/persons"}])],
            ),
        ),
        (
            _workload(volumes=[_volume("data", "/bindings-of-mine")]),
            _workload(
                volumes=[_volume("data", "/data")],
                initContainers=[_container(volumeMounts=[{"name": "data", "mountPath": "/bindings"}])],
            ),
        ),
        given=(("spec.uses", [_use()]),),
    ),
    Rule(
        "with uses the operator sets SERVICE_BINDING_ROOT: leave it out",
        "EService",
        "spec.workload",
        (
            _workload(env=[{"name": "SERVICE_BINDING_ROOT", "value": "/etc"}]),
            _workload(containers=[_container(env=[{"name": "SERVICE_BINDING_ROOT", "value": "/etc"}])]),
        ),
        (_workload(env=[{"name": "BINDING_ROOT", "value": "/etc"}]),),
        given=(("spec.uses", [_use()]),),
    ),
    Rule(
        "with uses the operator sets SERVICE_BINDING_ROOT: leave it out",
        "EService",
        "spec.uses",
        ([_use()],),
        ([],),
        given=(("spec.workload", _workload(env=[{"name": "SERVICE_BINDING_ROOT", "value": "/etc"}])),),
    ),
    Rule(
        "write a name of at most 40 of a-z, 0-9 and - that begins with a letter",
        "EService",
        "metadata.name",
        ("1st-declaration", "address.declaration", "a" * 41),
        ("a", "a1-b2", "a" * 40),
    ),
    Rule(
        "the name must be the identifier in lower case, such as ep-000042",
        "EServiceIdentifier",
        "metadata.name",
        ("ep-999043", "address-declaration"),
        ("ep-999042",),
    ),
)
_SERVICE = {"service": {"name": "population-register", "port": 443}}
_OUTSIDE = {"url": "https://api.vzd.example/v2"}
_GIVEN = {"selfDeclaration": DOCUMENT, "endToEnd": DOCUMENT}
_LABELLED = ("address.register", "Register", "-register", "register-", "a" * 64)
WEB_SERVICES = (
    *(
        Rule(
            "write a name of at most 63 of a-z, 0-9 and - with a letter or a digit at both ends",
            kind,
            "metadata.name",
            _LABELLED,
            ("a", "1-register", "a" * 63),
        )
        for kind in ("WebService", "WebServiceGrant", "AgentAssignment")
    ),
    Rule(
        "name either service, a Service in this namespace, or url, an address outside of the cluster",
        "WebService",
        "spec.backend",
        ({}, {"path": "/persons"}, _SERVICE | _OUTSIDE),
        (_SERVICE, _OUTSIDE),
    ),
    Rule(
        "networks are those of an address outside of the cluster: leave them out beside service",
        "WebService",
        "spec.backend",
        (_SERVICE | {"networks": ["198.51.100.0/28"]},),
        (_OUTSIDE | {"networks": ["198.51.100.0/28", "2001:db8::/32"]}, _OUTSIDE),
    ),
    Rule(
        "the path of an address outside of the cluster is part of url: leave path out",
        "WebService",
        "spec.backend",
        (_OUTSIDE | {"path": "/v2"},),
        (_OUTSIDE | {"path": "/"}, _SERVICE | {"path": "/persons"}),
    ),
    Rule(
        "testedAs is for SOAP in Production: leave it out",
        "WebService",
        "spec.testedAs",
        ({"namespace": "pmlp-test", "name": "population-register"},),
        (),
    ),
    Rule(
        "testedAs is for SOAP in Production: leave it out",
        "WebService",
        "spec.protocol",
        ("REST",),
        ("SOAP",),
        given=(
            ("spec.environment", "Production"),
            ("spec.testedAs", {"namespace": "pmlp-test", "name": "population-register"}),
        ),
    ),
    Rule(
        "leave contractVersion out: through an agent it is the agent's connection that has a version",
        "EService",
        "spec.uses",
        ([_use(contractVersion="v5", agent="tilts")],),
        ([_use(contractVersion="v5"), _use("agent", agent="tilts"), _use("rest")], []),
    ),
    Rule(
        "name agent or asAgent: an e-service is a customer of an agent, or an agent's application",
        "EService",
        "spec.uses",
        ([_use(agent="tilts", asAgent="tilts")],),
        ([_use(contractVersion="v5", asAgent="tilts"), _use("agent", agent="tilts")], []),
    ),
    Rule(
        "a pilot is a customer already: leave it out of customers",
        "AgentAssignment",
        "spec.customers",
        ([{"name": "Rēzekne", "code": "90000025465", "since": "2026-09-01"}],),
        ([{"name": "Ogre", "code": "90000024455", "since": "2026-09-01"}], []),
    ),
    Rule(
        "name the report of the test; observed is the operator's own way of recording one",
        "ConnectionTest",
        "spec.report",
        (None,),
        (DOCUMENT,),
    ),
    Rule(
        "name the report of the test; observed is the operator's own way of recording one",
        "ConnectionTest",
        "spec.observed",
        ({"namespace": "pmlp-production", "grant": "tax-calculator"},),
        (),
    ),
)
ACTS = (
    Rule(
        "both sides sign: name a signatory of the Agency and one of the institution",
        "AcceptanceAct",
        "spec.signatories",
        ([{"organisation": "Agency", "name": "A"}, {"organisation": "Agency", "name": "B"}],),
        ([{"organisation": "Agency", "name": "A"}, {"organisation": "PMLP", "name": "A"}],),
    ),
    Rule(
        "signedAt must not be before testPeriod.to: an act is signed after the test",
        "AcceptanceAct",
        "spec.signedAt",
        ("2026-10-29",),
        ("2026-10-30",),
    ),
    Rule(
        "testPeriod.to must not be before testPeriod.from: write a later day",
        "AcceptanceAct",
        "spec.testPeriod",
        ({"from": "2026-10-12", "to": "2026-10-11"},),
        ({"from": "2026-10-12", "to": "2026-10-12"},),
    ),
)
_REVOKED = {"at": "2026-11-20", "reason": "The report was about another image"}
RECORDS = tuple(
    case
    for kind, what, field, value in (
        ("AcceptanceAct", "an acceptance act", "spec.image", OTHER_IMAGE),
        ("UnpublishDeferral", "a deferral", "spec.until", "2027-04-30"),
        ("UnpublishDecision", "a decision", "spec.effectiveAt", "2026-11-21T00:00:00Z"),
        ("ConnectionTest", "a connection test", "spec.contractVersion", "v6"),
    )
    for case in (
        Transition(
            f"{what} never changes: set revoked, and write a new one instead",
            kind,
            {field: value},
            {"spec.revoked": _REVOKED},
        ),
        Transition(
            f"revoked is set once and stays: write a new {what.split()[-1]} instead",
            kind,
            {"spec.revoked": None},
            {"metadata.labels": {"seen": "yes"}},
            before=(("spec.revoked", _REVOKED),),
        ),
        Transition(
            f"revoked is set once and stays: write a new {what.split()[-1]} instead",
            kind,
            {"spec.revoked.reason": "Another reason"},
            {"metadata.labels": {"seen": "yes"}},
            before=(("spec.revoked", _REVOKED),),
        ),
    )
)
_SEEN = {"metadata.labels": {"seen": "yes"}}
_EVIDENCE = "spec.contractVersions"
_OTHER_EVIDENCE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("selfDeclaration", {_EVIDENCE: [{"version": "v5", "evidence": {"endToEnd": DOCUMENT}}]}),
    ("endToEnd", {_EVIDENCE: [{"version": "v5", "evidence": {"selfDeclaration": DOCUMENT}}]}),
    ("endToEnd", {_EVIDENCE: [{"version": "v5"}]}),
    *(
        (lost, {_EVIDENCE: [{"version": "v5", "evidence": _GIVEN | {lost: DOCUMENT | other}}]})
        for lost in ("selfDeclaration", "endToEnd")
        for other in ({"sha256": "0" * 64}, {"url": "https://documents.example/2"})
    ),
)
ACCESS = (
    Transition(
        "environment never changes: create another WebService instead",
        "WebService",
        {"spec.environment": "Acceptance"},
        {"spec.contracts": [{"version": "v5", "endOfLife": "2027-06-30"}, {"version": "v6"}]},
    ),
    Transition(
        "protocol never changes: create another WebService instead",
        "WebService",
        {"spec.protocol": "REST"},
        {"spec.isolation": "Observe", "spec.visibility": "Unlisted"},
    ),
    Transition(
        "webService and consumer never change: write another grant instead",
        "WebServiceGrant",
        {"spec.webService": "address-register"},
        {"spec.refused": {"reason": "It is not the business of the institution"}},
    ),
    Transition(
        "webService and consumer never change: write another grant instead",
        "WebServiceGrant",
        {"spec.consumer.namespace": "vid-test"},
        {"spec.validUntil": "2028-12-31", "spec.credentials": {"secretName": "persons-key"}},
    ),
    Transition(
        "consumer.registration once given stays: write another grant instead",
        "WebServiceGrant",
        {"spec.consumer.registration": "another"},
        {"spec.validUntil": "2028-12-31"},
        before=(("spec.consumer.registration", "parking-permit"),),
    ),
    Transition(
        "consumer.registration once given stays: write another grant instead",
        "WebServiceGrant",
        {"spec.consumer.registration": None},
        {"spec.validUntil": "2028-12-31"},
        before=(("spec.consumer.registration", "parking-permit"),),
    ),
    Transition(
        "webService and consumer never change: write another grant instead",
        "WebServiceGrant",
        {"spec.consumer.name": "another"},
        {"spec.consumer.registration": "parking-permit"},  # it can be added to one that has none
    ),
    *(
        Transition(
            "agent never changes: write another grant instead",
            "WebServiceGrant",
            {"spec.agent": agent},
            {"spec.contractVersions": [{"version": "v5"}, {"version": "v6"}]},
        )
        for agent in (None, {"assignment": "another"})
    ),
    *(
        Transition(
            f"evidence once given stays as it was: put {lost} back, or write another grant",
            "WebServiceGrant",
            bad,
            {_EVIDENCE: [{"version": "v6"}, {"version": "v5", "evidence": _GIVEN}]},
            before=((_EVIDENCE, [{"version": "v5", "evidence": _GIVEN}]),),
        )
        for lost, bad in _OTHER_EVIDENCE
    ),
    Transition(
        "evidence once given stays as it was: put selfDeclaration back, or write another grant",
        "WebServiceGrant",
        {_EVIDENCE: [{"version": "v5", "evidence": {}}]},
        {_EVIDENCE: None},  # taking the version back ends it; it is no way to keep it without evidence
        before=((_EVIDENCE, [{"version": "v5", "evidence": _GIVEN}]),),
    ),
    Transition(
        "webService and agent never change: write another assignment instead",
        "AgentAssignment",
        {"spec.agent.code": "40003000000"},
        {"spec.agent.name": "SIA Tilts un partneri", "spec.customers": []},
    ),
    Transition(
        "webService and agent never change: write another assignment instead",
        "AgentAssignment",
        {"spec.webService": "address-register"},
        {"spec.ended": _REVOKED},
    ),
    Transition(
        "ended is set once and stays: write a new assignment instead",
        "AgentAssignment",
        {"spec.ended.at": "2027-01-01"},
        _SEEN,
        before=(("spec.ended", _REVOKED),),
    ),
    Transition(
        "ended is set once and stays: write a new assignment instead",
        "AgentAssignment",
        {"spec.ended": None},
        _SEEN,
        before=(("spec.ended", _REVOKED),),
    ),
    Transition(
        "a connection test never changes: set revoked, and write a new one instead",
        "ConnectionTest",
        {"spec.registration": "parking-permit"},
        _SEEN,
    ),
)
TRANSITIONS = (
    *RECORDS,
    *ACCESS,
    Transition(
        "an acceptance act never changes: set revoked, and write a new one instead",
        "AcceptanceAct",
        {"spec.demonstratedAt": None},
        {"metadata.labels": {"seen": "yes"}},
    ),
    Transition(
        "a verification never changes: write a new one instead, the newest one counts",
        "ProductionVerification",
        {"spec.outcome": "Failed"},
        {"metadata.labels": {"seen": "yes"}},
    ),
    Transition(
        "an identifier never changes: it belongs to one registration for good, leave it",
        "EServiceIdentifier",
        {"spec.registration": "somebody-else"},
        {"metadata.labels": {"seen": "yes"}},
    ),
    Transition(
        "environment never changes: create an EService in the namespace of that environment instead",
        "EService",
        {"spec.environment": "Acceptance"},
        {"spec.template.version": "3.1.0"},
    ),
    Transition(
        "registration never changes: create another EService instead",
        "EService",
        {"spec.registration": "passport-appointment"},
        {"spec.workload.replicas": 5},
    ),
    Transition(
        "identifier is given once and stays: register the e-service under another name instead",
        "EServiceRegistration",
        {"spec.identifier": "EP-000008"},
        {"spec.title.en": "Another title"},
        before=(("spec.identifier", "EP-000007"),),
    ),
    Transition(
        "identifier is given once and stays: register the e-service under another name instead",
        "EServiceRegistration",
        {"spec.identifier": None},
        {"spec.suspended": {"reason": "Fees were not paid"}},
        before=(("spec.identifier", "EP-000007"),),
    ),
    Transition(
        "released never changes: add a new version instead",
        "EServiceTemplate",
        {"spec.versions[0].released": "2023-03-07"},
        {"spec.versions[0].withdrawn": {"at": "2026-11-20", "reason": "Out of support"}},
    ),
    Transition(
        "a withdrawal stays: release a new version instead of taking it back",
        "EServiceTemplate",
        {"spec.versions[2].withdrawn": None},
        {"spec.versions[2].withdrawn.replaceBy": "2025-07-31"},
    ),
    Transition(
        "versions are never removed: withdraw the version instead",
        "EServiceTemplate",
        {"spec.versions": [{"version": "3.0.0", "released": "2026-01-12"}]},
        {"spec.lifecycle.enforcement": "Warn"},
    ),
    Transition(
        "versions are never removed: withdraw the version instead",
        "EServiceTemplate",
        {"spec.versions": None},
        {"spec.owner.name": "Agency"},
    ),
)
SHOWN = "write a single line without control characters and without such that turn the direction of reading"
WRITTEN = (
    Rule(
        "write an instant with its offset from UTC, such as 2026-10-12T10:00:00Z, from 1990 to 2199",
        "EService",
        "spec.publication.paused",
        tuple(
            {"reason": "Upkeep", "until": until}
            for until in (
                "9999-12-31T23:59:59Z",
                "1989-12-31T23:59:59Z",
                "1990-01-01T00:00:00+02:00",
                "tomorrow",
                "",
                "2026-12-01",
                "2026-12-01T06:00Z",
                "2026-12-01T06:00:00",
                "2026-12-01 06:00:00Z",
                "2026-12-01t06:00:00z",
                "2026-12-01T06:00:00+0200",
                "2026-12-01T24:00:00Z",
                "2026-12-01T06:00:60Z",
                "2026-02-30T06:00:00Z",
                "2027-02-29T06:00:00Z",
            )
        ),
        (
            {"reason": "Upkeep", "until": "2199-12-31T23:59:59.999Z"},
            {"reason": "Upkeep", "until": "2028-02-29T06:00:00.123456789-11:30"},
            {"reason": "Upkeep"},
        ),
    ),
    *(
        Rule(
            SHOWN,
            kind,
            path,
            ("A\nB", "A\u202eB", "A\u2066B", "A\u200fB", "A\u061cB"),
            ("Dzīvesvietas deklarēšana", "Ģimene 👨\u200d👩\u200d👧", "Pa\u00adkalpojums"),
        )
        for kind, path in (
            ("EService", "spec.publication.catalogue.title.lv"),
            ("EService", "spec.publication.catalogue.title.en"),
            ("EServiceRegistration", "spec.title.lv"),
        )
    ),
    Rule(
        SHOWN,
        "EService",
        "spec.publication.paused",
        ({"reason": "A\u202eB"}, {"reason": "A\u2069B"}),
        ({"reason": "Uzturēšana 🙂"},),
    ),
)
"""What an earlier CRD took is still read: only the apiserver, and ``check``, ask for more."""
RULES = (*WORKLOAD, *REGISTER, *WEB_SERVICES, *ACTS, *WRITTEN)
