# SPDX-License-Identifier: Apache-2.0
"""What people rightly do, kind by kind: each edit changes what is meant, and writes it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, NamedTuple

from eservice_operator.core.actions import ref_of
from tests.support.fleet import days_ago, instruction, today
from tests.support.worlds import merged
from tests.transitions.town import CONTRACTS, Course, Town


class Scene(NamedTuple):
    """Where an edit is made: the town, one of its e-services, and a number that picks among values."""

    town: Town
    course: Course
    number: int


Change = Callable[[Scene], Coroutine[Any, Any, bool]]


class Edit(NamedTuple):
    """One edit of an object of a kind, which tells whether anything of it was accepted."""

    kind: str
    name: str
    do: Change


EDITS: list[Edit] = []


def edit(kind: str) -> Callable[[Change], Change]:
    """Makes one of the edits of a kind."""

    def known(change: Change) -> Change:
        EDITS.append(Edit(kind, change.__name__, change))
        return change

    return known


async def write(town: Town, course: Course) -> bool:
    return await town.hands.apply(town.eservice(course))


@edit("EService")
async def another_content(at: Scene) -> bool:
    at.town.released(at.course, content=f"content-{at.number % 3}")
    return await write(at.town, at.course)


@edit("EService")
async def another_template_version(at: Scene) -> bool:
    version = at.town.versions[at.number % len(at.town.versions)]["version"]
    at.town.released(at.course, version=version)
    return await write(at.town, at.course)


@edit("EService")
async def replicas(at: Scene) -> bool:
    at.town.released(at.course, replicas=1 + at.number % 3)
    return await write(at.town, at.course)


@edit("EService")
async def workload(at: Scene) -> bool:
    at.course.level = ("info", "debug", "warning")[at.number % 3]
    return await write(at.town, at.course)


@edit("EService")
async def hosts(at: Scene) -> bool:
    at.course.hosts = ((0,), (0, 1), (1,))[at.number % 3]
    return await write(at.town, at.course)


@edit("EService")
async def path(at: Scene) -> bool:
    at.course.path = ("/", "/declare")[at.number % 2]
    return await write(at.town, at.course)


@edit("EService")
async def pause(at: Scene) -> bool:
    at.course.paused = not at.course.paused
    return await write(at.town, at.course)


@edit("EService")
async def uses(at: Scene) -> bool:
    at.course.uses = ((), ("v5",), ("v5", "v6"))[at.number % 3]
    return await write(at.town, at.course)


@edit("EService")
async def documents(at: Scene) -> bool:
    at.course.delivered = not at.course.delivered
    return await write(at.town, at.course)


@edit("EService")
async def removed(at: Scene) -> bool:
    return await at.town.hands.delete(at.course.planned.ref)


@edit("EService")
async def written_as_meant(at: Scene) -> bool:
    """Also what brings one back that was deleted."""
    return await write(at.town, at.course)


@edit("AcceptanceAct")
async def signed(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.act(at.course))


@edit("AcceptanceAct")
async def act_removed(at: Scene) -> bool:
    return await at.town.hands.delete(ref_of(at.town.act(at.course)))


@edit("AcceptanceAct")
async def act_revoked(at: Scene) -> bool:
    revoked = {"revoked": {"at": days_ago(0), "reason": "signed by mistake"}}
    return await at.town.hands.apply(at.town.act(at.course, **revoked))


@edit("ProductionVerification")
async def passed(at: Scene) -> bool:
    return await at.town.verify(at.course)


@edit("ProductionVerification")
async def failed(at: Scene) -> bool:
    return await at.town.verify(at.course, "Failed")


@edit("UnpublishDeferral")
async def deferred(at: Scene) -> bool:
    return await at.town.hands.apply(at.course.planned.deferral(30 + at.number))


@edit("UnpublishDeferral")
async def deferral_revoked(at: Scene) -> bool:
    live = await at.town.hands.see(ref_of(at.course.planned.deferral(30)))
    if live is None:
        return await deferred(at)
    body = at.course.planned.deferral(
        30, spec={**live["spec"], "revoked": {"at": days_ago(0), "reason": "x"}}
    )
    return await at.town.hands.apply(body)


@edit("UnpublishDeferral")
async def deferral_removed(at: Scene) -> bool:
    return await at.town.hands.delete(ref_of(at.course.planned.deferral(30)))


@edit("EServiceTemplate")
async def instruction_published(at: Scene) -> bool:
    """The next version that has none gets its instruction: what lags behind it is decided upon."""
    for entry in at.town.versions:
        if "migrationInstruction" not in entry:
            entry["migrationInstruction"] = instruction(entry["version"], str(today()))
            break
    return await at.town.hands.apply(at.town.template())


@edit("EServiceTemplate")
async def version_added(at: Scene) -> bool:
    at.town.versions.append({"version": f"4.0.{at.town.serial()}", "released": days_ago(at.number % 60)})
    return await at.town.hands.apply(at.town.template())


@edit("EServiceTemplate")
async def version_withdrawn(at: Scene) -> bool:
    entry = at.town.versions[at.number % len(at.town.versions)]
    entry.setdefault("withdrawn", {"at": days_ago(0), "reason": "it leaks"})
    return await at.town.hands.apply(at.town.template())


@edit("EServiceTemplate")
async def lifecycle(at: Scene) -> bool:
    at.town.lifecycle |= (
        {"enforcement": "Warn"},
        {"enforcement": "Enforce"},
        {"enforcement": "Observe"},
        {"maximumLag": "P6M"},
        {"maximumLag": "P18M"},
        {"lagMeasure": "SinceSuperseded"},
        {"noticePeriod": "P7D"},
        {"noticePeriod": "P0D"},
        {"brake": {"percent": 0, "atLeast": 1}},
        {"brake": {"percent": 10, "atLeast": 5}},
    )[at.number % 10]
    return await at.town.hands.apply(at.town.template())


@edit("EServiceTemplate")
async def brake_released(at: Scene) -> bool:
    """The Agency lets go whatever set the brake holds."""
    tokens = [
        decision["status"]["holdToken"]
        for one in at.town.services
        for decision in await at.town.site.decisions(one.planned)
        if "holdToken" in (decision.get("status") or {})
    ]
    brake = dict(at.town.lifecycle.get("brake", {"percent": 0, "atLeast": 1}))
    brake["release"] = tokens[-1] if tokens else "no-such-set"
    at.town.lifecycle["brake"] = brake
    return await at.town.hands.apply(at.town.template())


@edit("UnpublishDecision")
async def decision_revoked(at: Scene) -> bool:
    for decision in reversed(await at.town.site.decisions(at.course.planned)):
        if "revoked" not in decision["spec"]:
            revoked = {"at": days_ago(0), "reason": "decided by mistake"}
            return await at.town.hands.patch(
                ref_of(decision), {"op": "add", "path": "/spec/revoked", "value": revoked}
            )
    return False


@edit("EServiceRegistration")
async def suspended(at: Scene) -> bool:
    at.course.suspended = not at.course.suspended
    return await at.town.hands.apply(at.town.registration(at.course))


@edit("EServiceRegistration")
async def hosts_registered(at: Scene) -> bool:
    at.course.allowed = ((0, 1), (0,), (1,))[at.number % 3]
    return await at.town.hands.apply(at.town.registration(at.course))


@edit("EServiceRegistration")
async def registration_removed(at: Scene) -> bool:
    return await at.town.hands.delete(at.course.planned.registered)


@edit("EServiceRegistration")
async def registered(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.registration(at.course))


@edit("WebService")
async def retired(at: Scene) -> bool:
    """A contract version reaches its end of life, or does not after all."""
    version = CONTRACTS[at.number % 2]
    ends = (None, days_ago(1), str(today() + timedelta(days=90)))
    at.town.contracts[version] = ends[at.number % 3]
    return await at.town.hands.apply(at.town.web_service())


@edit("WebService")
async def isolation(at: Scene) -> bool:
    at.town.isolation = ("Enforce", "Observe")[at.number % 2]
    return await at.town.hands.apply(at.town.web_service())


@edit("WebService")
async def web_service_removed(at: Scene) -> bool:
    return await at.town.hands.delete(at.town.register.ref)


@edit("WebService")
async def web_service_written(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.web_service())


@edit("WebServiceGrant")
async def granted(at: Scene) -> bool:
    return await at.town.grant(at.course, *(("v5",), ("v6",), ("v5", "v6"))[at.number % 3])


@edit("WebServiceGrant")
async def refused(at: Scene) -> bool:
    return await at.town.grant(at.course, "v5", refused={"reason": "not for this purpose"})


@edit("WebServiceGrant")
async def dated(at: Scene) -> bool:
    """Until yesterday, today, or a day to come."""
    until = str(today() + timedelta(days=(-1, 0, 60)[at.number % 3]))
    return await at.town.grant(at.course, "v5", validUntil=until)


@edit("WebServiceGrant")
async def grant_removed(at: Scene) -> bool:
    return await at.town.hands.delete(at.town.register.grant_ref(at.course.planned))


@edit("ConnectionTest")
async def tested(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.register.tested(at.course.planned, CONTRACTS[at.number % 2]))


@edit("ConnectionTest")
async def test_removed(at: Scene) -> bool:
    return await at.town.hands.delete(
        ref_of(at.town.register.tested(at.course.planned, CONTRACTS[at.number % 2]))
    )


@edit("AgentAssignment")
async def assigned(at: Scene) -> bool:
    return await at.town.hands.apply(at.town.assignment(signed=at.number % 4 > 0, customers=at.number % 5))


@edit("AgentAssignment")
async def assignment_ended(at: Scene) -> bool:
    ended = {"spec": {"ended": {"at": days_ago(0), "reason": "the agreement ended"}}}
    return await at.town.hands.apply(dict(merged(at.town.assignment(), ended)))


@edit("AgentAssignment")
async def assignment_removed(at: Scene) -> bool:
    return await at.town.hands.delete(ref_of(at.town.assignment()))
