# SPDX-License-Identifier: Apache-2.0
"""The judgement of what citizens got can fail: otherwise a lane is green whatever its gateway does."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.gateways.stage import BLINK, LATEST, TARGET, Stage, honest, off
from tests.support.figures import Figures
from tests.support.load import Answer, Answers
from tests.support.pulse import USUAL, Pulse
from tests.support.waiting import eventually

RATE = 10.0


def got(*told: str) -> Answers:
    """Answers at 10 requests a second, from the instant 0 on."""
    kinds = {
        "served": (200, "a1b2c3", "ns.address"),
        "notice": (503, "", "notice"),
        "bare": (503, "", ""),
        "404": (404, "", ""),
        "nobody": (0, "", ""),
    }
    began = [number / RATE for number in range(len(told))]
    return Answers(
        RATE,
        [Answer(at, at + 0.01, *kinds[kind]) for at, kind in zip(began, told, strict=True)],
    )


def test_the_last_request_served_is_measured() -> None:
    assert off(got("served", "served", "served", "notice", "notice"), 0.1) == pytest.approx(0.1)
    assert off(got("served", "notice", "notice"), 0.1) == 0, "none was served from its end on"


def test_threads_of_a_gateway_may_follow_one_by_one() -> None:
    """What they still serve then counts for the figure."""
    assert off(got("served", "notice", "served", "bare", "notice"), 0.0) == pytest.approx(0.2)


@pytest.mark.parametrize("leak", ["served", "404", "nobody", "bare"])
def test_after_the_notice_nothing_else_comes(leak: str) -> None:
    notices = ["notice"] * (int(BLINK * RATE) + 2)
    with pytest.raises(AssertionError):
        off(got("served", *notices, leak, "notice"), 0.0)


@pytest.mark.parametrize("other", ["404", "nobody"])
def test_nothing_but_the_notice_or_503_at_once(other: str) -> None:
    with pytest.raises(AssertionError):
        off(got("served", other, "notice"), 0.0)


def test_an_e_service_that_does_not_end_is_no_success() -> None:
    with pytest.raises(AssertionError, match="served to the end"):
        off(got("served", "served"), 0.0)


def test_a_promise_answers_for_no_more_than_the_machine_gave() -> None:
    pulse = Pulse([(1.0, 3.0), (5.0, 6.0)])
    assert pulse.within(0.0, 10.0) == pytest.approx(3.0)
    assert pulse.within(2.0, 5.5) == pytest.approx(1.5)
    assert pulse.within(3.0, 5.0) == 0


def test_what_takes_longer_than_promised_fails_but_for_when_the_machine_stood_still() -> None:
    nobody: Any = None
    stage = Stage("a lane", nobody, nobody, nobody, nobody, Figures())
    stage.in_time("in time", 1.0, 1.0 + TARGET, TARGET)
    with pytest.raises(AssertionError, match=r"too late: 3\.00 s, in 0\.00 s of which"):
        stage.in_time("too late", 1.0, 4.0, TARGET)
    stage.pulse.lost.append((2.0, 3.5))
    stage.in_time("held up", 1.0, 4.0, TARGET)


async def test_who_answers_late_stood_still_and_who_does_not_did_not() -> None:
    async def at_once() -> None:
        """Nothing to do."""

    async def late() -> None:
        await asyncio.sleep(0.5)

    pulse = Pulse()
    async with pulse.beating([at_once, late]):
        await eventually(lambda: pulse.lost, "a late answer")
    ((begins, ends),) = pulse.lost[:1]
    assert pulse.within(begins, ends) >= 0.5 - USUAL - 0.01


def test_a_run_that_was_not_at_its_rate_proves_nothing() -> None:
    asked = got(*["served"] * 41)
    honest(asked)
    with pytest.raises(AssertionError, match="2 requests where 40 were due"):
        honest(Answers(RATE, asked.all[::40]))
    asked.all[-1] = replace(asked.all[-1], late=LATEST + 0.1)
    with pytest.raises(AssertionError, match=r"10.1 s late"):
        honest(asked)
