# SPDX-License-Identifier: Apache-2.0
"""A grant on the real API server: what it opens, how it ends, and who changes nothing by forging."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from eservice_operator.api.names import GRANT_FINALIZER, MANAGED_BY_LABEL, MANAGER, OWNER_UID_LABEL
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.audit import AuditLog, counted
from tests.support.figures import Figures
from tests.support.fleet import Planned, days_ago
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import NAME, Register
from tests.support.resting import Rested
from tests.support.site import PERSON, poll, says
from tests.support.worlds import merged

pytestmark = pytest.mark.cluster


def states(grant: Manifest) -> dict[str, tuple[str, str]]:
    status = grant.get("status") or {}
    return {
        entry["version"]: (entry["state"], entry["reason"]) for entry in status.get("contractVersions") or ()
    }


def is_so(**wanted: str) -> Any:
    return lambda grant: {version: state for version, (state, _) in states(grant).items()} == wanted


async def asked(register: Register, *versions: str) -> Planned:
    """An e-service that asks, and was tested."""
    planned = register.site.planned()
    uses = [register.use(version) for version in versions or ("v5",)]
    await register.site.apply(planned.registration(), planned.eservice(spec={"uses": uses}))
    await register.site.apply(*(register.tested(planned, version) for version in versions or ("v5",)))
    return planned


async def opened(register: Register, *versions: str) -> Planned:
    """One that is let in."""
    planned = await asked(register, *versions)
    await register.site.apply(register.grant(planned, *versions))
    wanted = dict.fromkeys(versions or ("v5",), "Active")
    await register.site.until(register.grant_ref(planned), is_so(**wanted), "it is open")
    return planned


async def closed(register: Register, planned: Planned) -> None:
    for ref in register.children(planned):
        await register.site.gone(ref)


async def test_it_opens_exactly_what_it_says(register: Register, kubectl: Kubectl) -> None:
    site, planned = register.site, await asked(register, "v5", "v6")
    wall = await site.until(register.wall, lambda _: True, "the register is closed to everybody")
    assert wall["spec"] == {"podSelector": {"matchLabels": {"app": NAME}}, "policyTypes": ["Ingress"]}
    waiting = await site.until(
        register.ref, lambda obj: obj["status"].get("waitingCount") == 2, "the holder sees who asks"
    )
    assert {one["eService"] for one in waiting["status"]["requests"]} == {planned.name}
    assert not await register.may(kubectl, planned)
    await site.apply(register.grant(planned, "v5"))
    grant = await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open")
    assert GRANT_FINALIZER in grant["metadata"]["finalizers"]
    assert grant["status"]["consumer"]["institution"] == "PMLP"
    await register.comes_to_may(kubectl, planned)
    assert not await register.may(kubectl, planned, "v6"), "another version is another grant"
    assert not await register.may(kubectl, site.planned("parking"))
    policy, role, binding = [await site.see(ref) for ref in register.children(planned)]
    (rule,) = policy["spec"]["ingress"]
    (source,) = rule["from"]
    assert source == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": planned.namespace}},
        "podSelector": {"matchLabels": {"eservice.dev/eservice": planned.name}},
    }
    assert rule["ports"] == [{"port": 9443, "protocol": "TCP"}], "that of the Pods"
    assert role["rules"][0]["resourceNames"] == [NAME]
    assert [one["name"] for one in binding["subjects"]] == [planned.name]
    await site.until(register.ref, lambda obj: obj["status"].get("consumerCount") == 1, "it is counted")
    await site.apply(register.grant(planned, "v5", "v6"))
    await site.until(register.grant_ref(planned), is_so(v5="Active", v6="Active"), "both are open")
    await register.comes_to_may(kubectl, planned, "v6")


ENDS: list[tuple[str, Manifest, tuple[str, str]]] = [
    ("refused", {"refused": {"reason": "no legal ground"}}, ("Refused", "Refused")),
    ("expired", {"validUntil": days_ago(1)}, ("Expired", "Expired")),
]


@pytest.mark.parametrize("spec, state", [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
async def test_it_ends_by_its_own_terms(
    register: Register, kubectl: Kubectl, figures: Figures, spec: Manifest, state: tuple[str, str]
) -> None:
    site, planned = register.site, await opened(register)
    began = time.monotonic()
    await site.apply(register.grant(planned, **spec))
    await closed(register, planned)
    figures.add(f"a grant is {state[0]}: seconds until all of it is gone", round(time.monotonic() - began, 2))
    ended = await site.until(
        register.grant_ref(planned), lambda grant: states(grant) == {"v5": state}, "it is over"
    )
    await register.may_no_more(kubectl, planned)
    await site.until(
        register.grant_ref(planned), lambda grant: not grant["metadata"].get("finalizers"), "nothing is left"
    )
    assert ended["status"]["state"] == state[0]


async def _retired(register: Register, _planned: Planned) -> None:
    contracts = [{"version": "v5", "endOfLife": days_ago(1)}, {"version": "v6"}]
    await register.site.apply(register.web_service(spec={"contracts": contracts}))


async def _not_asked(register: Register, planned: Planned) -> None:
    await register.site.apply(planned.eservice())


async def _not_confirmed(register: Register, _planned: Planned) -> None:
    live = await register.site.see(Ref("v1", "Namespace", "", register.namespace))
    ops = [
        {"op": "remove", "path": "/metadata/labels/eservice.dev~1institution"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]
    await register.site.api.json_patch(
        Ref("v1", "Namespace", "", register.namespace), ops, field_manager=PERSON
    )


async def _no_eservice(register: Register, planned: Planned) -> None:
    await register.site.delete(planned.ref)


@pytest.mark.parametrize("end", [_retired, _not_asked, _not_confirmed, _no_eservice])
async def test_it_ends_when_its_reason_ends(register: Register, kubectl: Kubectl, end: Any) -> None:
    planned = await opened(register)
    await end(register, planned)
    await closed(register, planned)
    await register.may_no_more(kubectl, planned)
    grant = await register.site.until(
        register.grant_ref(planned),
        lambda one: states(one)["v5"][0] not in {"Active", "Revoking"},
        "it says so",
    )
    assert not says(grant, "Active", "True")
    await register.site.until(
        register.grant_ref(planned), lambda one: not one["metadata"].get("finalizers"), "nothing is left"
    )


async def test_a_service_that_is_away_ends_nothing(register: Register, kubectl: Kubectl) -> None:
    planned = await opened(register)
    before = [await register.site.see(child) for child in register.children(planned)]
    await register.site.delete(Ref("v1", "Service", register.namespace, NAME))
    grant = await register.site.until(
        register.grant_ref(planned),
        lambda one: one["status"].get("reason") == "BackendNotFound",
        "it says so",
    )
    assert states(grant) == {"v5": ("Active", "BackendNotFound")}
    assert says(grant, "Active", "True")
    await register.comes_to_may(kubectl, planned)
    assert [await register.site.see(child) for child in register.children(planned)] == before


async def test_its_end_is_seen_until_all_of_it_is_gone(register: Register, kubectl: Kubectl) -> None:
    site, planned = register.site, await opened(register)
    policy, *_ = register.children(planned)
    live = await site.see(policy)
    held = [
        {"op": "add", "path": "/metadata/finalizers", "value": ["example.lv/hold"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]
    await site.api.json_patch(policy, held, field_manager=PERSON)
    await site.delete(register.grant_ref(planned))
    revoking = await site.until(register.grant_ref(planned), is_so(v5="Revoking"), "its end is seen")
    assert not says(revoking, "Active", "True")
    await register.may_no_more(kubectl, planned)  # the right goes although the way is held
    live = await site.see(policy)
    free = [
        {"op": "remove", "path": "/metadata/finalizers"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]
    await site.api.json_patch(policy, free, field_manager=PERSON)
    await site.gone(register.grant_ref(planned))


async def test_what_somebody_does_to_what_is_opened_is_undone(register: Register, kubectl: Kubectl) -> None:
    site, planned = register.site, await opened(register)
    policy, role, binding = register.children(planned)
    before = await site.see(binding)
    await site.delete(binding)
    await site.until(
        binding, lambda obj: obj["metadata"]["uid"] != before["metadata"]["uid"], "the binding is back"
    )
    await poll(lambda: register.may(kubectl, planned), lambda: "the right is back")
    await kubectl.patch(
        "role",
        f"{role.namespace}/{role.name}",
        {"op": "replace", "path": "/rules/0/resources", "value": ["webservices/v5", "webservices/v6"]},
    )
    await site.until(
        role, lambda obj: obj["rules"][0]["resources"] == ["webservices/v5"], "nothing is widened"
    )
    everybody = {
        "op": "add",
        "path": "/subjects/-",
        "value": {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"},
    }
    await kubectl.patch("rolebinding", f"{binding.namespace}/{binding.name}", everybody)
    await site.until(binding, lambda obj: len(obj["subjects"]) == 1, "nobody else is bound")
    await kubectl.patch(
        "networkpolicy",
        f"{policy.namespace}/{policy.name}",
        {"op": "replace", "path": "/spec/ingress", "value": [{}]},
    )
    await site.until(policy, lambda obj: "from" in obj["spec"]["ingress"][0], "not open to everybody")
    await site.delete(register.wall)
    await site.until(register.wall, lambda _: True, "the wall is back")
    await kubectl.patch(
        "networkpolicy", f"{policy.namespace}/{policy.name}", {"op": "remove", "path": "/metadata/labels"}
    )
    await site.until(
        policy, lambda obj: obj["metadata"].get("labels", {}).get(MANAGED_BY_LABEL) == MANAGER, "marked"
    )


async def test_a_forged_state_opens_nothing(register: Register, rests: Rested) -> None:
    site, planned = register.site, register.site.planned()
    await site.apply(planned.registration(), planned.eservice(spec={"uses": [register.use()]}))
    grant = register.grant(planned)
    await site.apply(grant)
    ref = register.grant_ref(planned)
    missing = {"v5": ("Pending", "TestMissing")}
    waiting = await site.until(ref, lambda one: states(one) == missing, "it was not tested")
    forged = grant | {
        "status": {
            "state": "Active",
            "contractVersions": [{"version": "v5", "state": "Active", "reason": "Active"}],
        }
    }
    await site.api.apply(forged, field_manager="vandal", force=True, subresource="status")
    await site.until(ref, lambda one: states(one) == missing, "it says again how it is")
    role = Ref("rbac.authorization.k8s.io/v1", "Role", register.namespace, f"grant.{planned.name}")
    minted = {
        "apiVersion": role.api_version,
        "kind": "Role",
        "metadata": {
            "name": role.name,
            "namespace": role.namespace,
            "labels": {MANAGED_BY_LABEL: MANAGER, OWNER_UID_LABEL: waiting["metadata"]["uid"]},
        },
        "rules": [{"apiGroups": ["eservice.dev"], "resources": ["webservices/v5"], "verbs": ["invoke"]}],
    }
    await site.create(minted)
    await site.gone(role)
    own = minted | {"metadata": {"name": "own", "namespace": role.namespace}}
    await site.create(own)
    await site.until(
        register.ref, lambda obj: says(obj, "ForeignInvokers", "True"), "the holder's own Role is told of"
    )
    await site.delete(Ref(role.api_version, "Role", role.namespace, "own"))
    await site.until(register.ref, lambda obj: not says(obj, "ForeignInvokers", "True"), "it is gone")
    await rests()
    for child in register.children(planned):
        assert await site.api.get(child) is None


async def test_a_binding_of_somebody_else_to_the_role_of_a_grant_is_told_of(register: Register) -> None:
    site, planned = register.site, await opened(register)
    api_version = "rbac.authorization.k8s.io/v1"
    group, _, _ = api_version.partition("/")
    own = {
        "apiVersion": api_version,
        "kind": "RoleBinding",
        "metadata": {"name": "own", "namespace": register.namespace},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": f"grant.{planned.name}"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "somebody"}],
    }
    await site.create(own)
    told = await site.until(
        register.ref, lambda obj: says(obj, "ForeignInvokers", "True"), "the holder's own binding is told of"
    )
    (said,) = [one for one in told["status"]["conditions"] if one["type"] == "ForeignInvokers"]
    assert said["message"].endswith("RoleBinding own"), "and not that of the grant"
    await site.delete(ref_of(own))
    await site.until(register.ref, lambda obj: not says(obj, "ForeignInvokers", "True"), "it is gone")


MOVED = {"app": "another"}


async def test_at_rest_nothing_is_written(register: Register, rests: Rested, audit: AuditLog) -> None:
    """Of a touch that says nothing new nobody hears; that it was noticed the next change shows, behind it."""
    planned = await opened(register, "v5", "v6")
    await rests()
    audit.skip()
    touched = Ref("v1", "Service", register.namespace, NAME)
    live = await register.site.see(touched)
    ops = [
        {"op": "add", "path": "/metadata/annotations", "value": {"example.lv/touched": "1"}},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]
    await register.site.api.json_patch(touched, ops, field_manager=PERSON)
    await register.site.apply(dict(merged(register.backend(), {"spec": {"selector": MOVED}})))
    (policy,) = (ref for ref in register.children(planned) if ref.kind == "NetworkPolicy")
    await register.site.until(
        policy, lambda obj: obj["spec"]["podSelector"]["matchLabels"] == MOVED, "it is led elsewhere"
    )
    await rests()
    assert {one.resource for one in audit.writes()} == {"networkpolicies"}, counted(audit.writes())


PAUSES = (0.0, 0.02, 0.05)
"""Seconds after a change at which the operator is killed."""


async def test_killed_while_it_opens_and_closes(
    register: Register, operator: OperatorProcess, kubectl: Kubectl, audit: AuditLog
) -> None:
    site, planned = register.site, await asked(register)
    await site.until(register.wall, lambda _: True, "the wall, which was begun before anything was counted")
    audit.skip()
    for pause in PAUSES:
        await site.apply(register.grant(planned))
        await asyncio.sleep(pause)
        operator.kill()
        await operator.start()
        await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open")
        await register.comes_to_may(kubectl, planned)
        await site.delete(register.grant_ref(planned))
        await asyncio.sleep(pause)
        operator.kill()
        await operator.start()
        await site.gone(register.grant_ref(planned))
        await closed(register, planned)
        await register.may_no_more(kubectl, planned)
    made = [one.resource for one in audit.writes() if one.verb == "create" and one.succeeded]
    for resource in ("networkpolicies", "roles", "rolebindings"):
        assert made.count(resource) == len(PAUSES), "once for each grant"
