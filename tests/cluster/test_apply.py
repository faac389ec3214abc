# SPDX-License-Identifier: Apache-2.0
"""Writes against the real API server: what is ours becomes what was decided, what is not stays as it was."""

import copy
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from eservice_operator.api.names import (
    API_VERSION,
    FINALIZER,
    FINALIZER_MANAGER,
    MANAGED_BY_LABEL,
    MANAGER,
    OWNER_UID_LABEL,
)
from eservice_operator.cluster.apply import OUTDATED, Applier
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.managed_fields import without_finalizer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import (
    Basis,
    Create,
    Delete,
    DeleteNamed,
    Failure,
    Manifest,
    Ref,
    SetFinalizer,
    SetLabels,
    SetStatus,
    Update,
    ref_of,
)
from eservice_operator.core.additions import additions
from eservice_operator.core.repairs import difference
from eservice_operator.core.world import Observed
from tests.support.fault_proxy import FOR_EVER, Fault, FaultProxy
from tests.support.objects import OWNER_UID, deployment, service_account

pytestmark = pytest.mark.cluster

WHY = "a test"


async def live(api: KubeApi, ref: Ref) -> Manifest:
    found = await api.get(ref)
    assert found is not None
    return found


def uid(obj: Manifest) -> str:
    return str(obj["metadata"]["uid"])


def failure(outcome: Any) -> Failure:
    assert isinstance(outcome.failure, Failure), outcome
    return outcome.failure


@pytest.fixture
async def created(api: KubeApi, applier: Applier, namespace: str) -> Manifest:
    """A Deployment that the applier made, as the API server has it."""
    outcome = await applier.run([Create(deployment(namespace), WHY)])
    assert outcome.failure is None
    return await live(api, ref_of(deployment(namespace)))


async def as_kubectl_edit(api: KubeApi, obj: Manifest, path: str, value: Any) -> Manifest:
    """What a person with an editor does to an object."""
    return await api.json_patch(
        ref_of(obj), [{"op": "add", "path": path, "value": value}], field_manager="kubectl-edit"
    )


async def test_a_created_object_is_known_before_any_watch_tells(
    applier: Applier, store: Store, changes: list[Change], namespace: str
) -> None:
    action = Create(deployment(namespace), WHY)
    outcome = await applier.run([action])
    assert (outcome.done, outcome.failure, outcome.wrote) == ((action,), None, True)
    known = store.get("Deployment", namespace, "web")
    assert known is not None
    assert known["ownUpdates"] is True
    assert known["foreignManagers"] == []
    assert [(change.key.name, change.before) for change in changes] == [("web", None)]


async def test_a_foreign_object_of_the_same_name_is_not_touched(
    api: KubeApi, applier: Applier, store: Store, namespace: str
) -> None:
    foreign = service_account(namespace)
    foreign["metadata"]["labels"] = {MANAGED_BY_LABEL: "Helm"}
    await api.create(foreign, field_manager="helm")
    ref = ref_of(foreign)
    before = json.dumps(await live(api, ref), sort_keys=True)
    ours = service_account(namespace) | {"automountServiceAccountToken": True}
    refused = failure(await applier.run([Create(ours, WHY)]))
    assert (refused.reason, refused.transient) == ("NameCollision", False)
    assert refused.message == f"ServiceAccount {namespace}/web exists and is not ours; it was left alone"
    assert json.dumps(await live(api, ref), sort_keys=True) == before
    assert store.all("ServiceAccount") == []


async def test_an_object_of_ours_for_another_owner_is_a_collision_too(
    applier: Applier, namespace: str
) -> None:
    await applier.run([Create(service_account(namespace, owner_uid="another"), WHY)])
    refused = failure(await applier.run([Create(service_account(namespace), WHY)]))
    assert refused.reason == "NameCollision"


async def test_our_own_object_that_we_did_not_know_is_learnt(
    api: KubeApi, applier: Applier, store: Store, changes: list[Change], namespace: str
) -> None:
    existing = await api.create(deployment(namespace))
    refused = failure(await applier.run([Create(deployment(namespace), WHY)]))
    assert (refused.reason, refused.transient) == ("AlreadyExists", True)
    known = store.get("Deployment", namespace, "web")
    assert known is not None
    assert uid(known) == uid(existing)
    assert len(changes) == 1


