# SPDX-License-Identifier: Apache-2.0
"""A test's own corner of the cluster: names that nobody else has, what people do there, and what they see."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eservice_operator.api.names import API_VERSION, FINALIZER, MANAGED_BY_LABEL, MANAGER, OWNER_UID_LABEL
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import NotFound
from eservice_operator.cluster.resources import CHILDREN, OWN, Resource, resource_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support import fleet
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.status import assert_status_sound

Answer = TypeVar("Answer")

EVENTS = Resource("v1", "Event", "events", namespaced=True)
PODS = Resource("v1", "Pod", "pods", namespaced=True)
PERSON = "kubectl-apply"
"""The field manager of what people write."""
PATIENCE = 45.0
"""Seconds for anything to come true, on a machine that is busy with other things."""


@dataclass
class Site:
    """One test's place in the cluster; ``api`` acts for the people, not for the operator."""

    api: KubeApi
    mark: str = field(default_factory=lambda: secrets.token_hex(3))
    _made: dict[Ref, None] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return f"pmlp-{self.mark}"

    @property
    def template(self) -> str:
        return f"viss-{self.mark}"

    @property
    def template_ref(self) -> Ref:
        return Ref(API_VERSION, "EServiceTemplate", "", self.template)

    def planned(self, name: str = "address", **fields: Any) -> Planned:
        """An e-service of this site."""
        return Planned(f"{name}-{self.mark}", self.namespace, self.template, **fields)

    async def prepare(self, **lifecycle: Any) -> Manifest:
        """The namespace and the template; answers the template as it was written."""
        body = fleet.template(self.template, **lifecycle)
        await self.apply(fleet.namespace(self.namespace), body)
        return body

    async def apply(self, *manifests: Manifest) -> Manifest:
        """What ``kubectl apply --server-side`` does; answers the last object."""
        answer: Manifest = {}
        for manifest in manifests:
            answer = await self.api.apply(manifest, field_manager=PERSON, force=True)
            self._made[ref_of(manifest)] = None
        return answer

    async def create(self, manifest: Manifest) -> Manifest:
        """What ``kubectl create`` does."""
        answer = await self.api.create(manifest, field_manager=PERSON)
        self._made[ref_of(manifest)] = None
        return answer

    async def delete(self, ref: Ref) -> None:
        """What ``kubectl delete`` does, without waiting; fine if it is gone already."""
        live = await self.api.get(ref)
        if live is not None:
            try:
                await self.api.delete(ref, uid=live["metadata"]["uid"])
            except NotFound:
                return

    async def see(self, ref: Ref) -> Manifest:
        """The object as it is now."""
        live = await self.api.get(ref)
        assert live is not None, f"{ref} is not there"
        return live

    async def until(
        self, ref: Ref, check: Callable[[Manifest], object], what: str, within: float = PATIENCE
    ) -> Manifest:
        """The object once ``check`` holds for it; fails with its status."""
        last: Manifest = {}

        async def ask() -> Manifest | None:
            nonlocal last
            last = await self.api.get(ref) or {}
            return last if last and check(last) else None

        def missed() -> str:
            shown = json.dumps(last.get("status", last), indent=1, ensure_ascii=False)
            return f"{ref}: {what}\n{shown}"

        try:
            return await poll(ask, missed, within)
        except AssertionError as error:
            error.add_note(await self._workloads())
            raise

    async def _workloads(self) -> str:
        """What the cluster made of the Deployments: whether it is they that somebody waits for in vain."""
        deployments, _ = await self.api.list(resource_of("Deployment"), self.namespace)
        pods, _ = await self.api.list(PODS, self.namespace)
        states = [(one["metadata"]["name"], one.get("status")) for one in (*deployments, *pods)]
        return "\n".join(f"{name}: {json.dumps(status)}" for name, status in states)

    @asynccontextmanager
    async def watching(self, ref: Ref) -> AsyncIterator[list[Manifest]]:
        """Every version of an object from now to the end of the block, as they come.

        Fails at the end if the watch ended before: that something never came would rest on nothing.
        """
        versions: list[Manifest] = []
        live = await self.see(ref)

        async def collect() -> None:
            events = self.api.watch(resource_of(ref.kind), live["metadata"]["resourceVersion"], ref.namespace)
            async for _, obj in events:
                if obj["metadata"].get("name") == ref.name:
                    versions.append(obj)

        task = asyncio.create_task(collect())
        try:
            yield versions
            assert not task.done(), f"the watch of {ref} ended in the block: {task}"
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def gone(self, ref: Ref) -> None:
        """Wait until the object is not there."""

        async def ask() -> bool:
            return await self.api.get(ref) is None

        await poll(ask, lambda: f"the end of {ref}")

    async def settled(self, planned: Planned, phase: str) -> Manifest:
        """The EService once it is in the phase, for its present spec, and the operator has nothing to do."""
        return await self.until(
            planned.ref,
            lambda obj: in_phase(obj, phase) and condition(obj, "Reconciling") is None and up_to_date(obj),
            f"{phase} and settled",
        )

    async def see_template(self) -> Manifest:
        """The template as somebody would apply it again."""
        live = await self.see(self.template_ref)
        metadata = {"name": self.template}
        return {"apiVersion": API_VERSION, "kind": live["kind"], "metadata": metadata, "spec": live["spec"]}

    async def published(self, planned: Planned) -> Manifest:
        """The EService once it is public, with everything that it takes."""
        await self.apply(*planned.everything())
        return await self.settled(planned, "Published")

    async def candidate(self, planned: Planned) -> Manifest:
        """The EService once this release is installed beside the public one and only people keep it there."""
        return await self.until(
            planned.ref,
            lambda obj: _candidate(obj) == planned.release and set(gates(obj)) == {"Verified"},
            f"{planned.release} waits to be verified",
        )

    async def kept_without_pods(self, planned: Planned) -> None:
        """Wait until a release's Deployment is kept without Pods, as the way back."""
        ref = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
        await self.until(ref, lambda obj: obj["spec"]["replicas"] == 0, "no replicas")

    async def children(self, planned: Planned) -> dict[str, Manifest]:
        """Every child of the EService, by ``Kind name``."""
        owner = await self.see(planned.ref)
        selector = f"{OWNER_UID_LABEL}={owner['metadata']['uid']}"
        found: dict[str, Manifest] = {}
        for resource in CHILDREN:
            place = planned.route.namespace if resource.kind == "HTTPRoute" else planned.namespace
            items, _ = await self.api.list(resource, place, selector)
            found |= {f"{item['kind']} {item['metadata']['name']}": item for item in items}
        return found

    async def events(self, ref: Ref) -> list[tuple[str, str]]:
        """Reason and text of the Events about an object, the oldest first."""
        items, _ = await self.api.list(EVENTS, ref.namespace or "default")
        about = [
            item
            for item in items
            if (item["involvedObject"].get("kind"), item["involvedObject"].get("name"))
            == (ref.kind, ref.name)
        ]
        return [(item["reason"], item["message"]) for item in sorted(about, key=_when)]

    async def told(self, ref: Ref, reason: str, text: str = "") -> None:
        """Wait for an Event about an object: it is published after the status that it is about."""

        async def ask() -> bool:
            return any(found == reason and text in message for found, message in await self.events(ref))

        await poll(ask, lambda: f"{reason} {text!r} about {ref}")

    async def decisions(self, planned: Planned) -> list[Manifest]:
        """The UnpublishDecisions about an e-service, by name."""
        items, _ = await self.api.list(resource_of("UnpublishDecision"))
        mine = [item for item in items if item["spec"]["registration"] == planned.name]
        return sorted(mine, key=lambda item: str(item["metadata"]["name"]))

    async def objects(self) -> list[Manifest]:
        """Everything of ours that carries this site's mark, children included."""
        found = []
        for resource in (*OWN, *CHILDREN):
            made_by_us = f"{MANAGED_BY_LABEL}={MANAGER}" if resource in CHILDREN else ""
            items, _ = await self.api.list(resource, "", made_by_us)
            found += [item for item in items if self.is_mine(item)]
        return found

    def is_mine(self, item: Manifest) -> bool:
        """Whether an object is of this site."""
        metadata = item["metadata"]
        places = (
            metadata["name"],
            metadata.get("namespace", ""),
            (item.get("spec") or {}).get("registration", ""),
        )
        return any(self.mark in str(place) for place in places)

    async def is_looked_at(self) -> bool:
        """Whether the operator has said something of every object of ours here since its last change."""
        return not _late(await self.objects())

    async def looked_at(self) -> list[Manifest]:
        """Everything of ours here, once the operator has said something of each since its last change.

        Of one change it says so on one object after the other, and who waited for one has not for the next.
        """
        found: list[Manifest] = []

        async def none_is_late() -> bool:
            found[:] = await self.objects()
            return not _late(found)

        await poll(none_is_late, lambda: f"{_late(found)} were not looked at since their last change")
        return found

    async def assert_sound(self) -> None:
        """The status contract on every object of ours here; and nothing that kopf would write, anywhere."""
        for obj in await self.looked_at():
            text = json.dumps(obj, ensure_ascii=False)
            assert "kopf" not in text, f"{obj['kind']} {obj['metadata']['name']}: {_around(text, 'kopf')}"
            if obj["apiVersion"] == API_VERSION:
                assert_status_sound(obj)

    async def clear(self, *, operated: bool) -> None:
        """Remove what the test has made; without an operator also what only it would remove.

        What outlives the test would be found by the operators of later ones, with other rights.
        """
        try:
            await self._clear_own(operated=operated)
        finally:
            await self._clear_rest()

    async def _clear_own(self, *, operated: bool) -> None:
        own = (obj for obj in await self.objects() if obj["apiVersion"] == API_VERSION)
        for obj in sorted(own, key=_eservices_first):
            ref, is_service = ref_of(obj), obj["kind"] == "EService"
            if is_service and not operated:
                await self._strip(obj)
            await self.delete(ref)
            if is_service:
                try:
                    await self.gone(ref)
                except AssertionError:
                    await self._strip(obj)
                    raise

    async def _clear_rest(self) -> None:
        """What nobody collects here: no namespace is ever emptied by a control plane without controllers."""
        left = ("HTTPRoute", "Ingress", "EServiceIdentifier", "UnpublishDecision")
        for resource in map(resource_of, left):
            items, _ = await self.api.list(resource)
            for item in items:
                if self.is_mine(item):
                    await self.delete(ref_of(item))
        items, _ = await self.api.list(resource_of("Namespace"))
        for item in items:
            if self.mark in item["metadata"]["name"] and "deletionTimestamp" not in item["metadata"]:
                await self.delete(ref_of(item))

    async def _strip(self, obj: Manifest) -> None:
        live = await self.api.get(ref_of(obj))
        if live is None or FINALIZER not in (live["metadata"].get("finalizers") or ()):
            return
        ops = [
            {"op": "remove", "path": "/metadata/finalizers"},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
        ]
        await self.api.json_patch(ref_of(obj), ops, field_manager=PERSON)


