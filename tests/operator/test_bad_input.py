# SPDX-License-Identifier: Apache-2.0
"""Bad input, and things taken away that are in use: said in words, and nothing good is taken down."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support import fleet
from tests.support.fleet import Planned, with_instruction
from tests.support.kubectl import Kubectl
from tests.support.site import (
    Site,
    condition,
    gates,
    message,
    poll,
    says,
    up_to_date,
    without_bookkeeping,
)
from tests.support.worlds import merged

pytestmark = pytest.mark.cluster

MOST_OF_PORT = (
    "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/workload/properties/port/maximum"
)


def meaning(children: dict[str, Manifest]) -> dict[str, Manifest]:
    return {name: without_bookkeeping(child) for name, child in children.items()}


async def test_what_the_schema_can_refuse_is_refused_with_what_to_write(site: Site) -> None:
    template = await site.prepare()
    planned = site.planned()
    await site.published(planned)
    children = await site.children(planned)

    async def refused(manifest: Manifest, sentence: str) -> None:
        with pytest.raises(Invalid) as refusal:
            await site.apply(manifest)
        assert sentence in str(refusal.value)

    untagged = {"release": {"image": "registry.example/address:latest"}}
    await refused(planned.eservice(spec=untagged), "write <repository>@sha256:<64 hexadecimal digits>")
    await refused(
        planned.eservice(spec={"environment": "Test"}),
        "create an EService in the namespace of that environment instead",
    )
    await refused(planned.eservice(spec={"registration": "other"}), "create another EService instead")
    requested = {"productionRequest": {"requestedAt": "2026-02-30"}}
    await refused(planned.eservice(spec=requested), "2026-02-30")
    shorter = {"spec": {"versions": template["spec"]["versions"][1:]}}
    await refused(dict(merged(template, shorter)), "withdraw the version instead")
    await refused(planned.act(spec={"signedAt": fleet.days_ago(1)}), "write a new one instead")
    await refused(planned.verification("Failed"), "write a new one instead")
    assert meaning(await site.children(planned)) == meaning(children), (
        "nothing of it has reached the e-service"
    )


async def test_what_only_the_cluster_refuses_is_stalled_and_the_last_good_children_stay(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    children = await site.children(planned)
    greedy = {"workload": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}}
    await site.apply(planned.eservice(spec=greedy))
    stalled = await site.until(
        planned.ref, lambda obj: says(obj, "Stalled", "True", "Rejected") and up_to_date(obj), "Stalled"
    )
    assert "memory" in message(stalled, "Stalled")
    assert "must be less than or equal to memory limit" in message(stalled, "Stalled")
    assert says(stalled, "Ready", "False", "Rejected")
    assert says(stalled, "Published", "True")
    await site.told(planned.ref, "Rejected", "memory limit")
    assert meaning(await site.children(planned)) == meaning(children)
    before = children[f"ReferenceGrant {planned.name}"]
    await site.delete(ref_of(before))
    uid = before["metadata"]["uid"]
    await site.until(ref_of(before), lambda obj: obj["metadata"]["uid"] != uid, "what its route needs")
    children = await site.children(planned)
    await site.apply(planned.eservice())
    healed = await site.settled(planned, "Published")
    assert condition(healed, "Stalled") is None
    assert meaning(await site.children(planned)) == meaning(children), "what was refused is not remembered"


async def test_a_release_that_may_not_change_any_more_runs_as_it_did_before_what_was_refused(
    site: Site,
) -> None:
    """Its version is withdrawn while it asks for what the API server refuses: drift is put right still."""
    template = await site.prepare()
    planned = site.planned()
    await site.published(planned)
    deployment = (await site.children(planned))[f"Deployment {planned.deployment}"]
    greedy = {"workload": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}}
    await site.apply(planned.eservice(spec=greedy))
    await site.until(planned.ref, lambda obj: says(obj, "Stalled", "True", "Rejected"), "Stalled")
    (used,) = [one for one in template["spec"]["versions"] if one["version"] == planned.version]
    used["withdrawn"] = {"at": fleet.days_ago(0), "reason": "it leaks"}
    await site.apply(template, planned.eservice())
    await site.until(
        planned.ref, lambda obj: "TemplateSupported" in gates(obj) and up_to_date(obj), "a closed gate"
    )

    no_labels = {"op": "replace", "path": "/metadata/labels", "value": {}}
    await site.api.json_patch(ref_of(deployment), [no_labels], field_manager="somebody")
    await site.until(
        ref_of(deployment),
        lambda obj: without_bookkeeping(obj) == without_bookkeeping(deployment),
        "the Deployment as it was",
    )
    await site.delete(ref_of(deployment))
    await site.until(
        ref_of(deployment),
        lambda obj: (
            obj["metadata"]["uid"] != deployment["metadata"]["uid"] and obj["spec"] == deployment["spec"]
        ),
        "the Deployment, made again",
    )
    assert condition(await site.settled(planned, "Published"), "Stalled") is None


@asynccontextmanager
async def wider_ports(kubectl: Kubectl) -> AsyncIterator[None]:
    """For a while the CRD takes ports that no operator reads: as another version's CRD may."""

    async def limit(most: int) -> None:
        patch = [{"op": "replace", "path": MOST_OF_PORT, "value": most}]
        code, said = await kubectl(
            "patch", "crd", "eservices.eservice.dev", "--type=json", f"--patch={json.dumps(patch)}"
        )
        assert code == 0, said

    await limit(99_999)
    try:
        yield
    finally:
        await limit(65_535)


