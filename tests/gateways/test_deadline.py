# SPDX-License-Identifier: Apache-2.0
"""R8 through a real gateway: at the deadline the public gets the notice, and once renewed the e-service."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from eservice_operator.runtime.clock import now
from tests.gateways.conftest import Lane
from tests.gateways.stage import TARGET, Stage, off
from tests.support.fleet import with_instruction
from tests.support.time_machine import TimeMachine, time_machine

pytestmark = pytest.mark.cluster

RATE = 100.0
BEFORE = timedelta(seconds=45)
"""What is left of the promised time when the operator starts on its last day."""


@pytest.fixture
async def machine(lane: Lane, tmp_path: Path) -> AsyncIterator[TimeMachine]:
    async with time_machine(lane.cluster, tmp_path, **lane.settings) as machine:
        yield machine


async def test_the_deadline_passes_and_the_renewed_e_service_comes_back(
    stage: Stage, machine: TimeMachine
) -> None:
    site, operator = stage.site, await machine.operator.start()
    try:
        template = await site.prepare(lagMeasure="SinceSuperseded")
        planned = site.planned()
        await stage.published(planned)
        await site.apply(with_instruction(template))
        effective = await stage.promised(planned)
        assert await operator.terminate() == 0

        machine.travel(effective - now() - BEFORE)
        deadline = time.monotonic() + BEFORE.total_seconds()
        await operator.start()
        assert time.monotonic() < deadline, "the operator took too long to start"
        async with stage.watched(operator), stage.asked(planned, RATE) as answers:
            await site.settled(planned, "Unpublished")
            await stage.citizens.until(planned.host, lambda answer: answer.mark == "notice", "the notice")
        assert [a.said for a in answers.failed() if a.ends < deadline] == [], "served up to its last moment"
        ended = deadline + off(answers, deadline)
        stage.counted("the deadline", answers)
        stage.in_time("deadline to the last request served", deadline, ended, TARGET)

        renewed = planned.renewed()
        await site.apply(renewed.act(), await stage.eservice(renewed))
        await site.candidate(renewed)
        await stage.looked_at(renewed)
        assert (await stage.citizens.ask(planned.host)).mark == "notice", "editing the spec renews nothing"
        async with stage.watched(operator):
            verified = await stage.apply(renewed.verification())
            back = (await stage.answered(renewed)).ends
        stage.in_time("renewed and verified to the first 200", verified, back, TARGET)
        await site.settled(planned, "Published")
        await site.assert_sound()
    finally:
        await site.clear(operated=operator.running)