@asynccontextmanager
async def under(operator: OperatorProcess, site: Site) -> AsyncIterator[Site]:
    """A site under an operator; at the end all is sound, the operator's log is clean, and nothing is left."""
    begins = len(operator.records())
    yield site
    try:
        assert operator.running, operator.tail()
        await site.assert_sound()
        assert_log_clean(operator.records()[begins:])
    finally:
        await site.clear(operated=operator.running)


async def poll(
    ask: Callable[[], Awaitable[Answer | None]],
    missed: Callable[[], str],
    within: float = PATIENCE,
    longest: float = 0.25,
) -> Answer:
    """The first true answer; fails after ``within`` seconds with what ``missed`` says.

    ``longest`` bounds the pause between two questions, in seconds: one about hundreds of objects is dear.
    """
    deadline = time.monotonic() + within
    pause = 0.01
    while True:
        answer = await ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not in {within:.0f} s: {missed()}"
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, longest)


def _eservices_first(obj: Manifest) -> bool:
    return bool(obj["kind"] != "EService")


def _when(event: Manifest) -> tuple[str, str]:
    return str(event.get("eventTime") or event["metadata"]["creationTimestamp"]), event["metadata"]["name"]


def _late(objects: Iterable[Manifest]) -> list[str]:
    """Those of our kinds that the operator has not looked at since their last change."""
    own = (obj for obj in objects if obj["apiVersion"] == API_VERSION)
    return [f"{obj['kind']} {obj['metadata']['name']}" for obj in own if not up_to_date(obj)]


