# SPDX-License-Identifier: Apache-2.0
"""An API server that refuses for a while, breaks down in between, or answers slowly and badly."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Manifest
from tests.faults.injecting import (
    Chosen,
    Injected,
    asked,
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
from tests.support.site import in_phase, says

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

BUSY = refusal(503, "ServiceUnavailable")
TROUBLE = (
    ("429", refusal(429, "TooManyRequests")),
    ("500", refusal(500, "InternalError")),
    ("503", BUSY),
    ("504", refusal(504, "Timeout")),
    ("somebody else's page", (502, {"Content-Type": "text/html"}, "<html>Bad Gateway</html>")),
)
BRIEFLY, LONG = 2, 13
"""Seconds that the server asks to wait: a worker waits itself, and it does not."""


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_everything_that_passes_comes_in_turn(stage: Stage, play: Play) -> None:
    """Each of ten requests but five meets another trouble, reads and writes alike."""
    turns = in_turns(2 * len(TROUBLE), asked)[: len(TROUBLE)]
    troubles = zip(TROUBLE, turns, strict=True)
    await stage.survives(play, *(injected(name, turn, answer=said) for (name, said), turn in troubles))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_an_answer_that_is_none_is_asked_for_again(stage: Stage, play: Play) -> None:
    """What was carried out is answered with half a document, with something else, or with nothing at all."""
    halves, others, empty = in_turns(3, nth_of_each_kind(writes))
    await stage.survives(
        play,
        injected("answer cut", halves, cut=0.5),
        injected("answer garbled", others, edit=lambda _: b"<html>welcome</html>"),
        injected("answer empty", empty, edit=lambda _: b""),
        injected("slow answer", one_in(5, reads), slow=0.5),
    )


async def test_who_asks_to_wait_is_not_asked_earlier(stage: Stage) -> None:
    """Nor does anybody else wait for that."""
    play = PLAYS[0]
    later = refusal(429, "TooManyRequests", Retry_After=str(BRIEFLY))
    await stage.survives(play, put_off := injected("429 and Retry-After", nth_of_each_kind(), answer=later))
    assert pauses(stage, put_off)
    assert min(pauses(stage, put_off)) >= BRIEFLY

    site, held, other = stage.site(), "address", "parking"
    slow, quick = site.planned(held), site.planned(other)
    await site.prepare()
    much_later = refusal(429, "TooManyRequests", Retry_After=str(LONG))
    long = injected("429 and a long Retry-After", is_pod_maker(slow.name), times=1, answer=much_later)
    with stage.under(long):
        await site.apply(*slow.everything(), *quick.everything())
        await site.settled(quick, "Published")
        assert not in_phase(await site.see(slow.ref), "Published"), "the one was not faster than the other"
        await site.settled(slow, "Published")
    assert min(pauses(stage, long)) >= LONG
    stage.runs += 1


def public(obj: Manifest) -> str:
    """The name of the release that the public is served by."""
    return str(obj["status"]["release"]["public"]["name"])


def is_pod_maker(name: str) -> Chosen:
    """A write to a Deployment of the e-service."""
    return lambda seen: writes(seen) and seen.resource == "deployments" and seen.name.startswith(name)


def pauses(stage: Stage, refused: Injected) -> list[float]:
    """Seconds from each refusal until the same was asked for again."""
    log, found = stage.proxy.log, []
    for number, entry in enumerate(log):
        if entry.seen not in refused.hits:
            continue
        same = (one for one in log[number + 1 :] if _same(one.seen, entry.seen))
        again = next(same, None)
        if again is not None:
            found.append(again.at - entry.at)
    return found


def _same(one: Seen, other: Seen) -> bool:
    return (one.method, one.path) == (other.method, other.path)


async def test_one_kind_of_which_nothing_can_be_written_holds_up_only_whom_it_must(stage: Stage) -> None:
    """For as long as it lasts: those who wait for it say so, everybody else goes on."""
    site = stage.site()
    stuck, other = site.planned("address"), site.planned("parking")
    await site.prepare()
    await site.published(other)
    with stage.under(injected("503 for one", is_pod_maker(stuck.name), answer=BUSY)):
        await site.apply(*stuck.everything())
        said = await site.until(stuck.ref, lambda obj: "by the test" in str(obj["status"]), "it says why")
        assert not says(said, "Published", "True")
        assert not says(said, "Stalled", "True"), "nobody has to mend anything"
        renewed = other.renewed("2.0.0")
        await site.apply(renewed.act(), renewed.verification(), renewed.eservice())
        await site.until(
            other.ref, lambda obj: obj["status"]["release"]["public"]["name"] == renewed.release, "on"
        )
    await site.settled(stuck, "Published")
    await site.settled(other, "Published")
    await site.kept_without_pods(other)
    stage.runs += 1
