# SPDX-License-Identifier: Apache-2.0
"""Between a decision and its write the clock becomes another: the write is carried out, and not the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from eservice_operator.runtime.clock import now
from tests.faults.conftest import Survived
from tests.faults.injecting import Injected, injected
from tests.support import fleet
from tests.support.audit import AuditLog
from tests.support.decisions import decided, times_unpublished
from tests.support.fault_proxy import Seen
from tests.support.fleet import with_instruction
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import Site, says
from tests.support.time_machine import TimeMachine
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

TODAY = timedelta(0)
LATER = timedelta(days=20)
TRUSTED = 90.0
"""Seconds, on a machine that is busy with other things: a clock that leapt is not believed for ten."""


@pytest.fixture
async def site(place: Site, machine: TimeMachine) -> Site:
    """A corner of the cluster, under the operator."""
    await machine.operator.start()
    return place


def leaping(machine: TimeMachine, verb: str, resource: str, step: timedelta) -> Injected:
    """Both clocks are set when the first such request is on its way; it arrives all the same."""

    async def leap(_: Seen) -> None:
        machine.travel(step)

    return injected(
        "leap between decision and write",
        lambda seen: (seen.verb, seen.resource) == (verb, resource),
        times=1,
        first=leap,
    )


async def test_what_was_opened_over_its_last_day_is_closed_at_once(
    machine: TimeMachine, site: Site, kubectl: Kubectl, survived: Survived
) -> None:
    """A grant is decided on, and before the right is there its last day is over."""
    register, planned = Register(site), site.planned()
    await site.prepare()
    await register.prepare()
    await site.apply(planned.registration(), planned.eservice(spec={"uses": [register.use()]}))
    await site.apply(register.tested(planned))
    last_day = str((now() + timedelta(days=10)).date())
    leap = leaping(machine, "create", "rolebindings", LATER)
    machine.proxy.faults.append(leap.fault)
    await site.apply(register.grant(planned, validUntil=last_day))
    grant = register.grant_ref(planned)
    await site.until(grant, lambda obj: says(obj, "Active", "False", "Expired"), "over", TRUSTED)
    assert len(leap.hits) == 1
    for child in register.children(planned):
        await site.gone(child)
    await register.may_no_more(kubectl, planned)
    machine.travel(TODAY)
    await register.clear()
    survived(1, {leap.name: 1})


async def test_what_was_taken_off_while_the_clock_went_back_is_off_and_stays_so(
    cluster: Cluster, machine: TimeMachine, site: Site, survived: Survived
) -> None:
    """Its day had come when that was decided: it has taken effect, once, whatever day it is afterwards."""
    template, planned = fleet.template(site.template), site.planned(version="1.0.0")
    await site.apply(fleet.namespace(site.namespace), template)
    await site.published(planned)
    day = str(fleet.today() + timedelta(days=10))
    await site.apply(with_instruction(template, published=day))
    await decided(site, planned, "Scheduled", "Scheduled")
    audit = AuditLog.from_now(cluster.audit_log)
    leap = leaping(machine, "delete", "httproutes", TODAY)
    machine.proxy.faults.append(leap.fault)
    machine.travel(LATER)
    await eventually(lambda: leap.hits, "the route goes", TRUSTED)
    for step in (TODAY, LATER):
        machine.travel(step)
        await site.gone(planned.route)
        await site.settled(planned, "Unpublished")
        await machine.operator.at_rest()
    routes = [one for one in audit.writes() if one.resource == "httproutes" and one.succeeded]
    assert [one.verb for one in routes if one.verb in {"create", "delete"}] == ["delete"]
    assert await times_unpublished(site, planned) == 1
    survived(1, {leap.name: 1})
