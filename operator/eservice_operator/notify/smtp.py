# SPDX-License-Identifier: Apache-2.0
"""The channel of e-mail: one mail for each recipient, over one connection that outlasts a burst."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import aiosmtplib
from aiosmtplib.response import SMTPResponse
from aiosmtplib.typing import Default
from typing_extensions import override

from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.notify.addresses import Mailbox
from eservice_operator.notify.cancelling import cancellable
from eservice_operator.notify.message import Mail, mail_of
from eservice_operator.notify.refusals import (
    ANSWERED,
    BROKEN,
    NOT_CONNECTED,
    Refusal,
    not_connected,
    not_taken,
)
from eservice_operator.notify.sender import Credentials
from eservice_operator.notify.tls import Trust


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    """In plain at first; nothing is sent before TLS is up."""
    TLS = "tls"
    """TLS from the first byte."""
    NONE = "none"
    """Not at all: for a relay in the same Pod or a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails are handed over, and whom they come from."""

    host: str
    port: int
    sender: Mailbox
    security: Security = Security.STARTTLS
    ca_file: str | None = None
    """The authorities that it is trusted by; the machine's without one. Read anew when it was replaced."""
    timeout: float = 30.0
    """Seconds for each command."""
    patience: float = 60.0
    """Seconds for a connection, the login included."""
    verdict: float = 600.0
    """Seconds for the answer to a mail (RFC 5321, 4.5.3.2.6): one given up earlier is sent twice."""
    rest: float = 5.0
    """Seconds that a server without a connection is left alone: mails then fare like the one before."""
    idle: float = 10.0
    """Seconds after which a connection without work is closed."""


class _Client(aiosmtplib.SMTP):
    """Waits longer for the answer to a mail than for any other."""

    verdict = 0.0
    handed_over = False
    """Whether the last mail got so far that it may have been taken."""

    @override
    async def data(
        self, message: str | bytes, /, *, timeout: float | Default | None = Default.token
    ) -> SMTPResponse:
        self.handed_over = True
        return await super().data(message, timeout=self.verdict)


class SmtpSender:
    """The `Sender` of e-mail: mails go one after the other. Neither they nor the login are ever logged."""

    abreast = 1

    def __init__(
        self, server: MailServer, credentials: Credentials | None, now: Callable[[], datetime]
    ) -> None:
        self._server = server
        self._credentials = credentials
        self._now = now
        self._trust = Trust(server.ca_file)
        self._turn = asyncio.Lock()
        self._client: _Client | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._unreachable: Refusal | None = None
        self._rest_until = 0.0

    async def send(self, letter: Letter) -> Delivery:
        """One attempt to hand the letter over."""
        async with self._turn:
            if self._unreachable is not None and asyncio.get_running_loop().time() < self._rest_until:
                return self._not_accepted(self._unreachable)
            try:
                mail = await asyncio.to_thread(mail_of, letter, self._server.sender)
            except ValueError as error:
                text = f"no mail can be made of it: {error}"
                return self._not_accepted(Refusal(text, permanent=True, channel=False))
            self._stay()
            try:
                return await cancellable(self._hand_over(mail))
            except BaseException:
                self._drop()
                raise
            finally:
                self._leave_later()

    async def close(self) -> None:
        """Say goodbye to the server."""
        leaving = self._leaving
        async with self._turn:
            self._stay()
            await self._quit()
        if leaving is not None:
            await asyncio.wait({leaving})

    async def _hand_over(self, mail: Mail) -> Delivery:
        patience = asyncio.timeout(self._server.patience)
        try:
            async with patience:
                client = await self._connected()
        except NOT_CONNECTED as error:
            late = Refusal("the mail server took too long")
            return self._out_of_reach(late if patience.expired() else not_connected(error))
        options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.recipient.international else []
        client.handed_over = False
        try:
            await client.sendmail(
                mail.sender.plain, [mail.recipient.plain], mail.content, mail_options=options
            )
        except BROKEN as error:
            if not isinstance(error, ANSWERED):
                self._drop()
            return self._not_accepted(not_taken(error, handed_over=client.handed_over))
        return Delivery(accepted=True, at=self._now())

    def _out_of_reach(self, refusal: Refusal) -> Delivery:
        """The same answer for this letter and for those that follow at once."""
        self._drop()
        self._unreachable = refusal
        self._rest_until = asyncio.get_running_loop().time() + self._server.rest
        return self._not_accepted(refusal)

    def _not_accepted(self, refusal: Refusal) -> Delivery:
        return Delivery(
            accepted=False,
            at=self._now(),
            error=refusal.error,
            permanent=refusal.permanent,
            channel_failed=refusal.channel,
        )

    async def _connected(self) -> _Client:
        """The connection that is there, if it still answers, or a new one, logged in."""
        if self._client is not None:
            with suppress(*BROKEN):
                await self._client.noop()
                return self._client
            self._drop()
        server = self._server
        login = await self._credentials() if self._credentials is not None else None
        trusted = None if server.security is Security.NONE else await self._trust.context()
        self._client = _Client(
            hostname=server.host,
            port=server.port,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=trusted,
            local_hostname=server.sender.address.domain,
            timeout=server.timeout,
        )
        self._client.verdict = server.verdict
        await self._client.connect()
        if login is not None:
            await self._client.login(login.username.encode(), login.password.encode())
        return self._client

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _leave_later(self) -> None:
        if self._client is not None:
            self._leaving = asyncio.create_task(self._leave(), name="idle mail connection")

    async def _leave(self) -> None:
        await asyncio.sleep(self._server.idle)
        async with self._turn:
            await self._quit()

    async def _quit(self) -> None:
        if self._client is not None:
            with suppress(*BROKEN):
                await self._client.quit()
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
