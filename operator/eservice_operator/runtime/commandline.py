# SPDX-License-Identifier: Apache-2.0
"""The command line: flags over environment variables over defaults, each checked before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from eservice_operator import __version__
from eservice_operator.authorizer.command import authorizer
from eservice_operator.notice.command import notice
from eservice_operator.notify.smtp import Security
from eservice_operator.runtime import channels, lease_options, route_settings, settings
from eservice_operator.runtime.lease_options import LEASE_OPTIONS
from eservice_operator.runtime.options import DEFAULTS, duration, option
from eservice_operator.runtime.route_options import ROUTE_OPTIONS, contradictions
from eservice_operator.runtime.settings import Settings
from eservice_operator.serving.options import LISTEN_ON, ZONE, Parsed

Serve = Callable[[Settings], int]
"""Runs the operator to its end and answers the exit code."""

OPTIONS = (
    option(
        "kubeconfig",
        Parsed("PATH", settings.parse_file),
        "Credentials for the cluster. Without it KUBECONFIG, then the Pod's own.",
    ),
    option("context", click.STRING, "Context in that kubeconfig; without it the current one."),
    option(
        "namespaces",
        Parsed("NAME[,NAME…]", settings.parse_namespaces),
        "Serve the objects of these namespaces only; without it all.",
        ",".join(DEFAULTS.namespaces),
    ),
    *ROUTE_OPTIONS,
    option(
        "cluster-networks",
        Parsed("CIDR[,…]", route_settings.parse_networks),
        "Networks of Pods, Services and nodes here: no outside address of a WebService may lead there.",
        "",
    ),
    option(
        "time-zone",
        ZONE,
        "Dates are days of this time zone.",
        str(DEFAULTS.time_zone),
    ),
    option(
        "holiday-country",
        Parsed("COUNTRY", settings.parse_country),
        "Working days are those of this country (two letters).",
    ),
    option(
        "resync",
        Parsed("DURATION", duration(timedelta(seconds=1), timedelta(hours=24))),
        "How often every object is listed and looked at again.",
        settings.format_duration(DEFAULTS.resync),
    ),
    option("workers", click.IntRange(1, 256), "Objects reconciled at once."),
    option(
        "metrics-address",
        LISTEN_ON,
        "Where /metrics, /livez and /readyz answer; port 0 takes a free one and logs it.",
        str(DEFAULTS.metrics_address),
    ),
    option("log-level", click.Choice(["debug", "info", "warning", "error"]), "Log from this level on."),
    option("log-format", click.Choice(["json", "text"]), "A JSON object per line, or text for people."),
    *LEASE_OPTIONS,
    option(
        "drain-delay",
        Parsed("DURATION", duration(timedelta(0), timedelta(hours=1))),
        "From the switch to a new release until the Pods of the old one go.",
        settings.format_duration(DEFAULTS.drain_delay),
    ),
    option(
        "settle",
        Parsed("DURATION", duration(timedelta(0), timedelta(minutes=5))),
        "How long a status that only says that work goes on is held back: mostly it is done by then.",
        settings.format_duration(DEFAULTS.settle),
    ),
    option(
        "smtp-server",
        Parsed("HOST:PORT", channels.parse_server),
        "The mail server that takes notices; without it none are mailed.",
    ),
    option(
        "smtp-security",
        click.Choice([str(security) for security in Security]),
        "starttls: TLS before all else. tls: from the first byte. none: for a relay beside the operator.",
    ),
    option(
        "smtp-secret",
        Parsed("NAMESPACE/NAME", channels.parse_secret),
        "The Secret (kubernetes.io/basic-auth) with the login for it.",
    ),
    option(
        "smtp-ca-file",
        Parsed("PATH", channels.parse_ca_file),
        "Certificates (PEM) that it is trusted by; without it the machine's.",
    ),
    option(
        "mail-from",
        Parsed("'NAME <ADDRESS>'", channels.parse_mailbox),
        "Whom mails come from; needed with --smtp-server.",
    ),
    option(
        "events-sink",
        Parsed("URL", channels.parse_sink),
        "Where notices are POSTed as CloudEvents; without it none are.",
    ),
    option(
        "events-secret",
        Parsed("NAMESPACE/NAME", channels.parse_secret),
        "The Secret whose hmac-key signs them.",
    ),
    option(
        "events-ca-file",
        Parsed("PATH", channels.parse_ca_file),
        "Certificates (PEM) that the sink is trusted by; without it the machine's.",
    ),
)


def command_line(serve: Serve) -> click.Group:
    """The commands, with the function that runs the operator."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
    def main() -> None:
        """The e-service operator: installs, publishes and unpublishes e-services by the rules."""

    @main.command()
    def version() -> None:
        """Print the version."""
        click.echo(__version__)

    def run(**values: Any) -> None:
        """Run the operator until it is told to stop (SIGTERM, SIGINT; a second one ends it at once).

        A flag goes before its environment variable, and that before the default.
        """
        given = Settings(**values)
        wrong = [
            *channels.contradictions(given),
            *contradictions(given),
            *lease_options.contradictions(given),
        ]
        if wrong:
            raise click.UsageError("; ".join(wrong))
        raise SystemExit(serve(given))

    for decorate in reversed(OPTIONS):
        run = decorate(run)
    main.command()(run)
    main.add_command(notice)
    main.add_command(authorizer)
    return main
