# SPDX-License-Identifier: Apache-2.0
"""The real operator on days that clocks find hard, and while its clock leaps over what is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from eservice_operator.runtime.clock import now
from tests.faults.conftest import Survived
from tests.support import fleet
from tests.support.decisions import decided, times_unpublished
from tests.support.fleet import Planned, with_instruction
from tests.support.site import Site, poll, says
from tests.support.time_machine import TimeMachine
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

RIGA = ZoneInfo("Europe/Riga")
AHEAD = timedelta(days=60)
"""How far off the days are at least: they are announced before."""


def odd_days(today: date) -> list[date]:
    """The next that has 23 hours, the next after one of 25, and the next 29 February, in their order."""
    later = [today + AHEAD + timedelta(days=number) for number in range(9 * 366)]
    shortest = next(day for day in later if hours(day) == 23)
    after_longest = next(day for day in later if hours(day - timedelta(days=1)) == 25)
    return sorted({shortest, after_longest, next(day for day in later if (day.month, day.day) == (2, 29))})


def hours(day: date) -> int:
    """How many a day has in Riga."""
    return round((begins(day + timedelta(days=1)) - begins(day)).total_seconds() / 3600)


def begins(day: date) -> datetime:
    """Its first instant in Riga."""
    return datetime.combine(day, time(), RIGA).astimezone(UTC)


LEAD = timedelta(seconds=8)
"""How long before the instant the operator is started: mostly it is ready by then."""
AFTER = 30.0
"""Seconds from the instant, or from the start after it, on a machine that is busy; usually less than one."""


async def scheduled_for(place: Site, day: str) -> Planned:
    """An e-service that is public until that day, as everybody knows."""
    planned = Planned(f"e{day}-{place.mark}", place.namespace, f"t{day}-{place.mark}", "1.0.0")
    template = fleet.template(planned.template)
    await place.apply(template)
    await place.published(planned)
    await place.apply(with_instruction(template, published=day))
    await decided(place, planned, "Scheduled", "Scheduled")
    return planned


async def test_the_last_day_is_over_when_it_is_over_whatever_day_that_is(
    machine: TimeMachine, place: Site, survived: Survived
) -> None:
    operator = await machine.operator.start()
    await place.apply(fleet.namespace(place.namespace))
    days = odd_days(now().date())
    services = {day: await scheduled_for(place, day.isoformat()) for day in days}
    for day, planned in services.items():
        instant = begins(day)
        (decision,) = await place.decisions(planned)
        assert datetime.fromisoformat(decision["spec"]["effectiveAt"]) == instant
        assert await operator.terminate() == 0
        step = instant - LEAD - now()
        machine.travel(step)
        await operator.start()
        ready = now() + step
        there = await place.api.get(planned.route) is not None
        assert there or now() + step >= instant, f"{day}: too early"
        last_seen, gone = await the_end(place, planned)
        assert gone + step >= instant, f"{day}: it went {instant - gone - step} too early"
        late = (last_seen + step - max(instant, ready)).total_seconds()
        assert late < AFTER, f"{day}: still public {late:.1f} s after its instant"
        await place.settled(planned, "Unpublished")
        assert await times_unpublished(place, planned) == 1
    survived(len(days), {"odd day": len(days)})


async def the_end(place: Site, planned: Planned) -> tuple[datetime, datetime]:
    """When the public route was last seen, and first missed."""
    seen = now()

    async def missed() -> tuple[datetime, datetime] | None:
        nonlocal seen
        asked = now()
        if await place.api.get(planned.route) is not None:
            seen = asked
            return None
        return seen, now()

    return await poll(missed, lambda: f"{planned.name} is still public", longest=0.05)


async def test_a_clock_that_leaps_over_the_instant_takes_it_off_once(
    machine: TimeMachine, place: Site, survived: Survived
) -> None:
    """As after a machine has slept: both clocks agree, and each of them is days later than a moment ago."""
    await machine.operator.start()
    await place.apply(fleet.namespace(place.namespace))
    due = await scheduled_for(place, str(fleet.today() + timedelta(days=10)))
    later = await scheduled_for(place, str(fleet.today() + timedelta(days=30)))
    async with place.watching(due.ref) as versions:
        machine.travel(timedelta(days=20))
        off = await place.settled(due, "Unpublished")
        machine.travel(timedelta(days=12))  # back, and still after its day
        last = (await place.settled(due, "Unpublished"))["metadata"]["resourceVersion"]
        await eventually(
            lambda: any(obj["metadata"]["resourceVersion"] == last for obj in versions), "all seen"
        )
    began = [number for number, obj in enumerate(versions) if says(obj, "Published", "False")]
    assert not [obj for obj in versions[min(began) :] if says(obj, "Published", "True")], "it never came back"
    assert says(off, "Published", "False", "TemplateOverdue")
    assert await times_unpublished(place, due) == 1
    assert says(await place.settled(later, "Published"), "Published", "True")
    await decided(place, later, "Scheduled", "Scheduled")
    survived(1, {"leap of the clock": 2})
