# SPDX-License-Identifier: Apache-2.0
"""What nobody should do: specs that cannot be carried out, and hands on what is the operator's.

What is meant stays what it was: undoing any of it is writing that again, and taking away what was put there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eservice_operator.api.names import INSTITUTION_LABEL, RELEASE_LABEL
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support import fleet
from tests.support.fleet import sha
from tests.support.worlds import merged
from tests.transitions.town import FOREIGN, HELD_BY, Course, Town
from tests.transitions.valid import Change, Edit, Scene

EDITS: list[Edit] = []

IMPOSSIBLE: tuple[Manifest, ...] = (
    {"workload": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}},
    {"template": {"name": "no-such-template"}},
    {"template": {"version": "77.0.0"}},
    {"template": {"version": "3.0.0-rc.1"}},
    {"publication": {"hosts": ["www.bank.example"]}},
    {"publication": {"hosts": ["tax.latvija.example"] * 2}},
    {"publication": {"path": "/" + "a" * 200}},
    {"publication": {"catalogue": {"title": {"lv": "Ā" * 150, "en": "<script>alert(1)</script>"}}}},
    {"uses": [{"name": "x", "webService": {"namespace": "nowhere", "name": "nothing"}}]},
    {"uses": [{"name": "x", "webService": {"namespace": "kube-system", "name": "kubernetes"}}]},
    {"productionRequest": {"requestedAt": fleet.days_ago(40)}},
    {"productionRequest": None},
    {"registration": "somebody-elses"},
    {"environment": "Test"},
    {"release": {"image": "registry.example/address:latest"}},
    {"release": {"image": "registry.example/evil@sha256:" + "0" * 64}},
    {"workload": {"replicas": 0}},
    {"workload": {"replicas": 40}},
    {"workload": {"replicas": 501}},
    {"workload": {"port": 1}},
    {"workload": {"env": [{"name": "A" * 200, "value": "\u202e" + "x" * 3000}]}},
    {"workload": {"command": ["sh", "-c", "\n".join(["true"] * 100)]}},
    {"workload": {"egress": [{"cidr": "192.0.2.0/24"}] * 20}},
    {"workload": {"resources": {"requests": {"cpu": "1e3"}, "limits": {"cpu": "0.0001"}}}},
    {"workload": {"autoscaling": {"minReplicas": 2, "maxReplicas": 3}}},
    {"workload": {"autoscaling": {"minReplicas": 5, "maxReplicas": 3}}},
)
"""Specs that are refused by the schema, by the cluster, by a gate, or are just odd."""

VERIFICATIONS: tuple[Manifest, ...] = (
    {"image": "registry.example/evil@sha256:" + sha("somebody else's")},
    {"verifiedAt": "2031-01-01T00:00:00Z"},
    {"verifiedAt": "2019-01-01T00:00:00Z"},
    {"eService": "somebody-elses"},
    {"template": {"version": "77.0.0"}},
)

FORGED: tuple[tuple[str, Manifest], ...] = (
    ("EService", {"phase": "Published", "publicURL": "https://evil.example/"}),
    ("EService", {"phase": "Terminating", "gates": []}),
    ("EService", {"observedGeneration": 0}),
    ("EServiceRegistration", {"observedGeneration": 9}),
    ("WebServiceGrant", {"state": "Active", "reason": "Active"}),
    ("EServiceTemplate", {"currentVersion": "77.0.0"}),
    ("WebService", {"observedGeneration": 99}),
)
"""Parts of a status that follow from the rest; what is remembered there is the Agency's alone to fence."""

SIDECAR = {"name": "miner", "image": "registry.example/miner@sha256:" + "f" * 64}
POD = "/spec/template/spec"
TAMPERED: tuple[tuple[str, str, Any, str], ...] = (
    ("Deployment", f"{POD}/containers/0/image", "registry.example/other:1", "replace"),
    ("Deployment", f"{POD}/containers/-", SIDECAR, "add"),
    ("Deployment", "/spec/replicas", 4, "replace"),
    ("Service", "/spec/selector/eservice.dev~1release", "0000000000", "replace"),
    ("Service", "/spec/externalIPs", ["192.0.2.99"], "add"),
    ("HTTPRoute", "/spec/hostnames/0", "somebody.else.example", "replace"),
    ("HTTPRoute", "/spec/rules/0/backendRefs/0/name", "somebody-else", "replace"),
    ("NetworkPolicy", "/spec/ingress/-", {}, "add"),
    ("NetworkPolicy", "/spec/podSelector", {}, "replace"),
    ("PodDisruptionBudget", "/spec/maxUnavailable", 0, "replace"),
    ("ServiceAccount", "/automountServiceAccountToken", True, "replace"),
    ("ConfigMap", "/data", {"uri": "https://evil.example"}, "replace"),
    ("Role", "/rules", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], "replace"),
    ("RoleBinding", "/subjects", [], "replace"),
    ("Deployment", "/metadata/labels", {}, "replace"),
    ("NetworkPolicy", "/metadata/labels/app.kubernetes.io~1managed-by", "Helm", "replace"),
    ("Role", "/metadata/ownerReferences", [], "replace"),
    ("Service", "/metadata/ownerReferences", [], "replace"),
    ("ServiceAccount", "/metadata/labels/eservice.dev~1owner-uid", "somebody", "replace"),
)


