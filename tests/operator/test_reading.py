# SPDX-License-Identifier: Apache-2.0
"""How tools read an e-service: before an operator has seen it, while they wait, when they look for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import OWN
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.register import Register
from tests.support.site import Site, says, up_to_date

pytestmark = pytest.mark.cluster


@pytest.fixture
async def idle(operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[OperatorProcess]:
    """An operator that nobody has started yet."""
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "log")
    yield operator
    operator.end()


async def test_nothing_reads_as_healthy_before_an_operator_has_seen_it(
    people: KubeApi, idle: OperatorProcess, kubectl: Kubectl
) -> None:
    """kstatus, and with it Flux, Argo CD and Helm, takes an object for healthy whose status says nothing."""
    site = Site(people)
    template = await site.prepare()
    planned, other = site.planned(), site.planned("other")
    await site.apply(*planned.everything(), planned.deferral(days=3), other.registration(), other.eservice())
    register = Register(site)
    await register.prepare()
    await site.apply(register.grant(planned), register.tested(planned), register.assignment())
    for obj in await site.objects():
        assert obj["status"] == {"observedGeneration": -1}, obj["kind"]
    assert {obj["kind"] for obj in await site.objects()} == {
        resource.kind for resource in OWN if resource.kind not in {"UnpublishDecision", "EServiceIdentifier"}
    }
    where = ("-n", planned.namespace, f"esvc/{planned.name}")
    code, printed = await kubectl("wait", "--for=condition=Published", "--timeout=0.2s", *where)
    assert (code, "timed out" in printed) == (1, True), printed

    waiting = asyncio.create_task(kubectl("wait", "--for=condition=Published", "--timeout=180s", *where))
    await idle.start()
    code, printed = await waiting
    assert (code, f"eservice.eservice.dev/{planned.name} condition met\n") == (0, printed)
    code, printed = await kubectl(
        "wait", "--for=condition=Ready", "--timeout=60s", "-n", other.namespace, f"esvc/{other.name}"
    )
    assert code == 0, "a GitOps tool does not hang while people owe something: " + printed
    await shows_what_is_public(site, kubectl)

    moved = await site.apply(planned.eservice(spec={"workload": {"replicas": 2}}))
    assert moved["status"]["observedGeneration"] == moved["metadata"]["generation"] - 1
    await site.until(planned.ref, lambda obj: up_to_date(obj) and says(obj, "Ready", "True"), "read again")
    await site.api.get(site.template_ref)
    assert template["kind"] == "EServiceTemplate"
    await site.settled(planned, "Published")
    await site.assert_sound()
    await site.clear(operated=True)
    assert_log_clean(idle.records())


async def shows_what_is_public(site: Site, kubectl: Kubectl) -> None:
    """By phase, by environment, and at a glance."""
    planned, other = site.planned(), site.planned("other")
    where = ("get", "esvc", "-n", site.namespace)
    code, printed = await kubectl(*where, "--field-selector", "status.phase=Published", "-o", "name")
    assert (code, printed) == (0, f"eservice.eservice.dev/{planned.name}\n")
    code, printed = await kubectl(
        *where, "--field-selector", "status.phase=Pending,spec.environment=Production", "-o", "name"
    )
    assert (code, printed) == (0, f"eservice.eservice.dev/{other.name}\n")
    code, printed = await kubectl(*where)
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert lines["NAME"].split()[:4] == ["NAME", "PHASE", "PUBLISHED", "WHY"]
    assert {"Published", "True", "2.0.0", f"https://{planned.host}/"} <= set(lines[planned.name].split())
    assert {"Pending", "False", "AwaitingAcceptance"} <= set(lines[other.name].split())
    code, printed = await kubectl("get", "egov", "-n", site.namespace, "-o", "name")
    assert code == 0
    assert f"eservice.eservice.dev/{planned.name}" in printed
