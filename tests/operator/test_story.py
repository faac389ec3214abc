# SPDX-License-Identifier: Apache-2.0
"""The whole life of an e-service, on a real API server behind a real gateway."""

import pytest

from eservice_operator.core.actions import Manifest
from tests.support.decisions import decided
from tests.support.fleet import Planned, with_instruction
from tests.support.site import Site, gates, identity, message, says, without_bookkeeping

pytestmark = pytest.mark.cluster


async def test_to_production_off_by_the_rule_and_back(site: Site) -> None:
    template = await site.prepare()
    behind = site.planned("address", version="1.0.0", replicas=2)
    deferred = site.planned("tax", version="1.0.0")
    fine = site.planned("parking", version="2.0.0")

    await waits_for_people(site, behind)
    await is_installed_and_not_public(site, behind)
    await becomes_public(site, behind)
    for other in (deferred, fine):
        await site.published(other)
    await site.apply(deferred.deferral(days=20))
    children = await site.children(behind)

    await site.apply(with_instruction(template))
    await leaves_the_public_route(site, behind, children)
    await is_deferred(site, deferred)
    assert says(await site.see(fine.ref), "Published", "True")
    assert await site.decisions(fine) == []

    await comes_back_once_renewed(site, behind)


async def waits_for_people(site: Site, planned: Planned) -> None:
    """Gates unmet, and who owes what; nothing is installed."""
    await site.apply(planned.registration(), planned.eservice())
    unmet = {
        "Accepted": ("AwaitingAcceptance", "Agency"),
        "Installed": ("AwaitingInstallation", "Operator"),
        "Verified": ("AwaitingVerification", "Institution"),
    }
    waiting = await site.until(planned.ref, lambda obj: gates(obj) == unmet, "who owes what")
    assert waiting["status"]["phase"] == "Pending"
    assert {gate["rule"] for gate in waiting["status"]["gates"]} == {"R2", "R5", "R6"}
    assert says(waiting, "Ready", "True", "AwaitingAcceptance"), "waiting for people is no failure"
    assert await site.children(planned) == {}


async def is_installed_and_not_public(site: Site, planned: Planned) -> None:
    await site.apply(planned.act())
    installed = await site.settled(planned, "AwaitingVerification")
    assert gates(installed) == {"Verified": ("AwaitingVerification", "Institution")}
    assert says(installed, "Installed", "True")
    assert says(installed, "Published", "False", "AwaitingVerification")
    assert await site.api.get(planned.route) is None
    assert f"Service {planned.name}" not in await site.children(planned)


async def becomes_public(site: Site, planned: Planned) -> None:
    """Published is what the gateway reports of the route."""
    await site.apply(planned.verification())
    published = await site.settled(planned, "Published")
    assert says(published, "Published", "True", "Published")
    assert published["status"]["publicURL"] == f"https://{planned.host}/"
    route = await site.see(planned.route)
    reported = [entry for parent in route["status"]["parents"] for entry in parent["conditions"]]
    assert {e["type"]: e["status"] for e in reported} == {"Accepted": "True", "ResolvedRefs": "True"}


async def leaves_the_public_route(site: Site, planned: Planned, before: dict[str, Manifest]) -> None:
    """Only the route goes; there is a record of it, and somebody is told."""
    off = await site.settled(planned, "Unpublished")
    assert says(off, "Published", "False", "TemplateOverdue")
    assert says(off, "Ready", "True"), "lawfully unpublished is no failure"
    assert "publicURL" not in off["status"]
    assert await site.api.get(planned.route) is None
    kept = await site.children(planned)
    stayed = {name: child for name, child in before.items() if child["kind"] != "HTTPRoute"}
    assert identity(kept.values()) == identity(stayed.values())
    for name, child in kept.items():
        assert without_bookkeeping(child) == without_bookkeeping(before[name])
    decision = await decided(site, planned, "Effective", "Effective")
    assert decision["spec"]["causedBy"] == "3.0.0"
    await site.told(planned.ref, "Unpublished", message(off, "Published"))


async def is_deferred(site: Site, planned: Planned) -> None:
    held = await site.until(planned.ref, lambda obj: obj["status"]["template"].get("decision"), "a decision")
    assert says(held, "Published", "True")
    assert held["status"]["template"]["unpublishAt"] > held["status"]["template"]["overdueSince"]
    await decided(site, planned, "Scheduled", "Deferred")


async def comes_back_once_renewed(site: Site, planned: Planned) -> None:
    """A new release is installed beside the old one; once it is verified the public sees it."""
    renewed = planned.renewed()
    await site.apply(renewed.act(), renewed.eservice())
    candidate = await site.candidate(renewed)
    assert says(candidate, "Published", "False"), "editing the spec renews nothing"
    await site.apply(renewed.verification())
    back = await site.settled(planned, "Published")
    assert back["status"]["release"]["public"]["template"]["version"] == "3.0.0"
    await site.told(planned.ref, "Published")
    await decided(site, planned, "Closed", "Renewed")
    phases = [change["phase"] for change in back["status"]["history"] if change["phase"] != "Installing"]
    assert phases == ["Pending", "AwaitingVerification", "Published", "Unpublished", "Published"]