async def test_a_create_whose_reply_was_lost_is_found_again(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    applier = Applier(faulty_api, store, lambda _: None)
    proxy.faults.append(Fault(lambda request: request.method == "POST", lose_reply=True))
    action = Create(service_account(namespace), WHY)
    first = failure(await applier.run([action]))
    assert (first.reason, first.transient) == ("Broken", True)
    second = failure(await applier.run([action]))
    assert (second.reason, second.transient) == ("AlreadyExists", True)
    assert store.get("ServiceAccount", namespace, "web") is not None
    assert [request.method for request in proxy.seen] == ["POST", "POST", "GET"], "never sent again blindly"


async def test_a_named_object_goes_only_if_it_is_the_owners_and_is_never_kept(
    api: KubeApi, applier: Applier, store: Store, namespace: str
) -> None:
    mine, theirs, bare = (service_account(namespace, name) for name in ("mine", "theirs", "bare"))
    theirs["metadata"]["labels"][OWNER_UID_LABEL] = "another"
    del bare["metadata"]["labels"]
    for body in (mine, theirs, bare):
        await api.create(body)
    gone = Ref("v1", "ServiceAccount", namespace, "gone")
    actions = [DeleteNamed(ref, OWNER_UID, WHY) for ref in (ref_of(mine), ref_of(theirs), ref_of(bare), gone)]
    outcome = await applier.run(actions)
    assert (outcome.done, outcome.failure) == (tuple(actions), None)
    assert await api.get(ref_of(mine)) is None
    await live(api, ref_of(theirs))
    await live(api, ref_of(bare))
    assert store.all("ServiceAccount") == []


async def test_a_named_object_that_something_holds_keeps_nothing_else(
    api: KubeApi, applier: Applier, namespace: str
) -> None:
    body, next_one = service_account(namespace), service_account(namespace, "next")
    body["metadata"]["finalizers"] = ["example.lv/hold"]
    made = await api.create(body)
    await api.create(next_one)
    actions = [DeleteNamed(ref_of(one), OWNER_UID, WHY) for one in (body, next_one)]
    for _ in range(2):
        assert (await applier.run(actions)).done == tuple(actions)
    assert (await live(api, ref_of(made)))["metadata"]["deletionTimestamp"]
    assert await api.get(ref_of(next_one)) is None
    await api.json_patch(ref_of(made), without_finalizer(await live(api, ref_of(made)), "example.lv/hold"))
    assert await api.get(ref_of(made)) is None


async def test_what_may_rest_on_what_failed_waits(api: KubeApi, applier: Applier, namespace: str) -> None:
    """What goes on regardless does not, be it to fail, too; the first failure is what is told."""
    first = Create(service_account(namespace, "a"), WHY)
    broken = Create({**service_account(namespace, "b"), "nonsense": 1}, WHY)
    waits = Create(service_account(namespace, "c"), WHY)
    also = Create({**service_account(namespace, "d"), "senseless": 1}, WHY, regardless=True)
    last = Create(service_account(namespace, "e"), WHY, regardless=True)
    gone = DeleteNamed(ref_of(first.manifest), OWNER_UID, WHY)
    outcome = await applier.run([first, broken, waits, also, last, gone])
    assert outcome.done == (first, last, gone)
    assert failure(outcome).action is broken
    assert (failure(outcome).reason, failure(outcome).transient) == ("BadRequest", False)
    assert "nonsense" in failure(outcome).message
    assert [one.action for one in outcome.failures] == [broken, also]
    assert await api.get(ref_of(waits.manifest)) is None
    assert await api.get(ref_of(last.manifest)) is not None


OUTAGES: dict[str, dict[str, Any]] = {
    str(code): {"answer": (code, {}, "{}")} for code in (401, 429, 503, 504)
}


@pytest.mark.parametrize("outage", [*OUTAGES.values(), {"drop": True}], ids=[*OUTAGES, "no answer"])
async def test_nothing_more_is_asked_of_who_does_not_answer(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str, outage: dict[str, Any]
) -> None:
    applier = Applier(faulty_api, store, lambda _: None)
    proxy.faults.append(Fault(lambda request: request.method == "POST", times=FOR_EVER, **outage))
    actions = [Create(service_account(namespace, name), WHY, regardless=True) for name in ("a", "b")]
    outcome = await applier.run(actions)
    assert (outcome.done, len(outcome.failures)) == ((), 1)
    assert failure(outcome).action is actions[0]
    assert failure(outcome).transient


async def test_an_object_that_cannot_be_stored_keeps_no_other_from_being_written(
    api: KubeApi, applier: Applier, created: Manifest, namespace: str
) -> None:
    """Whoever may write to one fills it up to what etcd takes: the answer is that of an outage, 500."""
    full = await api.create(service_account(namespace, "full"))
    for field, size in (("secrets", 800_000), ("imagePullSecrets", 770_000)):
        await as_kubectl_edit(api, full, f"/{field}", [{"name": "x" * size}])
    larger = service_account(namespace, "full") | {"imagePullSecrets": [{"name": "y" * 4_000}]}
    await as_kubectl_edit(api, created, "/spec/template/spec/hostNetwork", value=True)
    actions = [
        Update(larger, uid(full), WHY),
        Update(deployment(namespace), uid(created), WHY, take_over=True, regardless=True),
    ]
    outcome = await applier.run(actions)
    assert failure(outcome).action is actions[0]
    assert "too large" in failure(outcome).message
    assert failure(outcome).transient
    assert outcome.done == (actions[1],)
    assert "hostNetwork" not in (await live(api, ref_of(created)))["spec"]["template"]["spec"]


async def test_a_missing_namespace_may_still_come(applier: Applier) -> None:
    refused = failure(await applier.run([Create(service_account("not-there"), WHY)]))
    assert (refused.reason, refused.transient) == ("NotFound", True)


async def test_an_update_after_the_create_removes_what_we_no_longer_want(
    api: KubeApi, applier: Applier, store: Store, namespace: str
) -> None:
    """The POST co-owns its fields as an Update: an apply alone would leave them."""
    first = deployment(namespace, nodeSelector={"disk": "ssd"}, terminationGracePeriodSeconds=7)
    first["metadata"]["labels"]["extra"] = "label"
    first["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    await applier.run([Create(first, WHY)])
    known = store.get("Deployment", namespace, "web")
    assert known is not None
    outcome = await applier.run([Update(deployment(namespace), uid(known), WHY)])
    assert outcome.failure is None
    after = await live(api, ref_of(first))
    pod = after["spec"]["template"]["spec"]
    assert "nodeSelector" not in pod
    assert "env" not in pod["containers"][0]
    assert pod["terminationGracePeriodSeconds"] == 30
    assert "extra" not in after["metadata"]["labels"]
    entries = {(one["manager"], one["operation"]) for one in after["metadata"]["managedFields"]}
    assert (MANAGER, "Apply") in entries
    assert (MANAGER, "Update") not in entries
    known = store.get("Deployment", namespace, "web")
    assert known is not None
    assert "ownUpdates" not in known


async def test_the_second_update_is_one_request(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    applier = Applier(faulty_api, store, lambda _: None)
    await applier.run([Create(service_account(namespace), WHY)])
    known = store.get("ServiceAccount", namespace, "web")
    assert known is not None
    changed = service_account(namespace) | {"automountServiceAccountToken": True}
    for manifest, methods in (
        (changed, ["GET", "PATCH", "PATCH"]),
        (service_account(namespace), ["PATCH"]),
    ):
        proxy.log.clear()
        assert (await applier.run([Update(manifest, uid(known), WHY)])).failure is None
        assert [request.method for request in proxy.seen] == methods


async def test_a_foreign_sidecar_goes_and_a_foreign_label_stays(
    api: KubeApi, applier: Applier, store: Store, created: Manifest
) -> None:
    ref = ref_of(created)
    ours = deployment(ref.namespace)
    await applier.run([Update(ours, uid(created), WHY)])
    sidecar = {"name": "miner", "image": "evil/miner:1", "env": [{"name": "POOL", "value": "x"}]}
    await as_kubectl_edit(api, created, "/spec/template/spec/containers/-", sidecar)
    await as_kubectl_edit(api, created, "/spec/template/spec/hostNetwork", value=True)
    await as_kubectl_edit(api, created, "/metadata/labels/team", "payments")
    seen = slim(await live(api, ref))
    assert seen["foreignManagers"] == ["kubectl-edit"]
    store.upsert(seen)
    outcome = await applier.run([Update(ours, uid(created), WHY, take_over=True)])
    assert outcome.failure is None
    after = await live(api, ref)
    pod = after["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["web"]
    assert "hostNetwork" not in pod
    assert after["metadata"]["labels"]["team"] == "payments"
    known = store.get("Deployment", ref.namespace, "web")
    assert known is not None
    assert known["foreignManagers"] == []


async def test_without_taking_over_the_sidecar_would_stay(
    api: KubeApi, applier: Applier, created: Manifest
) -> None:
    """Why `take_over` exists; if this fails, the API server does it for us."""
    ours = deployment(ref_of(created).namespace)
    await applier.run([Update(ours, uid(created), WHY)])
    await as_kubectl_edit(api, created, "/spec/template/spec/containers/-", {"name": "x", "image": "x"})
    await applier.run([Update(ours, uid(created), WHY)])
    after = await live(api, ref_of(created))
    assert len(after["spec"]["template"]["spec"]["containers"]) == 2


async def test_a_foreign_value_in_our_field_is_put_back(
    api: KubeApi, applier: Applier, created: Manifest
) -> None:
    ours = deployment(ref_of(created).namespace)
    await as_kubectl_edit(api, created, "/spec/template/spec/containers/0/image", "evil/web:1")
    await applier.run([Update(ours, uid(created), WHY)])
    after = await live(api, ref_of(created))
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/web:1"


async def test_a_scaler_keeps_its_replicas(api: KubeApi, applier: Applier, created: Manifest) -> None:
    """A manifest that leaves `replicas` out leaves them to whoever scales."""
    ours = deployment(ref_of(created).namespace)
    del ours["spec"]["replicas"]
    assert (await applier.run([Update(ours, uid(created), WHY)])).failure is None
    await as_kubectl_edit(api, created, "/spec/template/spec/containers/-", {"name": "x", "image": "x"})
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}}
    metadata = {"name": "web", "namespace": ref_of(created).namespace}
    kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
    await api.apply(
        scale | kind | {"metadata": metadata, "spec": {"replicas": 3}}, field_manager="hpa", force=True
    )
    entries = (await live(api, ref_of(created)))["metadata"]["managedFields"]
    as_scale = [one | {"subresource": "scale"} if one["manager"] == "hpa" else one for one in entries]
    await as_kubectl_edit(api, created, "/metadata/managedFields", as_scale)
    assert (await applier.run([Update(ours, uid(created), WHY, take_over=True)])).failure is None
    after = await live(api, ref_of(created))
    assert after["spec"]["replicas"] == 3
    assert len(after["spec"]["template"]["spec"]["containers"]) == 1


async def test_fields_written_through_another_version_are_taken_over_too(
    api: KubeApi, applier: Applier, namespace: str
) -> None:
    ours = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": service_account(namespace)["metadata"],
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
        },
    }
    await applier.run([Create(ours, WHY)])
    obj = await live(api, ref_of(ours))
    entries = obj["metadata"]["managedFields"]
    fields: Manifest = {"f:spec": {"f:minReplicas": {}, "f:targetCPUUtilizationPercentage": {}}}
    old = entries[0] | {"manager": "kubectl", "apiVersion": "autoscaling/v1", "fieldsV1": fields}
    await as_kubectl_edit(api, obj, "/spec/minReplicas", 2)
    entries = (await live(api, ref_of(ours)))["metadata"]["managedFields"]
    without = [one for one in entries if one["manager"] != "kubectl-edit"]
    await as_kubectl_edit(api, obj, "/metadata/managedFields", [*without, old])
    assert slim(await live(api, ref_of(ours)))["foreignManagers"] == ["kubectl"]
    assert (await applier.run([Update(ours, uid(obj), WHY, take_over=True)])).failure is None
    after = await live(api, ref_of(ours))
    assert after["spec"]["minReplicas"] == 1, "the default again"
    assert slim(after)["foreignManagers"] == []


