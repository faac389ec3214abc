# SPDX-License-Identifier: Apache-2.0
"""A mail server that asks for TLS and a login, and an operator's settings for it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trustme

from tests.support.mailserver import MailServer, mail_server
from tests.support.site import Site

USER, PASSWORD = "operator", "not-a-secret"
HOME, NAME = "eservice-system", "eservice-operator-smtp"
"""Of the one Secret with a login that the operator may read."""


@asynccontextmanager
async def mail_with_login(site: Site, folder: Path) -> AsyncIterator[tuple[MailServer, dict[str, str]]]:
    """The server and the settings; its certificate's authority is in ``folder``, the login in a Secret."""
    authority = trustme.CA()
    trusted = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": HOME},
        "type": "kubernetes.io/basic-auth",
        "stringData": {"username": USER, "password": PASSWORD},
    }
    await site.apply(secret)
    async with mail_server(starttls=context, users={USER: PASSWORD}) as server:
        yield (
            server,
            {
                "smtp-server": f"127.0.0.1:{server.port}",
                "smtp-ca-file": str(trusted),
                "smtp-secret": f"{HOME}/{NAME}",
                "mail-from": "E-pakalpojumi <e-pakalpojumi@agency.example>",
            },
        )
