# SPDX-License-Identifier: Apache-2.0
"""Watches that break in the middle of a word, keep silent, repeat themselves, come late or leave things out.

What is not told is found by lists: where events are lost for good, the operator lists every other second, by
its own setting.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from eservice_operator.core.actions import ref_of
from tests.faults.conftest import Backstage, Survived
from tests.faults.injecting import Chosen, injected, one_event_in, one_in, writes
from tests.faults.plays import PLAYS, Play, Stage
from tests.support import fleet, hasty_operator
from tests.support.fault_proxy import FrameFault, Seen, Treatment
from tests.support.faults.fault import named
from tests.support.fleet import with_instruction
from tests.support.kubectl import Kubectl
from tests.support.oracles import oracles
from tests.support.register import Register
from tests.support.site import gates, poll, says
from tests.support.waiting import eventually
from tests.support.zygote import Zygote

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """How often the operator lists."""
    return getattr(request, "param", {})


LISTING = pytest.mark.parametrize("told", [{"resync": "2s"}], indirect=True, ids=["lists"])


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_watches_break_off_in_the_middle_of_an_event_and_tell_the_others_twice(
    stage: Stage, play: Play
) -> None:
    torn = FrameFault(one_event_in(7), Treatment.TORN)
    twice = FrameFault(lambda *_: True, Treatment.TWICE)
    await stage.survives(play, injected("all watches cut", one_in(6), first=stage.cut), frames=[torn, twice])


@LISTING
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_some_events_never_come_and_some_are_overtaken(stage: Stage, play: Play) -> None:
    dropped = FrameFault(one_event_in(3), Treatment.DROPPED)
    late = FrameFault(one_event_in(2), Treatment.LATE)
    await stage.survives(play, frames=[dropped, late])


@LISTING
async def test_every_watch_is_open_and_silent_for_the_whole_of_a_play(stage: Stage) -> None:
    """Half-open: no end, no error, not a byte."""
    for play in PLAYS[1:]:
        silent = injected("half-open watch", lambda seen: seen.watch, half_open=True)
        begin = injected("all watches cut", writes, times=1, first=stage.cut)
        await stage.survives(play, silent, begin)
        await stage.proxy.end_watches()


async def test_a_watch_that_is_silent_for_too_long_is_begun_anew(
    ground: Cluster, backstage: Backstage, survived: Survived, brood: Zygote
) -> None:
    """Nothing is listed meanwhile: what was said in the silence comes with the next watch.

    A live watch brings a bookmark each minute, and is given up after 70 s; this operator waits for 3.
    """
    hasty = partial(brood.launch, entry=hasty_operator.ENTRY)
    async with backstage(launcher=hasty) as stage, oracles(ground, stage.operator):
        for play in PLAYS[::2]:
            silent = injected("half-open watch", first_of_each_path(), half_open=True)
            begin = injected("all watches cut", writes, times=1, first=stage.cut)
            await stage.survives(play, silent, begin)
            assert len(silent.hits) > 20, "each kind has a watch"
        await stage.rests()
        survived(stage.runs, stage.injected)


def first_of_each_path() -> Chosen:
    """The first watch of each kind."""
    begun: set[str] = set()

    def chosen(seen: Seen) -> bool:
        first = seen.watch and seen.path not in begun
        begun.update({seen.path} if seen.watch else ())
        return first

    return chosen


async def test_what_was_not_heard_of_is_read_before_a_grave_step(stage: Stage, kubectl: Kubectl) -> None:
    """A deferral keeps one public, a revoked act keeps one off, without its test a register stays shut."""
    site = stage.site()
    register, caller = Register(site), site.planned("tax")
    late, new = site.planned("parking", version="1.0.0"), site.planned("address")
    await site.prepare()
    await register.prepare()
    await site.published(late)
    await site.apply(caller.registration(), caller.act(), tested := register.tested(caller))
    await site.apply(caller.eservice(spec={"uses": [register.use()]}))
    await site.apply(new.registration(), new.act(), new.eservice())
    await site.settled(new, "AwaitingVerification")
    await site.until(caller.ref, lambda obj: "AccessGranted" in gates(obj), "it waits for the holder")
    await stage.operator.at_rest()

    deferral, revoked = late.deferral(30), {"at": str(fleet.today()), "reason": "signed by mistake"}
    unheard = [one["metadata"]["name"] for one in (deferral, new.act(), tested)]
    stage.proxy.frames[:] = [FrameFault(named(*unheard), Treatment.HELD)]
    await site.apply(deferral, new.act(spec={"revoked": revoked}))
    await site.delete(ref_of(tested))
    await site.apply(with_instruction(await site.see_template()), new.verification(), register.grant(caller))

    async def deferred() -> bool:
        states = [(one.get("status") or {}).get("reason") for one in await site.decisions(late)]
        return states == ["Deferred"]

    await poll(deferred, lambda: "the decision is deferred")
    assert says(await site.see(late.ref), "Published", "True")
    assert await site.api.get(late.route) is not None
    await site.until(new.ref, lambda obj: "Accepted" in gates(obj), "the revocation was seen")
    assert await site.api.get(new.route) is None
    grant = register.grant_ref(caller)
    await site.until(grant, lambda obj: says(obj, "Active", "False"), "it is not open")
    assert not await register.may(kubectl, caller)
    assert not [one for one in register.children(caller) if await site.api.get(one) is not None]
    met = stage.proxy.met
    await eventually(lambda: met[Treatment.HELD.value] >= len(unheard), "each event, held back")
    stage.injected["event held back"] += met[Treatment.HELD.value]
    stage.runs += 1
    await stage.proxy.release()
    await stage.operator.at_rest()
    await register.clear()
