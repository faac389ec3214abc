# SPDX-License-Identifier: Apache-2.0
"""A gateway that collects changes for two seconds, as Traefik does by default: later, and nothing is lost."""

from collections.abc import Iterator

import pytest

from eservice_operator.runtime.options import DEFAULTS
from eservice_operator.runtime.settings import format_duration
from tests.gateways.conftest import Lane, opened
from tests.gateways.stage import Stage, off
from tests.support.cluster import Options, private_control_plane
from tests.support.fleet import Planned
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

THROTTLE = 2.0
"""Seconds: the default of ``providers.providersThrottleDuration``."""
SLOWEST = 2 * THROTTLE + 1
"""Seconds until a change is seen that comes right after another, as the first one begins a new time."""
RATE = 100.0
PAUSED = {"spec": {"publication": {"paused": {"reason": "the register moves house"}}}}


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """In the place of the others: this test is about one setting of one of them."""
    folder = tmp_path_factory.mktemp("throttled")
    options = Options(throttle=f"{THROTTLE:g}s")
    running = private_control_plane(folder / "cluster", options)
    with opened(f"traefik, throttled for {THROTTLE:g} s", running, folder) as lane:
        yield lane


@pytest.fixture(scope="module")
def operator_settings(lane: Lane) -> dict[str, str]:
    """With the drain delay that everybody has; without any, requests reach Pods that are gone."""
    return lane.settings | {"drain-delay": format_duration(DEFAULTS.drain_delay)}


async def test_nothing_is_lost_by_a_gateway_that_follows_late(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    first = site.planned()
    second = first.renewed()
    await operated.installed(first)
    verified = await operated.apply(first.verification())
    taken = (await operated.answered(first)).ends
    await site.apply(second.act(), second.verification())

    async with operated.asked(first, RATE) as answers:
        switched = await operated.apply(await operated.eservice(second))
        await operated.answered(second)
        returned = await operated.apply(await operated.eservice(first))
        await site.kept_without_pods(second)
        await operated.pods.ended(second.release)
        served = len(answers.all)
        await eventually(lambda: len(answers.all) > served + RATE, "asked on after that")
    assert answers.failed() == [], answers.story()
    operated.counted("switched, and gone back at once, with the default drain delay", answers)

    times = {
        "verified to the first 200": (verified, taken),
        "a new release": (switched, answers.first(second.release, switched).ends),
        "back at once": (returned, answers.first(first.release, returned).ends),
        **await paused_and_resumed(operated, first),
    }
    for what, (begins, ends) in times.items():
        operated.in_time(what, begins, ends, SLOWEST)


async def paused_and_resumed(stage: Stage, planned: Planned) -> dict[str, tuple[float, float]]:
    """From when to when the public waited for both; nothing but the notice came after the e-service."""
    async with stage.asked(planned, RATE) as answers:
        paused = await stage.apply(await stage.eservice(planned, **PAUSED))
        await stage.citizens.until(planned.host, lambda answer: answer.mark == "notice", "the notice")
        await stage.site.settled(planned, "Paused")
    resumed = await stage.apply(await stage.eservice(planned))
    back = await stage.answered(planned)
    await stage.site.settled(planned, "Published")
    return {
        "paused to the last request served": (paused, paused + off(answers, paused)),
        "resumed to the first 200": (resumed, back.ends),
    }
