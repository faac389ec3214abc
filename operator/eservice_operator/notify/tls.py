# SPDX-License-Identifier: Apache-2.0
"""Whom a channel trusts: certificates and host names are always checked."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple

Stamp = tuple[tuple[int, int, int] | None, ...]


class NoAuthorities(Exception):
    """The authorities that a channel is trusted by cannot be read now."""


class _Known(NamedTuple):
    stamp: Stamp
    context: ssl.SSLContext


class Trust:
    """The authorities of a file, or the machine's, as they are now: a file that was replaced is read again.

    Reading takes tens of milliseconds of processor time, so it is done in a thread, and only after a change.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._known: _Known | None = None

    async def context(self) -> ssl.SSLContext:
        """For the next connection; the same object as long as nothing has changed.

        Raises:
            NoAuthorities: the file is not there, or holds no certificate.
        """
        self._known = await asyncio.to_thread(self._read, self._known)
        return self._known.context

    def _read(self, known: _Known | None) -> _Known:
        stamp = _stamp(self._ca_file)
        if known is not None and known.stamp == stamp:
            return known
        try:
            return _Known(stamp, trust(self._ca_file))
        except OSError as error:
            text = "are not there" if isinstance(error, FileNotFoundError) else "cannot be read"
            raise NoAuthorities(f"the authorities in {self._ca_file} {text}") from error


def trust(ca_file: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, trusting the authorities of that file and no other; without one, the machine's.

    Raises:
        OSError: the file cannot be read, or holds no certificate (``ssl.SSLError``).
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _stamp(ca_file: str | None) -> Stamp:
    """What differs once the authorities were replaced."""
    machine = ssl.get_default_verify_paths()
    return tuple(map(_stamp_of, (ca_file,) if ca_file is not None else (machine.cafile, machine.capath)))


def _stamp_of(path: str | None) -> tuple[int, int, int] | None:
    try:
        told = Path(path).stat() if path is not None else None
    except OSError:
        told = None
    return (told.st_ino, told.st_mtime_ns, told.st_size) if told is not None else None
