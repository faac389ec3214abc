# SPDX-License-Identifier: Apache-2.0
"""Certificates: of an authority that is trusted here, and of a stranger."""

import ssl
from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="session")
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """For a server whose certificate is in order."""
    return server_context(authority, "localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def misnamed(authority: trustme.CA) -> ssl.SSLContext:
    """For a server with the certificate of another name."""
    return server_context(authority, "mail.elsewhere.example")


@pytest.fixture(scope="session")
def strange() -> ssl.SSLContext:
    """For a server that nobody here trusts."""
    return server_context(trustme.CA(), "localhost", "127.0.0.1")
