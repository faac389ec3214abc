# SPDX-License-Identifier: Apache-2.0
"""What a citizen gets through a real gateway, from the first release to a pause and back."""

import base64
import time

import pytest

from eservice_operator.core.actions import Manifest, Ref
from tests.gateways.conftest import Lane
from tests.gateways.stage import BACK, TARGET, Stage, off
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.site import says

pytestmark = pytest.mark.cluster

RATE = 200.0
"""Requests a second while releases change."""
SLOWLY = 50.0
PAUSED = {"spec": {"publication": {"paused": {"reason": "the register moves house"}}}}
TITLE = "Dzīvesvietas deklarēšana"
LOOK = {"X-Look": "yes"}
"""The header without which no candidate is shown here; elsewhere in these lanes there is none."""
FORGED = {
    "EService-Notice": base64.urlsafe_b64encode(b'{"v":1,"title":{"lv":"Viltots"}}').decode().rstrip("=")
}
"""What a client may send to put words into the mouth of the notice page."""


@pytest.fixture(scope="module")
def operator_settings(lane: Lane) -> dict[str, str]:
    return lane.settings | {"preview-header": "=".join(*LOOK.items())}


async def test_once_verified_the_first_citizen_is_answered(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.installed(planned)
    preview = await operated.looked_at(planned, LOOK)
    assert not (await operated.citizens.ask(planned.host)).served, "nobody has verified it"
    verified = await operated.apply(planned.verification())
    first = await operated.answered(planned)
    operated.in_time("verified to the first 200", verified, first.ends, TARGET)
    assert first.mark == f"{planned.namespace}.{planned.name}"
    public = await site.settled(planned, "Published")
    assert says(public, "Published", "True")
    await operated.insiders.until(preview, lambda a: a.status == 404, "gone", headers=LOOK)
    assert (await operated.citizens.ask(preview, headers=LOOK)).status == 404, (
        "the public gateway knows no previews"
    )


async def test_a_new_release_takes_over_and_goes_back_without_one_failed_request(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    first = site.planned(replicas=2)
    second = first.renewed()
    await operated.published(first)
    async with operated.asked(first, RATE) as answers:
        await site.apply(await operated.eservice(second), second.act())
        await site.candidate(second)
        preview = await operated.looked_at(second, LOOK)
        assert (await operated.citizens.ask(preview, headers=LOOK)).status == 404, (
            "never on the public gateway"
        )
        failed = await operated.apply(second.verification("Failed", number=1))
        await site.until(
            first.ref, lambda obj: says(obj, "Verified", "False", "VerificationFailed"), "failed"
        )
        asked = time.monotonic()
        switched = await operated.apply(second.verification("Passed", number=2))
        await site.settled(first, "Published")
        await site.kept_without_pods(first)

        returned = await operated.apply(await operated.eservice(first))
        await site.settled(first, "Published")
        await site.kept_without_pods(second)
    operated.counted("a release previewed, verified, switched to, and gone back from", answers)
    assert answers.failed() == [], answers.story()
    assert min(answer.ends for answer in answers.of(second.release)) >= asked >= failed, "never unverified"
    taken = answers.first(second.release, switched).ends
    operated.in_time("verified to the first answer of the new release", switched, taken, BACK)
    gone_back = answers.first(first.release, returned).ends
    operated.in_time("back to the kept release", returned, gone_back, BACK)


async def test_going_back_while_the_release_before_is_still_draining(operated: Stage) -> None:
    """Its Pods are there, and kept: nobody is sent to Pods that go, and none has to be started."""
    site = operated.site
    await site.prepare()
    first = site.planned(replicas=2)
    second = first.renewed()
    await operated.published(first)
    await site.apply(second.act(), second.verification())
    async with operated.asked(first, RATE) as answers:
        await site.apply(await operated.eservice(second))
        await operated.answered(second)
        returned = await operated.apply(await operated.eservice(first))
        await site.settled(first, "Published")
        await operated.answered(first)
        await site.kept_without_pods(second)
    operated.counted("gone back from a release within its drain delay", answers)
    assert answers.failed() == [], answers.story()
    back = answers.first(first.release, returned).ends
    operated.in_time("back to the release that was still draining", returned, back, BACK)


async def test_two_releases_right_after_each_other_lose_nothing(operated: Stage) -> None:
    """The second switch waits until the first is drained; nobody is sent to Pods that are gone."""
    site = operated.site
    await site.prepare()
    first = site.planned()
    second, third = first.renewed(), first.renewed(content="c")
    await operated.published(first)
    await site.apply(second.act(), second.verification(), third.act(), third.verification())
    async with operated.asked(first, RATE) as answers:
        await site.apply(await operated.eservice(second))
        await operated.answered(second)
        await site.apply(await operated.eservice(third))
        await operated.answered(third)
        await site.settled(first, "Published")
        await site.gone(Ref("apps/v1", "Deployment", first.namespace, first.deployment))
        await site.kept_without_pods(second)
    operated.counted("two releases right after each other", answers)
    assert answers.failed() == [], answers.story()
    assert {answer.release for answer in answers.all} == {first.release, second.release, third.release}


async def test_a_pause_shows_the_notice_and_its_end_the_e_service(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.published(planned)
    async with operated.asked(planned, SLOWLY) as answers:
        paused = await operated.apply(await operated.eservice(planned, **PAUSED))
        noticed = await operated.citizens.until(planned.host, lambda a: a.mark == "notice", "the notice")
        await site.settled(planned, "Paused")
    ended = paused + off(answers, paused)
    operated.in_time("paused to the last request served", paused, ended, TARGET)
    assert (noticed.status, noticed.headers["Cache-Control"]) == (503, "no-store")
    assert int(noticed.headers["Retry-After"]) > 0
    assert TITLE in noticed.text
    forged = await operated.citizens.ask(planned.host, headers=FORGED)
    assert (TITLE in forged.text, "Viltots" in forged.text) == (True, False), (
        "what a client says is overwritten"
    )
    assert (await operated.citizens.ask(planned.host, "/any/where")).mark == "notice", (
        "the whole host is kept"
    )
    resumed = await operated.apply(await operated.eservice(planned))
    back = (await operated.answered(planned)).ends
    assert (await operated.citizens.ask(planned.host, headers=FORGED)).release == planned.release
    heard = (await operated.pods.open(planned.release)).heard
    assert heard["Host"] == planned.host
    assert "EService-Notice" not in heard, "nor does it reach the e-service"
    operated.in_time("resumed to the first 200", resumed, back, TARGET)
    await site.settled(planned, "Published")


def tenants_route(planned: Planned, host: str, path: str) -> Manifest:
    """What an institution might try: a route of its own on the public Gateway."""
    backend = {"name": f"{planned.name}-mine", "port": 80}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "mine", "namespace": planned.namespace},
        "spec": {
            "parentRefs": [{"name": "public", "namespace": "gateway-system"}],
            "hostnames": [host],
            "rules": [
                {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [backend]}
            ],
        },
    }


@pytest.mark.parametrize("path", ["/", "/deeper"])
async def test_a_tenants_own_route_is_refused_by_the_gateway(operated: Stage, path: str) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.published(planned)
    other = f"own.{planned.namespace}.latvija.example"
    for host in (planned.host, other):
        route = await site.apply(tenants_route(planned, host, path))
        ref = Ref(route["apiVersion"], route["kind"], planned.namespace, "mine")
        await site.until(ref, lambda obj: accepted(obj) == ("False", "NotAllowedByListeners"), "refused")
        assert (await operated.citizens.ask(planned.host, path)).release == planned.release
        assert (await operated.citizens.ask(other, path)).status == 404, "it answers, for nobody"
        await site.delete(ref)
        await site.gone(ref)
    assert says(await site.see(planned.ref), "Published", "True")


def accepted(route: Manifest) -> tuple[str, str] | None:
    """Status and reason of the gateway's answer to the present route."""
    parents = (route.get("status") or {}).get("parents") or ()
    answers = [
        answer for parent in parents for answer in parent["conditions"] if answer["type"] == "Accepted"
    ]
    return (answers[0]["status"], answers[0]["reason"]) if answers else None


async def test_a_reference_that_somebody_breaks_is_put_right(operated: Stage, kubectl: Kubectl) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.published(planned)
    grant = Ref("gateway.networking.k8s.io/v1", "ReferenceGrant", planned.namespace, planned.name)
    async with operated.asked(planned, SLOWLY) as answers:
        code, said = await kubectl("delete", "referencegrant", planned.name, "-n", planned.namespace)
        assert code == 0, said
        await site.until(grant, lambda obj: "deletionTimestamp" not in obj["metadata"], "back again")
        await operated.answered(planned)
        await site.settled(planned, "Published")
        await operated.answered(planned)
    operated.counted("the ReferenceGrant deleted", answers)
    failed = answers.failed()
    assert {answer.status for answer in failed} <= {500, 503}, "refused, and never anybody else's"
    if failed:
        operated.in_time("refused for want of its reference", failed[0].begins, failed[-1].ends, TARGET)
