# SPDX-License-Identifier: Apache-2.0
"""Between a decision and its write the clock becomes another: the write is carried out, and not the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.runtime.clock import now
from tests.faults.conftest import Survived
from tests.faults.injecting import Injected, injected
from tests.support.fault_proxy import Seen
from tests.support.kubectl import Kubectl
from tests.support.operator import traces
from tests.support.register import Register
from tests.support.site import Site, says
from tests.support.time_machine import TimeMachine

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

TODAY = timedelta(0)
LATER = timedelta(days=20)


@pytest.fixture
async def site(people: KubeApi, machine: TimeMachine) -> AsyncIterator[Site]:
    """A corner of the cluster, under the operator; at its end all is sound."""
    await machine.operator.start()
    site = Site(people)
    yield site
    try:
        await site.assert_sound()
        assert traces(machine.operator) == []
    finally:
        await site.clear(operated=machine.operator.running)


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
    await site.until(register.grant_ref(planned), lambda obj: says(obj, "Active", "False", "Expired"), "over")
    assert len(leap.hits) == 1
    for child in register.children(planned):
        await site.gone(child)
    assert not await register.may(kubectl, planned)
    machine.travel(TODAY)
    await register.clear()
    survived(1, {leap.name: 1})
