# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server on a port of its own: what it was told, and answers that a test decides."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override

from tests.support.waiting import eventually

OK = "250 OK"


@dataclass(frozen=True)
class Received:
    """A mail as the server took it, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    protected: bool
    """Whether it came by TLS."""
    user: str

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.SMTPUTF8)


@dataclass
class MailServer:
    """Answers by the book unless ``answers`` has something else for a command or a recipient."""

    users: dict[str, str] = field(default_factory=dict)
    """Passwords; with any, nobody may send who is not logged in."""
    answers: dict[str, list[str]] = field(default_factory=dict)
    """Answers to give, each once: by the name of a command, or by the address of a recipient."""
    hold: asyncio.Event | None = None
    """What the answer to the end of a mail waits for, after the mail was taken."""
    pause: float = 0.0
    """Seconds from the end of a mail to the answer."""
    received: list[Received] = field(default_factory=list)
    logins: list[tuple[str, bool]] = field(default_factory=list)
    """Who tried to log in, and whether that worked."""
    connections: int = 0
    transports: set[asyncio.BaseTransport] = field(default_factory=set)
    sockets: list[TransportSocket] = field(default_factory=list)
    """Of each connection; closed some turns of the loop after its transport, which may be the loop's last."""
    talks: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0

    @property
    def open(self) -> int:
        return sum(not transport.is_closing() for transport in self.transports)

    async def hang_up(self) -> None:
        """End every connection; after a handshake that failed nothing else would."""
        for task in self.talks:
            task.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)
        for transport in self.transports:
            transport.close()
        await eventually(lambda: all(one.fileno() < 0 for one in self.sockets), "the end of all connections")

    def answer(self, *keys: str) -> str | None:
        waiting = next((self.answers[key] for key in keys if self.answers.get(key)), None)
        return waiting.pop(0) if waiting else None

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        del server, session, envelope, mechanism
        assert isinstance(data, LoginPassword)
        user = data.login.decode()
        known = self.users.get(user) == data.password.decode()
        self.logins.append((user, known))
        return AuthResult(success=known, handled=False, auth_data=user if known else None)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        answer = self.answer("MAIL") or OK
        if answer == OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        answer = self.answer(address, "RCPT") or OK
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answer("DATA") or OK
        if answer == OK:
            assert isinstance(envelope.original_content, bytes)
            transport = server.transport
            assert transport is not None
            self.received.append(
                Received(
                    str(envelope.mail_from),
                    tuple(envelope.rcpt_tos),
                    envelope.original_content,
                    transport.get_extra_info("ssl_object") is not None,
                    str(session.auth_data) if session.authenticated else "",
                )
            )
            await asyncio.sleep(self.pause)
            if self.hold is not None:
                await self.hold.wait()
        return answer


class _Counting(SMTP):
    """Tells its server of connections."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._original_transport is None:  # else it is the same connection, made once more over TLS
            self.event_handler.connections += 1
            self.event_handler.sockets.append(transport.get_extra_info("socket"))
        super().connection_made(transport)
        self.event_handler.transports.add(transport)
        self.event_handler.talks.add(self._handler_coroutine)


@asynccontextmanager
async def mail_server(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    users: dict[str, str] | None = None,
    utf8: bool = True,
) -> AsyncIterator[MailServer]:
    """A server on this event loop; ``starttls`` must be used where it is given, ``tls`` is implicit."""
    known = MailServer(users=users or {})
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        with warnings.catch_warnings():  # it takes a login over implicit TLS for one in plain
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return _Counting(
                known,
                loop=loop,
                hostname="mail.test",
                tls_context=starttls,
                require_starttls=starttls is not None,
                auth_required=bool(known.users),
                auth_require_tls=tls is None,
                authenticator=known.authenticate if known.users else None,
                enable_SMTPUTF8=utf8,
            )

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        await known.hang_up()
        await server.wait_closed()
