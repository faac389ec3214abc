# SPDX-License-Identifier: Apache-2.0
"""A run of all tests in which nobody takes a right of docs/manifests fails; a part of one is not judged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.rights import CREDENTIAL_RIGHTS, RIGHTS, Right, granted
from tests.support.taken_rights import CHOSEN, SPARED, TAKEN, TakenRights, untaken

ALL = granted(RIGHTS, CREDENTIAL_RIGHTS)
ONE = Right("", "configmaps", "patch")


class Run:
    """The end of a run in which these rights were taken."""

    def __init__(self, rights: set[Right], *, output: dict[str, Any] | None = None, **options: Any) -> None:
        arguments = options.pop("args", ["tests"])
        config = SimpleNamespace(stash=pytest.Stash(), args=arguments, getoption=options.get)
        if output is not None:
            config.workeroutput = output
        self.plugin = TakenRights(cast("pytest.Config", config))
        self.session = SimpleNamespace(config=config, exitstatus=pytest.ExitCode.OK)
        config.stash[TAKEN].update(rights)

    def ends(self, code: int = pytest.ExitCode.OK) -> int:
        self.session.exitstatus = code
        self.plugin.pytest_sessionfinish(cast("pytest.Session", self.session), code)
        return int(self.session.exitstatus)


def test_what_is_spared_is_granted() -> None:
    """A reason for a right that the operator has not any more is none."""
    assert set(SPARED) <= {(one.resource, one.verb) for one in ALL}


def test_one_that_nobody_took_fails_a_run_of_all_tests() -> None:
    assert ONE in ALL
    assert untaken(ALL - {ONE}) == ["patch configmaps"]
    assert Run(ALL).ends() == pytest.ExitCode.OK
    assert Run(ALL - {ONE}).ends() == pytest.ExitCode.TESTS_FAILED


def test_what_is_spared_nobody_has_to_take() -> None:
    assert Run({one for one in ALL if (one.resource, one.verb) not in SPARED}).ends() == pytest.ExitCode.OK


def test_what_other_processes_took_counts() -> None:
    handed: dict[str, Any] = {}
    assert Run({ONE}, output=handed).ends() == pytest.ExitCode.OK, "it hands over, and does not judge"
    whole = Run(ALL - {ONE})
    whole.plugin.pytest_testnodedown(SimpleNamespace(workeroutput=handed))
    assert whole.ends() == pytest.ExitCode.OK


@pytest.mark.parametrize("option", CHOSEN)
def test_a_part_of_the_tests_is_not_judged(option: str) -> None:
    chosen: dict[str, Any] = {option: "something"}
    assert Run(set(), **chosen).ends() == pytest.ExitCode.OK
    assert Run(set(), args=["tests/operator"]).ends() == pytest.ExitCode.OK


def test_a_run_in_which_a_test_failed_is_not_judged() -> None:
    assert Run(set()).ends(pytest.ExitCode.INTERRUPTED) == pytest.ExitCode.INTERRUPTED
