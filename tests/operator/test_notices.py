# SPDX-License-Identifier: Apache-2.0
"""Notices by real channels: each to each recipient once, and across a crash at least once under the same id.

The operator is killed right after a ledger was written and before anything is sent, and right after a channel
has accepted a notice and before the ledger shows it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from typing_extensions import override

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from tests.support.fault_proxy import Fault, FaultProxy, Seen, fault_proxy
from tests.support.figures import Figures
from tests.support.fleet import Planned, with_instruction
from tests.support.mailserver import MailServer, mail_server
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.sink import Sink, event_sink
from tests.support.site import Site, in_phase, poll, up_to_date
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SECOND_CONTACT = "second@pmlp.example"
PATIENCE = 120.0
"""Seconds for anything that the operator may be killed in several times."""
T = TypeVar("T")


class Tripwire(list[T]):
    """A list that tells of each thing that it gets."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__()
        self._told = told

    @override
    def append(self, value: T) -> None:
        super().append(value)
        self._told()


@dataclass
class Post:
    """An operator with both channels; it dies at the writes and at the acceptances of these numbers.

    Where such a number falls to one that is dead already, its successor dies at the next.
    """

    operator: OperatorProcess
    proxy: FaultProxy
    mail: MailServer
    sink: Sink
    at_writes: list[int] = field(default_factory=list)
    at_acceptances: list[int] = field(default_factory=list)
    kills: int = 0
    _writes: int = 0
    _acceptances: int = 0
    _struck: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.proxy.faults[:] = [Fault(self._written, times=1_000, lose_reply=True)]
        self.mail.received = Tripwire(self._accepted)
        self.sink.taken = Tripwire(self._accepted)

    def _written(self, seen: Seen) -> bool:
        """The API server carries the write out, and nobody hears of that."""
        if seen.method != "PATCH" or not seen.path.endswith("/status") or "eservice.dev" not in seen.path:
            return False
        self._writes += 1
        return self._strike(self._writes, self.at_writes)

    def _accepted(self) -> None:
        self._acceptances += 1
        self._strike(self._acceptances, self.at_acceptances)

    def _strike(self, number: int, doomed: list[int]) -> bool:
        """Whether the operator died of it; of those numbers the first was due."""
        if not doomed or number < doomed[0] or not self.operator.running:
            return False
        doomed.pop(0)
        self.operator.kill()
        self.kills += 1
        self._struck.set()
        return True

    async def revive(self) -> None:
        while True:
            await self._struck.wait()
            self._struck.clear()
            self.operator.launch()

    def received(self) -> list[tuple[str, str]]:
        """Id and recipient of everything that a channel accepted."""
        mails = [
            (str(mail.message["Message-ID"])[1:-1].partition("@")[0], *mail.recipients)
            for mail in self.mail.received
        ]
        events = [(str(json.loads(taken.body)["id"]), "localhost") for taken in self.sink.taken]
        return [(one, recipient) for one, recipient in [*mails, *events]]


@asynccontextmanager
async def posting(kubeconfig: Path, folder: Path) -> AsyncIterator[Post]:
    configuration = await credentials.load(str(kubeconfig), None)
    async with fault_proxy(configuration) as proxy, mail_server() as mail, event_sink() as sink:
        through = proxy.kubeconfig(folder / "kubeconfig")
        settings = {
            "smtp-server": f"127.0.0.1:{mail.port}",
            "smtp-security": "none",
            "mail-from": "e-pakalpojumi@agency.example",
            "events-sink": sink.url,
        }
        post = Post(OperatorProcess(through, folder / "log", settings), proxy, mail, sink)
        reviving = asyncio.create_task(post.revive())
        try:
            await post.operator.start()
            yield post
        finally:
            reviving.cancel()
            await asyncio.wait({reviving})
            post.operator.end()


@pytest.fixture
async def post(operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Post]:
    async with posting(operator_kubeconfig, tmp_path) as ready:
        yield ready


async def ledger(site: Site, planned: Planned) -> list[Manifest]:
    """Every entry about an e-service, wherever it is."""
    objects = [
        await site.see(planned.registered),
        await site.see(planned.ref),
        *await site.decisions(planned),
    ]
    return [entry for obj in objects for entry in (obj.get("status") or {}).get("notices") or ()]


def is_settled(entry: Manifest) -> bool:
    """Sent; or a term that is kept by now, and was not handed over, or left without an answer by a crash."""
    overtaken = entry["kind"] == "InstallationDue" and entry["state"] == "Superseded"
    return overtaken or bool(entry["state"] == "Sent")


async def until_sent(site: Site, planned: Planned, *kinds: str) -> list[Manifest]:
    """All entries, once there are some of these kinds and all are sent, or overtaken by the installation."""
    last: list[Manifest] = []

    async def ask() -> list[Manifest] | None:
        nonlocal last
        last = await ledger(site, planned)
        there = {entry["kind"] for entry in last}
        return last if set(kinds) <= there and all(map(is_settled, last)) else None

    def missed() -> str:
        return json.dumps([(one["kind"], one["recipient"], one["state"]) for one in last], indent=1)

    return await poll(ask, missed, PATIENCE)


