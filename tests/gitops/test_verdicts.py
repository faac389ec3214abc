# SPDX-License-Identifier: Apache-2.0
"""What kstatus (Flux, Helm 4) and Argo CD say of every kind of ours, in every state of a real story.

Current is whatever the rules allow: waiting for people and being off the public route by the rules, too. Else
one e-service that is lawfully off would block everything that is applied together with it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from eservice_operator.api.seen import Answered
from eservice_operator.core.actions import Manifest, Ref, ref_of
from eservice_operator.core.sightings import PATIENCE, Sighting, Witnessed
from tests.gitops.verdicts import Kstatus
from tests.support import fleet, worlds
from tests.support.fleet import Planned, in_test, with_instruction
from tests.support.operator import OperatorProcess
from tests.support.pure_cluster import PureCluster
from tests.support.site import Site, condition, says
from tests.support.worlds import NOW

pytestmark = [pytest.mark.cluster, pytest.mark.judges]

CURRENT, IN_PROGRESS, FAILED, TERMINATING = "Current", "InProgress", "Failed", "Terminating"
SPENT = "tests.example/held"
"""A finalizer of somebody else's, which keeps an object while it is being deleted."""


def own(objects: list[Manifest]) -> list[Manifest]:
    return [obj for obj in objects if obj["apiVersion"].startswith("eservice.dev/")]


async def all_current(site: Site, kstatus: Kstatus) -> set[str]:
    """That every object of ours in the site is Current, once it was looked at; the kinds that there were."""
    objects = own(await site.looked_at())
    for obj, verdict in zip(objects, kstatus.judge(objects), strict=True):
        assert verdict.status == CURRENT, (obj["kind"], obj["metadata"]["name"], verdict, obj["status"])
    return {obj["kind"] for obj in objects}


async def test_nothing_is_current_before_the_operator_has_looked_at_it(
    site: Site, kstatus: Kstatus, idle: OperatorProcess
) -> None:
    """No operator runs yet; so a pipeline waits for it, and does not report what nobody has checked."""
    assert not idle.running
    await site.prepare()
    planned = site.planned()
    await site.apply(*planned.everything(), planned.deferral(days=3))
    objects = own(await site.objects())
    assert len({obj["kind"] for obj in objects}) == 6
    assert {verdict.status for verdict in kstatus.judge(objects)} == {IN_PROGRESS}

    idle.launch()
    await idle.until_ready()
    await site.settled(planned, "Published")
    await site.assert_sound()
    assert await all_current(site, kstatus) == {obj["kind"] for obj in objects} | {"EServiceIdentifier"}

    edited = await site.apply(planned.eservice(spec={"workload": {"replicas": 2}}))
    assert kstatus.says(edited) == IN_PROGRESS, "the present spec was not looked at"
    await site.settled(planned, "Published")
    assert await all_current(site, kstatus)


async def test_waiting_for_people_and_being_off_by_the_rules_are_current(
    site: Site, kstatus: Kstatus, operator: OperatorProcess
) -> None:
    assert operator.running
    template = await site.prepare(brake={"percent": 0, "atLeast": 1})
    first, second = site.planned("first", version="1.0.0"), site.planned("second", version="1.0.0")
    await waits_for_each_act(site, kstatus, first)
    await site.published(second)
    assert await all_current(site, kstatus)
    await is_paused_and_suspended(site, kstatus, second)

    await site.apply(with_instruction(template))
    await site.until(site.template_ref, lambda obj: says(obj, "BrakeEngaged", "True"), "the brake holds both")
    assert "UnpublishDecision" in await all_current(site, kstatus), "Held"
    await site.apply(second.deferral(days=20))
    await decided(site, second, "Scheduled")
    held = (await site.see(site.template_ref))["status"]["held"][0]["token"]
    released = with_instruction(template)
    released["spec"]["lifecycle"]["brake"]["release"] = held
    await site.apply(released)
    await site.settled(first, "Unpublished")
    await decided(site, first, "Effective")
    assert await all_current(site, kstatus), "Effective, Scheduled, in force"

    renewed = first.renewed()
    await site.apply(renewed.act(), renewed.eservice())
    await site.candidate(renewed)
    assert await all_current(site, kstatus), "a renewal that waits for its verification"
    await site.apply(renewed.verification())
    await site.settled(first, "Published")
    await decided(site, first, "Closed")
    revoked = {"revoked": {"at": str(fleet.today()), "reason": "written by mistake"}}
    await site.apply(second.deferral(days=20, spec=revoked))
    await seen(site, second.deferral(days=20), "Revoked")
    await site.settled(second, "Published")
    await site.assert_sound()
    assert len(await all_current(site, kstatus)) == 8, "every kind that there is"


async def waits_for_each_act(site: Site, kstatus: Kstatus, planned: Planned) -> None:
    """One after the other, as they come in months; and records that nobody has a use for yet."""
    await site.apply(planned.act())
    await seen(site, planned.act(), "UnknownEService")
    assert await all_current(site, kstatus)
    await site.apply(planned.eservice())
    await site.settled(planned, "Pending")
    assert await all_current(site, kstatus)
    await site.apply(planned.registration())
    await site.settled(planned, "AwaitingVerification")
    assert await all_current(site, kstatus)
    await site.apply(planned.verification("Failed"))
    await site.until(planned.ref, lambda obj: says(obj, "Verified", "False", "VerificationFailed"), "failed")
    await site.settled(planned, "AwaitingVerification")
    assert await all_current(site, kstatus)
    await site.apply(planned.verification(number=2))
    await site.settled(planned, "Published")
    await seen(site, planned.verification("Failed"), "Superseded")
    assert await all_current(site, kstatus)


