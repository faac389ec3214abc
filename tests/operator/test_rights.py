# SPDX-License-Identifier: Apache-2.0
"""The rights of docs/manifests are enough for a whole life, and those that nobody bound are missed in words.

Every operator of these tests acts under them. Whether all tests together take each of them is judged at the
end of a run (`tests/support/taken_rights.py`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, Ref
from tests.support.audit import AuditLog
from tests.support.fleet import Planned, with_instruction
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.rights import (
    INGRESS_RIGHTS,
    RIGHTS,
    Right,
    applied,
    assert_none_was_missing,
    granted,
    used,
)
from tests.support.site import Site, message, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

ROUTES = {
    "notice-service": "eservice-notice",
    "preview-gateway": "gateway-system/internal",
    "preview-domain": "preview.agency.example",
}
INGRESSES = {"publish-by": "ingress", "ingress-class": "outside", "traffic-from": "gateway-system"}
CLASS: Manifest = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "outside"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
ELECTED = {"leader-elect": "on"}
Lived = Callable[[dict[str, str]], Awaitable[set[Right]]]
WRITE = frozenset({"create", "patch", "delete"})


@pytest.fixture
async def place(people: KubeApi) -> AsyncIterator[Site]:
    """A corner of the cluster, whoever operates it."""
    site = Site(people)
    yield site
    await site.clear(operated=False)


def scaled(planned: Planned, most: int = 3) -> Manifest:
    """The EService with an autoscaler, too."""
    return planned.eservice(spec={"workload": {"autoscaling": {"minReplicas": 2, "maxReplicas": most}}})


async def life(site: Site) -> None:
    """Registered, published, unpublished by the rule, renewed, followed by another, paused, deleted."""
    body = await site.prepare()
    old = site.planned(version="1.0.0")
    new = old.renewed()
    await site.apply(old.registration(), old.act(), old.verification(), scaled(old))
    await site.settled(old, "Published")
    await site.apply(scaled(old, most=4))
    autoscaler = Ref("autoscaling/v2", "HorizontalPodAutoscaler", old.namespace, old.name)
    await site.until(autoscaler, lambda obj: obj["spec"]["maxReplicas"] == 4, "it may have more")
    await site.apply(with_instruction(body))
    await site.settled(old, "Unpublished")
    await site.apply(new.act(), new.verification(), new.eservice())
    await site.settled(new, "Published")
    last = new.renewed(content="c")
    await site.apply(last.act(), last.verification(), last.eservice())
    await site.gone(Ref("apps/v1", "Deployment", old.namespace, old.deployment))
    await site.settled(last, "Published")
    await site.apply(last.eservice(spec={"publication": {"paused": {"reason": "maintenance"}}}))
    await site.settled(last, "Paused")
    await site.delete(last.ref)
    await site.gone(last.ref)


def written(rights: set[Right], resource: str) -> set[str]:
    """How a resource was written."""
    return {right.verb for right in rights if right.resource == resource and right.verb in WRITE}


@pytest.fixture
async def lived(place: Site, operator_kubeconfig: Path, audit: AuditLog, tmp_path: Path) -> Lived:
    """Lives a life under an operator with some settings, to which its rights have to be enough."""

    async def live(settings: dict[str, str]) -> set[Right]:
        operator = OperatorProcess(operator_kubeconfig, tmp_path / "log", settings | ELECTED)
        try:
            await operator.start()
            await life(place)
            assert await operator.terminate() == 0
        finally:
            operator.end()
        asked = audit.by()
        assert_none_was_missing(asked)
        assert_log_clean(operator.records())
        assert used(asked) <= granted(RIGHTS), "nobody else gave it any"
        return used(asked)

    return live


async def test_a_life_on_a_gateway(lived: Lived) -> None:
    rights = await lived(ROUTES)
    assert written(rights, "httproutes") == {"create", "patch", "delete"}
    leases = {right.verb for right in rights if right.resource == "leases"}
    assert {"get", "update"} <= leases <= {"get", "create", "update"}, "made by whoever was first here"


async def test_a_life_on_ingresses(place: Site, lived: Lived, cluster: "Cluster") -> None:
    await place.apply(CLASS)
    applied(cluster, INGRESS_RIGHTS)
    try:
        rights = await lived(INGRESSES)
    finally:
        applied(cluster, INGRESS_RIGHTS, "delete")
    assert written(rights, "ingresses") >= {"create", "delete"}
    assert written(rights, "httproutes") == set()


async def test_ingresses_that_it_may_not_write(
    place: Site, cluster: "Cluster", operator_kubeconfig: Path, tmp_path: Path
) -> None:
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "log", INGRESSES | {"resync": "2s"})
    planned = place.planned()
    ingress = Ref("networking.k8s.io/v1", "Ingress", planned.namespace, planned.name)
    try:
        await operator.start()
        await place.prepare()
        await place.apply(CLASS, *planned.everything())
        rejected = await place.until(
            planned.ref, lambda obj: says(obj, "Stalled", "True", "Rejected"), "the right is missed"
        )
        assert "ingresses.networking.k8s.io is forbidden" in message(rejected, "Stalled")
        assert await place.api.get(ingress) is None
        applied(cluster, INGRESS_RIGHTS)
        await place.settled(planned, "Published")
        assert await place.api.get(ingress) is not None
    finally:
        operator.end()
        applied(cluster, INGRESS_RIGHTS, "delete")
