# SPDX-License-Identifier: Apache-2.0
"""One e-service that gets nowhere for long, a server that asks to wait, and answers that are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.core.actions import Manifest
from tests.faults.injecting import (
    Answer,
    Chosen,
    Injected,
    in_turns,
    injected,
    nth_of_each_kind,
    one_in,
    reads,
    refusal,
    writes,
)
from tests.faults.plays import PLAYS, Play, Stage
from tests.support.fault_proxy import Seen
from tests.support.site import Site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

PUBLICATION = PLAYS[0]
PUT_OFF = 2
"""Seconds that the server asks to wait."""
REFUSALS = (
    refusal(403, "Forbidden"),
    refusal(429, "TooManyRequests", Retry_After=str(PUT_OFF)),
    refusal(500, "InternalError"),
)
TRIES = 4
"""How often a request is sent at most before its key goes back to the end of the queue."""


@pytest.fixture
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """How many are reconciled at once."""
    return getattr(request, "param", {})


def in_namespaces(*sites: Site) -> Chosen:
    """Writes to whatever is in these."""
    places = {site.namespace for site in sites}
    return lambda seen: writes(seen) and seen.namespace in places


@pytest.mark.parametrize("told", [{"workers": "1"}], indirect=True, ids=["one worker"])
@pytest.mark.parametrize("answer", REFUSALS, ids=lambda answer: str(answer[0]))
async def test_who_is_refused_for_long_delays_nobody_else(stage: Stage, answer: Answer) -> None:
    """Two e-services are refused every write in their namespaces, and the only worker serves another one.

    It lasts until that one is public, however long it takes. How often they were tried meanwhile is counted.
    """
    whole = await stage.without(PUBLICATION)
    stuck, site = [stage.site(), stage.site()], stage.site()
    for one in (*stuck, site):
        await one.prepare()
    await stage.operator.at_rest()
    refused = injected(f"{answer[0]} to every write in a namespace", in_namespaces(*stuck), answer=answer)
    with stage.under(refused):
        for one in stuck:
            await one.apply(*one.planned().everything())
            await one.until(one.planned().registered, has_number, "its number")
            await eventually(lambda one=one: met(refused, one), "a refusal", 30)  # type: ignore[misc]
        stage.audit.skip()
        before = len(refused.hits), await reconciles(stage)
        await PUBLICATION.story(site)
        tried, looks = len(refused.hits) - before[0], await reconciles(stage) - before[1]
        assert tried <= TRIES * looks, f"{tried} requests in {looks} looks: {stage.proxy.table()}"
        await stage.ended_as(whole, site, f"{PUBLICATION.name} beside two that get {answer[0]}")
    for one in stuck:
        await one.apply(one.planned().eservice(metadata={"annotations": {"example.com/mended": "yes"}}))
        await one.settled(one.planned(), "Published")
    stage.runs += 1


def has_number(obj: Manifest) -> bool:
    return bool((obj.get("status") or {}).get("identifier"))


def met(refused: Injected, site: Site) -> bool:
    """Whether a write of this site was refused."""
    return any(seen.namespace == site.namespace for seen in refused.hits)


async def reconciles(stage: Stage) -> float:
    """How many have ended so far."""
    name = "eservice_operator_reconciles_total{"
    return sum(value for series, value in stage.operator.metrics().items() if series.startswith(name))


async def test_who_asks_to_wait_is_not_asked_earlier(stage: Stage) -> None:
    """By the proxy's own record, for the first request of each kind; and the play ends as ever."""
    later = refusal(429, "TooManyRequests", Retry_After=str(PUT_OFF))
    for play in PLAYS[:1]:
        put_off = injected("429 with Retry-After", nth_of_each_kind(), answer=later)
        await stage.survives(play, put_off)
        pauses = until_asked_again(stage, put_off)
        assert len(pauses) >= len(put_off.hits) // 2, "few of them were asked again"
        assert min(pauses) >= PUT_OFF, sorted(pauses)


def until_asked_again(stage: Stage, refused: Injected) -> list[float]:
    """Seconds from each refusal until the same was asked for again, where it was."""
    log, found = stage.proxy.log, []
    for number, entry in enumerate(log):
        if any(entry.seen is one for one in refused.hits):
            what = entry.seen.method, entry.seen.address
            later = (one.at for one in log[number + 1 :] if (one.seen.method, one.seen.address) == what)
            found += [at - entry.at for at in list(later)[:1]]
    return found


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_an_answer_that_is_none_is_asked_for_again(stage: Stage, play: Play) -> None:
    """What was carried out is answered with half a document, with something else, with nothing, or slowly."""
    halves, others, empty = in_turns(3, nth_of_each_kind(writes))
    await stage.survives(
        play,
        injected("answer cut", halves, cut=0.5),
        injected("answer garbled", others, edit=lambda _: b"<html>welcome</html>"),
        injected("answer empty", empty, edit=lambda _: b""),
        injected("slow answer", one_in(5, reads), slow=0.5),
    )


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_credentials_that_are_refused_for_a_while_are_read_again(stage: Stage, play: Play) -> None:
    """As between two rotations of a token: everything is answered 401, reads, writes and watches."""
    expired = injected("401", in_a_row(25, stage.proxy.cut_watches), answer=refusal(401, "Unauthorized"))
    begin = injected("all watches cut", one_in(5), first=stage.cut)
    await stage.survives(play, expired, begin)
    assert {seen.verb for seen in expired.hits} >= {"watch"}


def in_a_row(count: int, cut: Callable[[], None], after: int = 5) -> Chosen:
    """So many requests of whatever kind one after another, once the story has begun to write.

    One of them has to be a watch: where all had begun anew by then, ``cut`` ends them once more.
    """
    so_far, left, watched = 0, count, False

    def chosen(seen: Seen) -> bool:
        nonlocal so_far, left, watched
        so_far += writes(seen)
        if so_far < after or (left <= 0 and watched):
            return False
        if left == 0:
            cut()
        left, watched = left - 1, watched or seen.watch
        return True

    return chosen