async def test_an_update_does_not_make_again_what_is_gone(
    api: KubeApi, applier: Applier, store: Store, changes: list[Change], namespace: str
) -> None:
    for known in (True, False):
        await applier.run([Create(service_account(namespace), WHY)])
        obj = await live(api, ref_of(service_account(namespace)))
        if known:
            await applier.run([Update(service_account(namespace), uid(obj), WHY)])
        await api.delete(ref_of(obj), uid=uid(obj))
        changes.clear()
        refused = failure(await applier.run([Update(service_account(namespace), uid(obj), WHY)]))
        assert (refused.reason, refused.transient) == ("Gone", True)
        assert await api.get(ref_of(obj)) is None
        assert store.get("ServiceAccount", namespace, "web") is None
        assert [change.after for change in changes] == [None]


async def test_an_update_does_not_hit_a_recreated_object(
    api: KubeApi, applier: Applier, store: Store, namespace: str
) -> None:
    ours = service_account(namespace)
    for taken_over in (True, False):
        await applier.run([Create(ours, WHY)])
        old = await live(api, ref_of(ours))
        if not taken_over:
            await applier.run([Update(ours, uid(old), WHY)])
        await api.delete(ref_of(ours), uid=uid(old))
        new = await api.create(ours | {"automountServiceAccountToken": True}, field_manager="kubectl")
        refused = failure(await applier.run([Update(ours, uid(old), WHY)]))
        assert (refused.reason, refused.transient) == ("Replaced", True)
        assert await live(api, ref_of(ours)) == new
        known = store.get("ServiceAccount", namespace, "web")
        assert known is not None
        assert uid(known) == uid(new), "the store knows what is there now"
        await api.delete(ref_of(ours), uid=uid(new))


