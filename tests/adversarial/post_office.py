# SPDX-License-Identifier: Apache-2.0
"""A mail server and a sink of events for a whole module: on a thread and an event loop of their own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.support.mailserver import MailServer, mail_server
from tests.support.sink import Sink, event_sink

SENDER = "e-pakalpojumi@agency.example"
STARTS = 30.0
"""Seconds."""


@dataclass(frozen=True)
class PostOffice:
    """What was handed over so far; read from any thread."""

    mail: MailServer
    sink: Sink

    @property
    def settings(self) -> dict[str, str]:
        """What an operator is told."""
        return {
            "smtp-server": f"127.0.0.1:{self.mail.port}",
            "smtp-security": "none",
            "mail-from": SENDER,
            "events-sink": self.sink.url,
        }

    def recipients(self) -> set[str]:
        """Every address that a mail was handed over for."""
        return {one for mail in list(self.mail.received) for one in mail.recipients}

    def mails(self, recipient: str) -> list[EmailMessage]:
        """The mails to an address, as a mail program reads them."""
        mine = [mail for mail in list(self.mail.received) if recipient in mail.recipients]
        return [message_from_bytes(mail.content, policy=policy.default) for mail in mine]

    def events(self) -> list[dict[str, Any]]:
        """Every event."""
        return [json.loads(taken.body) for taken in list(self.sink.taken)]


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """One that is open while the block lasts."""
    made: list[PostOffice] = []
    open_, closing = threading.Event(), threading.Event()

    async def serve() -> None:
        async with mail_server() as mail, event_sink() as sink:
            made.append(PostOffice(mail, sink))
            open_.set()
            await asyncio.to_thread(closing.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert open_.wait(STARTS), "no post office"
    try:
        yield made[0]
    finally:
        closing.set()
        thread.join(STARTS)
