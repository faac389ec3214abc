# SPDX-License-Identifier: Apache-2.0
"""The operator's own look from outside, through the gateways: Published says what citizens get."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from eservice_operator.core.actions import Manifest
from tests.gateways.conftest import Lane
from tests.gateways.neighbours import EXACTLY, copied, route, served_elsewhere, standing
from tests.gateways.stage import Stage
from tests.support.fleet import Planned
from tests.support.operator import assert_log_clean
from tests.support.site import message, says
from tests.support.time_machine import TimeMachine, time_machine
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

PATIENCE = timedelta(seconds=31)
"""The time that a gateway is given, and a second."""
PAUSED = {"spec": {"publication": {"paused": {"reason": "the register moves house"}}}}


@pytest.fixture
async def machine(lane: Lane, tmp_path: Path) -> AsyncIterator[TimeMachine]:
    often = {"probe-interval": "10s", "resync": "5s"}
    async with time_machine(lane.cluster, tmp_path, **lane.settings | often) as machine:
        await machine.operator.start()
        yield machine
        assert machine.operator.running, machine.operator.tail()
        assert_log_clean(machine.operator.records())


def seen(obj: Manifest) -> tuple[str, list[tuple[str, int]]]:
    """The face that was asked about, and what answered."""
    written = obj["status"].get("publication") or {}
    hosts = [(one["answer"], one.get("code", 0)) for one in written.get("hosts") or ()]
    return (written.get("route") or {}).get("face", ""), hosts


async def test_published_says_what_the_gateway_was_seen_to_serve(stage: Stage, machine: TimeMachine) -> None:
    """Somebody else under the host; then, after its end, the e-service itself by a copy of its route."""
    site = stage.site
    try:
        await site.prepare()
        planned = site.planned()
        await stage.published(planned)
        await served(stage, planned)
        machine.travel(PATIENCE)
        await taken_by_another(stage, planned)
        await still_answered_after_its_end(stage, planned, machine)
        await site.apply(await stage.eservice(planned))
        await served(stage, planned)
        await site.assert_sound()
    finally:
        await site.clear(operated=machine.operator.running)


async def served(stage: Stage, planned: Planned) -> None:
    """The release answers, and that is what is said; Envoy's own 503, while it follows, for 2 s."""
    await stage.answered(planned)
    await stage.site.settled(planned, "Published")
    await stage.site.until(
        planned.ref,
        lambda obj: says(obj, "Published", "True") and seen(obj) == ("Live", [("EService", 200)]),
        "seen from outside",
    )


async def taken_by_another(stage: Stage, planned: Planned) -> None:
    """A later route for this very path, which the gateway prefers."""
    site, name = stage.site, f"taken-{stage.site.mark}"
    async with (
        served_elsewhere(stage) as backend,
        standing(stage, route(name, planned.host, EXACTLY, backend)),
    ):
        await stage.citizens.until(planned.host, lambda a: a.release == "elsewhere", "taken")
        taken = await site.until(
            planned.ref, lambda obj: says(obj, "Published", "Unknown", "AnsweredByOther"), "answered by other"
        )
        assert seen(taken) == ("Live", [("Unmarked", 200)])
        assert planned.host in message(taken, "Published")
        assert taken["status"]["phase"] == "Published"
        await site.told(planned.ref, "AnsweredByOther")
    await served(stage, planned)


async def still_answered_after_its_end(stage: Stage, planned: Planned, machine: TimeMachine) -> None:
    """Not final before it answers no more."""
    site = stage.site
    async with standing(stage, copied(stage, planned)) as copy:
        await site.until(planned.ref, lambda obj: copy.name in str(obj["status"].get("contested")), "told")
        await site.apply(await stage.eservice(planned, **PAUSED))
        waits = await site.until(
            planned.ref, lambda obj: says(obj, "Published", "Unknown", "AwaitingProbe"), "not final"
        )
        assert waits["status"]["phase"] == "Paused", "the pause itself waited for nobody"
        await site.until(planned.ref, lambda obj: seen(obj) == ("Notice", [("EService", 200)]), "asked")
        machine.travel(2 * PATIENCE)
        still = await site.until(
            planned.ref, lambda obj: says(obj, "Published", "Unknown", "StillAnswers"), "still answers"
        )
        assert planned.host in message(still, "Published")
        assert (await stage.citizens.ask(planned.host)).release == planned.release, "and so it does"
        await site.told(planned.ref, "StillAnswers")
        labels = f'namespace="{planned.namespace}",name="{planned.name}",host="{planned.host}"'
        series = f'eservice_probe_disagrees{{{labels},finding="StillAnswers"}}'
        await eventually(lambda: machine.operator.metrics().get(series) == 1, series)
    final = await site.until(planned.ref, lambda obj: says(obj, "Published", "False", "Paused"), "final")
    assert seen(final) == ("Notice", [("Notice", 503)])
    assert (await stage.citizens.ask(planned.host)).mark == "notice"
