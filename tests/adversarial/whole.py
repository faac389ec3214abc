# SPDX-License-Identifier: Apache-2.0
"""Objects of every kind in which every field of the spec is written at least once, all of them valid.

``test_fields`` fails for a field that is in none of them.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from eservice_operator.api import crd
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.core.actions import Manifest
from tests.contract.manifests import IMAGE, changed, example
from tests.contract.walk import schema_of, walk

SIGNED = {"url": "https://documents.example/1.edoc", "sha256": "e" * 64}
STEP = re.compile(r"[^.\[\]{}]+|\[\]|\{\}")
EVERY = ("[]", "{}")
Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

_KEY = {"name": "settings", "key": "a", "optional": True}
_ENV = [
    {"name": "PLAIN", "value": "1"},
    {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": _KEY}},
    {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": _KEY}},
]
_AMOUNTS = {"cpu": "100m", "memory": "64Mi", "ephemeral-storage": "1Gi"}
_RESOURCES = {"requests": _AMOUNTS, "limits": _AMOUNTS}
_TIMES = {"initialDelaySeconds": 1, "periodSeconds": 2, "timeoutSeconds": 3, "failureThreshold": 4}
_PROBE = {"httpGet": {"path": "/ready", "port": 8080}, **_TIMES}
_FURTHER = {
    "image": IMAGE,
    "command": ["/bin/run"],
    "args": ["--now"],
    "env": _ENV,
    "resources": _RESOURCES,
    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch", "readOnly": True}],
}
_VOLUMES = [
    {"name": "settings", "mountPath": "/settings", "configMap": {"name": "settings", "optional": True}},
    {"name": "keys", "mountPath": "/keys", "readOnly": True, "secret": {"name": "keys", "optional": True}},
    {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data"}},
    {"name": "scratch", "mountPath": "/scratch", "emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}},
]
_WORKLOAD = {
    "replicas": 2,
    "port": 8080,
    "command": ["/bin/run"],
    "args": ["--now"],
    "env": _ENV,
    "envFrom": [
        {"prefix": "A_", "configMapRef": {"name": "settings", "optional": True}},
        {"secretRef": {"name": "keys", "optional": True}},
    ],
    "resources": _RESOURCES,
    "probes": {"readiness": _PROBE, "liveness": _PROBE, "startup": _PROBE},
    "volumes": _VOLUMES,
    "imagePullSecrets": ["registry"],
    "runAsUser": 1000,
    "scheduling": {
        "nodeSelector": {"example.lv/zone": "a"},
        "tolerations": [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}],
        "priorityClassName": "high",
    },
    "initContainers": [{"name": "migrate", **_FURTHER}],
    "containers": [{"name": "proxy", **_FURTHER}],
    "egress": [{"cidr": "192.0.2.0/24", "ports": [{"port": 5432, "protocol": "TCP"}]}],
    "autoscaling": {"minReplicas": 2, "maxReplicas": 4, "targetCpuUtilization": 70},
    "terminationGracePeriodSeconds": 30,
}
_HOLDER = {"namespace": "ur-production", "name": "population-register"}
_USES = [
    {"name": "soap", "webService": _HOLDER, "contractVersion": "v5"},
    {"name": "customer", "webService": _HOLDER, "agent": "tilts"},
    {"name": "application", "webService": _HOLDER, "asAgent": "tilts"},
]
_REVOKED = {"at": "2026-11-01", "reason": "it was signed by mistake"}
_AT = "2026-11-22T00:00:00Z"
_ON = {"template": {"name": "viss-2020", "version": "2.0.0"}, "overdueSince": "2026-11-22"}
_REPLACES = {
    **_ON,
    "name": "address-declaration-production-1",
    "causedBy": "3.1.0",
    "effectiveAt": _AT,
    "undeferredAt": _AT,
    "deferredUntil": "2026-12-01",
    "deferral": "pmlp-production.address",
    "lapsed": "Observed",
    "effectiveSince": _AT,
    "holdToken": "0123456789abcdef",
    "heldSince": _AT,
}
_DATED = {
    "released": "2025-01-01",
    "published": "2025-02-01",
    "withdrawnAt": "2025-03-01",
    "replaceBy": "2026-01-01",
}
_INPUTS = {
    "versions": [{"version": "3.1.0", **_DATED}],
    "migrateWithin": "P12M",
    "noticePeriod": "P0D",
    "enforceFrom": "2026-01-01",
    "lastWarning": "P7D",
    "timeZone": "Europe/Riga",
}
_EVIDENCE = {"selfDeclaration": SIGNED, "endToEnd": SIGNED}
_PILOT = {"name": "Ludza", "code": "90000017453", "evidence": _EVIDENCE}

FURTHER: dict[str, tuple[dict[str, Any], ...]] = {
    "EServiceTemplate": (
        {
            "spec.lifecycle.enforceFrom": "2026-01-01",
            "spec.lifecycle.brake": {"percent": 10, "atLeast": 1, "release": "0123456789abcdef"},
        },
    ),
    "EServiceRegistration": (
        {
            "spec.identifier": "EP-900001",
            "spec.access.apiPublishers": [{"kind": "User", "name": "a"}],
            "spec.suspended": {"reason": "an incident"},
        },
    ),
    "EService": (
        {
            "spec.workload": _WORKLOAD,
            "spec.uses": _USES,
            "spec.publication.gateway": {"namespace": "gateways", "name": "other", "section": "https"},
            "spec.publication.paused": {"reason": "maintenance", "until": _AT},
        },
    ),
    "AcceptanceAct": ({"spec.revoked": _REVOKED},),
    "UnpublishDeferral": ({"spec.revoked": _REVOKED},),
    "UnpublishDecision": ({"spec.inputs": _INPUTS, "spec.replaces": _REPLACES, "spec.revoked": _REVOKED},),
    "WebService": (
        {"spec.backend": {"service": {"name": "register", "port": 443, "scheme": "https"}, "path": "/"}},
        {
            "spec.backend": {"url": "https://api.example.lv", "networks": ["198.51.100.0/28"]},
            "spec.isolation": "Enforce",
            "spec.protocol": "SOAP",
            "spec.environment": "Production",
            "spec.testedAs": _HOLDER,
        },
    ),
    "WebServiceGrant": (
        {
            "spec.consumer.registration": "address-declaration",
            "spec.contractVersions": [{"version": "v5", "evidence": _EVIDENCE}],
            "spec.validUntil": "2028-01-01",
            "spec.credentials": {"secretName": "key"},
            "spec.refused": {"reason": "no legal ground"},
        },
    ),
    "AgentAssignment": (
        {
            "spec.pilotCustomers": [_PILOT],
            "spec.customers": [{"name": "Ogre", "code": "90000024455", "since": "2026-09-01"}],
            "spec.validUntil": "2028-01-01",
            "spec.ended": _REVOKED,
        },
    ),
    "ConnectionTest": (
        {"spec.revoked": _REVOKED},
        {"spec.report": None, "spec.observed": {"namespace": "ur-production", "grant": "address"}},
    ),
}


def objects(kind: str) -> Iterator[Manifest]:
    """The objects of a kind that together have every field."""
    base = example(kind)
    for changes in FURTHER.get(kind, ({},)):
        yield changed(base, changes)


def leaves(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and schema of every value of the spec that is no object of fields."""
    spec = schema_of(crd.crd(BY_KIND[kind]))["properties"]["spec"]
    for path, schema in walk(spec, "spec"):
        if schema.get("type") != "object" or "additionalProperties" in schema:
            yield path, schema