async def test_an_object_that_lost_our_label_is_not_taken_over(
    api: KubeApi, applier: Applier, created: Manifest
) -> None:
    await as_kubectl_edit(api, created, f"/metadata/labels/{MANAGED_BY_LABEL.replace('/', '~1')}", "Helm")
    ours = deployment(ref_of(created).namespace)
    for action in (Update(ours, uid(created), WHY), Delete(ref_of(created), uid(created), WHY)):
        refused = failure(await applier.run([action]))
        assert (refused.reason, refused.transient) == ("NotOurs", False)


async def test_a_delete_is_done_when_the_object_is_gone(
    api: KubeApi, applier: Applier, store: Store, created: Manifest
) -> None:
    action = Delete(ref_of(created), uid(created), WHY)
    outcome = await applier.run([action])
    assert outcome.done == (action,)
    assert await api.get(ref_of(created)) is None
    assert store.get("Deployment", ref_of(created).namespace, "web") is None
    again = await applier.run([action])
    assert again.done == (action,), "and can be repeated"


async def test_a_delete_that_somebody_holds_up_is_not_done(
    api: KubeApi, applier: Applier, store: Store, created: Manifest
) -> None:
    await as_kubectl_edit(api, created, "/metadata/finalizers", ["example.com/held"])
    action = Delete(ref_of(created), uid(created), WHY)
    for _ in range(2):
        refused = failure(await applier.run([action]))
        assert (refused.reason, refused.transient) == ("Terminating", True)
        assert refused.message.endswith("is being deleted; held by example.com/held")
    ordered = replace(action, until_gone=False)
    assert (await applier.run([ordered])).done == (ordered,), "where nothing waits for it, it is"
    known = store.get("Deployment", ref_of(created).namespace, "web")
    assert known is not None
    assert known["metadata"]["deletionTimestamp"]
    await api.json_patch(ref_of(created), [{"op": "remove", "path": "/metadata/finalizers"}])
    assert (await applier.run([action])).failure is None


