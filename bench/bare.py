# SPDX-License-Identifier: Apache-2.0
"""The same writes as the operator's by a client that does nothing else: no watch, no decision, no waiting.

What was written is taken from the audit log, and its content from the objects as they were in the end. The
client plays it to another, fresh control plane, on which people have written the same objects.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.processes import Used
from eservice_operator.api.names import FINALIZER, FINALIZER_MANAGER, MANAGER, STATUS_MANAGER
from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.configuration import trust_of
from eservice_operator.cluster.resources import CHILDREN, EVENTS, OBSERVED, OWN, Resource, path
from eservice_operator.core.actions import Manifest
from tests.support.audit import Request

KINDS = {resource.plural: resource for resource in (*OWN, *CHILDREN, *OBSERVED, EVENTS)}
APPLY = "application/apply-patch+yaml"
CONCURRENCIES = (16, 8, 32)
MOST = 9_000
"""Writes that are sent: of a large fleet's, those about every so many-th object."""
SERVER_SIDE = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "finalizers")
ASSIGNED = ("clusterIP", "clusterIPs")
CANDIDATE = "-candidate"
UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Place = tuple[str, str, str]
"""Plural, namespace and name."""


@dataclass(frozen=True)
class Write:
    """One request, with its body as it was on the first control plane."""

    method: str
    path: str
    content_type: str
    body: Manifest


@dataclass(frozen=True)
class Played:
    """The best rate in writes per second and its concurrency, and what all that was sent has cost."""

    rate: float
    concurrency: int
    sent: int
    cpu: float
    """Seconds of processor time of the client."""
    server: float
    """Seconds of processor time of the API server and its store."""


def _unmanaged(live: Manifest) -> Manifest:
    live["metadata"].pop("managedFields", None)
    return live


async def snapshot(api: KubeApi, keep: Callable[[Manifest], Manifest] = _unmanaged) -> dict[Place, Manifest]:
    """Every object of the kinds that the operator writes; ``keep`` leaves out what is not needed."""
    found: dict[Place, Manifest] = {}
    for plural, resource in KINDS.items():
        items, _ = await api.list(resource, keep=keep)
        for item in items:
            found[plural, item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
    return found


def script(requests: Iterable[Request], objects: dict[Place, Manifest]) -> list[list[Write]]:
    """The writes: those about one object of ours in their order, in lanes that can run side by side."""
    lanes: dict[str, list[Write]] = defaultdict(list)
    for request in requests:
        live = objects.get(request.target) or _candidate(request, objects)
        lanes[_lane(live)].append(_write(request, live))
    return list(lanes.values())


def _candidate(request: Request, objects: dict[Place, Manifest]) -> Manifest:
    """The Service of the candidate is not there any more; it was like the public one."""
    public = objects[request.resource, request.namespace, request.name.removesuffix(CANDIDATE)]
    return public | {"metadata": public["metadata"] | {"name": request.name}}


def _lane(live: Manifest) -> str:
    """Whose object it is: children and Events wait for one another, e-services do not."""
    owner = (live["metadata"].get("labels") or {}).get("eservice.dev/owner-uid")
    about = (live.get("regarding") or {}).get("uid")
    return str(owner or about or live["metadata"]["uid"])


def _write(request: Request, live: Manifest) -> Write:
    resource = KINDS[request.resource]
    where = path(resource, request.namespace, request.name)
    addressed: Manifest = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": request.name} | ({"namespace": request.namespace} if request.namespace else {}),
    }
    if request.verb == "create":
        collection = path(resource, request.namespace)
        return Write(
            "POST", f"{collection}?fieldManager={MANAGER}", "application/json", _as_sent(live, resource)
        )
    if request.verb == "delete":
        return Write("DELETE", where, "application/json", {"propagationPolicy": "Background"})
    if request.subresource == "status":
        query = f"/status?fieldManager={STATUS_MANAGER}&force=true"
        return Write("PATCH", where + query, APPLY, addressed | {"status": live["status"]})
    if resource.kind == "EService":
        addressed["metadata"]["finalizers"] = [FINALIZER]
        return Write("PATCH", f"{where}?fieldManager={FINALIZER_MANAGER}&force=true", APPLY, addressed)
    return Write("PATCH", f"{where}?fieldManager={MANAGER}&force=true", APPLY, _as_sent(live, resource))


def _as_sent(live: Manifest, resource: Resource) -> Manifest:
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_SIDE}
    body = {key: value for key, value in live.items() if key not in {"metadata", "status"}}
    if isinstance(body.get("spec"), dict):
        body["spec"] = {key: value for key, value in body["spec"].items() if key not in ASSIGNED}
    if resource is EVENTS:
        body = {key: value for key, value in body.items() if not key.startswith("deprecated")}
    return body | {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


async def uids(api: KubeApi) -> dict[Place, str]:
    """The uid of every object, of which nothing else is kept."""
    return {place: live["metadata"]["uid"] for place, live in (await snapshot(api, _identity)).items()}


def _identity(live: Manifest) -> Manifest:
    kept = {key: live["metadata"].get(key, "") for key in ("namespace", "name", "uid")}
    return {"metadata": kept}


def renamed(before: dict[Place, Manifest], after: dict[Place, str]) -> dict[str, str]:
    """The uids of the objects that people wrote: on the first control plane, and on the second."""
    return {live["metadata"]["uid"]: after[place] for place, live in before.items() if place in after}


async def play(
    kubeconfig: Path, lanes: list[list[Write]], uids: dict[str, str], server: Callable[[], Used]
) -> Played:
    """Send a third of the writes at each concurrency."""
    configuration = await credentials.load(str(kubeconfig), None)
    every = 1 + sum(map(len, lanes)) // MOST
    ready = [[(write, _body(write, uids)) for write in lane] for lane in lanes[::every]]
    rates, before, own = [], server(), time.process_time()
    connector = aiohttp.TCPConnector(ssl=trust_of(configuration), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        for turn, concurrency in enumerate(CONCURRENCIES):
            share = ready[turn :: len(CONCURRENCIES)]
            began = time.perf_counter()
            await _send(session, configuration.host, share, concurrency)
            rates.append((sum(map(len, share)) / (time.perf_counter() - began), concurrency))
    sent, cpu = sum(map(len, ready)), time.process_time() - own
    return Played(*max(rates), sent=sent, cpu=cpu, server=server().since(before))


async def _send(
    session: aiohttp.ClientSession, host: str, lanes: list[list[tuple[Write, bytes]]], concurrency: int
) -> None:
    waiting = iter(lanes)

    async def work() -> None:
        for lane in waiting:
            for write, body in lane:
                await _one(session, host, write, body)

    await asyncio.gather(*(work() for _ in range(concurrency)))


async def _one(session: aiohttp.ClientSession, host: str, write: Write, body: bytes) -> None:
    headers = {"Content-Type": write.content_type, "Accept": "application/json"}
    async with session.request(write.method, host + write.path, data=body, headers=headers) as answer:
        text = await answer.read()
        if not answer.ok:
            raise RuntimeError(
                f"{write.method} {write.path}: {answer.status} {text[:300].decode(errors='replace')}"
            )


def _body(write: Write, uids: dict[str, str]) -> bytes:
    text = UID.sub(lambda found: uids.get(found[0], found[0]), json.dumps(write.body))
    return text.encode()