def places(obj: Manifest, path: str) -> list[Place]:
    """Where an object has values at a path of a schema."""
    found: list[tuple[Place, Any]] = [((), obj)]
    for step in STEP.findall(path):
        found = [inner for where, value in found for inner in _below(where, value, step)]
    return [where for where, _ in found]


def _below(where: Place, value: Any, step: str) -> Iterator[tuple[Place, Any]]:
    if step == "[]" and isinstance(value, list):
        yield from (((*where, at), one) for at, one in enumerate(value))
    elif step == "{}" and isinstance(value, dict):
        yield from (((*where, key), one) for key, one in value.items())
    elif step not in EVERY and isinstance(value, dict) and step in value:
        yield (*where, step), value[step]


def put(obj: Manifest, where: Place, value: Any) -> Manifest:
    """A copy with another value at a place."""
    result = copy.deepcopy(obj)
    *above, last = where
    inner: Any = result
    for step in above:
        inner = inner[step]
    inner[last] = value
    return result


def at(obj: Manifest, where: Place) -> Any:
    """The value at a place."""
    value: Any = obj
    for step in where:
        value = value[step]
    return value


def with_field(kind: str, path: str) -> tuple[Manifest, Place]:
    """An object that has the field, and where."""
    for obj in objects(kind):
        if found := places(obj, path):
            return obj, found[0]
    raise AssertionError(f"no object of tests/adversarial/whole.py has {kind} {path}: write one")
