# SPDX-License-Identifier: Apache-2.0
"""The operator as a process at a real API server: how it starts, what it notices, and how it ends."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator import __version__
from eservice_operator.api.names import API_VERSION, GROUP
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Ref, ref_of
from tests.runtime.objects import verification
from tests.runtime.process import STARTED, started
from tests.runtime.recording import TAKES, UNTIL
from tests.support.audit import AuditLog
from tests.support.fault_proxy import kubeconfig_for, proxied
from tests.support.faults.fault import FOR_EVER, Fault, refused, without_group
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster


class Templates:
    """Templates of one test, in the cluster; the smallest of our kinds that can be edited."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._names: list[str] = []

    async def create(self, **annotations: str) -> str:
        name = f"test-{secrets.token_hex(4)}"
        await self._api.create(
            {
                "apiVersion": API_VERSION,
                "kind": "EServiceTemplate",
                "metadata": {
                    "name": name,
                    "annotations": {key.replace("_", "/"): v for key, v in annotations.items()},
                },
                "spec": {"owner": {"name": "Agency", "email": "a@agency.example"}},
            }
        )
        self._names.append(name)
        return name

    async def edit(self, name: str, owner: str) -> None:
        manifest = {
            "apiVersion": API_VERSION,
            "kind": "EServiceTemplate",
            "metadata": {"name": name},
            "spec": {"owner": {"name": owner, "email": "a@agency.example"}},
        }
        await self._api.apply(manifest, field_manager="test", force=True)

    async def get(self, name: str) -> dict[str, Any] | None:
        return await self._api.get(Ref(API_VERSION, "EServiceTemplate", "", name))

    async def delete(self, name: str) -> None:
        live = await self.get(name)
        if live is not None:
            await self._api.delete(
                Ref(API_VERSION, "EServiceTemplate", "", name), uid=live["metadata"]["uid"]
            )

    async def clear(self) -> None:
        for name in self._names:
            await self.delete(name)


@pytest.fixture
async def templates(api: KubeApi) -> AsyncIterator[Templates]:
    made = Templates(api)
    yield made
    await made.clear()


async def test_it_starts_reconciles_every_object_once_and_ends_on_sigterm(
    cluster: Cluster, templates: Templates
) -> None:
    name = await templates.create()
    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        assert (await operator.get("/livez"))[0] == 200
        await eventually(lambda: operator.runs(name) == [1])
        status, figures = await operator.get("/metrics")
        assert status == 200
        assert 'eservice_operator_reconciles_total{kind="EServiceTemplate",result="ok"}' in figures
        assert 'eservice_operator_list_age_seconds{kind="HTTPRoute"}' in figures
        operator.signal()
        assert await operator.ended(within=30) == 0
        assert operator.runs(name) == [1]
        assert not operator.complaints()


async def test_an_edit_reaches_the_reconciler_exactly_once(cluster: Cluster, templates: Templates) -> None:
    first = await templates.create()
    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        await eventually(lambda: operator.runs(first) == [1])
        await templates.edit(first, "Another agency")
        await eventually(lambda: operator.runs(first) == [1, 2])
        second = await templates.create()
        await eventually(lambda: operator.runs(second) == [1])
        await templates.delete(first)
        await eventually(lambda: operator.runs(first) == [1, 2, None])


async def test_it_leaves_no_trace_of_kopf_on_any_object(cluster: Cluster, templates: Templates) -> None:
    audit, name = AuditLog.from_now(cluster.audit_log), await templates.create()

    def asked() -> set[str]:
        return {request.verb for request in audit.read() if request.agent.startswith("kopf/")}

    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        await templates.edit(name, "Another agency")
        await eventually(lambda: operator.runs(name)[-1:] == [2])
        await eventually(lambda: "watch" in asked(), "kopf watches")  # a list may have told it of the edit
        operator.signal(signal.SIGINT)
        assert await operator.ended(within=30) == 0
    live = await templates.get(name)
    assert live is not None
    assert "kopf" not in json.dumps(live)
    assert "finalizers" not in live["metadata"]
    assert asked() == {"get", "list", "watch"}


async def test_a_deletion_behind_a_deaf_watch_is_noticed_at_the_next_resync(
    cluster: Cluster, templates: Templates, tmp_path: Path
) -> None:
    name = await templates.create()
    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        started(kubeconfig, "--resync", "2s") as operator,
    ):
        await operator.ready()
        await eventually(lambda: 1 in operator.runs(name) and proxy.watches("/eservicetemplates?watch=true"))
        proxy.deaf = True
        await templates.delete(name)
        await eventually(lambda: operator.runs(name)[-1] is None)
        _, figures = await operator.get("/metrics")
        assert 'eservice_operator_resync_repairs_total{kind="EServiceTemplate"}' in figures


async def test_an_outage_is_survived_and_what_happened_meanwhile_is_noticed(
    cluster: Cluster, templates: Templates, tmp_path: Path
) -> None:
    name = await templates.create()
    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        started(kubeconfig) as operator,
    ):
        await operator.ready()
        await eventually(lambda: 1 in operator.runs(name) and proxy.watches("/eservicetemplates?watch=true"))
        proxy.faults = [refused("/", 503)]
        proxy.cut_watches()
        await templates.edit(name, "Another agency")
        await eventually(lambda: operator.said("503") and operator.said("cannot watch, trying again"))
        assert (await operator.get("/livez"))[0] == 200
        proxy.faults.clear()
        await eventually(lambda: operator.runs(name) == [1, 2], within=60)


