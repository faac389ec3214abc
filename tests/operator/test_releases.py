# SPDX-License-Identifier: Apache-2.0
"""A new release beside the public one: when the public sees it, when not, and the way back."""

import json
from datetime import datetime, timedelta

import pytest

from eservice_operator.api.names import PUBLIC_RELEASE_ANNOTATION
from eservice_operator.core.actions import Manifest, ref_of
from tests.support.audit import OPERATOR, AuditLog, Request
from tests.support.fleet import Planned
from tests.support.site import Site, says, without_bookkeeping
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

DRAIN = timedelta(seconds=1)


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    return {"drain-delay": "1s"}


async def test_the_public_release_changes_by_one_write_and_can_go_back(site: Site, audit: AuditLog) -> None:
    await site.prepare()
    first = site.planned(replicas=2)
    await site.published(first)
    before = await site.children(first)
    service = before[f"Service {first.name}"]

    second = first.renewed()
    await site.apply(second.eservice(), second.act())
    updating = await site.candidate(second)
    status = (await site.settled(first, "Updating"))["status"]
    assert status["release"]["public"]["name"] == first.release
    assert status["release"]["candidate"]["name"] == second.release
    assert status["template"]["version"] == "2.0.0", "the lag is that of the public release"
    assert says(updating, "Published", "True")
    children = await site.children(first)
    assert children[f"Deployment {second.deployment}"]["spec"]["replicas"] == 1, (
        "one replica is enough to look at"
    )
    assert (
        children[f"Service {first.name}-candidate"]["spec"]["selector"]["eservice.dev/release"]
        == second.release
    )

    await site.apply(second.verification("Failed", number=1))
    failed = await site.until(
        first.ref, lambda obj: says(obj, "Verified", "False", "VerificationFailed"), "failed"
    )
    assert says(failed, "Published", "True")
    await site.told(first.ref, "VerificationFailed")
    assert (await site.children(first))[f"Service {first.name}"] == service, "not written at all"

    audit.skip()
    async with site.watching(ref_of(service)) as versions:
        await site.apply(second.verification("Passed", number=2))
        done = await site.settled(first, "Published")
        await eventually(lambda: versions and leads_to(second, versions[-1]), "the watch tells of it, too")
    said = [json.dumps([seen["spec"], seen["metadata"]["annotations"]]) for seen in [service, *versions]]
    assert len(set(said)) == 2, "the selector and the note of the switch move in one write"
    assert done["status"]["release"]["public"]["name"] == second.release
    assert "candidate" not in done["status"]["release"]
    assert done["status"]["template"]["version"] == "3.0.0"
    await site.kept_without_pods(first)
    after = await site.children(first)
    assert f"Service {first.name}-candidate" not in after
    assert after[f"Service {first.name}"]["metadata"]["uid"] == service["metadata"]["uid"]
    assert after[f"Service {first.name}"]["spec"]["selector"]["eservice.dev/release"] == second.release
    assert after[f"Deployment {second.deployment}"]["spec"]["replicas"] == 2
    route = f"HTTPRoute {first.route.name}"
    assert after[route]["metadata"]["generation"] == before[route]["metadata"]["generation"]
    recorded = after[route]["metadata"]["annotations"][PUBLIC_RELEASE_ANNOTATION]
    assert recorded.split(" ")[2] == second.image.partition("@")[2]
    assert_switched_in_order(audit.read(), first, second)

    await site.apply(first.eservice())
    back = await site.settled(first, "Published")
    assert back["status"]["release"]["public"]["name"] == first.release
    returned = await site.children(first)
    for name in (f"Deployment {first.deployment}", f"Service {first.name}"):
        assert returned[name]["metadata"]["uid"] == before[name]["metadata"]["uid"]
    assert returned[f"Deployment {first.deployment}"]["spec"]["replicas"] == 2
    await site.kept_without_pods(second)


def leads_to(planned: Planned, service: Manifest) -> bool:
    """Whether a Service selects the Pods of that release."""
    return bool(service["spec"]["selector"]["eservice.dev/release"] == planned.release)


