# SPDX-License-Identifier: Apache-2.0
"""The certificate that the authorizer shows: from files, and from the new ones once they change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
"""How often the files are looked at."""


class CertificateError(Exception):
    """The files cannot be used; the message says why."""


class Files(NamedTuple):
    """Where certificate (with its chain) and key are, in PEM."""

    certificate: Path
    key: Path


class Certificate:
    """``context`` is for a listener; each new connection is shown the newest certificate that can be used.

    A pair that does not fit together, as while files are being replaced, changes nothing.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._digest = self._read()
        self._newest = self._load()
        self.context = _context()
        self.context.sni_callback = self._show
        self.context.load_cert_chain(files.certificate, files.key)

    async def renew(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look at the files for ever."""
        while True:
            await sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Take what the files hold now, if it is something else."""
        try:
            digest = self._read()
            if digest == self._digest:
                return
            self._newest = self._load()
        except CertificateError as error:
            log.warning("the certificate in use stays: %s", error)
            return
        self._digest = digest
        log.info("the certificate of %s is in use", self._files.certificate)

    def _show(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _read(self) -> bytes:
        try:
            return b"".join(sha256(path.read_bytes()).digest() for path in self._files)
        except OSError as error:
            raise CertificateError(str(error)) from error

    def _load(self) -> ssl.SSLContext:
        context = _context()
        try:
            context.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(
                f"{self._files.certificate} and {self._files.key} are no certificate with its key: {error}"
            ) from error
        return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