async def test_a_spec_that_cannot_be_read_keeps_nothing_public(site: Site, kubectl: Kubectl) -> None:
    template = await site.prepare()
    planned = site.planned(version="1.0.0")
    await site.published(planned)
    children = await site.children(planned)
    unreadable = planned.eservice(spec={"workload": {"port": 99_999}})

    async def taken() -> bool:
        try:
            await site.apply(unreadable)
        except Invalid:  # the API server needs a moment for its new schema
            return False
        return True

    async with wider_ports(kubectl):
        await poll(taken, lambda: "the API server takes the spec")
    stalled = await site.until(
        planned.ref, lambda obj: says(obj, "Stalled", "True", "InvalidSpec") and up_to_date(obj), "Stalled"
    )
    assert "spec.workload.port" in message(stalled, "Stalled")
    assert says(stalled, "Published", "True")
    assert meaning(await site.children(planned)) == meaning(children)

    await site.apply(planned.registration(spec={"suspended": {"reason": "an incident"}}))
    await site.until(
        planned.ref, lambda obj: says(obj, "Published", "False", "RegistrationSuspended"), "suspended"
    )
    await site.gone(planned.route)
    await site.apply(with_instruction(template))
    judged = await site.until(planned.ref, lambda obj: "decision" in obj["status"]["template"], "decided")
    assert says(judged, "Stalled", "True", "InvalidSpec")
    assert says(judged, "TemplateCurrent", "False", "TemplateOverdue")
    (decision,) = await site.decisions(planned)
    assert decision["metadata"]["name"] == judged["status"]["template"]["decision"]
    left = {name: child for name, child in children.items() if not name.startswith("HTTPRoute")}
    assert meaning(await site.children(planned)) == meaning(left)


