# SPDX-License-Identifier: Apache-2.0
"""Going back in the very moment in which the kept release's Pods go, which the operator has not seen yet."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateways.conftest import Lane
from tests.gateways.stage import Stage
from tests.support.fault_proxy import FaultProxy, FrameFault, Seen, Treatment, proxied
from tests.support.faults.fault import Frame
from tests.support.operator import OperatorProcess
from tests.support.site import up_to_date

pytestmark = pytest.mark.cluster

RATE = 200.0


@pytest.fixture
async def proxy(lane: Lane, tmp_path: Path) -> AsyncIterator[FaultProxy]:
    """The operator's way to the API server; it is started behind it."""
    async with proxied(lane.kubeconfig, tmp_path) as (proxy, kubeconfig):
        operator = OperatorProcess(kubeconfig, tmp_path / "log", lane.settings)
        try:
            await operator.start()
            yield proxy
        finally:
            await proxy.release()
            operator.end()


async def test_nobody_is_sent_to_pods_that_are_going(stage: Stage, proxy: FaultProxy) -> None:
    """The Deployment's last word to the operator is that it has both, and is to have none."""
    site = stage.site
    await site.prepare()
    first = site.planned(replicas=2)
    second = first.renewed()

    def emptied(_: Seen, frame: Frame) -> bool:
        obj = frame["object"]
        mine = (obj["kind"], obj["metadata"].get("name")) == ("Deployment", first.deployment)
        return mine and not obj["spec"]["replicas"] and not obj["status"].get("replicas")

    try:
        await stage.published(first)
        await site.apply(second.act(), second.verification())
        async with stage.asked(first, RATE) as answers:
            proxy.frames = [FrameFault(emptied, Treatment.STALLED)]
            await site.apply(await stage.eservice(second))
            await site.kept_without_pods(first)
            await stage.pods.ended(first.release)
            await site.apply(await stage.eservice(first))
            await site.until(first.ref, up_to_date, "gone back, as far as the operator knows")
            await stage.answered(second)

            await proxy.release()
            await stage.answered(first)
            await site.settled(first, "Published")
            await site.kept_without_pods(second)
        stage.counted("gone back in the moment in which its Pods go", answers)
        assert answers.failed() == [], answers.story()
    finally:
        await site.clear(operated=True)
