# SPDX-License-Identifier: Apache-2.0
"""The whole life of an e-service, on a real API server behind a real gateway."""

import pytest

from tests.support.fleet import with_instruction
from tests.support.site import Site, condition, gates, identity, says, without_bookkeeping

pytestmark = pytest.mark.cluster


async def test_to_production_off_by_the_rule_and_back(site: Site) -> None:
    template = await site.prepare()
    behind = site.planned("address", version="1.0.0", replicas=2)
    deferred = site.planned("tax", version="1.0.0")
    fine = site.planned("parking", version="2.0.0")

    await site.apply(behind.registration(), behind.eservice())
    unmet = {
        "Accepted": ("AwaitingAcceptance", "Agency"),
        "Installed": ("AwaitingInstallation", "Operator"),
        "Verified": ("AwaitingVerification", "Institution"),
    }
    waiting = await site.until(behind.ref, lambda obj: gates(obj) == unmet, "who owes what")
    assert waiting["status"]["phase"] == "Pending"
    assert {gate["rule"] for gate in waiting["status"]["gates"]} == {"R2", "R5", "R6"}
    assert says(waiting, "Ready", "True", "AwaitingAcceptance"), "waiting for people is no failure"
    assert await site.children(behind) == {}, "nothing is installed before its gates are passed"

    await site.apply(behind.act())
    installed = await site.settled(behind, "AwaitingVerification")
    assert gates(installed) == {"Verified": ("AwaitingVerification", "Institution")}
    assert says(installed, "Installed", "True")
    assert says(installed, "Published", "False", "AwaitingVerification")
    assert await site.api.get(behind.route) is None
    assert "Service " + behind.name not in await site.children(behind), "nothing is public yet"

    await site.apply(behind.verification())
    published = await site.settled(behind, "Published")
    assert says(published, "Published", "True", "Published")
    assert published["status"]["publicURL"] == f"https://{behind.host}/"
    route = await site.see(behind.route)
    accepted = [entry for parent in route["status"]["parents"] for entry in parent["conditions"]]
    assert {entry["type"]: entry["status"] for entry in accepted} == {"Accepted": "True", "ResolvedRefs": "True"}

    for other in (deferred, fine):
        await site.apply(*other.everything())
    await site.apply(deferred.deferral(days=20))
    for other in (deferred, fine):
        await site.settled(other, "Published")
    children = await site.children(behind)

    await site.apply(with_instruction(template))
    off = await site.settled(behind, "Unpublished")
    assert says(off, "Published", "False", "TemplateOverdue")
    assert says(off, "Ready", "True"), "lawfully unpublished is no failure"
    assert "publicURL" not in off["status"]
    assert await site.api.get(behind.route) is None
    kept = await site.children(behind)
    del children[f"HTTPRoute {behind.route.name}"]
    assert identity(kept.values()) == identity(children.values()), "nothing but the route goes"
    for name, child in kept.items():
        assert without_bookkeeping(child) == without_bookkeeping(children[name])
    (decision,) = await site.decisions(behind)
    assert (decision["status"]["state"], decision["spec"]["causedBy"]) == ("Effective", "3.0.0")
    await site.told(behind.ref, "Unpublished", condition(off, "Published")["message"])

    held = await site.until(deferred.ref, lambda obj: obj["status"]["template"].get("decision"), "a decision")
    assert says(held, "Published", "True")
    assert held["status"]["template"]["unpublishAt"] > held["status"]["template"]["overdueSince"]
    (deferred_decision,) = await site.decisions(deferred)
    assert deferred_decision["status"]["state"] == "Scheduled"
    assert deferred_decision["status"]["reason"] == "Deferred"
    assert says(await site.see(fine.ref), "Published", "True")
    assert await site.decisions(fine) == []

    renewed = behind.renewed()
    await site.apply(renewed.act(), renewed.eservice(spec={"workload": {"replicas": 2}}))
    candidate = await site.until(behind.ref, lambda obj: says(obj, "Installed", "True"), "the candidate")
    assert says(candidate, "Published", "False"), "editing the spec renews nothing"
    await site.apply(renewed.verification())
    back = await site.settled(behind, "Published")
    assert back["status"]["release"]["public"]["template"]["version"] == "3.0.0"
    assert (await site.decisions(behind))[0]["status"]["state"] == "Closed"
    landmarks = [change["phase"] for change in back["status"]["history"] if change["phase"] != "Installing"]
    assert landmarks == ["Pending", "AwaitingVerification", "Published", "Unpublished", "Published"]
