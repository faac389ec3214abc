# SPDX-License-Identifier: Apache-2.0
"""What stands before a gateway: passes requests on, or answers for a host by itself, as the test decides."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from typing_extensions import override

MARK = "EService-Route"
SILENT = (0, "")
"""The connection is closed without a word."""


@dataclass
class Door:
    """A real HTTP server on a port of its own, in a thread, so that tests of any loop can use it."""

    gateway: str
    port: int = 0
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and mark for hosts that it answers for by itself."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Host and path of every request."""

    def passed_on(self, host: str, path: str) -> tuple[int, str]:
        """Status and mark that the gateway answers with."""
        place = urlsplit(self.gateway)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.getheader(MARK, "")
        finally:
            connection.close()


@contextmanager
def door_before(gateway: str) -> Iterator[Door]:
    """A door to the gateway at that address (``http://HOST:PORT``)."""
    door = Door(gateway)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"]
            door.asked.append((host, self.path))
            code, mark = door.answers.get(host) or door.passed_on(host, self.path)
            if code == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(code)
            if mark:
                self.send_header(MARK, mark)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test has ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
