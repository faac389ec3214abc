# SPDX-License-Identifier: Apache-2.0
"""The options about which of several operators leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from eservice_operator.cluster.lease import LONGEST, Terms
from eservice_operator.runtime import settings
from eservice_operator.runtime.options import DEFAULTS, duration, option
from eservice_operator.runtime.settings import DNS_LABEL, Settings
from eservice_operator.serving.options import Parsed

POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
USUAL_NAMESPACE: Final = "eservice-system"
"""That of docs/manifests: who runs an operator by hand stands for the same lease as the Pods there."""
SHORTEST: Final = timedelta(seconds=1)

NAME_LENGTH: Final = 253
"""As for any object of the API but namespaces and Services."""


def parse_lease_name(text: str) -> str:
    """The name of a Lease."""
    if len(text) > NAME_LENGTH or not all(DNS_LABEL.fullmatch(label) for label in text.split(".")):
        raise ValueError(
            f"{text!r} is not the name of a Lease; write lower-case letters, digits, '-' and '.', "
            f"at most {NAME_LENGTH}, such as eservice-operator"
        )
    return text


LEASE_OPTIONS = (
    option(
        "leader-elect",
        click.Choice(["on", "off"]),
        "Of several operators only the one that holds a Lease writes; off where there is never a second one.",
    ),
    option(
        "lease-namespace",
        Parsed("NAME", settings.parse_namespace),
        f"Where that Lease is; without it the Pod's own namespace, outside of a Pod {USUAL_NAMESPACE}.",
    ),
    option(
        "lease-name",
        Parsed("NAME", parse_lease_name),
        "How it is called: another one for each operator with --namespaces of its own.",
    ),
    option(
        "lease-duration",
        Parsed("DURATION", duration(SHORTEST, timedelta(seconds=LONGEST))),
        "Without being renewed it is another operator's after this.",
        settings.format_duration(DEFAULTS.lease_duration),
    ),
    option(
        "renew-deadline",
        Parsed("DURATION", duration(SHORTEST / 2, timedelta(seconds=LONGEST))),
        "A leader that could not renew it for this long ends.",
        settings.format_duration(DEFAULTS.renew_deadline),
    ),
    option(
        "retry-period",
        Parsed("DURATION", duration(SHORTEST / 10, timedelta(seconds=LONGEST))),
        "How often it is renewed, or looked at, at least.",
        settings.format_duration(DEFAULTS.retry_period),
    ),
)


def contradictions(given: Settings) -> Iterator[str]:
    """Durations that leave no room for one another."""
    if not given.lease_duration > given.renew_deadline >= 2 * given.retry_period:
        yield (
            "--lease-duration has to be longer than --renew-deadline, and that at least twice --retry-period"
        )


def terms_of(given: Settings) -> Terms:
    """By what the election goes."""
    return Terms(
        given.lease_duration.total_seconds(),
        given.renew_deadline.total_seconds(),
        given.retry_period.total_seconds(),
    )


def namespace_of(given: Settings) -> str:
    """Where the lease is."""
    if given.lease_namespace is not None:
        return given.lease_namespace
    try:
        return POD_NAMESPACE.read_text().strip() or USUAL_NAMESPACE
    except OSError:
        return USUAL_NAMESPACE
