# SPDX-License-Identifier: Apache-2.0
"""Somebody deletes the record of an unpublication in effect: the public sees nothing of it."""

from functools import partial

import pytest

from eservice_operator.core.actions import Manifest, ref_of
from tests.support.audit import AuditLog
from tests.support.fleet import Planned, with_instruction
from tests.support.site import Site
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster


async def in_effect(site: Site, planned: Planned, number: str) -> Manifest | None:
    """The decision of that number, once it is in effect."""
    for decision in await site.decisions(planned):
        state = (decision.get("status") or {}).get("state")
        if decision["metadata"]["name"].endswith(number) and state == "Effective":
            return decision
    return None


async def test_a_deleted_decision_goes_on_under_the_next_number(site: Site, audit: AuditLog) -> None:
    template = await site.prepare()
    behind = site.planned("address", version="1.0.0")
    await site.published(behind)
    await site.apply(with_instruction(template))
    off = await site.settled(behind, "Unpublished")
    (first,) = await site.decisions(behind)
    audit.skip()

    latest, after = first, off
    for number in ("-002", "-003"):
        gone = latest["metadata"]["name"]
        await site.delete(ref_of(latest))
        latest = await eventually(partial(in_effect, site, behind, number), f"decision {number}", 45)
        assert latest["spec"]["replaces"]["name"] == gone
        assert latest["status"]["effectiveSince"] == first["status"]["effectiveSince"]
        remembered = partial(remembers, name=latest["metadata"]["name"])
        after = await site.until(behind.ref, remembered, "the EService remembers it")
    assert after["status"]["phase"] == "Unpublished"
    assert after["status"]["history"] == off["status"]["history"]
    put_up = [request for request in audit.writes() if request.target == ("httproutes", *route_of(behind))]
    assert put_up == [], "not on the public route for as much as a moment"

    revoked = {"at": str(first["spec"]["decidedAt"])[:10], "reason": "a wrong date"}
    await site.api.json_patch(
        ref_of(latest), [{"op": "add", "path": "/spec/revoked", "value": revoked}], field_manager="agency"
    )
    await site.settled(behind, "Published")
    await site.told(behind.ref, "Republished")


def remembers(service: Manifest, name: str) -> bool:
    return bool(service["status"].get("lastDecision", {}).get("name") == name)


def route_of(planned: Planned) -> tuple[str, str]:
    return planned.route.namespace, planned.route.name
