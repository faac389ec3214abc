# SPDX-License-Identifier: Apache-2.0
"""Operators that are forked are what operators that are started are."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eservice_operator import __version__
from tests.support.operator import OperatorProcess
from tests.support.waiting import eventually
from tests.support.zygote import Zygote, zygote

WAIT = 40.0
BEGUN = "waiting for the kinds of"


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with zygote(tmp_path_factory.mktemp("zygote") / "complaints") as running:
        yield running


def test_it_is_the_command_with_its_arguments_its_log_and_its_environment(
    parent: Zygote, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        assert parent.launch(["eservice-operator", "version"], log, {}).wait(WAIT) == 0
    assert log.read_text() == f"{__version__}\n" * 2
    assert parent.launch(["eservice-operator", "run", "--resync=never"], log, {}).wait(WAIT) == 2
    assert "Usage: eservice-operator run" in log.read_text()
    environment = {"ESERVICE_RESYNC": "never"}
    assert parent.launch(["eservice-operator", "run"], log, environment).wait(WAIT) == 2


async def test_signals_reach_it_and_only_it(parent: Zygote, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(NOWHERE)
    first, second = (
        OperatorProcess(kubeconfig, tmp_path / name, launcher=parent.launch).launch() for name in ("a", "b")
    )
    await eventually(lambda: BEGUN in first.tail() and BEGUN in second.tail(), "both have begun", WAIT)
    first.kill()
    assert first.process.returncode == -signal.SIGKILL
    assert second.running
    assert await second.terminate() == 0
    assert not second.running


def test_a_process_number_that_comes_again_is_another_process(parent: Zygote, tmp_path: Path) -> None:
    first = parent.launch(["eservice-operator", "version"], tmp_path / "first", {})
    assert first.wait(WAIT) == 0
    parent._hear(pid=first.pid)  # as it is told of one that is given the same number
    parent._born.clear()
    second = replace(first, number=parent.forks)
    assert (first.poll(), second.poll()) == (0, None)
    parent._hear(pid=first.pid, code=-signal.SIGKILL)
    assert (first.poll(), second.poll()) == (0, -signal.SIGKILL)
    parent.forks += 1


async def test_none_outlives_its_parent(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(NOWHERE)
    with zygote(tmp_path / "complaints") as short_lived:
        operator = OperatorProcess(kubeconfig, tmp_path / "log", launcher=short_lived.launch).launch()
        await eventually(lambda: BEGUN in operator.tail(), "it has begun", WAIT)
        pid = operator.process.pid
    await eventually(lambda: not Path(f"/proc/{pid}").exists(), "its end", WAIT)


NOWHERE = """
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test}}]
clusters: [{name: test, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: test, user: {}}]
"""
