# SPDX-License-Identifier: Apache-2.0
"""One question, to real servers: what answers, what is followed, and what the probe never does."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import ResolveResult
from typing_extensions import override

from eservice_operator.api.seen import Answered
from eservice_operator.core.sightings import Answer
from eservice_operator.outside.addresses import CheckedResolver, LookUp, Rules
from eservice_operator.outside.asking import TIMEOUT, Asker

HOST = "address.latvija.example"
NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
HERE = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


async def nowhere(name: str) -> Sequence[str]:
    raise OSError(f"{name} is not known")


@dataclass
class Server:
    """A real server; ``answer`` decides, ``requests`` is what came."""

    port: int
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    requests: list[web.Request] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """Under what name each TLS handshake asked for the server."""


async def marked(_: web.Request) -> web.Response:
    return web.Response(text="hello", headers={"EService-Route": "pmlp-production.address"})


@asynccontextmanager
async def server(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = marked,
    tls: ssl.SSLContext | None = None,
    address: str = "127.0.0.1",
) -> AsyncIterator[Server]:
    made = Server(0, answer)

    async def take(request: web.Request) -> web.StreamResponse:
        made.requests.append(request)
        return await made.answer(request)

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: made.names.append(name)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, 0, ssl_context=tls).start()
        made.port = runner.addresses[0][1]
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(
    speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server that speaks bytes; answers its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await speak(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    made = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with made:
        yield made.sockets[0].getsockname()[1]


def asker(
    port: int | None,
    scheme: str = "http",
    *,
    trusted: ssl.SSLContext | None = None,
    look_up: LookUp = nowhere,
    rules: Rules | None = None,
    timeout: float = 5.0,
) -> Asker:
    """Asks every host at 127.0.0.1 and that port; without one, where ``look_up`` leads."""

    async def trust() -> ssl.SSLContext:
        return trusted if trusted is not None else ssl.create_default_context()

    resolver = CheckedResolver(
        Rules(HERE) if rules is None else rules, look_up, None if port is None else ("127.0.0.1", port)
    )
    return Asker(
        scheme,
        resolver,
        trust,
        now=lambda: NOW,
        monotonic=asyncio.get_running_loop().time,
        elsewhere=port is not None,
        timeout=timeout,
    )


def told(answer: Answer) -> tuple[int, str, Answered | None]:
    return answer.code, answer.mark, answer.failure


def failed(answered: Answered) -> tuple[int, str, Answered]:
    return 0, "", answered


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_an_answer_is_its_status_and_its_mark() -> None:
    async with server() as at:
        answer = await asker(at.port).ask(HOST, "/declare")
        assert told(answer) == (200, "pmlp-production.address", None)
        assert answer.at == NOW
        assert 0 < answer.seconds < 5
    (request,) = at.requests
    assert (request.method, request.path_qs, request.host) == ("GET", "/declare", HOST)
    assert request.headers["User-Agent"].startswith("eservice-operator-probe")
    assert "Cookie" not in request.headers


@pytest.mark.parametrize("code", [200, 204, 302, 401, 404, 500, 503])
async def test_every_status_is_an_answer(code: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code)

    async with server(answer) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == (code, "", None)


async def test_host_and_name_of_the_certificate_are_the_public_host_wherever_it_connects(
    authority: trustme.CA,
) -> None:
    async with server(tls=serving(authority, HOST)) as at:
        answer = await asker(at.port, "https", trusted=trusting(authority)).ask(HOST, "/")
        assert told(answer) == (200, "pmlp-production.address", None)
    assert (at.requests[0].host, at.names) == (HOST, [HOST])


async def test_a_certificate_for_another_host_or_of_nobody_known_is_an_answer_of_its_own(
    authority: trustme.CA,
) -> None:
    async with server(tls=serving(authority, "other.example")) as at:
        answer = await asker(at.port, "https", trusted=trusting(authority)).ask(HOST, "/")
        assert told(answer) == failed(Answered.UNTRUSTED)
        answer = await asker(at.port, "https").ask("other.example", "/")
        assert told(answer) == failed(Answered.UNTRUSTED)
    assert at.requests == [], "nothing is said to a server that is not trusted"


async def test_a_port_without_a_server_refuses() -> None:
    with socket.socket() as held:  # nobody listens there, and nobody else takes it
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert told(await asker(port).ask(HOST, "/")) == failed(Answered.REFUSED)


async def test_a_host_without_an_address_has_none() -> None:
    assert told(await asker(None).ask(HOST, "/")) == failed(Answered.NO_ADDRESS)


async def test_a_private_address_is_not_asked_and_the_kind_is_said() -> None:
    async def look_up(_: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async with server() as at:
        answer = await asker(at.port, rules=Rules()).ask(HOST, "/")
        assert (told(answer), answer.why) == (failed(Answered.NOT_ALLOWED), "loopback")
        answer = await asker(None, rules=Rules(), look_up=look_up).ask(HOST, "/")
        assert (told(answer), answer.why) == (failed(Answered.NOT_ALLOWED), "loopback")
    assert at.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "::1"])
async def test_a_host_that_is_an_address_is_not_asked(host: str) -> None:
    answer = await asker(None, rules=Rules(HERE)).ask(host, "/")
    assert (told(answer), answer.why) == (failed(Answered.NOT_ALLOWED), "literal")


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name that changes its answer between two look-ups leads nowhere: a connection takes one look-up."""
    asked: list[str] = []

    async def rebinding(name: str) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    rules = Rules([ip_network("127.0.0.1/32")])
    first = await asker(None, look_up=rebinding, rules=rules).ask(HOST, "/")
    assert first.failure in {Answered.REFUSED, None}, "at 127.0.0.1:80, whoever is there"
    assert len(asked) == 1
    second = await asker(None, look_up=rebinding, rules=rules).ask(HOST, "/")
    assert told(second) == failed(Answered.NOT_ALLOWED)


