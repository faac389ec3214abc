# SPDX-License-Identifier: Apache-2.0
"""An operator whose watch lags behind: what it has not heard of yet opens no web service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.support.audit import AuditLog
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.register import Register
from tests.support.site import Site, says

pytestmark = pytest.mark.cluster


@pytest.fixture
async def way(operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[FaultProxy]:
    """The way of an operator to the API server."""
    async with fault_proxy(await credentials.load(str(operator_kubeconfig), None)) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(kubeconfig, tmp_path / "log", {"resync": "10m"})
        try:
            await operator.start()
            yield proxy
            assert_log_clean(operator.records())
        finally:
            operator.end()


async def test_a_refusal_that_was_not_heard_of_opens_nothing(
    people: KubeApi, way: FaultProxy, kubectl: Kubectl, audit: AuditLog
) -> None:
    site = Site(people)
    await site.prepare()
    register, planned = Register(site), site.planned()
    await register.prepare()
    try:
        await site.apply(planned.registration(), planned.eservice(spec={"uses": [register.use()]}))
        ref, grant = register.grant_ref(planned), register.grant(planned)
        await site.apply(grant)
        await site.until(ref, lambda obj: obj.get("status", {}).get("reason") == "TestMissing", "it waits")
        way.hidden = {planned.name}
        await site.apply(register.grant(planned, refused={"reason": "no legal ground"}))
        await site.apply(register.tested(planned))
        await site.until(ref, lambda obj: says(obj, "Active", "False", "Refused"), "it was read live")
        assert not await register.may(kubectl, planned)
        made = [one for one in audit.writes() if one.verb == "create" and one.namespace == register.namespace]
        assert not [one for one in made if one.resource in {"roles", "rolebindings"}]
        way.hidden = set()
        await register.clear()
    finally:
        await site.clear(operated=False)