async def test_who_has_not_read_everything_leaves_the_lease_to_others(
    cluster: Cluster, templates: Templates, namespace: str, tmp_path: Path
) -> None:
    """Else nobody reconciled while a Pod that starts reads, for ever where one list goes on failing."""
    flags = ("--leader-elect=on", "--lease-namespace", namespace)
    name, read = await templates.create(), asyncio.Event()
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig), AsyncExitStack() as stack:
        stack.callback(read.set)
        proxy.faults = [Fault(lambda seen: seen.what == "list configmaps", times=FOR_EVER, until=read)]
        async with started(kubeconfig, *flags) as starts:
            lists = "list configmaps"
            await eventually(lambda: any(seen.what == lists for seen in proxy.seen), "it reads", STARTED)
            async with started(cluster.kubeconfig, *flags) as leads:
                await eventually(lambda: leads.runs(name) == [1], "another one leads", 60)
                read.set()
                await starts.ready()
                assert starts.said("standing by for the lease")
                leads.signal()
                assert await leads.ended(within=20) == 0
            await eventually(lambda: starts.runs(name) == [1], "it follows", 60)


async def test_what_runs_is_finished_before_the_end(
    cluster: Cluster, templates: Templates, tmp_path: Path
) -> None:
    may_end = tmp_path / "may-end"
    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        name = await templates.create(**{UNTIL: str(may_end)})
        await eventually(lambda: operator.runs(name, "begin") == [1])
        operator.signal()
        await eventually(lambda: operator.said("finishing 1 running keys"))
        assert (await operator.get("/readyz"))[0] == 503
        may_end.touch()
        assert await operator.ended(within=30) == 0
        assert operator.runs(name) == [1]


async def test_a_second_signal_ends_it_at_once(cluster: Cluster, templates: Templates) -> None:
    async with started(cluster.kubeconfig) as operator:
        await operator.ready()
        name = await templates.create(**{TAKES: "60"})
        await eventually(lambda: operator.runs(name, "begin") == [1])
        operator.signal()
        await eventually(lambda: operator.said("finishing 1 running keys"))
        operator.signal()
        assert await operator.ended(within=15) == 128 + signal.SIGTERM
        assert operator.runs(name) == []


async def test_it_ends_with_the_reason_when_kopf_cannot_watch(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        started(kubeconfig) as operator,
    ):
        await operator.ready()
        await eventually(lambda: proxy.watches("/eservices?watch=true"))
        proxy.faults = [refused("/eservices?watch=true", 404)]
        proxy.cut_watches()
        assert await operator.ended(within=STARTED) == 1
        assert operator.said("kopf ended, so nothing would go on: APINotFoundError")


async def test_with_namespaces_given_it_serves_those_and_the_registers_of_the_agency(
    cluster: Cluster, api: KubeApi, namespace: str, templates: Templates
) -> None:
    mine, other = (f"{prefix}-{secrets.token_hex(4)}" for prefix in ("mine", "other"))
    async with started(cluster.kubeconfig, "--namespaces", namespace) as operator:
        await operator.ready()
        await api.create(verification("default", other))
        await api.create(verification(namespace, mine))
        await eventually(lambda: operator.runs(mine) == [1])
        template = await templates.create()
        await eventually(lambda: operator.runs(template) == [1])
        assert operator.runs(other) == []
    created = await api.get(ref_of(verification("default", other)))
    assert created is not None
    await api.delete(ref_of(created), uid=created["metadata"]["uid"])


async def test_it_waits_for_its_kinds_to_be_served(cluster: Cluster, tmp_path: Path) -> None:
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        proxy.faults = [refused(f"/apis/{API_VERSION}", 404)]
        async with started(kubeconfig) as operator:
            await eventually(lambda: operator.said("kubectl apply -f crds/"), within=STARTED)
            _, verdict = await operator.get("/readyz")
            assert verdict.startswith("[-] started: waiting for its kinds to be served")
            assert "[+] touch" in verdict, "a refusal is an answer"
            assert (await operator.get("/livez"))[0] == 200
            proxy.faults.clear()
            await operator.ready()


async def test_it_waits_for_its_group_to_be_listed_since_kopf_looks_there_once(
    cluster: Cluster, templates: Templates, tmp_path: Path
) -> None:
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        proxy.faults = [without_group(GROUP)]
        async with started(kubeconfig) as operator:
            await eventually(lambda: operator.said(f"{GROUP} is not among the groups"), within=STARTED)
            proxy.faults.clear()
            await operator.ready()
            name = await templates.create()
            await eventually(lambda: operator.runs(name) == [1])


async def test_it_waits_for_the_api_server_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "nowhere"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        kubeconfig.write_text(yaml.safe_dump(kubeconfig_for(f"http://127.0.0.1:{taken.getsockname()[1]}")))
        async with started(kubeconfig) as operator:
            await eventually(lambda: operator.said("waiting for the kinds of"), within=STARTED)
            operator.signal()
            assert await operator.ended(within=30) == 0


async def test_without_the_right_to_list_it_says_so_and_ends(cluster: Cluster, tmp_path: Path) -> None:
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        proxy.faults = [refused("/httproutes", 403)]
        async with started(kubeconfig) as operator:
            assert await operator.ended(within=STARTED) == 1
            assert operator.said("cannot start: the list of httproutes: 403")


async def test_a_kubeconfig_that_is_none_is_said_and_ends_it(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "empty"
    kubeconfig.write_text("{}")
    async with started(kubeconfig) as operator:
        assert await operator.ended(within=STARTED) == 1
        assert operator.said("cannot start: cannot use")


async def test_a_port_that_is_taken_is_said_and_ends_it(cluster: Cluster) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with started(cluster.kubeconfig, "--metrics-address", address) as operator:
            assert await operator.ended(within=STARTED) == 1
            assert operator.said(address.split(":")[1])


async def test_the_command_is_there() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eservice_operator.runtime", "version"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert (process.returncode, output.decode()) == (0, f"{__version__}\n")