def hostile(kind: str) -> Callable[[Change], Change]:
    """Makes one of the edits of a kind."""

    def known(change: Change) -> Change:
        EDITS.append(Edit(kind, change.__name__, change))
        return change

    return known


@hostile("EService")
async def impossible(at: Scene) -> bool:
    spec = IMPOSSIBLE[at.number % len(IMPOSSIBLE)]
    return await at.town.hands.apply(dict(merged(at.town.eservice(at.course), {"spec": spec})))


@hostile("EService")
async def forged_status(at: Scene) -> bool:
    kind, status = FORGED[at.number % len(FORGED)]
    refs = {
        "EService": at.course.planned.ref,
        "EServiceRegistration": at.course.planned.registered,
        "WebServiceGrant": at.town.register.grant_ref(at.course.planned),
        "EServiceTemplate": at.town.site.template_ref,
        "WebService": at.town.register.ref,
    }
    return await at.town.hands.forge_status(refs[kind], status)


@hostile("EService")
async def same_host_as_the_neighbour(at: Scene) -> bool:
    other = at.town.services[(at.town.services.index(at.course) + 1) % len(at.town.services)]
    spec = {"publication": {"hosts": [other.planned.host]}}
    return await at.town.hands.apply(dict(merged(at.town.eservice(at.course), {"spec": spec})))


@hostile("EService")
async def held_by_a_finalizer(at: Scene) -> bool:
    ref = (at.course.planned.ref, at.town.register.grant_ref(at.course.planned))[at.number % 2]
    return await _hold(at.town, ref)


@hostile("ProductionVerification")
async def forged_verification(at: Scene) -> bool:
    return await at.town.verify(at.course, **VERIFICATIONS[at.number % len(VERIFICATIONS)])


@hostile("AcceptanceAct")
async def act_for_another_digest(at: Scene) -> bool:
    body = at.town.act(at.course, image="registry.example/evil@sha256:" + sha(str(at.number)))
    body["metadata"]["name"] = f"{body['metadata']['name']}.{at.town.serial()}"
    return await at.town.hands.apply(body)


@hostile("UnpublishDeferral")
async def deferral_of_nobody(at: Scene) -> bool:
    body = at.course.planned.deferral(3000, spec={"eService": {"name": "nobody"}})
    body["metadata"]["name"] = f"{body['metadata']['name']}.nobody"
    return await at.town.hands.apply(body)


@hostile("EServiceIdentifier")
async def identifier_removed(at: Scene) -> bool:
    items, _ = await at.town.site.api.list(resource_of("EServiceIdentifier"))
    mine = [item for item in items if item["spec"]["registration"] == at.course.planned.name]
    return await at.town.hands.delete(ref_of(mine[0])) if mine else False


@hostile("UnpublishDecision")
async def decision_removed(at: Scene) -> bool:
    decisions = await at.town.site.decisions(at.course.planned)
    return await at.town.hands.delete(ref_of(decisions[-1])) if decisions else False


@hostile("WebServiceGrant")
async def grant_to_nobody(at: Scene) -> bool:
    body = at.town.register.grant(at.course.planned, "v5", consumer={"name": "nobody"})
    body["metadata"]["name"] = f"nobody-{at.town.serial()}"
    return await at.town.hands.apply(body)


@hostile("WebService")
async def backend_changed(at: Scene) -> bool:
    backends = ({"service": {"port": 1}}, {"service": {"name": "nothing"}})
    backend = {"spec": {"backend": backends[at.number % 2]}}
    return await at.town.hands.apply(dict(merged(at.town.web_service(), backend)))


@hostile("AgentAssignment")
async def agent_for_nothing(at: Scene) -> bool:
    body = dict(merged(at.town.assignment(), {"spec": {"webService": "nothing"}}))
    body["metadata"]["name"] = f"nothing-{at.town.serial()}"
    return await at.town.hands.apply(body)


@hostile("ConnectionTest")
async def test_of_another(at: Scene) -> bool:
    body = at.town.register.tested(at.course.planned)
    body["spec"] = {**body["spec"], "registration": "somebody-elses"}
    body["metadata"]["name"] = f"{at.course.planned.name}-forged-{at.town.serial()}"
    return await at.town.hands.apply(body)


@hostile("EServiceTemplate")
async def template_removed(at: Scene) -> bool:
    return await at.town.hands.delete(at.town.site.template_ref)


