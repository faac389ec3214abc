# SPDX-License-Identifier: Apache-2.0
"""The normal form of a town: what must be equal wherever the same is meant, however it came to be.

Left out is what is promised by history, each for a reason, and what two towns must differ in anyway.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator
from typing import Any

from eservice_operator.api.names import API_VERSION, ESERVICE_LABEL, RELEASE_LABEL
from eservice_operator.core.actions import Manifest, Ref
from tests.support.portrait import HISTORY, VOLATILE, Names, without
from tests.transitions.town import Town

REMEMBERED_KINDS = frozenset({"UnpublishDecision", "EServiceIdentifier"})
"""What was decided, and the numbers that were given: records of what happened, which nothing takes back."""
REMEMBERED_FIELDS = (
    "lastDecision",  # the last decision as it was last seen, so that deleting it escapes nothing
    "notices",  # whom the operator told
    "warnedAt",  # up to when the institution was warned
    "publication",  # what was seen from outside, and since when
    "next",  # an announced instant among it: it never moves earlier
    "told",  # what an institution heard last of a use: that it is granted again it hears an hour later
    "toldAt",
    "warned",
    "activeSince",
    "requestCount",  # what was kept as the way back asks for what it used, too
    "waitingCount",
    "configuredAt",  # when its configuration last changed, be it back
)
REMEMBERED_ANNOTATIONS = frozenset(
    {
        "eservice.dev/switched-at",  # when the public moved to the release
        "eservice.dev/previous-release",  # the way back, which a first release has none of
        "eservice.dev/unpublish-decision",  # the last decision, as it was last seen
        "eservice.dev/manifest",  # hash of a manifest that has the owner's UID in it
        "deployment.kubernetes.io/revision",  # a controller's count
    }
)


async def normal_form(town: Town) -> list[str]:
    """A line for each object of the town, sorted."""
    names = Names(town.site, [*town.bindings(), *(planned.release for planned in town.known)])
    lines = [
        names.plain(json.dumps(plain(obj), sort_keys=True, ensure_ascii=False)) async for obj in _shown(town)
    ]
    return sorted(lines)


async def _shown(town: Town) -> Any:
    public = {(course.planned.name, course.planned.release) for course in town.services}
    uses = {(course.planned.name, version) for course in town.services for version in course.uses}
    revisions: dict[tuple[str, str], Manifest] = {}
    for obj in await town.site.objects():
        labels = obj["metadata"].get("labels") or {}
        whose = str(labels.get(ESERVICE_LABEL)), str(labels.get(RELEASE_LABEL))
        if obj["kind"] in REMEMBERED_KINDS:
            continue
        if obj["kind"] in {"Deployment", "ControllerRevision"} and whose not in public:
            continue  # the way back
        if obj["kind"] == "ControllerRevision":  # how the release is run now is the newest of its snapshots
            if whose not in revisions or revisions[whose]["revision"] < obj["revision"]:
                revisions[whose] = obj
            continue
        yield of_now(obj, uses) if obj["kind"] == "WebService" else obj
    for obj in revisions.values():
        metadata = {key: value for key, value in obj["metadata"].items() if key != "name"}
        yield {**obj, "revision": 0, "metadata": metadata}
    for name in (town.site.namespace, town.register.namespace):
        yield await town.site.see(Ref("v1", "Namespace", "", name))


def of_now(web_service: Manifest, uses: Container[tuple[str, str]]) -> Manifest:
    """Without the requests of releases that were kept as the way back; ``uses`` are those of now."""
    status = web_service.get("status") or {}
    asked = [one for one in status.get("requests") or () if (one["eService"], one["contractVersion"]) in uses]
    return {**web_service, "status": {**status, "requests": asked}}


def plain(obj: Manifest) -> Any:
    """An object without what is promised by history."""
    theirs = () if obj["apiVersion"] == API_VERSION else ("status",)  # what a controller says of a child
    shown: Manifest = dict(without(obj, (*VOLATILE, *HISTORY, *theirs)))
    if obj["apiVersion"] == API_VERSION:
        shown["spec"] = _filled(shown["spec"])  # an apply that takes the last item of a list leaves none
    if "status" in shown:
        shown["status"] = _filled(dict(without(shown["status"], REMEMBERED_FIELDS)))
        for condition in shown["status"].get("conditions") or ():
            if condition["reason"] == "ConfigChangedSinceVerified":  # be it back
                condition |= {"reason": "Verified", "message": ""}
    if obj["kind"] == "ControllerRevision":
        shown["data"] = without(shown["data"], REMEMBERED_FIELDS)
    annotations = shown["metadata"].pop("annotations", None) or {}
    kept = {key: value for key, value in annotations.items() if key not in REMEMBERED_ANNOTATIONS}
    if kept:
        shown["metadata"]["annotations"] = kept
    return shown


def _filled(part: Manifest) -> Manifest:
    """Without what is empty: it says as much as what is absent."""
    return {key: value for key, value in part.items() if value not in ({}, [])}


def difference(one: Iterable[str], other: Iterable[str]) -> str:
    """Objects that differ, the first that differ in words around the place where they do."""
    left, right = sorted(set(one) - set(other)), sorted(set(other) - set(one))
    return "\n".join(_told(left, right))


def _told(left: list[str], right: list[str]) -> Iterator[str]:
    for line in left:
        twin = next((other for other in right if _name(other) == _name(line)), None)
        if twin is None:
            yield f"- {line}"
            continue
        right.remove(twin)
        yield f"~ {_name(line)}: " + "; ".join(_paths(json.loads(line), json.loads(twin), ""))
    yield from (f"+ {line}" for line in right)


def _name(line: str) -> tuple[str, ...]:
    """Which object a line is about."""
    obj = json.loads(line)
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    return obj["kind"], metadata.get("namespace", ""), metadata.get("name", ""), labels.get(RELEASE_LABEL, "")


def _paths(one: Any, other: Any, where: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                yield from _paths(one.get(key), other.get(key), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            if left != right:
                yield from _paths(left, right, f"{where}[{number}]")
    else:
        left, right = (json.dumps(value, ensure_ascii=False) for value in (one, other))
        yield f"{where}: {left} against {right}"
