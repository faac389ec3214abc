# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy in front of the real API server that does to requests what networks and outages do.

The client side is plain HTTP without credentials; the proxy has its own. Every request is on its record.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from kubernetes.aio.client import Configuration

from eservice_operator.cluster import credentials
from tests.support.api_session import api_session
from tests.support.faults.asked import Seen
from tests.support.faults.door import Door
from tests.support.faults.fault import FOR_EVER, Fault, Frame, FrameFault, Treatment
from tests.support.faults.passing import Lost, Passing, Tape
from tests.support.faults.record import Entry, injected, table
from tests.support.faults.stream import Stream

__all__ = ["FOR_EVER", "Fault", "FaultProxy", "FrameFault", "Seen", "Treatment", "fault_proxy", "proxied"]

Which = Callable[[Seen], bool]


def any_of_them(_: Seen) -> bool:
    return True


@dataclass
class FaultProxy:
    """The first of ``faults`` that meets a request is carried out to it, as of ``frames`` to an event.

    Change everything at any time; a request that is under way goes on as it began.
    """

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    frames: list[FrameFault] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    """Names whose events of watches do not come through."""
    deaf: bool = False
    """Watches stay open and bring nothing."""
    ahead: timedelta = timedelta(0)
    """By how much the dates of the answers are later than the API server's own."""
    recording: bool = False
    """Whether the answers to lists are kept, the latest of each, for faults that replay them."""
    tape: Tape = field(default_factory=dict)
    complaints: list[AssertionError] = field(default_factory=list)
    """What errands of faults found wrong: who asked was answered 500, and may have gone on."""
    met: Counter[str] = field(default_factory=Counter)
    """What was done to events of watches, and how often."""
    _streams: list[Stream] = field(default_factory=list)
    _door: Door | None = None
    _began: float = field(default_factory=time.monotonic)

    def configuration(self) -> Configuration:
        """For a client that goes through the proxy."""
        return Configuration(host=self.url)

    def kubeconfig(self, path: Path) -> Path:
        """The file, which from now on leads through the proxy."""
        path.write_text(yaml.safe_dump(kubeconfig_for(self.url)))
        return path

    @property
    def seen(self) -> list[Seen]:
        """The requests so far; to forget them, clear the log."""
        return [entry.seen for entry in self.log]

    def injected(self) -> dict[str, int]:
        """How many requests, and events of watches, each kind of fault has met."""
        return injected(self.log) | {f"event {what}": count for what, count in self.met.items()}

    def table(self, last: int = 60) -> str:
        """The end of the record, for the message of a failed test."""
        return table(self.log[-last:])

    def assert_served(self) -> None:
        """Fails with the first thing that an errand of a fault found wrong."""
        for error in self.complaints:
            raise error

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._streams)

    @property
    def watched(self) -> set[str]:
        """The paths whose watches are open."""
        return {stream.seen.path for stream in self._streams}

    def unwatched(self, paths: set[str], since: int) -> set[str]:
        """Those of which no watch is open, nor was begun since the log had so many entries."""
        begun = {entry.seen.path for entry in self.log[since:] if entry.seen.watch}
        return paths - self.watched - begun

    def watches(self, part: str) -> bool:
        """Whether a path, with its query, that contains ``part`` is being watched."""
        return any(part in stream.seen.address for stream in self._streams)

    async def end_watches(self, frame: Frame | None = None, which: Which = any_of_them) -> None:
        """Send ``frame`` on every open watch, if given, and end them in good order."""
        for stream in self._chosen(which):
            if frame is not None:
                await stream.send(frame)
            stream.end()

    def cut_watches(self, which: Which = any_of_them) -> None:
        """Break open watches in the middle of their streams."""
        for stream in self._chosen(which):
            stream.cut()

    async def release(self) -> None:
        """No event is held back any more, and those that were come now, in their order."""
        self.frames[:] = [
            one for one in self.frames if one.treatment not in {Treatment.HELD, Treatment.STALLED}
        ]
        for stream in self._chosen(any_of_them):
            await stream.release()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """In the block every connection is refused; those that are open end at its beginning."""
        assert self._door is not None
        await self._door.shut()
        try:
            yield
        finally:
            await self._door.open()

    def _chosen(self, which: Which) -> list[Stream]:
        return [stream for stream in self._streams if which(stream.seen)]

    def _treat(self, seen: Seen, frame: Frame) -> Treatment | None:
        if self.deaf or frame["object"].get("metadata", {}).get("name") in self.hidden:
            return Treatment.DROPPED
        fault = next((one for one in self.frames if one.meets(seen, frame)), None)
        if fault is None:
            return None
        self.met[fault.treatment.value] += 1
        return fault.treatment

    async def _handle(self, passing: Passing, request: web.Request) -> web.StreamResponse:
        seen = Seen(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        entry = Entry(seen, time.monotonic() - self._began)
        self.log.append(entry)
        fault = next((one for one in self.faults if one.meets(seen)), None)
        if fault is not None:
            entry.done = fault.what
        try:
            if seen.watch:
                return await self._watch(passing, request, entry, fault)
            # a client that goes away while its write is under way has written nevertheless
            return await passing.alone(passing.answer(request, entry, fault))
        except Lost:
            entry.outcome = "none"
            if request.transport is not None:  # else the client has gone already
                request.transport.abort()
            return web.Response()
        except AssertionError as error:
            self.complaints.append(error)
            raise
        finally:
            entry.seconds = time.monotonic() - self._began - entry.at

    async def _watch(
        self, passing: Passing, request: web.Request, entry: Entry, fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        stream = Stream(entry.seen, request, response, self._treat)
        self._streams.append(stream)
        try:
            return await passing.watch(stream, entry, fault)
        finally:
            self._streams.remove(stream)


@asynccontextmanager
async def fault_proxy(configuration: Configuration) -> AsyncIterator[FaultProxy]:
    """A running proxy to the API server of ``configuration``, with the credentials there."""
    proxy = FaultProxy()
    async with api_session(configuration) as session:
        passing = Passing(session, configuration.host, proxy)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await proxy._handle(passing, request)

        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        assert runner.server is not None
        proxy._door = Door(runner.server)
        proxy.url = await proxy._door.open()
        try:
            yield proxy
            proxy.assert_served()
        finally:
            proxy.cut_watches()
            proxy._door.close()
            await runner.cleanup()
            await passing.finish()


@asynccontextmanager
async def proxied(kubeconfig: Path, folder: Path) -> AsyncIterator[tuple[FaultProxy, Path]]:
    """A proxy with the credentials of a kubeconfig, and one in ``folder`` that leads through it."""
    async with fault_proxy(await credentials.load(str(kubeconfig), None)) as proxy:
        yield proxy, proxy.kubeconfig(folder / "proxied.kubeconfig")


def kubeconfig_for(server: str) -> dict[str, Any]:
    """A kubeconfig without credentials."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {}}],
    }
