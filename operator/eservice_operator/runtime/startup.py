# SPDX-License-Identifier: Apache-2.0
"""Before anything is decided: the kinds are served, and each has been listed once."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable

from eservice_operator.api.names import API_VERSION, GROUP, MANAGED_BY_LABEL, MANAGER
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, NotFound, Transient
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reflector import Reflector
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, Resource
from eservice_operator.cluster.store import Store
from eservice_operator.cluster.transport import Request, Transport
from eservice_operator.core.gateway_driver import GATEWAY_GROUP
from eservice_operator.core.policy import PublishBy
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.intake import Intake
from eservice_operator.runtime.settings import Settings

log = logging.getLogger(__name__)

OURS = f"{MANAGED_BY_LABEL}={MANAGER}"
EVERYBODYS = frozenset(
    {
        *("Namespace", "HTTPRoute", "Ingress", "IngressClass", "Gateway", "GatewayClass"),
        *("Service", "Role", "RoleBinding"),
    }
)
"""Observed whoever made them and wherever they are: a host that a foreign route serves matters, which Pods
are behind a web service, and by whose Roles and RoleBindings somebody may
call it."""

PAUSE = (0.5, 10.0)
"""Seconds between two tries: the first pause, and the longest."""
LISTS_AT_ONCE = 4


async def until_served(transport: Transport, clock: Clock) -> None:
    """Wait until the API server says that it serves every kind of ours.

    kopf asks the same two questions once, and is deaf for good to what is not in the answers. The list of
    groups is filled a moment after the kinds are served, and a CRD is served a moment before its kind is.
    """

    async def ask() -> None:
        groups = await transport.send(Request("get", "GET", "/apis"))
        if GROUP not in {group["name"] for group in groups["groups"]}:
            raise NotYetServed(f"{GROUP} is not among the groups; apply the CRDs: kubectl apply -f crds/")
        served = await _served(transport, API_VERSION)
        missing = [resource.plural for resource in OWN if resource.plural not in served]
        if missing:
            raise NotYetServed(f"not served: {', '.join(missing)}; apply the CRDs: kubectl apply -f crds/")

    await persist(ask, f"the kinds of {API_VERSION}", clock)


async def _served(transport: Transport, api_version: str) -> set[str]:
    """The resources (plurals) of a version that can be listed and watched; none where it is not served."""
    try:
        document = await transport.send(Request("get", "GET", f"/apis/{api_version}"))
    except NotFound:
        return set()
    return {
        resource["name"] for resource in document["resources"] if {"list", "watch"} <= set(resource["verbs"])
    }


class CannotStart(Exception):
    """There is no point in waiting; the message says what is wrong."""


class NotYetServed(Exception):
    """Something that people make is not there, such as a kind of ours; the message says how to make it."""


async def without(transport: Transport, settings: Settings, clock: Clock) -> frozenset[str]:
    """The kinds that are not looked at: of the Gateway API, where it is not used, those that are not served.

    Each is asked for in its own version: an older Gateway API has some of them, or has them in others. The
    list of groups is of no use, as it is filled a moment after the kinds are served.

    Raises:
        CannotStart: the API server refuses.
    """
    needed = [one for one in (*CHILDREN, *OBSERVED) if one.api_version.startswith(f"{GATEWAY_GROUP}/")]
    missing: set[str] = set()

    async def ask() -> None:
        versions = sorted({resource.api_version for resource in needed})
        served = {version: await _served(transport, version) for version in versions}
        missing.update(one.kind for one in needed if one.plural not in served[one.api_version])

    if settings.publish_by == PublishBy.INGRESS:
        await persist(ask, GATEWAY_GROUP, clock)
    return frozenset(missing)


def reflectors_for(api: KubeApi, store: Store, settings: Settings, intake: Intake) -> list[Reflector]:
    """One for each kind. Ours are watched by kopf and only listed here, the others also watched."""

    def reflect(resource: Resource, *, ours: bool) -> Reflector:
        shared = resource.kind in EVERYBODYS
        return Reflector(
            api,
            resource,
            store,
            intake.repaired if ours else intake.wake,
            label_selector="" if ours or shared else OURS,
            namespaces=() if shared else settings.namespaces,
            resync=settings.resync.total_seconds(),
            watch=not ours,
        )

    return [
        *(reflect(resource, ours=True) for resource in OWN),
        *(reflect(resource, ours=False) for resource in (*CHILDREN, *OBSERVED)),
    ]


async def list_all(reflectors: Iterable[Reflector], clock: Clock, *, again: bool = False) -> None:
    """Fill the store with one full list of each kind; ``again``: bring up to date what is filled already."""
    turns = asyncio.Semaphore(LISTS_AT_ONCE)

    async def fill(reflector: Reflector) -> None:
        list_it = reflector.refresh if again else reflector.sync
        async with turns:
            await persist(list_it, f"the list of {reflector.resource.plural}", clock)

    try:
        async with asyncio.TaskGroup() as group:
            for reflector in reflectors:
                group.create_task(fill(reflector))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def warn_of_unknown_networks(store: Store, settings: Settings) -> None:
    """Say that nobody compares the networks of outside systems with the cluster's own, where there are any.

    To be asked once every kind has been listed. Of those that come later their own status says it.
    """
    if settings.cluster_networks:
        return
    named = sorted(
        f"{body['metadata']['namespace']}/{body['metadata']['name']}"
        for body in store.all("WebService")
        if part(body, "spec", "backend", "networks")
    )
    if named:
        log.warning(
            "--cluster-networks is not set, and WebService %s names networks outside (of %d that do):"
            " consumers are let out to them, even where they are those of this cluster's Pods, Services or"
            " nodes",
            named[0],
            len(named),
        )


async def persist(attempt: Callable[[], Awaitable[object]], what: str, clock: Clock) -> None:
    """Try until it succeeds, as long as somebody else can make it succeed.

    Raises:
        CannotStart: the API server refuses, and goes on refusing until somebody changes our rights.
    """
    pause, longest = PAUSE
    while True:
        try:
            await attempt()
        except (NotYetServed, Transient, NotFound) as error:
            log.warning("waiting for %s: %s", what, error)
        except ApiError as error:
            raise CannotStart(f"{what}: {error}") from error
        else:
            return
        await clock.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - jitter is no secret
        pause = min(longest, pause * 2)