@hostile("EServiceTemplate")
async def template_written(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.template())


@hostile("EServiceRegistration")
async def registered_elsewhere(at: Scene) -> bool:
    places = (
        at.town.register.namespace,
        f"{at.town.site.namespace}-other",
        "eservice-routes",
        "eservice-system",
    )
    spec = {"namespaces": [{"environment": "Production", "name": places[at.number % len(places)]}]}
    return await at.town.hands.apply(dict(merged(at.town.registration(at.course), {"spec": spec})))


@hostile("Namespace")
async def namespace_relabelled(at: Scene) -> bool:
    """By whoever may: the institution is another one, or the governed labels are gone."""
    name = (at.town.site.namespace, at.town.register.namespace)[at.number % 2]
    ref = Ref("v1", "Namespace", "", name)
    live = await at.town.hands.see(ref)
    labels = dict((live or {"metadata": {}})["metadata"].get("labels") or {})
    if at.number % 3 == 0:
        labels[INSTITUTION_LABEL] = "90000000001"
    else:
        labels = {key: value for key, value in labels.items() if "eservice.dev/" not in key}
    return await at.town.hands.patch(ref, {"op": "replace", "path": "/metadata/labels", "value": labels})


@hostile("child")
async def tampered(at: Scene) -> bool:
    kind, path, value, op = TAMPERED[at.number % len(TAMPERED)]
    found = await _children(at.town, at.course, kind)
    if path.startswith("/metadata"):
        found = await _replaceable(at, found)
    if not found:
        return False
    ref = ref_of(found[at.number % len(found)])
    return await at.town.hands.patch(ref, {"op": op, "path": path, "value": value})


@hostile("child")
async def child_removed(at: Scene) -> bool:
    """Any but what is remembered in it: the Service, and the releases' snapshots."""
    found = [
        obj
        for obj in await _replaceable(at, await _children(at.town, at.course, ""))
        if obj["kind"] not in {"Service", "ControllerRevision"}
    ]
    return await at.town.hands.delete(ref_of(found[at.number % len(found)])) if found else False


@hostile("child")
async def child_held(at: Scene) -> bool:
    found = [obj for obj in await _children(at.town, at.course, "") if obj["kind"] != "HTTPRoute"]
    return await _hold(at.town, ref_of(found[at.number % len(found)])) if found else False


@hostile("child")
async def name_taken(at: Scene) -> bool:
    """Somebody else's object by the name of a child that is not there yet."""
    kinds = ({"kind": "ServiceAccount"}, {"kind": "ConfigMap", "data": {"a": "b"}})
    name = (at.course.planned.name, f"{at.course.planned.deployment}", "access.x")[at.number % 3]
    metadata = {"name": name, "namespace": at.town.site.namespace, "labels": {FOREIGN: "yes"}}
    body: Manifest = {"apiVersion": "v1", "metadata": metadata, **kinds[at.number % 2]}
    if await at.town.hands.see(ref_of(body)) is not None:
        return False
    return await at.town.hands.apply(body)


async def _replaceable(at: Scene, found: list[Manifest]) -> list[Manifest]:
    """Those that are made anew when they are lost.

    What may not be installed any more, as of a version that was withdrawn, is not installed again (R5, R7);
    but for the public release while it is remembered, which goes on whatever the next one lacks.
    """
    live = await at.town.hands.see(at.course.planned.ref)
    status = (live or {}).get("status") or {}
    if not any(gate["blocks"] == "Install" for gate in status.get("gates") or ()):
        return found
    public = ((status.get("release") or {}).get("public") or {}).get("name")
    snapshots = await _children(at.town, at.course, "ControllerRevision")
    again = {_release_of(one) for one in snapshots} & {public}
    return [obj for obj in found if obj["kind"] != "Deployment" or _release_of(obj) in again]


def _release_of(child: Manifest) -> str:
    return str((child["metadata"].get("labels") or {}).get(RELEASE_LABEL))


async def _hold(town: Town, ref: Ref) -> bool:
    live = await town.hands.see(ref)
    finalizers = [*((live or {"metadata": {}})["metadata"].get("finalizers") or ()), HELD_BY]
    if live is None or "deletionTimestamp" in live["metadata"] or finalizers.count(HELD_BY) > 1:
        return False
    return await town.hands.patch(ref, {"op": "add", "path": "/metadata/finalizers", "value": finalizers})


async def _children(town: Town, course: Course, kind: str) -> list[Manifest]:
    """The children of the e-service and of its grant, by kind and name."""
    found: list[Manifest] = []
    if await town.hands.see(course.planned.ref) is not None:
        found += (await town.site.children(course.planned)).values()
    for ref in town.register.children(course.planned):
        live = await town.hands.see(ref)
        found += [] if live is None else [live]
    return sorted((obj for obj in found if kind in ("", obj["kind"])), key=lambda obj: str(ref_of(obj)))