async def test_a_recreated_object_is_not_deleted(api: KubeApi, applier: Applier, created: Manifest) -> None:
    ours = deployment(ref_of(created).namespace)
    await api.delete(ref_of(ours), uid=uid(created))
    new = await api.create(ours, field_manager="kubectl")
    refused = failure(await applier.run([Delete(ref_of(ours), uid(created), WHY)]))
    assert (refused.reason, refused.transient) == ("Replaced", True)
    assert uid(await live(api, ref_of(ours))) == uid(new)


async def test_a_delete_reads_again_what_changed_under_it(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    applier = Applier(faulty_api, store, lambda _: None)
    await applier.run([Create(service_account(namespace), WHY)])
    obj = await live(faulty_api, ref_of(service_account(namespace)))
    conflict = json.dumps({"kind": "Status", "reason": "Conflict", "code": 409, "message": "modified"})
    proxy.faults.append(Fault(lambda request: request.method == "DELETE", answer=(409, {}, conflict)))
    assert (await applier.run([Delete(ref_of(obj), uid(obj), WHY)])).failure is None
    assert await faulty_api.get(ref_of(obj)) is None


@pytest.fixture
async def deferral(api: KubeApi) -> AsyncIterator[Manifest]:
    """An object of one of our kinds, as a person made it."""
    name = f"test-{secrets.token_hex(4)}"
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "UnpublishDeferral",
        "metadata": {"name": name, "finalizers": ["example.com/somebody"]},
        "spec": {
            "eService": {"namespace": "pmlp", "name": "address"},
            "until": "2026-12-31",
            "reason": "elections",
            "approvedBy": "J. Ozols",
        },
    }
    made = await api.create(manifest, field_manager="kubectl-create")
    yield made
    left = await api.get(ref_of(made))
    if left is not None:
        await api.delete(ref_of(made), uid=uid(made))
        if left["metadata"].get("finalizers"):
            await api.json_patch(ref_of(made), [{"op": "remove", "path": "/metadata/finalizers"}])


