# SPDX-License-Identifier: Apache-2.0
"""What the operator remembers in the institution's namespace, made by hand: nothing comes of it.

The Service, the ControllerRevisions and the status lie where an institution may write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from eservice_operator.api.eservice import EService
from eservice_operator.api.names import MANAGER, RELEASE_LABEL
from eservice_operator.core.actions import Manifest, Ref, ref_of
from eservice_operator.core.releases import snapshot_of
from tests.access.people import marks_of
from tests.adversarial.cast import Cast, Part
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.resting import Rested
from tests.support.site import PERSON, gates, in_phase, message, says
from tests.support.worlds import merged

pytestmark = pytest.mark.cluster

Forged = Callable[[Planned, Manifest], list[Manifest]]


def service(planned: Planned, live: Manifest) -> Manifest:
    """A public Service that serves the release already."""
    metadata = {"name": planned.name, "namespace": planned.namespace} | marks_of(live)
    spec = {"selector": {RELEASE_LABEL: planned.release}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def revision(planned: Planned, live: Manifest) -> Manifest:
    """How it ran, as is remembered of what was public."""
    data = snapshot_of(EService.model_validate(live)).data()
    metadata = {"name": f"{planned.name}-forged", "namespace": planned.namespace} | marks_of(live)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": data,
        "revision": 9,
    }


def status(planned: Planned, live: Manifest) -> Manifest:
    """The operator's own word that the release is public."""
    release = {"name": planned.release, "image": planned.image, "template": live["spec"]["template"]}
    metadata = {"name": planned.name, "namespace": planned.namespace}
    said = {"observedGeneration": 1, "phase": "Published", "release": {"public": release}}
    return {"apiVersion": live["apiVersion"], "kind": "EService", "metadata": metadata, "status": said}


PORTS = [{"port": 80, "protocol": "TCP"}]
PORT = ("name", "port", "protocol", "targetPort")
WRITTEN = ("name", "namespace", "labels", "annotations", "ownerReferences")
"""What the operator writes of the metadata of a Service."""
WAYS: dict[str, Forged] = {
    "service": lambda planned, live: [service(planned, live)],
    "revision": lambda planned, live: [revision(planned, live)],
    "status": lambda planned, live: [status(planned, live)],
    "all": lambda planned, live: [revision(planned, live), service(planned, live), status(planned, live)],
}


async def test_a_memory_that_was_made_by_hand_installs_and_publishes_nothing(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """Neither an act nor a verification is there; a developer with ``*`` makes all that is remembered."""
    site = register.site
    cases = {way: site.planned(f"made-{way}", content=way) for way in WAYS}
    for planned in cases.values():
        await site.apply(planned.registration(), planned.eservice())
    await rests()
    for way, planned in cases.items():
        live = await site.see(planned.ref)
        for manifest in WAYS[way](planned, live):
            await cast[Part.ADMIN].apply(manifest, "status" if "status" in manifest else "")
    for way in ("status", "all"):
        ref, said = cases[way].ref, "what was written into the status is taken out"
        await site.until(ref, lambda obj: not in_phase(obj, "Published"), said)
    await rests()
    for way, planned in cases.items():
        obj = await site.see(planned.ref)
        assert {"Accepted", "Verified"} <= set(gates(obj)), way
        assert not says(obj, "Published", "True"), way
        assert await site.api.get(planned.route) is None, way
        deployment = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
        assert await site.api.get(deployment) is None, f"{way}: it is installed"


async def test_what_is_public_stays_what_was_accepted(
    register: Register, cast: Cast, operator: OperatorProcess
) -> None:
    """A tenant leads the public Service to Pods of its own, outside of the cluster, and to every node."""
    site, admin = register.site, cast[Part.ADMIN]
    planned = site.planned("kept")
    await site.published(planned)
    await operator.at_rest()
    ref = Ref("v1", "Service", planned.namespace, planned.name)
    before = await site.see(ref)
    own = {"app": "mine"}
    named = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": ref.name, "namespace": ref.namespace},
    }
    changes: list[Manifest] = [
        {"selector": own, "ports": PORTS},
        {"type": "ExternalName", "externalName": "kubernetes.default.svc", "ports": PORTS},
        {"type": "NodePort", "ports": PORTS},
        {"externalIPs": ["192.0.2.66"], "ports": PORTS},
    ]
    for change in changes:
        written = await admin.api.apply(named | {"spec": change}, field_manager=PERSON, force=True)
        assert _serving(written) != _serving(before), f"{change} was written, so that it can be taken back"
        await site.until(ref, lambda obj: _serving(obj) == _serving(before), f"{change} is taken back")
    assert says(await site.see(planned.ref), "Published", "True")

    # until issue 8: who writes by the operator's own name takes off all that says whose it is
    await admin.api.apply(named | {"spec": changes[0]}, field_manager=MANAGER, force=True)
    told = await site.until(planned.ref, lambda obj: says(obj, "Stalled", "True", "NameCollision"), "said")
    said = f"Service {ref.namespace}/{ref.name} exists and is not ours"
    assert said in message(told, "Stalled")
    assert _serving(await site.see(ref))["selector"] == own, "it is led elsewhere until somebody deletes it"
    await site.delete(ref)
    await site.until(ref, lambda obj: _serving(obj) == _serving(before), "put back once that is gone")


async def test_a_public_e_service_cannot_be_made_to_name_another_release(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """With the Service, a ControllerRevision and the status written together, by the operator's own name too.

    What is recorded on the route, in the Agency's namespace, is what counts.
    """
    site, admin = register.site, cast[Part.ADMIN]
    for way, manager in (("person", PERSON), ("operator", MANAGER)):
        planned = site.planned(f"renamed-{way}")
        await site.published(planned)
        await rests()
        ref = Ref("v1", "Service", planned.namespace, planned.name)
        before, route = await site.see(ref), await site.see(planned.route)
        other = planned.renewed("2.0.0", "not accepted")
        live = await site.see(planned.ref)
        forged = merged(live, {"spec": {"release": {"image": other.image}}})
        made, written = revision(other, forged), before
        for manifest in (made, status(other, forged), led_to(other, before)):
            subresource = "status" if "status" in manifest else ""
            written = await admin.api.apply(
                manifest, field_manager=manager, force=True, subresource=subresource
            )
        assert _serving(written) != _serving(before), f"{way}: the Service was led elsewhere"
        await site.until(ref, partial(_serves_as, before), f"{way}: put right")
        await rests()
        seen = await site.see(planned.ref)
        assert seen["status"]["release"]["public"]["name"] == planned.release, way
        assert says(seen, "Published", "True")
        assert await site.see(planned.route) == route, f"{way}: the route was right all the time"
        await site.gone(ref_of(made))  # nobody remembers what never was


def led_to(planned: Planned, live: Manifest) -> Manifest:
    """The public Service as the operator would write it for another release."""
    kept = {key: live["metadata"][key] for key in WRITTEN}
    spec = {
        "selector": live["spec"]["selector"] | {RELEASE_LABEL: planned.release},
        "ports": [{key: port[key] for key in PORT if key in port} for port in live["spec"]["ports"]],
        "type": "ClusterIP",
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": kept, "spec": spec}


def _serves_as(before: Manifest, service_: Manifest) -> bool:
    return _serving(service_) == _serving(before)


def _serving(service_: Manifest) -> Manifest:
    """Whom a Service leads to, and how."""
    keys = ("selector", "type", "externalName", "externalIPs")
    return {key: service_["spec"].get(key) for key in keys} | {
        "nodes": [port.get("nodePort") for port in service_["spec"].get("ports", ())]
    }