async def in_the_end(site: Site, planned: Planned, phase: str) -> None:
    """Wait for a phase, over several starts of the operator."""
    await site.until(planned.ref, lambda obj: in_phase(obj, phase) and up_to_date(obj), phase, PATIENCE)


async def unpublished_and_told(site: Site) -> tuple[Planned, list[Manifest]]:
    """From the application to the unpublication, with two contacts."""
    await site.prepare()
    planned = site.planned(version="1.0.0")
    body = planned.registration()
    body["spec"]["institution"]["contacts"].append({"name": "B", "email": SECOND_CONTACT})
    await site.apply(body)
    await site.apply(planned.act(), planned.eservice())
    await in_the_end(site, planned, "AwaitingVerification")
    await site.apply(planned.verification())
    await in_the_end(site, planned, "Published")
    await site.apply(with_instruction(await site.see_template()))
    await in_the_end(site, planned, "Unpublished")
    wanted = ("IdentifierAssigned", "VerificationWanted", "UnpublishScheduled", "Unpublished")
    return planned, await until_sent(site, planned, *wanted)


def assert_each_once(post: Post, entries: list[Manifest], planned: Planned) -> Counter[tuple[str, str]]:
    """Everybody was told everything under one id each; what was told twice was under way at a crash."""
    everybody = {f"{planned.name}@pmlp.example", SECOND_CONTACT, "j@agency.example", "localhost"}
    by_kind: dict[str, list[str]] = {}
    for entry in entries:
        by_kind.setdefault(entry["kind"], []).append(entry["recipient"])
    for kind, told in by_kind.items():
        assert sorted(told) == sorted(everybody), f"{kind}: one entry for each"
    received = Counter(post.received())
    ids = {(entry["id"], entry["recipient"]): entry["state"] for entry in entries}
    assert {one for one, state in ids.items() if state == "Sent"} <= set(received) <= set(ids)
    assert max(received.values()) <= 1 + post.kills, "a crash has nothing told again more than once"
    return received


async def test_everybody_is_told_everything_once(people: KubeApi, post: Post, figures: Figures) -> None:
    site = Site(people)
    planned, entries = await unpublished_and_told(site)
    received = assert_each_once(post, entries, planned)
    (decision,) = await site.decisions(planned)
    assert decision["status"]["informedAt"]
    await eventually(
        lambda: post.operator.metrics()["eservice_operator_notices_in_flight"] == 0, "none in flight"
    )
    metrics = post.operator.metrics()
    assert not [name for name in metrics if "notice_failures" in name and metrics[name]]
    assert await post.operator.terminate() == 0
    assert_log_clean(post.operator.records())
    figures.add("notices from the application to the unpublication", f"{len(received)}, each once")
    await post.operator.start()
    await site.clear(operated=True)


async def test_a_stop_in_good_order_sends_nothing_twice(people: KubeApi, post: Post) -> None:
    site = Site(people)
    stopped = asyncio.Event()
    post.mail.received = Tripwire(stopped.set)
    story = asyncio.create_task(unpublished_and_told(site))
    for _ in range(3):
        await asyncio.wait_for(stopped.wait(), 60)
        assert await post.operator.terminate() == 0
        stopped.clear()  # before the next one begins: what that has sent by the time it is ready counts
        await post.operator.start()
    planned, entries = await story
    assert_each_once(post, entries, planned)
    assert_log_clean(post.operator.records())
    await site.clear(operated=True)


CRASHES = [
    pytest.param((1, 4, 8, 10), (), id="after-a-ledger-was-written"),
    pytest.param((), (2, 9, 15), id="after-a-channel-accepted"),
    pytest.param((3, 7), (1, 12), id="both"),
]


@pytest.mark.parametrize("writes, acceptances", CRASHES)
async def test_a_crash_loses_nothing_and_what_is_told_again_has_the_same_id(
    people: KubeApi, post: Post, figures: Figures, writes: tuple[int, ...], acceptances: tuple[int, ...]
) -> None:
    post.at_writes, post.at_acceptances = list(writes), list(acceptances)
    site = Site(people)
    planned, entries = await unpublished_and_told(site)
    received = assert_each_once(post, entries, planned)
    assert post.kills == len(writes) + len(acceptances), "the story is long enough to be killed in"
    assert_log_clean(post.operator.records())
    figures.add(
        f"notices while the operator is killed {post.kills} times",
        f"{len(received)}, all delivered, {sum(received.values()) - len(received)} told twice, same id",
    )
    post.at_writes.clear()
    post.at_acceptances.clear()
    await post.operator.until_ready()
    await site.clear(operated=True)
