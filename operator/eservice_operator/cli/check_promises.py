# SPDX-License-Identifier: Apache-2.0
"""The CEL rules of the CRDs that one object alone can break, by the message that the CRD answers with.

Each takes the value that its rule stands at, as JSON. What it raises for a value of another shape is for
`api.parse` to say. The tests hold this table to every rule of every CRD.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from eservice_operator.api.fields import END_INSTANT, FIRST_INSTANT, INSTANT_PATTERN
from eservice_operator.core.access.binding import ROOT, ROOT_VARIABLE

Value = Mapping[str, Any]

BY_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
E_SERVICE_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
MAIN: Final = "app"
TEMPORARY: Final = "/tmp"  # noqa: S108 - a path in a container
VOLUME_SOURCES: Final = ("configMap", "secret", "persistentVolumeClaim", "emptyDir")
LABEL_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LEAST_REPLICAS: Final = 2
ENDS_LINE: Final = frozenset({"Cc", "Zl", "Zp"})
TURNS_READING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def _further(workload: Value) -> Iterator[Value]:
    """The containers beside the main one."""
    yield from workload.get("initContainers") or ()
    yield from workload.get("containers") or ()


def _names(values: Iterable[Value] | None) -> list[str]:
    return [str(value["name"]) for value in values or ()]


def _mounts(workload: Value) -> Iterator[Value]:
    for container in _further(workload):
        yield from container.get("volumeMounts") or ()


def _clear_of_bindings(spec: Value) -> bool:
    """Whether nothing of the workload stands where the operator puts what an e-service uses."""
    workload = spec.get("workload") or {}
    beside = [m for one in workload.get("containers") or () for m in one.get("volumeMounts") or ()]
    mounts = [*_volumes(workload), *beside]
    return not spec.get("uses") or not (
        any(volume["name"].startswith("binding-") for volume in _volumes(workload))
        or any(f"{mount['mountPath']}/".startswith(f"{ROOT}/") for mount in mounts)
    )


def _root_unset(spec: Value) -> bool:
    workload = spec.get("workload") or {}
    containers = (workload, *(workload.get("containers") or ()))
    return not spec.get("uses") or ROOT_VARIABLE not in [
        name for container in containers for name in _names(container.get("env"))
    ]


def _volumes(workload: Value) -> list[Value]:
    return list(workload.get("volumes") or ())


def _distinct(values: Iterable[Any]) -> bool:
    found = list(values)
    return len(found) == len(set(found))


def _exactly_one(value: Value, fields: Iterable[str]) -> bool:
    return sum(field in value for field in fields) == 1


def _image_by_digest(spec: Value) -> bool:
    if spec["environment"] != "Production":
        return True
    return BY_DIGEST.search(spec["release"]["image"]) is not None


def _instruction_after_release(version: Value) -> bool:
    instruction = version.get("migrationInstruction")
    return instruction is None or instruction["published"] >= version["released"]


def _replaced_after_recall(version: Value) -> bool:
    recall = version.get("withdrawn") or {}
    return "replaceBy" not in recall or recall["replaceBy"] >= recall["at"]


def _toleration(value: Value) -> bool:
    return "key" in value if value.get("operator", "Equal") == "Equal" else "value" not in value


def _no_system_namespace(spec: Value) -> bool:
    names = _names(spec.get("namespaces"))
    return not any(name == "default" or name.startswith("kube-") for name in names)


def _tested_as(spec: Value) -> bool:
    return "testedAs" not in spec or (spec["protocol"], spec["environment"]) == ("SOAP", "Production")


def _pilots_apart(spec: Value) -> bool:
    pilots = {pilot["code"] for pilot in spec.get("pilotCustomers") or ()}
    return pilots.isdisjoint(customer["code"] for customer in spec.get("customers") or ())


def _shown_line(text: str) -> bool:
    return TURNS_READING.search(text) is None and ENDS_LINE.isdisjoint(map(unicodedata.category, text))


def _instant(text: str) -> bool:
    if re.fullmatch(INSTANT_PATTERN, text) is None:
        return False
    try:
        at = datetime.fromisoformat(text)
    except ValueError:  # no day of the calendar
        return False
    return FIRST_INSTANT <= at < END_INSTANT


PROMISES: Final[dict[str, Callable[[Any], bool]]] = {
    "'app' is the main container: write another name for the further container": lambda workload: (
        MAIN not in _names(_further(workload))
    ),
    "a container has the name of an init container: write another name": lambda workload: (
        not (set(_names(workload.get("containers"))) & set(_names(workload.get("initContainers"))))
    ),
    "a volumeMount names no volume: write the name of one of the volumes": lambda workload: (
        set(_names(_mounts(workload))) <= set(_names(_volumes(workload)))
    ),
    "the operator mounts a folder at /tmp in each container: write another mountPath": lambda workload: (
        TEMPORARY not in [mount["mountPath"] for mount in _mounts(workload)]
    ),
    "the operator mounts the volume tmp at /tmp: write another name and mountPath": lambda workload: (
        not any(volume["name"] == "tmp" or volume["mountPath"] == TEMPORARY for volume in _volumes(workload))
    ),
    "two volumes have the same mountPath: write another one": lambda workload: _distinct(
        volume["mountPath"] for volume in _volumes(workload)
    ),
    "name exactly one of configMap, secret, persistentVolumeClaim and emptyDir": lambda volume: _exactly_one(
        volume, VOLUME_SOURCES
    ),
    "name exactly one of configMapKeyRef and secretKeyRef": lambda source: _exactly_one(
        source, ("configMapKeyRef", "secretKeyRef")
    ),
    "write value or valueFrom, not both": lambda variable: (
        not ("value" in variable and "valueFrom" in variable)
    ),
    "name exactly one of configMapRef and secretRef": lambda source: _exactly_one(
        source, ("configMapRef", "secretRef")
    ),
    "with Equal write a key; with Exists leave value out": _toleration,
    "maxReplicas must not be below minReplicas: write a higher number": lambda scaling: (
        scaling.get("minReplicas", LEAST_REPLICAS) <= scaling["maxReplicas"]
    ),
    "a system namespace never hosts e-services: name one of the institution's own": _no_system_namespace,
    "two environments may not share a namespace: name one namespace for each environment": lambda spec: (
        _distinct(_names(spec.get("namespaces")))
    ),
    "migrationInstruction.published must not be before released: write a later day": (
        _instruction_after_release
    ),
    "withdrawn.replaceBy must not be before withdrawn.at: write a later day": _replaced_after_recall,
    "in Production name the image by digest: write <repository>@sha256:<64 hexadecimal digits>": (
        _image_by_digest
    ),
    "with uses the operator mounts volumes named binding-… below /bindings: write another name and"
    " mountPath": _clear_of_bindings,
    "with uses the operator sets SERVICE_BINDING_ROOT: leave it out": _root_unset,
    "write a name of at most 40 of a-z, 0-9 and - that begins with a letter": lambda body: (
        E_SERVICE_NAME.fullmatch(body["metadata"]["name"]) is not None
    ),
    "the name must be the identifier in lower case, such as ep-000042": lambda body: (
        body["metadata"]["name"] == body["spec"]["identifier"].lower()
    ),
    "write a name of at most 63 of a-z, 0-9 and - with a letter or a digit at both ends": lambda body: (
        LABEL_NAME.fullmatch(body["metadata"]["name"]) is not None
    ),
    "name either service, a Service in this namespace, or url, an address outside of the cluster": (
        lambda backend: _exactly_one(backend, ("service", "url"))
    ),
    "networks are those of an address outside of the cluster: leave them out beside service": (
        lambda backend: "networks" not in backend or "url" in backend
    ),
    "the path of an address outside of the cluster is part of url: leave path out": lambda backend: (
        "url" not in backend or backend.get("path", "/") == "/"
    ),
    "testedAs is for SOAP in Production: leave it out": _tested_as,
    "leave contractVersion out: through an agent it is the agent's connection that has a version": (
        lambda use: not ("agent" in use and "contractVersion" in use)
    ),
    "name agent or asAgent: an e-service is a customer of an agent, or an agent's application": lambda use: (
        not ("agent" in use and "asAgent" in use)
    ),
    "a pilot is a customer already: leave it out of customers": _pilots_apart,
    "name the report of the test; observed is the operator's own way of recording one": lambda spec: (
        _exactly_one(spec, ("report", "observed"))
    ),
    "both sides sign: name a signatory of the Agency and one of the institution": lambda spec: (
        len({signatory["organisation"] for signatory in spec["signatories"]}) > 1
    ),
    "signedAt must not be before testPeriod.to: an act is signed after the test": lambda spec: (
        spec["testPeriod"]["to"] <= spec["signedAt"]
    ),
    "testPeriod.to must not be before testPeriod.from: write a later day": lambda period: (
        period["from"] <= period["to"]
    ),
    "write a single line without control characters and without such that turn the direction of reading": (
        _shown_line
    ),
    "write an instant with its offset from UTC, such as 2026-10-12T10:00:00Z, from 1990 to 2199": _instant,
}
