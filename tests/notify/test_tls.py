# SPDX-License-Identifier: Apache-2.0
"""Authorities are read off the event loop, once, and again when their file was replaced."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest
import trustme

from eservice_operator.notify import tls
from eservice_operator.notify.tls import NoAuthorities, Trust


async def test_a_file_is_read_once_until_it_is_replaced(tmp_path: Path) -> None:
    path, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    trust = Trust(str(path))
    first = await trust.context()
    assert await trust.context() is first
    trustme.CA().cert_pem.write_to_path(str(other))
    other.replace(path)
    second = await trust.context()
    assert second is not first
    assert second.get_ca_certs() != first.get_ca_certs()
    assert await trust.context() is second


async def test_what_cannot_be_read_is_never_taken_for_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    trust = Trust(str(path))
    await trust.context()
    path.write_text("nothing")
    with pytest.raises(NoAuthorities, match="cannot be read"):
        await trust.context()
    path.unlink()
    with pytest.raises(NoAuthorities, match="are not there"):
        await trust.context()


async def test_the_machines_authorities_are_read_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = []

    def noted(ca_file: str | None) -> ssl.SSLContext:
        readers.append(threading.get_ident())
        return reading(ca_file)

    reading = tls.trust
    monkeypatch.setattr(tls, "trust", noted)
    trust = Trust(None)
    context = await trust.context()
    assert await trust.context() is context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(readers) == 1
    assert threading.get_ident() not in readers