def _around(text: str, word: str) -> str:
    place = text.index(word)
    return text[max(0, place - 60) : place + 60]


def condition(obj: Manifest, kind: str) -> Manifest | None:
    """The condition of that type."""
    return next(
        (entry for entry in (obj.get("status") or {}).get("conditions") or () if entry["type"] == kind), None
    )


def message(obj: Manifest, kind: str) -> str:
    """What the condition of that type says to people; empty when there is none."""
    return str((condition(obj, kind) or {}).get("message", ""))


def says(obj: Manifest, kind: str, status: str, reason: str | None = None) -> bool:
    """Whether a condition has that status, and that reason."""
    found = condition(obj, kind)
    return found is not None and found["status"] == status and reason in (None, found["reason"])


def up_to_date(obj: Manifest) -> bool:
    """Whether the status speaks of the present spec."""
    return bool(obj.get("status", {}).get("observedGeneration") == obj["metadata"]["generation"])


def in_phase(obj: Manifest, phase: str) -> bool:
    return bool(obj["status"].get("phase") == phase)


def _candidate(obj: Manifest) -> str:
    candidate = (obj["status"].get("release") or {}).get("candidate") or {}
    return str(candidate.get("name", ""))


def gates(obj: Manifest) -> dict[str, tuple[str, str]]:
    """Every unmet gate, with its reason and who has to supply what is missing."""
    return {
        gate["gate"]: (gate["reason"], gate["owner"]) for gate in (obj.get("status") or {}).get("gates") or ()
    }


def identity(objects: Iterable[Manifest]) -> dict[str, str]:
    """The uid of each, by kind and name: equal before and after means that nothing was replaced."""
    return {f"{obj['kind']} {obj['metadata']['name']}": obj["metadata"]["uid"] for obj in objects}


def without_bookkeeping(obj: Manifest, also: Sequence[str] = ()) -> Manifest:
    """The object without what the API server keeps about its writes; for comparing what it says."""
    bookkeeping = {"resourceVersion", "managedFields", "generation", *also}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in bookkeeping}
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}} | {
        "metadata": metadata
    }
