# SPDX-License-Identifier: Apache-2.0
"""Hosts: what a registration allows."""

from __future__ import annotations

from collections.abc import Iterable

from eservice_operator.api.base import Environment
from eservice_operator.api.registration import EServiceRegistration


def host_matches(pattern: str, host: str) -> bool:
    """Whether a pattern covers a host: the same, or ``*.`` and a domain for one label before it."""
    if not pattern.startswith("*."):
        return pattern == host
    label, dot, domain = host.partition(".")
    return bool(label) and bool(dot) and domain == pattern[2:]


def unregistered_hosts(
    hosts: Iterable[str], registration: EServiceRegistration | None, environment: Environment
) -> tuple[str, ...]:
    """The hosts that the registration does not give to the environment (R1); all of them without one."""
    patterns = (
        []
        if registration is None
        else [e.host for e in registration.spec.hosts if e.environment is environment]
    )
    return tuple(host for host in hosts if not any(host_matches(pattern, host) for pattern in patterns))