async def test_no_answer_within_the_time_is_said_so() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(slow) as at:
        answer = await asker(at.port, timeout=0.2).ask(HOST, "/")
    assert told(answer) == failed(Answered.TIMED_OUT)
    assert 0.15 < answer.seconds < TIMEOUT, "its own time, and not the usual one"


async def test_a_head_that_drips_ends_with_the_time() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with raw_server(drip) as port:
        assert told(await asker(port, timeout=0.3).ask(HOST, "/")) == failed(Answered.TIMED_OUT)


async def test_a_body_without_end_is_not_read() -> None:
    sent = 0
    gone = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nEService-Route: notice\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                await writer.drain()
                sent += 1
        except ConnectionError:
            gone.set()
            raise

    async with raw_server(flood) as port:
        answer = await asker(port).ask(HOST, "/")
        assert told(answer) == (200, "notice", None)
        assert answer.seconds < TIMEOUT
        await asyncio.wait_for(gone.wait(), 5)
    assert sent < 200, "what the kernel buffers, and no more"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + b"\r\n",
    ],
    ids=["another protocol", "nothing", "a huge header", "many headers"],
)
async def test_what_is_no_http_is_broken(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    async with raw_server(speak) as port:
        assert told(await asker(port).ask(HOST, "/")) == failed(Answered.BROKEN)


async def test_a_mark_as_long_as_a_header_may_be_is_cut() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"EService-Route": "x" * 5000})

    async with server(answer) as at:
        assert len((await asker(at.port).ask(HOST, "/")).mark) == 128


def redirecting(*targets: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Sends each request on to the next target, and answers with a mark once there is none left."""
    left = list(targets)

    async def answer(request: web.Request) -> web.Response:
        if left:
            return web.Response(status=308, headers={"Location": left.pop(0)})
        return await marked(request)

    return answer


async def test_redirects_on_the_host_are_followed_to_the_third() -> None:
    targets = (f"http://{HOST}/a", "/b?c=d", f"//{HOST}/e")
    async with server(redirecting(*targets)) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == (200, "pmlp-production.address", None)
        assert [request.path_qs for request in at.requests] == ["/", "/a", "/b?c=d", "/e"]
    async with server(redirecting(*targets, "/f")) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == failed(Answered.REDIRECTED)
        assert len(at.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://elsewhere.example/",
        "https://login.example/?to=here",
        f"http://{HOST}.evil.example/",
        "//x.example/",
    ],
)
async def test_a_redirect_off_the_host_is_the_answer(target: str) -> None:
    async with server(redirecting(target)) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == (308, "", None)
        assert len(at.requests) == 1


@pytest.mark.parametrize(
    "target", [f"http://{HOST}:22/", f"http://{HOST}:8080/", f"ftp://{HOST}/", f"https://{HOST}/"]
)
async def test_a_redirect_to_another_port_or_protocol_is_not_followed(target: str) -> None:
    async with server(redirecting(target)) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == failed(Answered.REDIRECTED)
        assert len(at.requests) == 1


@pytest.mark.parametrize("target", ["http://[::1", f"http://{HOST}:port/"])
async def test_a_redirect_to_nowhere_is_an_answer_too(target: str) -> None:
    async with server(redirecting(target)) as at:
        answer = await asker(at.port).ask(HOST, "/")
        assert answer.failure in {Answered.BROKEN, Answered.REDIRECTED, None}
        assert len(at.requests) == 1


async def test_whoever_a_redirect_names_as_the_user_is_not_sent_along() -> None:
    async with server(redirecting(f"http://user:password@{HOST}/a")) as at:
        await asker(at.port).ask(HOST, "/")
        assert "Authorization" not in at.requests[1].headers


async def test_a_marked_redirect_is_the_answer_and_not_followed() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/login", "EService-Route": "a.b"})

    async with server(answer) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == (302, "a.b", None)
        assert len(at.requests) == 1


async def test_a_redirect_is_looked_up_and_checked_again(authority: trustme.CA) -> None:
    """From http up to https on the same host; by then its name leads to an address that may not be asked."""
    asked: list[str] = []

    class Ports(CheckedResolver):
        """Leads the schemes' own ports to those of the test."""

        @override
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            for one in found:
                one["port"] = ports[one["port"]]
            return found

    async def look_up(name: str) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) != 4 else ["10.0.0.1"]

    async def trust() -> ssl.SSLContext:
        return trusting(authority)

    async def up(_: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": f"https://{HOST}/"})

    async with server(up) as plain, server(tls=serving(authority, HOST)) as secure:
        ports = {80: plain.port, 443: secure.port}
        loop = asyncio.get_running_loop()
        at = Asker("http", Ports(Rules(HERE), look_up), trust, now=lambda: NOW, monotonic=loop.time)
        assert told(await at.ask(HOST, "/")) == (200, "pmlp-production.address", None)
        assert told(await at.ask(HOST, "/")) == failed(Answered.NOT_ALLOWED)
        assert len(secure.requests) == 1
    assert asked == [f"{HOST}."] * 4


async def test_cookies_and_proxies_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert "Cookie" not in request.headers
        return web.Response(status=307, headers={"Location": "/again", "Set-Cookie": "a=b"})

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with server(answer) as at:
        assert told(await asker(at.port).ask(HOST, "/")) == failed(Answered.REDIRECTED)
        assert len(at.requests) == 4


async def test_a_question_can_be_given_up_at_any_moment() -> None:
    begun = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with server(slow) as at:
        task = asyncio.create_task(asker(at.port).ask(HOST, "/"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
