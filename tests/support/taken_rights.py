# SPDX-License-Identifier: Apache-2.0
"""Which rights of docs/manifests a run of all tests has taken: one that nobody takes fails it.

Each process reads what its operators asked for off its audit log, and hands that to the one that judges. A
run of a part of the tests is not judged: it says nothing of what the others would take.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit import OPERATOR, request_of
from tests.support.rights import CREDENTIAL_RIGHTS, RIGHTS, Right, granted, used

TAKEN = pytest.StashKey[set[Right]]()
CHOSEN = ("keyword", "markexpr", "lf", "deselect")
"""Options of pytest that leave tests out."""

ADMITTED = "a plugin of the API server asks for it before an owner reference is written: no request has it"
HELD = "nobody can grant what they do not hold"
FOUND = "a difference that a list finds is read by its name: so it is where no watch told of it"
ALIKE = "it is listed and watched, so this gives nothing more; the rule is one for all kinds of ours"
APPLIED = "what is applied and is not there yet is made by the same patch: the API server asks for it then"
SPARED: dict[tuple[str, str], str] = {
    ("*", "invoke"): HELD,
    ("eservices/finalizers", "update"): ADMITTED,
    ("webservicegrants/finalizers", "update"): ADMITTED,
    ("webservices/finalizers", "update"): ADMITTED,
    ("serviceaccounts", "delete"): ADMITTED,
    ("poddisruptionbudgets", "delete"): ADMITTED,
    ("referencegrants", "delete"): ADMITTED,
    ("endpointslices", "get"): FOUND,
    ("gatewayclasses", "get"): FOUND,
    ("gateways", "get"): FOUND,
    ("horizontalpodautoscalers", "get"): FOUND,
    ("ingressclasses", "get"): FOUND,
    ("ingresses", "get"): FOUND,
    ("unpublishdeferrals", "get"): ALIKE,
    ("secrets", "create"): APPLIED,
}
"""Rights that no test has to take, by resource and verb, and why the operator has them."""


def left_out(config: pytest.Config) -> list[str]:
    """Why a run is not one of all tests; empty when it is."""
    chosen = [name for name in CHOSEN if config.getoption(name, None)]
    return chosen if config.args == ["tests"] else [*config.args, *chosen]


def taken(audit: Path, since: int) -> set[Right]:
    """What operators asked for and got, by an audit log from there on, in bytes."""
    rights: set[Right] = set()
    with audit.open("rb") as log:
        log.seek(since)
        for line in log:
            whole = line.endswith(b"\n")  # the API server goes on writing
            request = request_of(json.loads(line)) if whole and OPERATOR.encode() in line else None
            if request is not None and request.user == OPERATOR and not request.forbidden:
                rights |= used([request])
    return rights


def untaken(rights: set[Right]) -> list[str]:
    """What is granted, and neither taken nor spared; in words."""
    left = granted(RIGHTS, CREDENTIAL_RIGHTS) - rights
    return sorted(f"{one.verb} {one.resource}" for one in left if (one.resource, one.verb) not in SPARED)


class TakenRights:
    """A plugin; what its process has taken so far is in the stash."""

    def __init__(self, config: pytest.Config) -> None:
        self._rights = config.stash[TAKEN] = set()
        self._missing: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What another process has taken; one that crashed hands over nothing."""
        handed = getattr(node, "workeroutput", {}).get("rights") or ()
        self._rights.update(Right(*one) for one in handed)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Hand it over, or judge: a run of which all else is well fails for what nobody took."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["rights"] = [list(one) for one in sorted(self._rights)]
        elif exitstatus == pytest.ExitCode.OK and not left_out(session.config):
            self._missing = untaken(self._rights)
            if self._missing:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what nobody took."""
        if self._missing:
            terminalreporter.section("FAILED: rights of docs/manifests that no test takes", red=True)
            terminalreporter.write_line(", ".join(self._missing))
            terminalreporter.write_line(
                "take them away, have a test take them, or say why in taken_rights.py"
            )
