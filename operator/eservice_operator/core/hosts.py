# SPDX-License-Identifier: Apache-2.0
"""Hosts: what a registration allows, and what a route or an Ingress answers for."""

from __future__ import annotations

from collections.abc import Iterable

from eservice_operator.api.base import Environment
from eservice_operator.api.registration import EServiceRegistration

EVERY = "*"
"""The pattern of a route that names no host: it answers for all of them."""
WILDCARD = "*."


def host_matches(pattern: str, host: str) -> bool:
    """Whether a pattern covers a host: the same, or ``*.`` and a domain for one label before it.

    This is what a wildcard means in a registration and in an Ingress; see `overlaps` for routes.
    """
    if not pattern.startswith(WILDCARD):
        return pattern == host
    label, dot, domain = host.partition(".")
    return bool(label) and bool(dot) and domain == pattern[2:]


def overlaps(pattern: str, host: str) -> bool:
    """Whether a route with this hostname answers for a host, by the Gateway API.

    ``*.`` and a domain covers every depth below the domain and not the domain itself; `EVERY` covers all.
    """
    return normal(pattern) in patterns_over(host)


def patterns_over(host: str) -> tuple[str, ...]:
    """Every hostname with which a route answers for a host, the most specific first: one for each label."""
    labels = normal(host).split(".")
    wildcards = (WILDCARD + ".".join(labels[at:]) for at in range(1, len(labels)))
    return (".".join(labels), *wildcards, EVERY)


def normal(host: str) -> str:
    """A host or pattern as it is compared: DNS knows no case, and a dot at the end says nothing more."""
    return host.lower().removesuffix(".")


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