async def test_a_template_that_goes_away_unpublishes_nobody(site: Site) -> None:
    template = await site.prepare()
    planned = site.planned(version="1.0.0")
    await site.published(planned)
    children = await site.children(planned)
    await site.delete(ref_of(template))
    unknown = await site.until(
        planned.ref, lambda obj: says(obj, "TemplateCurrent", "Unknown", "TemplateUnknown"), "unknown"
    )
    assert says(unknown, "Published", "True")
    assert gates(unknown)["TemplateSupported"] == ("TemplateUnknown", "Agency")
    await site.told(planned.ref, "TemplateUnknown", f"EServiceTemplate {site.template} does not exist")

    # written anew without the version in use, and with one that would make it overdue
    others = fleet.with_instruction(template)
    others["spec"]["versions"] = others["spec"]["versions"][1:]
    await site.apply(others)
    unknown = await site.until(
        planned.ref, lambda obj: says(obj, "TemplateCurrent", "Unknown", "TemplateVersionUnknown"), "unknown"
    )
    assert says(unknown, "Published", "True")
    await site.told(planned.ref, "TemplateVersionUnknown")
    assert await site.decisions(planned) == []
    assert meaning(await site.children(planned)) == meaning(children)
    await site.delete(ref_of(template))
    await site.gone(ref_of(template))
    await site.apply(template)
    await site.until(planned.ref, lambda obj: says(obj, "TemplateCurrent", "True"), "known again")


def the_act(planned: Planned) -> Ref:
    return ref_of(planned.act())


def the_registration(planned: Planned) -> Ref:
    return planned.registered


@pytest.mark.parametrize(
    "which, kind, reason, gate",
    [
        (the_act, "Accepted", "AwaitingAcceptance", "Accepted"),
        (the_registration, "Registered", "RegistrationNotFound", "Registered"),
    ],
    ids=["act", "registration"],
)
async def test_what_is_deleted_while_in_use_takes_nothing_down_and_is_reported(
    site: Site, which: Any, kind: str, reason: str, gate: str
) -> None:
    await site.prepare()
    planned = site.planned()
    before = await site.published(planned)
    children = await site.children(planned)
    lost = await site.see(which(planned))
    await site.delete(ref_of(lost))
    shown = await site.until(planned.ref, lambda obj: says(obj, kind, "False", reason), reason)
    assert says(shown, "Published", "True")
    assert shown["status"]["phase"] == "Published"
    assert gates(shown)[gate][0] == reason
    assert says(shown, "Ready", "True", reason)
    assert shown["status"]["identifier"] == before["status"]["identifier"]
    await site.told(planned.ref, reason, message(shown, kind))
    assert meaning(await site.children(planned)) == meaning(children)

    written = {"metadata": {"name": lost["metadata"]["name"]}, "spec": lost["spec"]}
    await site.apply({"apiVersion": API_VERSION, "kind": lost["kind"]} | written)
    back = await site.until(
        planned.ref, lambda obj: says(obj, kind, "True") and not gates(obj), "all is well"
    )
    assert says(back, "Ready", "True", "Succeeded")


async def test_a_registration_without_the_host_or_the_place_is_a_gate_with_words(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    elsewhere = {"namespaces": [{"environment": "Production", "name": f"elsewhere-{site.mark}"}]}
    await site.apply(planned.registration(spec=elsewhere), planned.eservice())
    seen = await site.until(
        planned.ref, lambda obj: says(obj, "Registered", "False", "NamespaceNotRegistered"), "not here"
    )
    assert f"its namespace for Production is elsewhere-{site.mark}" in message(seen, "Registered")
    await site.apply(planned.registration(spec={"hosts": [{"environment": "Test", "host": planned.host}]}))
    seen = await site.until(planned.ref, lambda obj: "HostAllowed" in gates(obj), "the host")
    assert gates(seen)["HostAllowed"] == ("HostNotRegistered", "Agency")
    await site.apply(*planned.everything())
    await site.settled(planned, "Published")


async def test_one_e_service_for_each_registration_and_environment(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    second = planned.eservice(metadata={"name": f"second-{site.mark}"})
    await site.apply(second)
    seen = await site.until(
        ref_of(second), lambda obj: says(obj, "Registered", "False", "AlreadyTaken"), "taken"
    )
    assert f"EService {planned.namespace}/{planned.name} already stands for" in message(seen, "Registered")
    assert says(await site.see(planned.ref), "Published", "True")
