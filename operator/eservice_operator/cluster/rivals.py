# SPDX-License-Identifier: Apache-2.0
"""Others who want what an EService wants: its place in the registration, and its hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eservice_operator.api import names
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.eservice import EService
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import age
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import HostClaim


def senior_of(service: EService, reading: Reading) -> ObjectMeta | None:
    """The oldest other EService that stands for the same registration and environment here.

    One that cannot be read keeps its place: two must not judge the same decisions.
    """
    mine = service.metadata
    others = [
        ObjectMeta.model_validate(body["metadata"])
        for body in reading.store.by_index("EService", indexes.REGISTRATION, service.spec.registration)
        if body["metadata"]["uid"] != mine.uid
        and part(body, "spec", "environment") == service.spec.environment
    ]
    rivals = [
        other
        for other in others
        if other.namespace == mine.namespace and other.deletion_timestamp is None and age(other) < age(mine)
    ]
    return min(rivals, key=age, default=None)


def claims_of(
    service: EService, hosts: Iterable[str], reading: Reading, policy: Policy
) -> tuple[HostClaim, ...]:
    """Who else has, or had before, one of the hosts that this EService asks for."""
    found = {claim for host in hosts for claim in _claims(host, service, reading, policy)}
    return tuple(sorted(found, key=lambda claim: (claim.host, claim.owner)))


def _claims(host: str, service: EService, reading: Reading, policy: Policy) -> Iterator[HostClaim]:
    for other in reading.found(EService, indexes.HOST, host):
        if other.metadata.uid != service.metadata.uid and _came_before(other, service, host, reading):
            yield HostClaim(host, f"EService {other.metadata.namespace}/{other.metadata.name}")
    for route in reading.store.by_index("HTTPRoute", indexes.HOST, host):
        owner = _foreign_owner(route, service, policy)
        if owner is not None:
            yield HostClaim(host, owner)


def _came_before(other: EService, service: EService, host: str, reading: Reading) -> bool:
    """Whether the other came first, where its registration places it and gives it the host.

    A host stays reserved; but anybody can name any registration in a namespace of their own.
    """
    mine, theirs = service.metadata, other.metadata
    if (age(theirs), theirs.namespace) > (age(mine), mine.namespace):
        return False
    registration = reading.readable(EServiceRegistration, other.spec.registration)
    if registration is None or registration.namespace_for(other.spec.environment) != theirs.namespace:
        return False
    return not unregistered_hosts((host,), registration, other.spec.environment)


def _foreign_owner(route: Manifest, service: EService, policy: Policy) -> str | None:
    """Who else serves a host by this route; None when it is our own for it, or no gateway accepts it."""
    metadata = route["metadata"]
    labels = metadata.get("labels") or {}
    home = metadata.get("namespace") == policy.routes_namespace
    ours = home and labels.get(names.MANAGED_BY_LABEL) == names.MANAGER
    previewed = labels.get(names.SHOWS_LABEL) == names.PREVIEW
    if ours and (previewed or labels.get(names.OWNER_UID_LABEL) == service.metadata.uid):
        return None
    if not any(
        condition.get("type") == "Accepted" and condition.get("status") == "True"
        for parent in (route.get("status") or {}).get("parents") or ()
        for condition in parent.get("conditions") or ()
    ):
        return None
    if ours:
        return f"EService {labels.get(names.NAMESPACE_LABEL)}/{labels.get(names.ESERVICE_LABEL)}"
    return f"HTTPRoute {metadata.get('namespace')}/{metadata['name']}"