def assert_switched_in_order(requests: list[Request], first: Planned, second: Planned) -> None:
    """Raised, the Service moved, the endpoints, the drain, and only then no Pods of the old release."""
    raised = patched(requests, "deployments", second.deployment)
    switched = patched(requests, "services", first.name)
    emptied = patched(requests, "deployments", first.deployment)
    moved = min(
        request.at
        for request in requests
        if (request.verb, request.resource, request.code) == ("update", "endpointslices", 200)
        and request.name.startswith(f"{first.name}-")
        and not request.name.startswith(f"{first.name}-candidate")
        and request.at > switched[-1].at
    )
    assert raised[-1].at < switched[0].at < moved < emptied[0].at
    passed = datetime.fromisoformat(emptied[-1].at) - datetime.fromisoformat(switched[-1].at)
    assert passed >= DRAIN - timedelta(seconds=1), "the instant of the switch is kept in whole seconds"


def patched(requests: list[Request], resource: str, name: str) -> list[Request]:
    """Our writes to an object: one may take over the fields of the POST that made it, one changes it."""
    found = [
        request
        for request in requests
        if (request.user, request.verb, request.resource, request.name) == (OPERATOR, "patch", resource, name)
        and not request.subresource
    ]
    assert 1 <= len(found) <= 2, f"{resource} {name}: {found}"
    return found


async def test_a_candidate_that_never_comes_up_is_not_switched_to(site: Site) -> None:
    await site.prepare()
    first = site.planned()
    await site.published(first)
    service = (await site.children(first))[f"Service {first.name}"]
    digest = first.renewed().image.partition("@")[2]
    image = f"registry.example/never-ready/{first.name}@{digest}"
    second = first.renewed()
    await site.apply(
        second.act(spec={"image": image}),
        second.verification(spec={"image": image}),
        second.eservice(spec={"release": {"image": image}}),
    )
    stuck = await site.until(
        first.ref, lambda obj: says(obj, "Reconciling", "True", "AwaitingPods"), "no Pod"
    )
    assert says(stuck, "Published", "True")
    assert says(stuck, "Installed", "False", "AwaitingPods")
    assert (await site.children(first))[f"Service {first.name}"] == service
    await site.apply(first.eservice())
    await site.settled(first, "Published")
    children = await site.children(first)
    assert f"Deployment {second.deployment}" not in children, "what nobody wants any more is removed"
    assert children[f"Service {first.name}"] == service


async def test_an_edit_of_the_workload_rolls_out_in_place(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    before = await site.children(planned)
    edited = planned.eservice(
        spec={"workload": {"replicas": 2, "port": 9090, "env": [{"name": "LOG_LEVEL", "value": "debug"}]}}
    )
    await site.apply(edited)
    status = (await site.settled(planned, "Published"))["status"]
    assert status["release"]["public"]["name"] == planned.release
    after = await site.children(planned)
    deployment = f"Deployment {planned.deployment}"
    assert after[deployment]["metadata"]["uid"] == before[deployment]["metadata"]["uid"]
    assert after[deployment]["spec"]["replicas"] == 2
    assert after[deployment]["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] == "debug"
    assert after[f"Service {planned.name}"]["spec"]["ports"][0]["targetPort"] == 9090
    kinds = [name.split()[0] for name in after]
    assert sorted(set(kinds)) == sorted({name.split()[0] for name in before}), "no kind more, none less"
    same = {name for name in before if name in after and name.split()[0] in {"HTTPRoute", "ReferenceGrant"}}
    assert len(same) == 2
    for name in same:
        assert without_bookkeeping(after[name]) == without_bookkeeping(before[name])


async def test_a_later_failed_verification_or_revoked_act_takes_nothing_down(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.published(planned)
    children = await site.children(planned)
    await site.apply(
        planned.verification("Failed", number=2),
        planned.act(spec={"revoked": {"at": "2020-01-01", "reason": "the report was wrong"}}),
    )
    shown = await site.until(
        planned.ref,
        lambda obj: (
            says(obj, "Verified", "False", "VerificationFailed")
            and says(obj, "Accepted", "False", "ActRevoked")
        ),
        "both shown",
    )
    assert says(shown, "Published", "True")
    after = await site.children(planned)  # of which controllers may write the status at any time
    assert {name: without_bookkeeping(child) for name, child in after.items()} == {
        name: without_bookkeeping(child) for name, child in children.items()
    }
    await site.told(planned.ref, "ActRevoked")
    await site.told(planned.ref, "VerificationFailed")
