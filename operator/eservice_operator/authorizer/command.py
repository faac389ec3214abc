# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator authorizer``: the settings of the authorizer."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click
from typing_extensions import override

from eservice_operator.core.address import Address
from eservice_operator.serving import logs
from eservice_operator.serving.process import ListenOn

log = logging.getLogger(__name__)

FILE = click.Path(dir_okay=False, path_type=Path)


class Zone(click.ParamType[ZoneInfo]):
    """A name of the IANA time zone database."""

    name = "ZONE"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        if isinstance(value, ZoneInfo):
            return value
        if value not in available_timezones():
            self.fail(f"there is no time zone {value!r}; write a name such as Europe/Riga", param, ctx)
        return ZoneInfo(value)


@click.command()
@click.option(
    "--address",
    type=ListenOn(),
    default="0.0.0.0:8443",
    show_default=True,
    envvar="ESERVICE_AUTHORIZER_ADDRESS",
    show_envvar=True,
    help="Where proxies ask; port 0 takes a free one and logs it.",
)
@click.option(
    "--health-address",
    type=ListenOn(),
    default="0.0.0.0:8081",
    show_default=True,
    envvar="ESERVICE_AUTHORIZER_HEALTH_ADDRESS",
    show_envvar=True,
    help="Where /metrics, /livez and /readyz answer.",
)
@click.option(
    "--tls-cert-file",
    type=FILE,
    envvar="ESERVICE_AUTHORIZER_TLS_CERT_FILE",
    show_envvar=True,
    help="The certificate (PEM, with its chain) that proxies are shown; read again when it changes.",
)
@click.option(
    "--tls-key-file",
    type=FILE,
    envvar="ESERVICE_AUTHORIZER_TLS_KEY_FILE",
    show_envvar=True,
    help="Its key (PEM). Without both, callers' tokens come in plain HTTP.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False),
    envvar="ESERVICE_KUBECONFIG",
    show_envvar=True,
    help="Credentials for the cluster. Without it KUBECONFIG, then the Pod's own.",
)
@click.option(
    "--context",
    envvar="ESERVICE_CONTEXT",
    show_envvar=True,
    help="Context in that kubeconfig; without it the current one.",
)
@click.option(
    "--time-zone",
    type=Zone(),
    default="Europe/Riga",
    show_default=True,
    envvar="ESERVICE_TIME_ZONE",
    show_envvar=True,
    help="Dates are days of this time zone: the operator's.",
)
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
