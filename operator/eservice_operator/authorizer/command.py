# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator authorizer``: the settings of the authorizer."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.core.address import Address
from eservice_operator.serving import logs
from eservice_operator.serving.options import LISTEN_ON, ZONE, setting

log = logging.getLogger(__name__)

FILE: Final = click.Path(dir_okay=False, path_type=Path)
OWN: Final = "authorizer"
"""In the names of variables that are not the operator's, too."""


@click.command()
@setting(
    "--address", LISTEN_ON, "Where proxies ask; port 0 takes a free one and logs it.", "0.0.0.0:8443", OWN
)
@setting("--health-address", LISTEN_ON, "Where /metrics, /livez and /readyz answer.", "0.0.0.0:8081", OWN)
@setting(
    "--tls-cert-file",
    FILE,
    "The certificate (PEM, with its chain) that proxies are shown; read again when it changes.",
    of=OWN,
)
@setting("--tls-key-file", FILE, "Its key (PEM). Without both, callers' tokens come in plain HTTP.", of=OWN)
@setting(
    "--kubeconfig",
    click.Path(dir_okay=False),
    "Credentials for the cluster. Without it KUBECONFIG, then the Pod's own.",
)
@setting("--context", click.STRING, "Context in that kubeconfig; without it the current one.")
@setting("--time-zone", ZONE, "Dates are days of this time zone: the operator's.", "Europe/Riga")
def authorizer(
    address: Address,
    health_address: Address,
    tls_cert_file: Path | None,
    tls_key_file: Path | None,
    kubeconfig: str | None,
    context: str | None,
    time_zone: ZoneInfo,
) -> None:
    """Answer proxies in front of web services whether a caller may use them, until SIGTERM or SIGINT.

    For Envoy's ext_authz and nginx's auth_request: 200 the caller has an active grant, 401 no token or none
    for this web service, 403 no active grant, 503 cannot be decided. It writes nothing in the cluster.
    """
    from eservice_operator.authorizer.process import Clocks, Settings, serve  # noqa: PLC0415 - seconds
    from eservice_operator.authorizer.tls import Files  # noqa: PLC0415

    if (tls_cert_file is None) != (tls_key_file is None):
        raise click.UsageError("--tls-cert-file and --tls-key-file belong together: give both, or none")
    tls = Files(tls_cert_file, tls_key_file) if tls_cert_file and tls_key_file else None
    logs.configure()
    if tls is None:
        log.warning("without --tls-cert-file the tokens of callers come in plain HTTP")
    settings = Settings(
        address=address,
        health_address=health_address,
        kubeconfig=kubeconfig,
        context=context,
        tls=tls,
        time_zone=time_zone,
    )
    clocks = Clocks(lambda: datetime.now(UTC), time.monotonic)
    raise SystemExit(asyncio.run(serve(settings, clocks)))
