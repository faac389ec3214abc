# SPDX-License-Identifier: Apache-2.0
"""An API server, or its etcd, that dies in the middle of things and comes back, or is away for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Ref, ref_of
from tests.faults.conftest import Backstage, Survived
from tests.faults.estate import founded
from tests.faults.injecting import Chosen, injected, writes
from tests.faults.plays import PLAYS, Play, Stage
from tests.support import hasty_operator
from tests.support.cluster import private_control_plane
from tests.support.fault_proxy import Seen
from tests.support.faults.fault import refused
from tests.support.kubectl import Kubectl
from tests.support.operator import assert_log_clean
from tests.support.outage import Component, kubelets_again, patient
from tests.support.site import says
from tests.support.waiting import eventually
from tests.support.zygote import Zygote

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

DEATHS = (("kube-apiserver", PLAYS[0]), ("kube-apiserver", PLAYS[2]), ("etcd", PLAYS[1]))
UNWRITTEN = 4
"""Writes that are carried out, and not in the audit log yet, when an API server is killed, at most."""
CUT_OFF = "the API server has not answered"
EARLY, LATER = 2, 9
"""At which of its writes the operator loses the API server: before it is carried out, and after."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane of its own, which may die."""
    with private_control_plane(tmp_path_factory.mktemp("outage")) as running:
        yield running


@pytest.fixture
async def people(people_kubeconfig: Path) -> AsyncIterator[KubeApi]:
    """People who wait until the API server is back."""
    configuration = await credentials.load(str(people_kubeconfig), None)
    async with KubeApi(configuration) as client:
        yield await patient(client, configuration)


@pytest.fixture
def endings() -> dict[str, object]:
    """Other control plane, other endings."""
    return {}


def write_number(number: int) -> Chosen:
    """One of the writes, counted from the beginning of the story."""
    so_far = 0

    def chosen(seen: Seen) -> bool:
        nonlocal so_far
        so_far += writes(seen)
        return writes(seen) and so_far == number

    return chosen


@pytest.mark.parametrize("name,play", DEATHS, ids=lambda one: str(getattr(one, "name", one)))
async def test_it_dies_in_the_middle_of_a_play_and_comes_back(
    ground: Cluster, people: KubeApi, backstage: Backstage, survived: Survived, name: str, play: Play
) -> None:
    component, kubelets = Component.of(ground, name), Component.of(ground, "kwok")

    async def strike(_: Seen) -> None:
        component.restart()
        aftermath.create_task(kubelets_again(kubelets, people))

    async with backstage() as stage, asyncio.TaskGroup() as aftermath:
        stage.unwritten = UNWRITTEN if name == "kube-apiserver" else 0
        await stage.survives(
            play,
            injected(f"{name} killed before a write", write_number(EARLY), first=strike),
            injected(f"{name} killed after a write", write_number(LATER), then=strike, lose_reply=True),
        )
        assert component.kills == 2
        assert_log_clean(stage.operator.records())
        await stage.rests()
        survived(stage.runs, stage.injected)


async def test_what_happened_while_nobody_answered_is_noticed(
    backstage: Backstage, survived: Survived, kubectl: Kubectl, brood: Zygote
) -> None:
    """Nobody answers at all, then a load balancer in its place, for longer than kopf waits: here a second.

    The process lives on meanwhile, and is not ready.
    """
    async with backstage(launcher=partial(brood.launch, entry=hasty_operator.ENTRY)) as stage:
        estate = await founded(stage)
        site, operator = estate.site, stage.operator
        deployment = Ref("apps/v1", "Deployment", site.namespace, estate.public.deployment)
        async with stage.proxy.down():
            for manifest in (estate.test, estate.deferral):
                await site.delete(ref_of(manifest))
            await site.delete(deployment)
            await eventually(
                lambda: CUT_OFF in operator.probed("/readyz")[1], "it says that it is cut off", 30
            )
            assert not operator.ready
            stage.proxy.faults.append(refused("/", 503))
        await eventually(lambda: gave_up(stage), "kopf has given up", 60)
        assert not operator.ready
        alive, said = operator.probed("/livez")
        assert alive == 200, said
        stage.proxy.faults.clear()
        await site.gone(estate.deferred.route)
        for child in estate.register.children(estate.public):
            await site.gone(child)
        await estate.register.may_no_more(kubectl, estate.public)
        await site.until(deployment, lambda obj: obj["metadata"]["uid"], "made again")
        await site.until(estate.deferred.ref, lambda obj: says(obj, "Published", "False"), "off")
        await operator.until_ready()
        stage.injected["outage"] += 1
        stage.runs += 1
        await stage.rests()
        await estate.register.clear()
        survived(stage.runs, stage.injected)


def gave_up(stage: Stage) -> bool:
    """Whether kopf has ended more than once."""
    said = [record["msg"] for record in stage.operator.records()]
    return len([one for one in said if one.startswith("kopf is started again")]) > 1
