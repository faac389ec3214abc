# SPDX-License-Identifier: Apache-2.0
"""The operator is killed at every one of its writes, before and after the API server has carried it out.

Whatever was half done, the next operator ends where an uninterrupted one does, makes and removes nothing
twice, and leaves nobody untold. Only Events may be lost: they are told at best once.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.faults.endings import Ending, assert_same
from tests.faults.killing import Assassin, Moment, Play, Theatre
from tests.faults.scenarios import SCENARIOS, Scenario, prepared, three_at_once
from tests.support.audit import AuditLog
from tests.support.fault_proxy import fault_proxy
from tests.support.figures import Figures
from tests.support.mailserver import MailServer, mail_server
from tests.support.operator import Launcher, OperatorProcess, assert_log_clean, executed
from tests.support.oracles import oracles
from tests.support.zygote import Zygote

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

STEP = int(os.environ.get("ESERVICE_TEST_KILL_STEP", "1"))
"""Every how many writes it is killed; 1 is at all of them."""


Opening = Callable[[Launcher], AbstractAsyncContextManager[Theatre]]


@pytest.fixture
def opened(
    cluster: Cluster, operator_kubeconfig: Path, people: KubeApi, audit: AuditLog, tmp_path: Path
) -> Opening:
    """Opens a theatre whose operator is started so; it sends mail, and its murderer is on its way."""

    @asynccontextmanager
    async def open_with(launcher: Launcher) -> AsyncIterator[Theatre]:
        configuration = await credentials.load(str(operator_kubeconfig), None)
        async with fault_proxy(configuration) as proxy, mail_server() as mail:
            kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
            operator = OperatorProcess(kubeconfig, tmp_path / "log", by_mail(mail), launcher=launcher)
            try:
                await operator.start()
                async with oracles(cluster, operator) as watch:
                    yield Theatre(Assassin(operator, proxy), people, audit, mail, watch)
            finally:
                operator.end()

    return open_with


@pytest.fixture
async def theatre(opened: Opening, brood: Zygote) -> AsyncIterator[Theatre]:
    """One whose operator starts in a moment."""
    async with opened(brood.launch) as stage:
        yield stage


def by_mail(mail: MailServer) -> dict[str, str]:
    """Settings with which the operator tells people."""
    return {
        "smtp-server": f"127.0.0.1:{mail.port}",
        "smtp-security": "none",
        "mail-from": "e-pakalpojumi@agency.example",
    }


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name.replace(" ", "-"))
async def test_killed_at_every_write(theatre: Theatre, figures: Figures, scenario: Scenario) -> None:
    whole = await theatre.whole(scenario)
    assert whole.writes, "it has something to be killed at"
    plays = [Play(moment, (write,)) for write in whole.writes[::STEP] for moment in Moment]
    endings: list[Ending] = []
    async for killed in theatre.all(scenario, plays, whole):
        play = plays[len(endings)]
        assert_same(killed, whole, f"{scenario.name}: killed {play.moment.value} {play.victims[0]}")
        endings.append(killed)
    spared = [play for play, killed in zip(plays, endings, strict=True) if not killed.kills]
    assert not [str(play) for play in spared if play.victims[0].certain], "each play comes to these writes"
    assert_log_clean(theatre.assassin.operator.records())
    lost = sum(whole.events - killed.events for killed in endings)
    repeated = sum(killed.repeated for killed in endings)
    figures.add(
        f"killed at every write: {scenario.name}",
        f"{len(plays) - len(spared)} times at {len(whole.writes)} writes, all survived; "
        f"Events lost {lost}; mails told again {repeated}, same id",
    )


async def test_killed_again_and_again_while_three_are_published(opened: Opening, figures: Figures) -> None:
    """With the command as people start it; the others are forked from it."""
    scenario = Scenario("three at once", prepared, three_at_once)
    async with opened(executed) as theatre:
        whole = await theatre.whole(scenario)
        chosen = tuple(random.Random(1909).sample(whole.writes[:-1], 6))  # noqa: S311 - any will do
        kills = 0
        async for killed in theatre.all(scenario, [Play(moment, chosen) for moment in Moment], whole):
            assert_same(killed, whole, f"killed at {', '.join(map(str, chosen))}")
            kills += killed.kills
        assert kills >= len(chosen), "the story is long enough to be killed in"
        assert_log_clean(theatre.assassin.operator.records())
    figures.add("killed while three e-services are published", f"{kills} times in 2 plays, survived")
