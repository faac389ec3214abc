# SPDX-License-Identifier: Apache-2.0
"""Access that hangs on a date, under a clock that is ten years ahead: it stays, and says why (ADR 0032)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.runtime.clock import now
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import Site, identity, says
from tests.support.time_machine import TimeMachine
from tests.support.waiting import eventually

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.cluster

DECADE = timedelta(days=3650)


@pytest.fixture
async def register(people: KubeApi, machine: TimeMachine) -> AsyncIterator[Register]:
    """A holder with a register beside the site's e-services."""
    site = Site(people)
    await machine.operator.start()
    await site.prepare()
    made = Register(site)
    await made.prepare()
    try:
        yield made
        await made.clear()
        await site.assert_sound()
    finally:
        await site.clear(operated=machine.operator.running)


@pytest.mark.foreseen("the wall clock is about")
async def test_what_is_open_stays_and_what_needs_no_date_ends_it(
    machine: TimeMachine, register: Register, kubectl: Kubectl
) -> None:
    site, planned, other = register.site, register.site.planned(), register.site.planned("parking")
    last_day = str((now() + timedelta(days=30)).date())
    for one in (planned, other):
        await site.apply(one.registration(), one.eservice(spec={"uses": [register.use()]}))
        await site.apply(register.tested(one), register.grant(one, validUntil=last_day))
        await site.until(register.grant_ref(one), lambda obj: says(obj, "Active", "True", "Active"), "open")
    before = identity([await site.see(child) for child in register.children(planned)])
    assert await machine.operator.terminate() == 0

    machine.move(machine=DECADE)
    await machine.operator.start()
    assert not machine.trusted
    doubted = await site.until(
        register.grant_ref(planned), lambda obj: says(obj, "Active", "True", "ClockSkew"), "it says why"
    )
    assert doubted["status"]["state"] == "Active"
    await register.comes_to_may(kubectl, planned)
    assert identity([await site.see(child) for child in register.children(planned)]) == before
    await site.apply(register.grant(other, validUntil=last_day, refused={"reason": "no legal ground"}))
    for child in register.children(other):
        await site.gone(child)
    await register.may_no_more(kubectl, other)

    machine.move()
    await eventually(lambda: machine.trusted, "trust", 45)
    await site.until(
        register.grant_ref(planned), lambda obj: says(obj, "Active", "True", "Active"), "the day is known"
    )
    assert identity([await site.see(child) for child in register.children(planned)]) == before
