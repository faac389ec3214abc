# SPDX-License-Identifier: Apache-2.0
"""``helm --wait`` returns when the operator has done its part, whatever people or the rules still ask for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from eservice_operator.core.actions import Manifest
from tests.support.fleet import Planned, in_test, with_instruction
from tests.support.operator import OperatorProcess
from tests.support.site import Site, condition, says, up_to_date
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.judges]

LONG = "120s"
"""Helm fails where it has waited for so long: far more than any of this takes."""
SHORT = "3s"
CHART = "apiVersion: v2\nname: eservice\nversion: 1.0.0\n"


@dataclass
class Helm:
    """Helm as an institution's pipeline runs it, with a chart of plain objects."""

    program: Path
    kubeconfig: Path
    folder: Path

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and everything that was printed."""
        homes = {f"HELM_{name}_HOME": str(self.folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        process = await asyncio.create_subprocess_exec(
            str(self.program),
            *arguments,
            env=homes | {"KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    async def upgrade(
        self, release: str, namespace: str, *objects: Manifest, within: str = LONG
    ) -> tuple[int, str]:
        """``helm upgrade --install --wait`` of these objects."""
        chart = self.folder / "chart"
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(CHART)
        text = "\n---\n".join(json.dumps(obj, ensure_ascii=False) for obj in objects)
        (chart / "templates" / "objects.yaml").write_text(text)
        where = ("--namespace", namespace, "--wait", f"--timeout={within}")
        return await self("upgrade", "--install", release, str(chart), *where)


@pytest.fixture
def cli(helm: Path, people_kubeconfig: Path, tmp_path: Path) -> Helm:
    return Helm(helm, people_kubeconfig, tmp_path)


async def test_it_returns_when_all_that_the_rules_allow_is_done(
    site: Site, operator: OperatorProcess, cli: Helm
) -> None:
    assert operator.running
    template = await site.prepare()
    waits, planned = site.planned("waits"), site.planned(version="1.0.0")
    await registered(site, waits.registration(), waits)
    code, printed = await cli.upgrade(waits.name, waits.namespace, waits.eservice())
    assert code == 0, "it waits for people, and Helm not for them: " + printed
    assert says(await site.see(waits.ref), "Ready", "True", "AwaitingAcceptance")

    await site.apply(planned.act(), planned.verification())
    await registered(site, planned.registration(), planned)
    code, printed = await cli.upgrade(planned.name, planned.namespace, planned.eservice())
    assert code == 0, printed
    assert says(await site.see(planned.ref), "Published", "True"), "it returned when that was so"

    await site.apply(with_instruction(template))
    await site.settled(planned, "Unpublished")
    more = planned.eservice(spec={"workload": {"replicas": 2}})
    code, printed = await cli.upgrade(planned.name, planned.namespace, more)
    assert code == 0, "lawfully off, and no pipeline is stopped by it: " + printed
    off = await site.see(planned.ref)
    assert up_to_date(off)
    assert says(off, "Published", "False", "TemplateOverdue")

    code, printed = await cli(
        "uninstall", planned.name, "--namespace", planned.namespace, "--wait", f"--timeout={LONG}"
    )
    assert code == 0, printed
    assert await site.api.get(planned.ref) is None
    assert await site.api.get(planned.route) is None


async def test_it_does_not_return_for_what_is_not_done(
    site: Site, operator: OperatorProcess, cli: Helm
) -> None:
    assert operator.running
    await site.prepare()
    planned = site.planned()
    places = {
        "namespaces": [{"environment": "Test", "name": planned.namespace}],
        "hosts": [{"environment": "Test", "host": planned.host}],
    }
    never = {"release": {"image": f"registry.example/never-ready/{planned.name}:1"}}
    await registered(site, planned.registration(spec=places), planned)
    install = partial(
        cli.upgrade, planned.name, planned.namespace, in_test(planned, spec=never), within=SHORT
    )
    code, printed = await install()
    assert code != 0, printed
    await site.until(planned.ref, lambda obj: says(obj, "Reconciling", "True", "AwaitingPods"), "stuck")

    async def told() -> str:
        code, printed = await install()
        assert code != 0, printed
        return printed if verdict in printed else ""

    verdict = f"EService/{planned.namespace}/{planned.name} not ready. status: InProgress"
    # it may wait in vain before it has seen anything, if it stands still meanwhile
    printed = await eventually(told, "Helm says so", within=60)
    stuck = await site.see(planned.ref)
    assert says(stuck, "Reconciling", "True", "AwaitingPods")
    assert str((condition(stuck, "Reconciling") or {})["message"]) in printed, "in the operator's words"

    code, printed = await cli.upgrade(planned.name, planned.namespace, in_test(planned))
    assert code == 0, printed
    assert says(await site.see(planned.ref), "Published", "True")


async def registered(site: Site, registration: Manifest, planned: Planned) -> None:
    """The Agency's part, which comes long before the institution installs anything."""
    await site.apply(registration)
    await site.until(planned.registered, lambda obj: says(obj, "Ready", "True", "Succeeded"), "registered")
