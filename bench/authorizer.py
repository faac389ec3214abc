# SPDX-License-Identifier: Apache-2.0
"""What an answer of the authorizer costs: ``python -m bench.authorizer [SECONDS]``.

The authorizer is a process of its own, held on one core, and speaks plain HTTP: it watches a real API server,
which it also asks for its reviews, and writes its log of requests. Proxies stand for themselves by
connections that are kept, each with one question at a time, from another core. The tokens are real, and after
the first question their answers are known: what is measured is an answer from memory, with a review of each
token every few seconds and of each right twice a second beside it.

- *never pause*: as many answers as there can be;
- *at a steady rate*: so many questions a second, whatever the answers are; how long each waited.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.authorizer.register import Register, web_service
from tests.authorizer.running import USER, AuthorizerProcess, authorizing, rights
from tests.support.cluster import Cluster, Options, private_control_plane
from tests.support.kubectl import Kubectl
from tests.support.rights import GROUPS, applied

SECONDS = 10.0
CONNECTIONS = 8
CONSUMERS = 20
"""E-services with a grant, each with a token of its own."""
RATE = 2_000
"""Questions a second: the aim."""
AIM = "≤ 5 ms at p99"
HOLDER, CONSUMING = "ur-production", "pmlp-production"


def main(seconds: float = SECONDS) -> None:
    """Measure and print."""
    *others, answering = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {answering})  # also what is started from here
    with tempfile.TemporaryDirectory(prefix="eservice-authorizer-") as name:
        folder = Path(name)
        with private_control_plane(folder / "cluster", Options(audit=False)) as cluster:
            for line in asyncio.run(_measure(cluster, folder, answering, seconds)):
                sys.stdout.write(f"{line}\n")


async def _measure(cluster: Cluster, folder: Path, answering: int, seconds: float) -> list[str]:
    manifest = folder / "rights.yaml"
    manifest.write_text(rights())
    applied(cluster, manifest)
    kubeconfig = cluster.user_kubeconfig(USER, GROUPS, folder / "authorizer")
    async with KubeApi(await credentials.load(str(cluster.kubeconfig), None)) as api:
        questions = await _questions(Register(api, Kubectl(cluster.kubeconfig), HOLDER, CONSUMING))
    with authorizing(folder, kubeconfig, None, "taskset", "--cpu-list", str(answering)) as process:
        await _ask(process.port, questions, 2.0)  # until all is known
        return [
            *await _as_many_as_there_can_be(process, questions, seconds),
            *await _at_a_steady_rate(process, questions, seconds),
        ]


async def _as_many_as_there_can_be(
    process: AuthorizerProcess, questions: Sequence[bytes], seconds: float
) -> Iterator[str]:
    before, began = _scheduled(process), time.monotonic()
    waited = await _ask(process.port, questions, seconds)
    lasted = time.monotonic() - began
    cost = (_scheduled(process).ran - before.ran) / len(waited) * 1e6
    name = f"{CONNECTIONS} connections that never pause"
    return iter(
        [
            f"{name}, answers  {len(waited) / lasted:.0f} a second  target ≥ {RATE:,} a second",
            f"{name}, wait  {_spread(waited)}  target {AIM}",
            f"one answer, processor time  {cost:.0f} µs  target ≤ {1e6 / RATE:.0f} µs",
        ]
    )


async def _at_a_steady_rate(
    process: AuthorizerProcess, questions: Sequence[bytes], seconds: float
) -> Iterator[str]:
    before = _scheduled(process)
    waited = await _ask(process.port, questions, seconds, RATE)
    kept_waiting = (_scheduled(process).waited - before.waited) / seconds
    name = f"{RATE:,} questions a second"
    return iter(
        [
            f"{name}, wait  {_spread(waited)}  target {AIM}",
            f"{name}, while somebody else had the core  {kept_waiting:.0%} of the time  target 0%",
        ]
    )


async def _questions(register: Register) -> list[bytes]:
    """A request for each e-service with a grant."""
    for name in (HOLDER, CONSUMING):
        await register.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await register.make(web_service(HOLDER, "people"))
    asked = []
    for number in range(CONSUMERS):
        name = f"service-{number}"
        await register.opened(name, "people", await register.account(name), "v5")
        head = (
            f"GET /v1/check/{HOLDER}/people/v5/search?person={number} HTTP/1.1",
            "Host: eservice-authorizer.eservice-system.svc",
            f"Authorization: Bearer {await register.token(name, 'people')}",
            "",
            "",
        )
        asked.append("\r\n".join(head).encode())
    return asked


async def _ask(port: int, questions: Sequence[bytes], seconds: float, rate: float = 0) -> list[float]:
    """How long each question waited for its answer, in seconds; at a rate also for its turn to be asked."""
    ends = time.monotonic() + seconds
    turns = itertools.count()
    began = time.monotonic()

    async def proxy(number: int) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        waited = []
        for question in itertools.cycle([*questions[number:], *questions[:number]]):
            due = began + next(turns) / rate if rate else time.monotonic()
            if due >= ends or time.monotonic() >= ends:
                break
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            writer.write(question)
            await _allowed(reader)
            waited.append(time.monotonic() - due)
        writer.close()
        return waited

    each = await asyncio.gather(*(proxy(number) for number in range(CONNECTIONS)))
    return [wait for waits in each for wait in waits]


async def _allowed(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(head.decode())
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)


class Scheduled(NamedTuple):
    """Seconds for which a process has had a core, and for which it has waited for one."""

    ran: float
    waited: float


def _scheduled(process: AuthorizerProcess) -> Scheduled:
    """Of its first thread, which is the one with the event loop."""
    ran, waited, _ = Path(f"/proc/{process.process.pid}/schedstat").read_text().split()
    return Scheduled(int(ran) / 1e9, int(waited) / 1e9)


def _spread(waited: Sequence[float]) -> str:
    tail = statistics.quantiles(waited, n=100)[98]
    return f"{statistics.median(waited) * 1e3:.1f} ms median, {tail * 1e3:.1f} ms at p99"


if __name__ == "__main__":
    main(*(float(text) for text in sys.argv[1:2]))
