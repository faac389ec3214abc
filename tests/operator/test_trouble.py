# SPDX-License-Identifier: Apache-2.0
"""Hands that should not be there: what is ours is put back, what is not ours is left alone and reported."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from eservice_operator.api.names import MANAGER
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.audit import OPERATOR, AuditLog
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.site import Site, message, says, without_bookkeeping
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

EDITOR = "kubectl-edit"
TWICE = 2
Vandalism = Callable[[Site, Manifest], Awaitable[None]]


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """Whoever stands in the way is looked at again soon: nobody tells the operator when he has gone."""
    return {"resync": "3s"}


def edit(path: str, value: Any, op: str = "replace") -> Vandalism:
    """What ``kubectl edit`` sends."""

    async def do(site: Site, obj: Manifest) -> None:
        await site.api.json_patch(
            ref_of(obj), [{"op": op, "path": path, "value": value}], field_manager=EDITOR
        )

    return do


async def remove(site: Site, obj: Manifest) -> None:
    """What ``kubectl delete`` does."""
    await site.delete(ref_of(obj))


SIDECAR = {"name": "miner", "image": "registry.example/miner@sha256:" + "f" * 64}
POD = "/spec/template/spec"
OWNED = ("Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget", "ReferenceGrant")
EDITS: list[tuple[str, str, Vandalism]] = [
    ("Deployment", "image", edit(f"{POD}/containers/0/image", "registry.example/other:1")),
    ("Deployment", "sidecar", edit(f"{POD}/containers/-", SIDECAR, "add")),
    ("Deployment", "privilege", edit(f"{POD}/containers/0/securityContext/readOnlyRootFilesystem", False)),
    ("Deployment", "variable", edit(f"{POD}/containers/0/env/-", {"name": "DEBUG", "value": "1"}, "add")),
    ("Deployment", "replicas", edit("/spec/replicas", 3)),
    ("Service", "selector", edit("/spec/selector/eservice.dev~1release", "0000000000")),
    ("Service", "external address", edit("/spec/externalIPs", ["192.0.2.99"], "add")),
    ("Service", "port", edit("/spec/ports/0/targetPort", 22)),
    ("HTTPRoute", "host", edit("/spec/hostnames/0", "somebody.else.example")),
    ("HTTPRoute", "backend", edit("/spec/rules/0/backendRefs/0/name", "somebody-else")),
    ("NetworkPolicy", "open to all", edit("/spec/ingress/-", {}, "add")),
    ("PodDisruptionBudget", "none may go", edit("/spec/maxUnavailable", 0)),
    ("ReferenceGrant", "to everything", edit("/spec/to/0", {"group": "", "kind": "Service"})),
    ("ServiceAccount", "token", edit("/automountServiceAccountToken", True)),
    *((kind, "owner", edit("/metadata/ownerReferences", [])) for kind in OWNED),
    ("ServiceAccount", "label", edit("/metadata/labels/eservice.dev~1eservice", "somebody-else")),
]
BY_LABEL = ("ServiceAccount", "NetworkPolicy", "Deployment", "Service", "ReferenceGrant", "HTTPRoute")
EDITS += [(kind, "labels", edit("/metadata/labels", {})) for kind in BY_LABEL]
"""All but an HTTPRoute are listed and watched by a label: such a one is out of sight."""
EDITS.append(("ControllerRevision", "label", edit("/metadata/labels/app.kubernetes.io~1managed-by", "Helm")))
CHILDREN = (
    "ServiceAccount",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ControllerRevision",
    "Deployment",
    "Service",
    "ReferenceGrant",
    "HTTPRoute",
)


def of_kind(children: dict[str, Manifest], kind: str) -> Manifest:
    """The only child of its kind."""
    (found,) = [child for child in children.values() if child["kind"] == kind]
    return found


def meaning(obj: Manifest) -> Manifest:
    """What an object says to others: without what only tells one copy of it from another."""
    apart = without_bookkeeping(obj, ["uid", "creationTimestamp", "annotations"])
    spec = {
        key: value for key, value in (obj.get("spec") or {}).items() if key not in {"clusterIP", "clusterIPs"}
    }
    return apart | ({"spec": spec} if spec else {})


async def test_what_somebody_edits_or_removes_is_put_back(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    good = {kind: of_kind(await site.children(planned), kind) for kind in CHILDREN}

    for kind, what, vandalism in EDITS:
        spoiled = await site.see(ref_of(good[kind]))
        await vandalism(site, spoiled)
        mended = await site.until(
            ref_of(spoiled),
            lambda obj, kind=kind: meaning(obj) == meaning(good[kind]),  # type: ignore[misc]
            f"{what} of our {kind} put back",
        )
        assert mended["metadata"]["uid"] == good[kind]["metadata"]["uid"], f"{kind}: mended, not made again"
        assert mended["metadata"]["resourceVersion"] != spoiled["metadata"]["resourceVersion"], (
            f"{kind}: {what}"
        )
    for kind in CHILDREN:
        await remove(site, good[kind])
        again = await site.until(
            ref_of(good[kind]),
            lambda obj, kind=kind: obj["metadata"]["uid"] != good[kind]["metadata"]["uid"],  # type: ignore[misc]
            f"our {kind}, made again",
        )
        assert meaning(again) == meaning(good[kind])
    assert says(await site.settled(planned, "Published"), "Published", "True")


@pytest.mark.parametrize("gone", ["labels", "labels and annotations", "everything of ours"])
async def test_a_route_without_labels_still_leaves_with_a_pause(
    site: Site, operator: OperatorProcess, gone: str
) -> None:
    """Nobody keeps an e-service on the public route by what they write on it, whoever is restarted when."""
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    route = await site.see(planned.route)
    operator.end()
    if gone == "everything of ours":
        await site.delete(planned.route)
        metadata = {"name": planned.route.name, "namespace": planned.route.namespace}
        await site.create({**route, "metadata": metadata, "status": {}})
    else:
        await edit("/metadata/labels", {})(site, route)
        if "annotations" in gone:
            await edit("/metadata/annotations", {})(site, route)
    await site.apply(planned.eservice(spec={"publication": {"paused": {"reason": "maintenance"}}}))
    await operator.start()
    await site.gone(planned.route)
    off = await site.until(planned.ref, lambda obj: says(obj, "Published", "False", "Paused"), "off")
    assert not says(off, "Stalled", "True")


async def test_what_others_may_do_to_our_children_is_left_to_them(site: Site, audit: AuditLog) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    deployment = of_kind(await site.children(planned), "Deployment")
    restarted = "2026-01-01T00:00:00Z"
    mark = {"kubectl.kubernetes.io/restartedAt": restarted}
    await edit("/spec/template/metadata/annotations", mark, "add")(site, deployment)
    await edit("/metadata/annotations/example.com~1note", "mind the gap", "add")(site, deployment)
    await edit("/metadata/labels/example.com~1team", "blue", "add")(site, deployment)
    audit.skip()
    marked = planned.eservice(metadata={"annotations": {"example.com/touched": "yes"}})
    await site.apply(marked)
    await site.until(
        Ref("apps/v1", "Deployment", planned.namespace, planned.deployment),
        lambda obj: obj["status"].get("observedGeneration") == obj["metadata"]["generation"],
        "the restart",
    )
    await looked_at_again(audit)
    live = await site.see(ref_of(deployment))
    assert (
        live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] == restarted
    )
    assert live["metadata"]["annotations"]["example.com/note"] == "mind the gap"
    assert live["metadata"]["labels"]["example.com/team"] == "blue"
    touched = [r for r in audit.writes() if (r.resource, r.namespace) == ("deployments", planned.namespace)]
    assert not touched, "putting a restart back would only restart everything once more"


async def looked_at_again(audit: AuditLog) -> None:
    """Wait until the operator has listed every EService twice more: what it has to say of them is said."""

    def lists() -> bool:
        listed = [r for r in audit.by(OPERATOR) if (r.verb, r.resource) == ("list", "eservices")]
        return len(listed) > TWICE

    await eventually(lists, "two resyncs", 60)


def foreign(planned: Planned) -> list[Manifest]:
    """Objects of other people that have the names which ours are to have."""
    metadata = {"name": planned.name, "namespace": planned.namespace, "labels": {"app": "theirs"}}
    pods = {"app": "theirs"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {"matchLabels": pods}, "policyTypes": ["Ingress"]},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"minAvailable": 1, "selector": {"matchLabels": pods}},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata | {"name": planned.deployment},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": pods},
                "template": {
                    "metadata": {"labels": pods},
                    "spec": {"containers": [{"name": "theirs", "image": "registry.example/theirs:1"}]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": pods, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": metadata,
            "spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "theirs"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata | {"name": planned.route.name, "namespace": planned.route.namespace},
            "spec": {"hostnames": ["theirs.example"]},
        },
    ]


async def test_what_is_not_ours_is_left_alone_and_reported(site: Site) -> None:
    """One e-service for each kind, all at once: the operator finds out on its own when the place is free."""
    await site.prepare()
    samples = foreign(site.planned("sample"))
    services = [site.planned(f"taken-{number}") for number in range(len(samples))]
    theirs: dict[Planned, Manifest] = {}
    for planned, obj in zip(services, [foreign(one)[i] for i, one in enumerate(services)], strict=True):
        theirs[planned] = await site.create(obj)
    # a controller writes the status of its Deployment soon after it was made
    for planned, obj in theirs.items():
        if obj["kind"] == "Deployment":
            theirs[planned] = await site.until(
                ref_of(obj), lambda live: live["status"].get("observedGeneration") == 1, "observed"
            )
    for planned in services:
        await site.apply(*planned.everything())
    for planned, obj in theirs.items():
        ref = ref_of(obj)
        stalled = await site.until(
            planned.ref, lambda live: says(live, "Stalled", "True", "NameCollision"), str(ref)
        )
        assert str(ref) in message(stalled, "Stalled")
        assert says(stalled, "Published", "False")
        await site.told(planned.ref, "NameCollision", message(stalled, "Stalled"))
        live = await site.see(ref)
        assert without_bookkeeping(live) == without_bookkeeping(obj)
        assert MANAGER not in {entry["manager"] for entry in live["metadata"].get("managedFields", ())}, str(
            ref
        )
    for obj in theirs.values():
        await site.delete(ref_of(obj))
    for planned in services:
        await site.settled(planned, "Published")