def condition(kind: str) -> Manifest:
    return {
        "type": kind,
        "status": "True",
        "reason": "InForce",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


async def test_a_status_says_exactly_what_was_said_last(
    api: KubeApi, applier: Applier, store: Store, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    first = {"observedGeneration": 1, "conditions": [condition("Ready"), condition("Stalled")]}
    second = {"observedGeneration": 1, "conditions": [condition("Ready")]}
    after = deferral
    for status in (first, second):
        assert (await applier.run([SetStatus(ref, uid(deferral), status, WHY)])).failure is None
        after = await live(api, ref)
        assert after["status"] == status
        assert store.get(ref.kind, "", ref.name) == slim(after)
    assert after["spec"] == deferral["spec"]
    assert after["metadata"]["finalizers"] == ["example.com/somebody"]


async def test_a_status_is_not_written_to_another_object(
    api: KubeApi, applier: Applier, deferral: Manifest
) -> None:
    action = SetStatus(ref_of(deferral), "00000000-dead", {"observedGeneration": 1}, WHY)
    refused = failure(await applier.run([action]))
    assert (refused.reason, refused.transient) == ("Replaced", True)
    assert await live(api, ref_of(deferral)) == deferral
    for change in (
        SetFinalizer(ref_of(deferral), "00000000-dead", present=True, reason=WHY),
        SetLabels(ref_of(deferral), "00000000-dead", {"a": "b"}, WHY),
    ):
        assert failure(await applier.run([change])).reason == "Replaced"
        assert await live(api, ref_of(deferral)) == deferral
    gone = SetStatus(ref_of(deferral)._replace(name="not-there"), "dead", {"observedGeneration": 1}, WHY)
    assert failure(await applier.run([gone])).reason == "Gone"


async def test_a_status_is_written_over_edits_of_others_meanwhile(
    api: KubeApi, applier: Applier, store: Store, deferral: Manifest
) -> None:
    store.upsert(slim(deferral))
    await as_kubectl_edit(api, deferral, "/metadata/labels", {"team": "payments"})
    outcome = await applier.run([SetStatus(ref_of(deferral), uid(deferral), {"observedGeneration": 1}, WHY)])
    assert outcome.failure is None
    after = await live(api, ref_of(deferral))
    assert (after["status"], after["metadata"]["labels"]) == ({"observedGeneration": 1}, {"team": "payments"})


async def test_a_status_for_a_version_is_written_onto_that_version_only(
    api: KubeApi, applier: Applier, store: Store, deferral: Manifest
) -> None:
    """Whether the store knows of the other write already, or learns of it by being refused."""
    ref, seen = ref_of(deferral), deferral["metadata"]["resourceVersion"]
    store.upsert(slim(deferral))
    await as_kubectl_edit(api, deferral, "/metadata/labels", {"team": "payments"})
    action = SetStatus(ref, uid(deferral), {"observedGeneration": 1}, WHY, Basis(seen))
    for _ in range(2):
        refused = failure(await applier.run([action]))
        assert (refused.reason, refused.transient) == (OUTDATED, True)
        after = await live(api, ref)
        assert after["status"] == deferral["status"]
        assert store.get(ref.kind, "", ref.name) == slim(after)
    newest = (await live(api, ref))["metadata"]["resourceVersion"]
    again = SetStatus(ref, uid(deferral), action.status, WHY, Basis(newest))
    assert (await applier.run([again])).failure is None
    assert (await live(api, ref))["status"] == action.status


async def test_what_others_add_to_a_status_goes_with_the_next_write(
    api: KubeApi, applier: Applier, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    ours = {"observedGeneration": 1, "conditions": [condition("Ready")]}
    write = SetStatus(ref, uid(deferral), ours, WHY)
    assert (await applier.run([write])).failure is None
    addressed = {"apiVersion": deferral["apiVersion"], "kind": ref.kind, "metadata": {"name": ref.name}}
    added = {"conditions": [condition("Stalled"), condition("Foreign")]}
    await api.apply(addressed | {"status": added}, field_manager="kubectl", force=True, subresource="status")
    assert len((await live(api, ref))["status"]["conditions"]) == 3
    assert (await applier.run([write])).failure is None
    after = await live(api, ref)
    assert after["status"] == ours
    assert (await applier.run([write])).failure is None
    assert await live(api, ref) == after


async def test_what_is_patched_into_a_status_under_our_own_name_goes_too(
    api: KubeApi, applier: Applier, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    ours = {"observedGeneration": 1, "conditions": [condition("Ready")]}
    write = SetStatus(ref, uid(deferral), ours, WHY)
    assert (await applier.run([write])).failure is None
    metadata = (await live(api, ref))["metadata"]
    added = [
        {"op": "add", "path": "/status/conditions/-", "value": condition("Foreign")},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]
    await api.json_patch(ref, added, field_manager="eservice-operator/status", subresource="status")
    assert len((await live(api, ref))["status"]["conditions"]) == 2
    assert (await applier.run([write])).failure is None
    assert (await live(api, ref))["status"] == ours


async def test_a_status_that_the_schema_refuses_is_invalid(applier: Applier, deferral: Manifest) -> None:
    action = SetStatus(ref_of(deferral), uid(deferral), {"observedGeneration": "x"}, WHY)
    refused = failure(await applier.run([action]))
    assert (refused.reason, refused.transient) == ("Invalid", False)


async def test_our_finalizer_comes_and_goes_and_others_stay(
    api: KubeApi, applier: Applier, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    for _ in range(2):
        outcome = await applier.run([SetFinalizer(ref, uid(deferral), present=True, reason=WHY)])
        assert outcome.failure is None
        finalizers = (await live(api, ref))["metadata"]["finalizers"]
        assert sorted(finalizers) == sorted([FINALIZER, "example.com/somebody"])
    for _ in range(2):
        outcome = await applier.run([SetFinalizer(ref, uid(deferral), present=False, reason=WHY)])
        assert outcome.failure is None
        assert (await live(api, ref))["metadata"]["finalizers"] == ["example.com/somebody"]
    assert (await live(api, ref))["spec"] == deferral["spec"]


async def test_our_finalizer_goes_even_from_a_restored_copy(
    api: KubeApi, applier: Applier, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    await api.json_patch(
        ref,
        [{"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER}],
        field_manager="velero",
    )
    outcome = await applier.run([SetFinalizer(ref, uid(deferral), present=False, reason=WHY)])
    assert outcome.failure is None
    assert (await live(api, ref))["metadata"]["finalizers"] == ["example.com/somebody"]


async def test_the_last_finalizer_lets_the_object_go(
    api: KubeApi, applier: Applier, store: Store, deferral: Manifest
) -> None:
    ref = ref_of(deferral)
    await applier.run([SetFinalizer(ref, uid(deferral), present=True, reason=WHY)])
    await api.json_patch(
        ref, [{"op": "replace", "path": "/metadata/finalizers", "value": [FINALIZER]}], field_manager="x"
    )
    await api.delete(ref, uid=uid(deferral))
    assert (await live(api, ref))["metadata"]["deletionTimestamp"]
    action = SetFinalizer(ref, uid(deferral), present=False, reason=WHY)
    assert (await applier.run([action])).failure is None
    assert await api.get(ref) is None
    assert store.get(ref.kind, "", ref.name) is None
    assert (await applier.run([action])).failure is None, "and can be repeated"


async def test_labels_are_put_beside_those_of_others(api: KubeApi, applier: Applier, namespace: str) -> None:
    ref = Ref("v1", "Namespace", "", namespace)
    before = await live(api, ref)
    for labels in ({"eservice.dev/environment": "Test", "a": "b"}, {"eservice.dev/environment": "Test"}):
        outcome = await applier.run([SetLabels(ref, uid(before), labels, WHY)])
        assert outcome.failure is None
        assert (await live(api, ref))["metadata"]["labels"] == {
            "kubernetes.io/metadata.name": namespace,
            **labels,
        }
    assert failure(await applier.run([SetLabels(ref, "dead", {}, WHY)])).reason == "Replaced"


async def test_what_was_given_is_not_changed(applier: Applier, store: Store, namespace: str) -> None:
    manifest = service_account(namespace)
    before = copy.deepcopy(manifest)
    await applier.run([Create(manifest, WHY)])
    known = store.get("ServiceAccount", namespace, "web")
    assert known is not None
    await applier.run([Update(manifest, uid(known), WHY)])
    assert manifest == before
    assert manifest["metadata"]["labels"][OWNER_UID_LABEL]
    assert FINALIZER_MANAGER != MANAGER


async def test_a_status_is_not_written_over_one_that_it_was_not_computed_from(
    api: KubeApi, applier: Applier, store: Store, deferral: Manifest
) -> None:
    """As after an old list: an edit of anything else is no matter, another status is decided on anew."""
    ref, seen = ref_of(deferral), deferral["metadata"]["resourceVersion"]
    first, second, third = ({"observedGeneration": number} for number in (1, 2, 3))
    store.upsert(slim(deferral))
    await as_kubectl_edit(api, deferral, "/metadata/labels", {"team": "payments"})
    over = SetStatus(ref, uid(deferral), first, WHY, Basis(seen, deferral["status"]))
    assert (await applier.run([over])).failure is None
    assert (await live(api, ref))["status"] == first

    for old in (True, False):
        if old:
            store.rewind(ref.kind, [slim(deferral)])
        refused = failure(await applier.run([replace(over, status=second)]))
        assert (refused.reason, refused.transient) == (OUTDATED, True)
        after = await live(api, ref)
        assert after["status"] == first
        assert store.get(ref.kind, "", ref.name) == slim(after), "and now it is known"
    newest = Basis((await live(api, ref))["metadata"]["resourceVersion"], first)
    assert (await applier.run([replace(over, status=third, basis=newest)])).failure is None
    assert (await live(api, ref))["status"] == third


@pytest.mark.parametrize("whole", [True, False], ids=["over a status", "onto a version"])
async def test_a_status_whose_answer_was_lost_was_written(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, deferral: Manifest, whole: bool
) -> None:
    """The repetition comes too late for the version, and finds what it wanted to write."""
    ref, seen = ref_of(deferral), deferral["metadata"]["resourceVersion"]
    applier, ours = Applier(faulty_api, store, lambda _: None), {"observedGeneration": 1}
    store.upsert(slim(deferral))
    proxy.log.clear()
    proxy.faults.append(Fault(lambda request: request.method == "PATCH", lose_reply=True))
    basis = Basis(seen, deferral["status"] if whole else None)
    assert (await applier.run([SetStatus(ref, uid(deferral), ours, WHY, basis)])).failure is None
    assert [request.method for request in proxy.seen].count("PATCH") == 2
    after = await live(faulty_api, ref)
    assert after["status"] == ours
    assert store.get(ref.kind, "", ref.name) == slim(after)
    again = SetStatus(ref, uid(deferral), ours, WHY, basis)
    assert failure(await applier.run([again])).reason == OUTDATED, "this one was written by somebody else"


WAYS = {"an edit": False, "an edit that nobody owns": True}


@pytest.mark.parametrize("forgotten", WAYS.values(), ids=WAYS)
async def test_what_is_added_by_our_own_name_is_seen_and_goes(
    api: KubeApi, applier: Applier, created: Manifest, store: Store, namespace: str, *, forgotten: bool
) -> None:
    """Also once its writer has emptied ``managedFields``, so that no apply takes it off."""
    pod = "/spec/template/spec"
    added = {
        f"{pod}/hostAliases": [{"ip": "192.0.2.66", "hostnames": ["bank.example"]}],
        f"{pod}/initContainers": [{"name": "mine", "image": "registry.example/mine:1"}],
        f"{pod}/containers/0/command": ["/mine"],
    }
    ops = [{"op": "add", "path": path, "value": value} for path, value in added.items()]
    ref, wanted = ref_of(created), deployment(namespace)
    for round_ in range(2):  # once while the write that made it owns all, once after an apply
        live_ = await api.json_patch(ref, ops, field_manager=MANAGER)
        if forgotten:
            live_ = await api.json_patch(
                ref, [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
            )
        seen = slim(live_)
        assert seen["foreignManagers"] == [], "by its managed fields it looks right"
        assert set(additions(wanted, seen)) == set(added)
        for _ in range(2):  # of what nobody owned an apply makes the API server the owner
            updates = tuple(difference(wanted, Observed(seen)))
            assert (await applier.run(updates)).failure is None, round_
            known = store.get("Deployment", namespace, "web")
            assert known is not None
            seen = known
            assert additions(wanted, seen) == ()
        assert seen["spec"] == (await live(api, ref))["spec"]
        assert [one.reason for one in difference(wanted, Observed(seen))] == []
