# SPDX-License-Identifier: Apache-2.0
"""Probes, scrapes, and what makes a process better restarted."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from eservice_operator.cluster.attempts import Attempt
from eservice_operator.core.address import Address
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.checks import in_touch, lists_fresh, loop_in_time, queue_moves
from eservice_operator.runtime.exposition import Family, Rendered
from eservice_operator.runtime.health import Check, HealthServer
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.pulse import Pulse, unless_cut_off
from eservice_operator.runtime.queue import KeyedQueue, Limits
from eservice_operator.runtime.watchdog import Watchdog
from eservice_operator.serving import connection, probes
from eservice_operator.serving.probes import SCRAPES, ProbeServer
from tests.runtime.clocks import MovedClock, breathe
from tests.support.waiting import eventually

ANYWHERE = Address("127.0.0.1", 0)


async def get(address: Address, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as response:
        return response.status, await response.text()


def verdict(answer: str | None) -> Check:
    return lambda: answer


async def test_a_probe_says_what_fails() -> None:
    live = {"loop": verdict(None), "queue": verdict("3 keys wait")}
    server = HealthServer(Metrics(), live, {"started": verdict(None)})
    async with server.serving(ANYWHERE) as address:
        assert await get(address, "/livez") == (503, "[+] loop\n[-] queue: 3 keys wait\nfailed\n")
        assert await get(address, "/readyz") == (200, "[+] started\nok\n")
        assert (await get(address, "/healthz"))[0] == 404


async def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            async with HealthServer(Metrics(), {}, {}).serving(Address("127.0.0.1", taken.getsockname()[1])):
                pass


class TestStrangers:
    """Any Pod that reaches the port may ask, without a name, as often and as slowly as it likes."""

    @pytest.mark.parametrize(
        "sent",
        [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"],
        ids=["nothing", "half a head", "a request"],
    )
    async def test_connections_without_end_keep_no_probe_waiting(self, sent: bytes) -> None:
        async with HealthServer(Metrics(), {"loop": verdict(None)}, {}).serving(ANYWHERE) as address:
            opened = [await open_to(address, sent) for _ in range(ProbeServer.most_connections)]
            assert await get(address, "/livez") == (200, "[+] loop\nok\n")
            opened += [await open_to(address, sent) for _ in range(100)]
            for reader, _ in opened[:100]:
                async with asyncio.timeout(5):
                    await until_closed(reader)
            assert await get(address, "/livez") == (200, "[+] loop\nok\n")
            for _, writer in opened:
                writer.close()

    async def test_a_head_that_does_not_end_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
        async with HealthServer(Metrics(), {}, {}).serving(ANYWHERE) as address:
            reader, writer = await open_to(address, b"GET /metrics HTTP/1.1\r\nHost: ")
            async with asyncio.timeout(5):
                assert await until_closed(reader) == b""
            writer.close()

    async def test_scrapes_at_the_same_time_share_one(self) -> None:
        metrics, begun, go, made = Metrics(), threading.Event(), threading.Event(), []

        def collect() -> Iterable[Rendered]:
            made.append(threading.get_ident())
            begun.set()
            assert go.wait(10)
            return ()

        metrics.collect_state(collect)
        async with HealthServer(metrics, {}, {}).serving(ANYWHERE) as address:
            first = asyncio.create_task(get(address, "/metrics"))
            await eventually(begun.is_set, "the first one")
            others = [asyncio.create_task(get(address, "/metrics")) for _ in range(SCRAPES + 2)]
            await eventually(lambda: sum(one.done() for one in others) == 3, "too many are refused")
            assert (await get(address, "/livez"))[0] == 200, "nobody else is held up"
            go.set()
            answered = Counter(status for status, _ in await asyncio.gather(first, *others))
            assert answered == {200: SCRAPES, 503: 3}
        assert len(made) == 2, "one for the first, and one of a later moment for all others"

    async def test_who_does_not_read_the_figures_has_them_no_longer(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(probes, "SCRAPE_SECONDS", 3.0)
        metrics = Metrics()
        family = Family("large", "Larger than what a connection takes", ("name",))
        line = family.line(["x" * 1_000_000], 1)
        metrics.collect_state(lambda: [Rendered(family, line)] * 16)
        async with HealthServer(metrics, {}, {}).serving(ANYWHERE) as address, AsyncExitStack() as stack:
            asking = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

            async def answered() -> int:
                try:
                    return (await get(address, "/metrics"))[0]
                except aiohttp.ClientError:
                    return 0

            async def answers(status: int) -> bool:
                return await answered() == status

            async def refused() -> bool:
                for _ in range(SCRAPES):  # each time: on a busy machine the first have lost their places
                    _, writer = await open_to(address, asking)
                    stack.callback(writer.close)
                return await answers(503)

            await eventually(refused, "all places are taken")
            await eventually(partial(answers, 200), "somebody else's turn", 30)
            _, hasty = await open_to(address, asking)
            await eventually(partial(answers, 200), "nobody is in the way of who goes at once")
            hasty.close()
        assert caplog.records == [], "and nobody fills the log"


async def open_to(address: Address, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What it was sent before."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_scrapes_are_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.requested("list", 200, 0.02)
    metrics.requested("watch", 200, 290.0)
    metrics.reconciled("EService", 0.1, ok=True)
    metrics.collect_list_ages(lambda: {"Service": 12.0})
    async with HealthServer(metrics, {}, {}).serving(ANYWHERE) as address:
        status, text = await get(address, "/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    ages = families["eservice_operator_list_age_seconds"].samples
    assert [(sample.labels, sample.value) for sample in ages] == [({"kind": "Service"}, 12.0)]
    requests = families["eservice_operator_api_requests"].samples
    assert {(sample.labels["verb"], sample.labels["code"]): sample.value for sample in requests} == {
        ("list", "200"): 1.0,
        ("watch", "200"): 1.0,
    }
    timed = families["eservice_operator_api_request_seconds"].samples
    assert {sample.labels["verb"] for sample in timed} == {"list"}, "a watch lasts minutes when all is well"
    assert not [name for name in families if name.endswith("_created")]


def test_two_operators_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.requested("get", 200, 0.1)
    assert b'api_requests_total{code="200",verb="get"} 1.0' in one.render()
    assert b"api_requests_total{" not in other.render()


def test_figures_about_eservices_are_computed_when_asked_for() -> None:
    metrics = Metrics()
    family = Family("eservice_published", "Whether it is public", ("name",))
    published = [1]

    def collect() -> Iterable[Rendered]:
        return [Rendered(family, family.line(["tax"], published[0]))]

    metrics.collect_state(collect)
    assert b'eservice_published{name="tax"} 1\n' in metrics.render()
    published[0] = 0
    assert b'eservice_published{name="tax"} 0\n' in metrics.render()


def test_figures_that_cannot_be_computed_do_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()

    def collect() -> Iterable[Rendered]:
        raise KeyError("status")

    metrics.collect_state(collect)
    text = metrics.render()
    assert b"eservice_operator_queue_depth 0.0" in text
    assert b"eservice_operator_state_collector_raised_total 1.0" in text
    assert "KeyError" in caplog.text


async def test_a_late_loop_is_noticed_and_forgiven() -> None:
    clock = MovedClock()
    watchdog = Watchdog(Metrics(), lambda: None, clock)
    check = loop_in_time(watchdog)
    task = asyncio.create_task(watchdog.run())
    await clock.advance(5)
    assert check() is None
    clock._monotonic += 30  # nothing ran meanwhile
    assert check() == "the event loop is 29 s late"
    await clock.advance(2)
    assert check() is None
    task.cancel()


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(hours=-2)])
async def test_a_moved_wall_clock_is_told_once(step: timedelta) -> None:
    clock = MovedClock()
    told: list[datetime] = []
    watchdog = Watchdog(Metrics(), lambda: told.append(clock.now()), clock)
    task = asyncio.create_task(watchdog.run())
    await clock.advance(10)
    assert told == []
    clock.jump(step)
    await clock.advance(10)
    assert len(told) == 1
    task.cancel()


async def test_a_slewed_wall_clock_is_no_news() -> None:
    clock = MovedClock()
    told: list[int] = []
    watchdog = Watchdog(Metrics(), lambda: told.append(1), clock)
    task = asyncio.create_task(watchdog.run())
    for _ in range(100):
        clock.jump(timedelta(milliseconds=500))
        await clock.advance(1)
    assert told == []
    task.cancel()


class Stuck:
    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:  # noqa: ARG002 - it comes to nothing
        await asyncio.Event().wait()
        return Result()


async def test_a_queue_that_stands_still_is_noticed() -> None:
    clock = MovedClock()
    queue = KeyedQueue(Metrics(), clock=clock)
    check = queue_moves(queue)
    task = asyncio.create_task(queue.run(Stuck()))
    for number in range(Limits().workers + 1):
        queue.add(ObjectKey("EService", "pmlp", f"service-{number}"))
    await clock.advance(600)
    assert check() is None
    await clock.advance(1)
    assert check() == "1 keys wait, the oldest for 601 s, and none was finished for 601 s"
    task.cancel()
    await breathe()


async def test_an_idle_queue_may_rest_for_days() -> None:
    clock = MovedClock()
    queue = KeyedQueue(Metrics(), clock=clock)
    await clock.advance(3 * 86_400)
    assert queue_moves(queue)() is None


class TestLists:
    RESYNC = 100.0

    def check(self, age: float, code: int, silent: float) -> str | None:
        clock = MovedClock()
        pulse = Pulse(Metrics(), clock)
        clock._monotonic += 10_000
        pulse.requested(Attempt("list", code, 0.1))
        clock._monotonic += silent
        return lists_fresh(lambda: {"Service": age, "EService": 1.0}, pulse, self.RESYNC)()

    def test_fresh_lists_are_well(self) -> None:
        assert self.check(age=300, code=200, silent=0) is None

    def test_a_stale_list_is_a_reason_while_the_api_server_answers(self) -> None:
        assert self.check(age=301, code=200, silent=0) == "Service was not listed for 301 s"

    def test_that_it_refuses_is_an_answer_too(self) -> None:
        assert self.check(age=301, code=403, silent=0) is not None

    @pytest.mark.parametrize("code,silent", [(200, 301), (503, 0), (0, 0)])
    def test_an_api_server_that_is_away_is_none(self, code: int, silent: float) -> None:
        assert self.check(age=10_000, code=code, silent=silent) is None


class TestTouch:
    """An operator that stands by leads by nobody's leave but the API server's."""

    @pytest.fixture
    def clock(self) -> MovedClock:
        return MovedClock()

    @pytest.fixture
    def pulse(self, clock: MovedClock) -> Pulse:
        pulse = Pulse(Metrics(), clock)
        pulse.requested(Attempt("watch", 200, 0.1))
        return pulse

    def test_who_asks_nothing_is_in_touch(self, pulse: Pulse, clock: MovedClock) -> None:
        clock._monotonic += 10_000
        assert in_touch(pulse)() is None

    @pytest.mark.parametrize("code", [0, 503])
    def test_who_asks_in_vain_for_a_minute_is_not_and_is_again_with_the_first_answer(
        self, pulse: Pulse, clock: MovedClock, code: int
    ) -> None:
        clock._monotonic += 10_000
        for _ in range(31):
            pulse.requested(Attempt("get", code, 0.1))
            assert in_touch(pulse)() is None, "an API server may be replaced"
            clock._monotonic += 2
        assert in_touch(pulse)() == "the API server has not answered for 62 s"
        pulse.requested(Attempt("get", 403, 0.1))
        assert in_touch(pulse)() is None
        pulse.requested(Attempt("get", code, 0.1))
        assert in_touch(pulse)() is None, "it does not flap"

    def test_figures_of_long_ago_are_left_out(self, pulse: Pulse, clock: MovedClock) -> None:
        family = Family("eservice_published", "Whether it is public", ("name",))
        figures = [Rendered(family, family.line(["tax"], 1))]
        collect = unless_cut_off(pulse, lambda: figures)
        pulse.requested(Attempt("get", 0, 0.1))
        clock._monotonic += 600
        assert list(collect()) == figures
        clock._monotonic += 1
        assert list(collect()) == []
        pulse.requested(Attempt("get", 200, 0.1))
        assert list(collect()) == figures
