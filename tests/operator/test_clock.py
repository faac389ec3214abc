# SPDX-License-Identifier: Apache-2.0
"""A clock that is wrong takes nothing down; a clock that was away makes up for it once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.support import fleet
from tests.support.decisions import decided, times_unpublished
from tests.support.fleet import Planned, with_instruction
from tests.support.mailserver import MailServer, mail_server
from tests.support.operator import traces
from tests.support.site import Site, says
from tests.support.time_machine import TimeMachine
from tests.support.waiting import eventually
from tests.support.worlds import merged

pytestmark = pytest.mark.cluster

DAY = timedelta(days=1)
doubted = pytest.mark.foreseen("the wall clock is about")


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


async def public_and_overdue(site: Site, template: Manifest, planned: Planned) -> Manifest:
    """An e-service that is public on a version that would be off the route if the rule were enforced."""
    warned = merged(with_instruction(template), {"spec": {"lifecycle": {"enforcement": "Warn"}}})
    await site.apply(template)
    await site.published(planned)
    await site.apply(dict(warned))
    await site.until(planned.ref, lambda obj: obj["status"]["template"].get("overdueSince"), "overdue")
    return dict(warned)


async def promised_for_today(
    machine: TimeMachine, site: Site, template: Manifest, planned: Planned
) -> Manifest:
    """The decision about an e-service that was made yesterday for today; the operator is stopped by then."""
    await machine.operator.terminate()
    machine.travel(-DAY)
    await machine.operator.start()
    await site.apply(enforced(template, enforceFrom=str(fleet.today())))
    scheduled = await decided(site, planned, "Scheduled", "Scheduled")
    assert says(await site.settled(planned, "Published"), "Published", "True")
    assert machine.trusted
    assert await machine.operator.terminate() == 0
    return scheduled


def enforced(template: Manifest, **lifecycle: str) -> Manifest:
    return dict(merged(template, {"spec": {"lifecycle": {"enforcement": "Enforce"} | lifecycle}}))


@doubted
async def test_while_the_servers_clock_differs_nothing_more_is_unpublished(
    machine: TimeMachine, place: Site
) -> None:
    operator = await machine.operator.start()
    off = place.planned("off", version="1.0.0")
    due = Planned(f"due-{place.mark}", place.namespace, f"other-{place.mark}", "1.0.0")
    template = await place.prepare()
    await place.published(off)
    await place.apply(with_instruction(template))
    await place.settled(off, "Unpublished")
    others = await public_and_overdue(place, fleet.template(due.template), due)
    await promised_for_today(machine, place, others, due)

    machine.move(server=timedelta(minutes=10))
    await operator.start()
    assert not machine.trusted
    await eventually(lambda: machine.skew == pytest.approx(-600, abs=5), "ten minutes", 45)
    held = await decided(place, due, "Held", "ClockSkew")
    assert "clock" in held["status"]["message"]
    assert says(await place.settled(due, "Published"), "Published", "True")
    (effective,) = await place.decisions(off)
    assert (effective["status"]["state"], effective["status"]["reason"]) == ("Effective", "Effective")
    assert await place.api.get(off.route) is None
    assert operator.ready

    machine.move()
    await eventually(lambda: machine.trusted, "trust", 45)
    await place.settled(due, "Unpublished")
    await decided(place, due, "Effective", "Effective")
    assert await times_unpublished(place, due) == 1
    assert await times_unpublished(place, off) == 1
    said = [record["msg"] for record in operator.records() if record["level"] == "error"]
    assert len(said) == 1
    assert "behind the API server's: nothing more is unpublished" in said[0]
    assert traces(operator) == []


async def test_four_minutes_are_no_reason_to_hold_anything(machine: TimeMachine, place: Site) -> None:
    operator = await machine.operator.start()
    due = place.planned("due", version="1.0.0")
    template = await public_and_overdue(place, await place.prepare(), due)
    machine.move(server=timedelta(minutes=-4))
    await eventually(lambda: machine.skew > 200, "the difference", 45)
    async with place.watching(due.ref) as versions:
        await place.apply(enforced(template))
        await place.settled(due, "Unpublished")
    assert machine.trusted
    assert "ClockSkew" not in str(versions)
    assert not [record for record in operator.records() if record["level"] == "error"]


@doubted
async def test_a_clock_set_forward_by_years_unpublishes_nobody(machine: TimeMachine, place: Site) -> None:
    operator = await machine.operator.start()
    planned = place.planned("later", version="2.0.0")
    template = await place.prepare(lagMeasure="SinceSuperseded")
    await place.published(planned)
    await place.apply(with_instruction(template))
    scheduled = await decided(place, planned, "Scheduled", "Scheduled")
    machine.move(machine=timedelta(days=3 * 365))
    held = await decided(place, planned, "Held", "ClockSkew")
    assert held["status"]["effectiveAt"] == scheduled["status"]["effectiveAt"]
    await eventually(lambda: operator.metrics()["eservice_operator_clock_jumps_total"] == 1, "a jump", 45)
    assert not machine.trusted
    assert says(await place.settled(planned, "Published"), "Published", "True")
    versions = (await place.see(place.template_ref))["status"]["versions"]

    machine.move()
    await eventually(lambda: machine.trusted, "trust", 45)
    back = await decided(place, planned, "Scheduled", "Scheduled")
    assert back["status"]["effectiveAt"] == scheduled["status"]["effectiveAt"]
    assert says(await place.settled(planned, "Published"), "Published", "True")
    assert await times_unpublished(place, planned) == 0
    recorded = [entry.get("publishedAt") for entry in versions]
    seen = await place.until(
        place.template_ref,
        lambda obj: obj["status"]["versions"][0]["stage"] != "Overdue",
        "the stages as of today",
    )
    assert [entry.get("publishedAt") for entry in seen["status"]["versions"]] == recorded


@doubted
async def test_a_clock_set_back_brings_nobody_back(machine: TimeMachine, place: Site) -> None:
    await machine.operator.start()
    planned = place.planned("off", version="1.0.0")
    template = await place.prepare()
    await place.published(planned)
    await place.apply(with_instruction(template))
    await place.settled(planned, "Unpublished")
    async with place.watching(planned.ref) as versions:
        machine.move(machine=timedelta(days=-400))
        await eventually(lambda: not machine.trusted, "distrust", 45)
        machine.move()
        await eventually(lambda: machine.trusted, "trust", 45)
    assert not [obj for obj in versions if says(obj, "Published", "True")]
    await decided(place, planned, "Effective", "Effective")
    assert await place.api.get(planned.route) is None
    assert await times_unpublished(place, planned) == 1


async def test_what_fell_due_while_the_operator_was_down_happens_once(
    machine: TimeMachine, place: Site
) -> None:
    operator = await machine.operator.start()
    planned = place.planned("due", version="1.0.0")
    template = await public_and_overdue(place, await place.prepare(), planned)
    scheduled = await promised_for_today(machine, place, template, planned)

    machine.travel(timedelta(0))
    await operator.start()
    await place.settled(planned, "Unpublished")
    effective = await decided(place, planned, "Effective", "Effective")
    assert effective["status"]["effectiveAt"] == scheduled["status"]["effectiveAt"]
    assert await times_unpublished(place, planned) == 1
    await operator.terminate()
    await operator.start()
    await decided(place, planned, "Effective", "Effective")
    assert await times_unpublished(place, planned) == 1
    assert traces(operator) == []


def about_the_rule(mail: MailServer) -> list[str]:
    """The English half of the subjects that the institution got about R8, in order."""
    subjects = [
        str(one.message["Subject"]).partition(" / ")[2]
        for one in mail.received
        if one.recipients[0].endswith("@pmlp.example")
    ]
    return [subject for subject in subjects if "unpublish" in subject]


async def test_of_the_warnings_that_were_missed_only_the_latest_is_sent(
    machine: TimeMachine, place: Site, mail: MailServer
) -> None:
    operator = machine.operator
    operator.settings |= {
        "smtp-server": f"127.0.0.1:{mail.port}",
        "smtp-security": "none",
        "mail-from": "e-pakalpojumi@agency.example",
    }
    await operator.start()
    planned = place.planned("warned")
    template = await place.prepare(lagMeasure="SinceSuperseded", warnBefore=["P6M", "P3M", "P1M", "P7D"])
    await place.published(planned)
    await place.apply(with_instruction(template))
    scheduled = await decided(place, planned, "Scheduled", "Scheduled")
    effect = datetime.fromisoformat(scheduled["status"]["effectiveAt"])
    day = effect.astimezone(fleet.RIGA).date()
    announced = [f"to be unpublished on {day}"]
    await eventually(lambda: about_the_rule(mail) == announced, "the announcement", 45)

    await operator.terminate()
    machine.travel(effect - now() - 3 * DAY)
    await operator.start()
    warned = [*announced, f"reminder: to be unpublished on {day}"]
    await eventually(lambda: about_the_rule(mail) == warned, "one reminder for four steps", 45)

    await operator.terminate()
    machine.travel(effect - now() + DAY)
    await operator.start()
    await place.settled(planned, "Unpublished")
    await eventually(
        lambda: about_the_rule(mail) == [*warned, "unpublished"], "what was done, and no more", 45
    )
    assert await operator.terminate() == 0
    assert about_the_rule(mail) == [*warned, "unpublished"]
    assert traces(operator) == []
