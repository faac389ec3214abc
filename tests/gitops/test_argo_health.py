# SPDX-License-Identifier: Apache-2.0
"""The health script for Argo CD on objects in every form that the status contract allows, and in broken ones.

What it says of objects as they really come is in test_verdicts.
"""

from __future__ import annotations

from typing import Any

import pytest
from lupa.lua51 import LuaError

from eservice_operator.core.actions import Manifest
from tests.gitops.argo import health

UNSEEN = "the operator has not looked at this version of the spec yet"


def obj(observed: int | None = 1, generation: int = 1, deleted: bool = False, **told: str) -> Manifest:
    """An object with conditions; the message of each is its type in small letters."""
    conditions = [
        {"type": kind, "status": status, "reason": f"Reason{kind}", "message": kind.lower()}
        for kind, status in told.items()
    ]
    metadata: dict[str, Any] = {"name": "one", "generation": generation}
    if deleted:
        metadata["deletionTimestamp"] = "2026-11-22T10:00:00Z"
    status = ({} if observed is None else {"observedGeneration": observed}) | (
        {"conditions": conditions} if conditions else {}
    )
    return {"kind": "EService", "metadata": metadata, "status": status}


@pytest.mark.parametrize(
    "given, verdict, message",
    [
        (obj(Ready="True"), "Healthy", "ready"),
        (obj(Published="False", Ready="True"), "Healthy", "ready"),
        (obj(Ready="False", Reconciling="True"), "Progressing", "reconciling"),
        (obj(Ready="False", Stalled="True"), "Degraded", "stalled"),
        (obj(Ready="False"), "Progressing", "ready"),
        (obj(Ready="Unknown"), "Progressing", "ready"),
        (obj(observed=-1), "Progressing", UNSEEN),
        (obj(generation=2, Ready="True"), "Progressing", UNSEEN),
        (obj(generation=2, Stalled="True"), "Progressing", UNSEEN),
        (obj(observed=None, Ready="True"), "Progressing", UNSEEN),
        (obj(), "Progressing", "the operator has not said whether it is ready"),
        (obj(deleted=True, Ready="True"), "Progressing", "being deleted"),
        (obj(deleted=True, Reconciling="True"), "Progressing", "reconciling"),
    ],
)
def test_the_verdict_follows_the_conditions(given: Manifest, verdict: str, message: str) -> None:
    assert health(given) == (verdict, message)


def test_an_object_without_any_status_is_in_progress() -> None:
    bare: Manifest = {"metadata": {"name": "one", "generation": 1}}
    assert health(bare).status == "Progressing"


def test_without_a_message_the_reason_speaks() -> None:
    given = obj(Ready="True")
    given["status"]["conditions"][0]["message"] = ""
    assert health(given) == ("Healthy", "ReasonReady")
    del given["status"]["conditions"][0]["message"]
    assert health(given) == ("Healthy", "ReasonReady")


@pytest.mark.parametrize(
    "call", ["string.len('a')", "('a'):len()", "math.huge", "require('os')", "os.time()"]
)
def test_here_a_script_has_no_more_than_argo_cd_gives_it(call: str) -> None:
    with pytest.raises(LuaError):
        health(obj(), f"local used = {call} return {{status = 'Healthy'}}")