async def is_paused_and_suspended(site: Site, kstatus: Kstatus, planned: Planned) -> None:
    """By the institution, and by the Agency."""
    await site.apply(planned.eservice(spec={"publication": {"paused": {"reason": "maintenance"}}}))
    await site.settled(planned, "Paused")
    assert await all_current(site, kstatus)
    await site.apply(planned.eservice(), planned.registration(spec={"suspended": {"reason": "an incident"}}))
    await site.until(
        planned.ref, lambda obj: says(obj, "Published", "False", "RegistrationSuspended"), "suspended"
    )
    await site.settled(planned, "Paused")
    assert await all_current(site, kstatus)
    await site.apply(planned.registration())
    await site.settled(planned, "Published")


async def decided(site: Site, planned: Planned, state: str) -> None:
    """Wait until the decision about an e-service is in the state."""
    (decision,) = await site.decisions(planned)
    await site.until(ref_of(decision), lambda obj: obj["status"].get("state") == state, state)


async def seen(site: Site, record: Manifest, reason: str) -> None:
    """Wait until the operator has said what it makes of a record."""
    await site.until(ref_of(record), lambda obj: says(obj, "Ready", "True", reason), reason)


async def test_what_comes_by_itself_is_in_progress(
    site: Site, kstatus: Kstatus, operator: OperatorProcess
) -> None:
    assert operator.running
    await site.prepare()
    planned = site.planned()
    stuck = {"release": {"image": f"registry.example/never-ready/{planned.name}:1"}}
    await site.apply(
        planned.registration(
            spec={
                "namespaces": [{"environment": "Test", "name": planned.namespace}],
                "hosts": [{"environment": "Test", "host": planned.host}],
            }
        ),
        in_test(planned, spec=stuck),
    )
    await reaches(site, kstatus, planned.ref, "AwaitingPods", IN_PROGRESS)
    await site.apply(in_test(planned))
    public = await site.settled(planned, "Published")
    assert kstatus.says(public) == CURRENT

    await site.apply(in_test(planned, spec=stuck))
    updating = await reaches(site, kstatus, planned.ref, "AwaitingPods", IN_PROGRESS)
    assert updating["status"]["phase"] == "Updating"
    await site.apply(in_test(planned))
    await site.settled(planned, "Published")

    await hold(site, planned.route)
    await site.delete(planned.ref)
    await reaches(site, kstatus, planned.ref, "Terminating", TERMINATING)
    await let_go(site, planned.route)
    await site.gone(planned.ref)


@pytest.mark.parametrize(
    "paused, answered", [(False, Answered.UNMARKED), (False, Answered.NOTHING), (True, Answered.E_SERVICE)]
)
async def test_what_strangers_answer_holds_nobody_up_for_long(
    kstatus: Kstatus, paused: bool, answered: Answered
) -> None:
    """DNS still at the old portal, a CDN's 503, a cache that outlives a pause: as the report writes it."""
    cluster = PureCluster(policy=replace(worlds.POLICY, probed=True, marked=True))
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(NOW)
    if paused:
        cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
        cluster.settle(NOW)
    cluster.sightings = Witnessed(cluster.face(), 0, NOW, {worlds.HOST: Sighting(answered, 200, NOW)})
    for after, verdict in ((PATIENCE - worlds.SECOND, IN_PROGRESS), (PATIENCE, CURRENT)):
        cluster.settle(NOW + after)
        found = cluster.objects[cluster.service_place]
        assert says(found, "Published", "Unknown"), condition(found, "Published")
        assert kstatus.says(found) == verdict, condition(found, "Ready")


async def test_what_only_another_spec_mends_has_failed(
    site: Site, kstatus: Kstatus, operator: OperatorProcess
) -> None:
    assert operator.running
    await site.prepare()
    planned, foreign = site.planned("good"), site.planned("taken")
    await site.published(planned)
    greedy = {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}
    await site.apply(planned.eservice(spec={"workload": {"resources": greedy}}))
    refused = await reaches(site, kstatus, planned.ref, "Rejected", FAILED)
    assert says(refused, "Published", "True"), "what was accepted before goes on"

    theirs = await site.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": foreign.name, "namespace": foreign.namespace},
            "spec": {"ports": [{"port": 80}]},
        }
    )
    await site.apply(*foreign.everything())
    await reaches(site, kstatus, foreign.ref, "NameCollision", FAILED)
    rival = site.planned("rival")
    number = (await site.see(planned.registered))["status"]["identifier"]
    await site.apply(rival.registration(spec={"identifier": number}))
    await reaches(site, kstatus, rival.registered, "IdentifierTaken", FAILED)

    await site.delete(rival.registered)
    await site.gone(rival.registered)
    await site.delete(ref_of(theirs))
    await site.apply(planned.eservice(), foreign.eservice(spec={"workload": {"replicas": 2}}))
    for each in (planned, foreign):
        await site.settled(each, "Published")
    assert await all_current(site, kstatus)


async def reaches(site: Site, kstatus: Kstatus, ref: Ref, reason: str, verdict: str) -> Manifest:
    """The object once it is not Ready for that reason; the judges say ``verdict`` of it."""
    found = await site.until(ref, lambda obj: says(obj, "Ready", "False", reason), reason)
    assert kstatus.says(found) == verdict, condition(found, "Ready")
    return found


async def hold(site: Site, ref: Ref) -> None:
    """A finalizer of somebody else's."""
    live = await site.see(ref)
    finalizers = [*live["metadata"].get("finalizers", ()), SPENT]
    await site.api.json_patch(
        ref, [{"op": "add", "path": "/metadata/finalizers", "value": finalizers}], field_manager="vandal"
    )


async def let_go(site: Site, ref: Ref) -> None:
    await site.api.json_patch(ref, [{"op": "remove", "path": "/metadata/finalizers"}], field_manager="vandal")
