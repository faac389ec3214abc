# SPDX-License-Identifier: Apache-2.0
"""SIGTERM in the middle of a burst: what runs is finished, nothing new begins, nothing is half done."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.support.audit import AuditLog
from tests.support.figures import Figures
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.site import Site, poll

pytestmark = pytest.mark.cluster

BURST = 20
UNDER_WAY = 40
"""Writes after which the burst is in full swing."""


async def test_sigterm_in_a_burst_drains_and_exits_with_0(
    people: KubeApi, operator_kubeconfig: Path, tmp_path: Path, audit: AuditLog, figures: Figures
) -> None:
    site = Site(people)
    await site.prepare()
    services = [site.planned(f"s{number:02d}") for number in range(BURST)]
    await asyncio.gather(*(site.apply(*planned.everything()) for planned in services))
    operator = await OperatorProcess(operator_kubeconfig, tmp_path / "log").start()
    try:

        async def swinging() -> bool:
            return len(audit.writes()) >= UNDER_WAY

        await poll(swinging, lambda: f"{UNDER_WAY} writes")
        assert await operator.terminate() == 0
        records = operator.records()
        assert_log_clean(records)
        said = [record["msg"] for record in records]
        assert said[-1] == "stopped"
        assert any(text.startswith("SIGTERM: finishing what is under way") for text in said)
        assert not any("cut off" in text for text in said)
        last = audit.by()[-1].at
        done = len(audit.writes())
        await finish(site, operator)
        assert [request for request in audit.by() if request.at > last], "the next one went on"
        made = Counter(
            request.target for request in audit.writes() if request.verb == "create" and request.code < 300
        )
        events = {target for target in made if target[0] == "events"}
        assert {count for target, count in made.items() if target not in events} == {1}, "nothing twice"
        refused = [request for request in audit.writes() if request.code >= 300]
        assert not refused, refused
        figures.add(
            "SIGTERM in a burst", f"after {done} of {len(audit.writes())} writes; exit 0, nothing made twice"
        )
        await site.assert_sound()
        await site.clear(operated=True)
    finally:
        operator.end()
    assert_log_clean(operator.records())


async def finish(site: Site, operator: OperatorProcess) -> None:
    """The next operator finishes the burst."""
    await operator.start()
    for number in range(BURST):
        await site.settled(site.planned(f"s{number:02d}"), "Published")
