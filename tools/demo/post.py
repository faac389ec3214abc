# SPDX-License-Identifier: Apache-2.0
"""A real mail server for the demonstration: STARTTLS with a certificate of its own, each mail a file."""

from __future__ import annotations

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "localhost"


class PostOffice:
    """Takes every mail and keeps it in ``folder``, numbered in the order of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.eml"):
            old.unlink()
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST).configure_cert(context)
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="post office", daemon=True)
        self.address = ""

    def open(self) -> None:
        """Listen on a free port; ``address`` is then where, as the operator is told."""
        self._thread.start()
        listening = self._loop.create_server(self._talk, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.address = f"{HOST}:{server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Take nothing more."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _talk(self) -> SMTP:
        return SMTP(self, loop=self._loop, tls_context=self._context, require_starttls=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        content = envelope.original_content or b""
        self._count += 1
        name = f"{self._count:03d}-{'-'.join(envelope.rcpt_tos)}.eml"
        (self._folder / name).write_bytes(content)
        return "250 OK"

    def mails(self) -> dict[Path, EmailMessage]:
        """All mails so far, in the order of their arrival."""
        return {
            path: message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self._folder.glob("*.eml"))
        }

    def find(self, recipient: str, subject: str) -> tuple[Path, EmailMessage] | None:
        """The first mail to somebody with these words in its subject."""
        for path, mail in self.mails().items():
            if mail["To"] == recipient and subject in str(mail["Subject"]):
                return path, mail
        return None
