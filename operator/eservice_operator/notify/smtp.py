# SPDX-License-Identifier: Apache-2.0
"""The channel of e-mail: one mail for each recipient, over one connection that outlasts a burst."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import aiosmtplib

from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.notify.addresses import Mailbox
from eservice_operator.notify.cleaning import one_line
from eservice_operator.notify.message import Mail, mail_of
from eservice_operator.notify.sender import Credentials, NoCredentials
from eservice_operator.notify.tls import trust

REFUSED: Final = range(500, 600)
WANTS_LOGIN: Final = 530
"""The one refusal of a recipient that is about us: the server wants to know who we are."""
OURS_TO_MEND: Final = "5.7."
"""Enhanced status (RFC 3463) of what security or policy refuses, such as relaying."""
BROKEN: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)


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
    """The authorities that it is trusted by; the machine's without one. Read anew for each connection."""
    timeout: float = 20.0
    """Seconds for each command."""
    patience: float = 60.0
    """Seconds for one mail, the connection included."""
    idle: float = 10.0
    """Seconds after which a connection without work is closed."""


class SmtpSender:
    """The `Sender` of e-mail: mails go one after the other. Neither they nor the login are ever logged."""

    def __init__(
        self, server: MailServer, credentials: Credentials | None, now: Callable[[], datetime]
    ) -> None:
        self._server = server
        self._credentials = credentials
        self._now = now
        self._turn = asyncio.Lock()
        self._client: aiosmtplib.SMTP | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._unreachable = ""
        self._failures = 0

    async def send(self, letter: Letter) -> Delivery:
        """One attempt to hand the letter over."""
        failures = self._failures
        async with self._turn:
            if self._failures != failures:  # it was found unreachable while this letter waited its turn
                return self._not_accepted(self._unreachable)
            try:
                mail = await asyncio.to_thread(mail_of, letter, self._server.sender)
            except ValueError as error:
                return self._not_accepted(f"no mail can be made of it: {error}", permanent=True)
            self._stay()
            try:
                async with asyncio.timeout(self._server.patience):
                    return await self._hand_over(mail)
            except TimeoutError:
                return self._out_of_reach("the mail server took too long")
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
        try:
            client = await self._connected()
        except (*BROKEN, NoCredentials) as error:
            return self._out_of_reach(_connecting_failed(error))
        options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.recipient.international else []
        try:
            await client.sendmail(
                mail.sender.plain, [mail.recipient.plain], mail.content, mail_options=options
            )
        except BROKEN as error:
            return self._verdict(error)
        return Delivery(accepted=True, at=self._now())

    def _verdict(self, error: Exception) -> Delivery:
        """What the end of an attempt means for this recipient."""
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            error = error.recipients[0]
        if isinstance(error, aiosmtplib.SMTPNotSupported):
            return self._not_accepted("the mail server does not take such an address", permanent=True)
        if not isinstance(error, aiosmtplib.SMTPResponseException):
            self._drop()
            return self._not_accepted(f"the connection broke: {one_line(str(error)) or type(error).__name__}")
        said = one_line(str(error.message))
        # whom mails come from, who may send and relay, is our own configuration: mending it helps
        ours = isinstance(error, aiosmtplib.SMTPSenderRefused) or error.code == WANTS_LOGIN
        ours |= said.startswith(OURS_TO_MEND)
        answer = f"the mail server answered {error.code} {said}"
        return self._not_accepted(answer, permanent=error.code in REFUSED and not ours)

    def _out_of_reach(self, error: str) -> Delivery:
        """The same answer for this letter and for those that wait in line."""
        self._drop()
        self._failures += 1
        self._unreachable = error
        return self._not_accepted(error)

    def _not_accepted(self, error: str, *, permanent: bool = False) -> Delivery:
        return Delivery(accepted=False, at=self._now(), error=error, permanent=permanent)

    async def _connected(self) -> aiosmtplib.SMTP:
        """The connection that is there, if it still answers, or a new one, logged in."""
        if self._client is not None:
            with suppress(*BROKEN):
                await self._client.noop()
                return self._client
            self._drop()
        server = self._server
        login = await self._credentials() if self._credentials is not None else None
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=None if server.security is Security.NONE else trust(server.ca_file),
            local_hostname=server.sender.address.domain,
            timeout=server.timeout,
        )
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


def _connecting_failed(error: Exception) -> str:
    """Why there is no connection. An answer to a login may repeat it: only its code is told."""
    match error:
        case NoCredentials():
            return str(error)
        case aiosmtplib.SMTPAuthenticationError():
            return f"the mail server refused the login: {error.code}"
        case aiosmtplib.SMTPResponseException():
            return f"the mail server answered {error.code} {one_line(str(error.message))}"
        case _:
            return f"no connection to the mail server: {one_line(str(error)) or type(error).__name__}"
