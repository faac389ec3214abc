# SPDX-License-Identifier: Apache-2.0
"""The look from outside, through a real gateway: Published says what citizens see, nothing waits for it."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from tests.support.door import SILENT, Door, door_before
from tests.support.fleet import Planned
from tests.support.operator import assert_log_clean
from tests.support.site import Site, message, says
from tests.support.time_machine import TimeMachine, time_machine
from tests.support.waiting import eventually
from tests.support.worlds import merged

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

PATIENCE = timedelta(seconds=31)
"""The time that a gateway is given, and a second."""


@pytest.fixture
def door(cluster: "Cluster") -> Iterator[Door]:
    with door_before(cluster.gateway_url) as door:
        yield door


@pytest.fixture
async def machine(cluster: "Cluster", door: Door, tmp_path: Path) -> AsyncIterator[TimeMachine]:
    settings = {
        "probe": "http",
        "probe-address": f"127.0.0.1:{door.port}",
        "probe-allow": "127.0.0.0/8",
        "probe-interval": "10s",
        "resync": "5s",
    }
    async with time_machine(cluster, tmp_path, **settings) as machine:
        await machine.operator.start()
        yield machine
        assert machine.operator.running, machine.operator.tail()
        assert_log_clean(machine.operator.records())


@pytest.fixture
async def place(people: KubeApi, machine: TimeMachine) -> AsyncIterator[Site]:
    """A corner of the cluster; at its end all is sound."""
    site = Site(people)
    await site.prepare()
    yield site
    try:
        await site.assert_sound()
    finally:
        await site.clear(operated=machine.operator.running)


def seen(obj: Manifest) -> tuple[str, list[str]]:
    """The face that was asked about, and what answered."""
    written = obj["status"].get("publication") or {}
    hosts = [f"{one['answer']} {one.get('code', '-')}" for one in written.get("hosts") or ()]
    return (written.get("route") or {}).get("face", ""), hosts


def mark_of(planned: Planned) -> str:
    return f"{planned.namespace}.{planned.name}"


async def pause(site: Site, planned: Planned, reason: str | None) -> None:
    paused = {"reason": reason} if reason else None
    await site.apply(dict(merged(planned.eservice(), {"spec": {"publication": {"paused": paused}}})))


async def test_published_and_unpublished_are_final_once_they_were_seen(place: Site, door: Door) -> None:
    planned = place.planned()
    public = await place.published(planned)
    assert says(public, "Published", "True", "Published")
    face, (answer,) = seen(public)
    assert (face, answer.split()[0]) == ("Live", "EService")
    assert (planned.host, "/") in door.asked

    door.answers[planned.host] = (200, mark_of(planned))  # something before the gateway keeps the answers
    await pause(place, planned, "holidays")
    waits = await place.until(
        planned.ref, lambda obj: says(obj, "Published", "Unknown", "AwaitingProbe"), "not seen yet"
    )
    assert waits["status"]["phase"] == "Paused", "the pause itself waited for nobody"
    await place.gone(planned.route)
    del door.answers[planned.host]
    off = await place.settled(planned, "Paused")
    assert says(off, "Published", "False", "Paused")
    assert seen(off) == ("Nothing", ["Nothing 404"])

    await pause(place, planned, None)
    again = await place.settled(planned, "Published")
    assert says(again, "Published", "True", "Published")


async def test_an_e_service_that_still_answers_is_not_called_unpublished(
    place: Site, door: Door, machine: TimeMachine
) -> None:
    planned = place.planned()
    await place.published(planned)
    door.answers[planned.host] = (200, mark_of(planned))
    await pause(place, planned, "holidays")
    await place.until(planned.ref, lambda obj: seen(obj)[0] == "Nothing", "asked about")
    machine.travel(PATIENCE)
    still = await place.until(
        planned.ref, lambda obj: says(obj, "Published", "Unknown", "StillAnswers"), "still answers"
    )
    assert planned.host in message(still, "Published")
    assert says(still, "Ready", "True", "StillAnswers")
    await place.told(planned.ref, "StillAnswers")
    labels = f'namespace="{planned.namespace}",name="{planned.name}",host="{planned.host}"'
    series = f'eservice_probe_disagrees{{{labels},finding="StillAnswers"}}'
    await eventually(lambda: machine.operator.metrics().get(series) == 1, series)
    del door.answers[planned.host]
    await place.settled(planned, "Paused")


async def test_somebody_else_who_answers_is_told_and_a_restart_writes_nothing(
    place: Site, door: Door, machine: TimeMachine
) -> None:
    planned = place.planned()
    public = await place.published(planned)
    machine.travel(PATIENCE)
    door.answers[planned.host] = (200, "")
    taken = await place.until(
        planned.ref, lambda obj: says(obj, "Published", "Unknown", "AnsweredByOther"), "somebody else"
    )
    assert taken["status"]["phase"] == "Published"
    assert seen(taken) == ("Live", ["Unmarked 200"])
    await place.told(planned.ref, "AnsweredByOther")
    assert await place.see(planned.route), "and the route stays as it is"
    del door.answers[planned.host]
    await place.until(planned.ref, lambda obj: says(obj, "Published", "True", "Published"), "seen again")
    await machine.operator.at_rest()
    back = await place.settled(planned, "Published")
    assert seen(back) == seen(public)

    assert await machine.operator.terminate() == 0
    version, asked = back["metadata"]["resourceVersion"], len(door.asked)
    await machine.operator.start()
    await eventually(lambda: len(door.asked) > asked, "asked anew", 30)
    after = await place.settled(planned, "Published")
    assert after["metadata"]["resourceVersion"] == version, "what was written down counts"


async def test_where_the_probe_cannot_look_the_gateways_word_counts(
    place: Site, door: Door, machine: TimeMachine
) -> None:
    planned = place.planned()
    door.answers[planned.host] = SILENT
    await place.apply(*planned.everything())
    await place.until(
        planned.ref, lambda obj: says(obj, "Published", "Unknown", "AwaitingProbe"), "nobody has seen it"
    )
    await place.until(planned.ref, lambda obj: seen(obj) == ("Live", ["Broken -"]), "asked")
    machine.travel(PATIENCE)
    public = await place.settled(planned, "Published")
    assert says(public, "Published", "True", "Published")
    assert message(public, "Published").endswith(
        f"not confirmed from outside: {planned.host} (the connection broke)"
    )
