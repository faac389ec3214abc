# SPDX-License-Identifier: Apache-2.0
"""Watches that break, keep silent, say things twice or leave things out."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Ref, ref_of
from tests.faults.plays import Stage
from tests.support.faults.fault import gone
from tests.support.fleet import with_instruction
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import says

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


async def test_what_was_deleted_while_events_were_missed_keeps_nothing_open_or_public(
    stage: Stage, kubectl: Kubectl
) -> None:
    """A connection test, a deferral and children: nobody tells the operator, and kopf does not find out."""
    site = stage.site()
    register, planned, late = Register(site), site.planned(), site.planned("parking", version="1.0.0")
    await site.prepare(warnBefore=[])  # or the end of the deferral would leave time for the last warning
    await register.prepare()
    test, deferral = register.tested(planned), late.deferral(30)
    await site.apply(*planned.everything()[:-1], test, deferral)
    await site.apply(planned.eservice(spec={"uses": [register.use()]}), register.grant(planned))
    await site.published(late)
    await site.settled(planned, "Published")
    await site.apply(with_instruction(await site.see_template()))
    await site.until(late.ref, lambda obj: obj["status"]["template"].get("overdueSince"), "overdue")
    await stage.operator.at_rest()
    await register.comes_to_may(kubectl, planned)

    deployment = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
    children = {ref: (await site.see(ref))["metadata"]["uid"] for ref in (planned.route, deployment)}
    stage.proxy.deaf = True
    for ref in (ref_of(test), ref_of(deferral), *children):
        await site.delete(ref)
        await site.gone(ref)
    await stage.proxy.end_watches(gone())
    stage.proxy.deaf = False
    stage.injected["410 after deletions"] += 1
    stage.runs += 1
    for child in register.children(planned):
        await site.gone(child)
    await register.may_no_more(kubectl, planned)
    await site.gone(late.route)
    await site.until(late.ref, lambda obj: says(obj, "Published", "False", "TemplateOverdue"), "off")
    for ref, uid in children.items():
        await site.until(ref, lambda obj, uid=uid: obj["metadata"]["uid"] != uid, "made again")  # type: ignore[misc]
    await register.clear()
