# SPDX-License-Identifier: Apache-2.0
"""The operator as a process whose clock is not the API server's."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import ref_of
from tests.runtime.objects import verification
from tests.runtime.process import OperatorProcess, started
from tests.runtime.recording import MOVED_BY
from tests.support.fault_proxy import proxied
from tests.support.moved_operator import move_by
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

MENDED = 40.0
"""Seconds for the clock to be trusted again, on a machine that is busy with other things."""


@pytest.fixture
async def record(api: KubeApi, namespace: str) -> AsyncIterator[str]:
    """The name of an object of ours."""
    name = f"clock-{secrets.token_hex(4)}"
    created = await api.create(verification(namespace, name))
    yield name
    await api.delete(ref_of(created), uid=created["metadata"]["uid"])


async def figure(operator: OperatorProcess, name: str) -> float:
    _, text = await operator.get("/metrics")
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


async def test_a_clock_that_is_wrong_from_the_start_is_known_before_anything_is_decided(
    cluster: Cluster, record: str, tmp_path: Path
) -> None:
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        proxy.ahead = timedelta(minutes=10)
        async with started(kubeconfig) as operator:
            await operator.ready()
            await eventually(lambda: operator.trusts(record))
            assert operator.trusts(record)[0] is False
            assert await figure(operator, "eservice_operator_clock_trusted") == 0
            assert await figure(operator, "eservice_operator_clock_skew_seconds") == pytest.approx(
                -600, abs=5
            )
            assert (await operator.get("/livez"))[0] == 200
            (said,) = [line for line in operator.logs if line["level"] == "error"]
            assert "s behind the API server's: nothing more is unpublished" in said["msg"]

            proxy.ahead = timedelta(0)
            await eventually(lambda: operator.trusts(record)[-1], "trusted again", MENDED)
            assert await figure(operator, "eservice_operator_clock_trusted") == 1
            assert operator.said("the wall clock agrees with the API server's again")
            assert operator.runs(record) == [1, 1], "looked at once more, and not again and again"


async def test_a_clock_that_goes_wrong_is_noticed_while_nothing_else_happens(
    cluster: Cluster, record: str, tmp_path: Path
) -> None:
    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        started(kubeconfig, "--resync", "2s") as operator,
    ):
        await operator.ready()
        await eventually(lambda: operator.trusts(record))
        proxy.ahead = timedelta(minutes=-4)
        begun = len(operator.trusts(record))
        await eventually(lambda: len(operator.trusts(record)) > begun + 2, "resyncs", MENDED)
        assert all(operator.trusts(record))
        skew = await figure(operator, "eservice_operator_clock_skew_seconds")
        assert skew == pytest.approx(240, abs=5)
        assert not operator.complaints()
        proxy.ahead = timedelta(minutes=-10)
        await eventually(lambda: not operator.trusts(record)[-1], "distrusted", MENDED)
        assert operator.said("s ahead of the API server's")


async def test_a_clock_that_is_moved_has_everything_looked_at_though_nothing_is_due(
    cluster: Cluster, record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = tmp_path / "offset"
    move_by(offset, 0)
    monkeypatch.setenv(MOVED_BY, str(offset))
    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        await eventually(lambda: operator.runs(record) == [1])
        move_by(offset, 240)
        await eventually(lambda: operator.runs(record) == [1, 1], "looked at again", MENDED)
        assert operator.said("the wall clock was moved by +240 s; every object is looked at again")
        assert operator.trusts(record) == [True, True], "four minutes are no reason for distrust"
