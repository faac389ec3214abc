# SPDX-License-Identifier: Apache-2.0
"""A holder at a terminal: who asks, the answer, what its end would close, and what its end did close."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest

from eservice_operator.core.actions import Manifest
from tests.cli.terminal import Terminal
from tests.cli.test_cluster import Persona, agency, allow, persona
from tests.operator.conftest import register
from tests.operator.test_grants import asked, is_so
from tests.support.fleet import Planned
from tests.support.register import NAME, Register, signed

__all__ = ["agency", "persona", "register"]

pytestmark = pytest.mark.cluster


def requested(state: str) -> Any:
    return lambda body: [one["state"] for one in body["status"].get("requests") or ()] == [state]


def granted(body: Manifest) -> bool:
    (use,) = body["status"]["uses"]
    return bool(use["state"] == "Granted")


def ended(body: Manifest) -> bool:
    (use,) = body["status"]["uses"]
    return bool(use["state"] == "Waiting" and use.get("ended", {}).get("reason") == "Closing")


async def impact(terminal: Terminal, place: str, *arguments: str) -> tuple[list[tuple[str, ...]], list[str]]:
    """Each e-service with what it would lose, and what is said beside it."""
    found = (await terminal("impact", *arguments, "-n", place, "-o", "json")).document()
    return [(one["eService"], *one["contractVersions"], one["reason"]) for one in found["closes"]], found[
        "notes"
    ]


async def used(terminal: Terminal, planned: Planned) -> list[tuple[str, str]]:
    """How each use stands by `explain`, which has to be decided anew."""
    place = ("-n", planned.namespace)
    found: Manifest = (await terminal("explain", planned.name, *place, "-o", "json")).document()
    assert found["decidedNow"], found["notes"]
    return [(one["state"], one["reason"]) for one in found["uses"]]


def filled_in(printed: str) -> str:
    """The file that `requests` prints, with its gaps filled in by the holder."""
    made = json.loads(printed)
    for version in made["spec"]["contractVersions"]:
        version["evidence"] = {name: signed(name) for name in version["evidence"]}
    return json.dumps(made)


async def test_from_the_request_to_its_end(register: Register, agency: Terminal, persona: Persona) -> None:
    site, planned = register.site, await asked(register)
    place = ("-n", register.namespace)
    await site.until(register.ref, requested("Waiting"), "the holder sees who asks")
    shown = await agency("requests", *place, "--waiting", code=0)
    assert f"{planned.namespace}/{planned.name}" in shown.out
    assert f"kubectl eservice requests {' '.join(place)} --yaml" in shown.err
    assert await used(agency, planned) == [("Waiting", "AccessNotGranted")]

    answer = await agency("requests", *place, "--yaml", planned.name, "-o", "json", code=0)
    refused = await agency.kubectl("apply", "-f", "-", given=answer.out)
    assert refused.code != 0, "its gaps are no values"
    done = await agency.kubectl("apply", "-f", "-", given=filled_in(answer.out))
    assert done.code == 0, done.err
    await site.until(register.grant_ref(planned), is_so(v5="Active"), "it is open")
    await site.until(register.ref, requested("Granted"), "answered")
    assert await used(agency, planned) == [("Granted", "Active")]
    await site.until(planned.ref, granted, "the institution reads that it is granted")
    status = await agency("status", planned.name, "-n", planned.namespace, code=0)
    assert f"✓ persons-v5  {register.namespace}/{NAME} v5: Granted" in status.out

    lost = [(planned.name, "v5", "AccessNotGranted")]
    assert await impact(agency, register.namespace, f"wsg/{planned.name}") == (lost, [])
    retired = [(planned.name, "v5", "ContractRetired")]
    assert await impact(agency, register.namespace, f"ws/{NAME}", "--version", "v5") == (retired, [])
    assert await impact(agency, register.namespace, f"ws/{NAME}", "--version", "v6") == ([], [])

    name = f"holder-{secrets.token_hex(3)}"
    holder = persona(name)
    await allow(agency, register.namespace, name)
    closes, notes = await impact(holder, register.namespace, f"wsg/{planned.name}")
    assert closes == lost
    assert "this is what the operator last wrote, not decided anew" in notes[0]
    assert "Granted" in (await holder("requests", *place, code=0)).out

    await site.delete(register.grant_ref(planned))
    await site.gone(register.grant_ref(planned))
    assert await used(agency, planned) == [("Waiting", "AccessNotGranted")], "as impact said"

    await site.until(planned.ref, ended, "the institution reads what ended it")
    name = f"institution-{secrets.token_hex(3)}"
    institution = persona(name)
    await allow(agency, planned.namespace, name)
    for verb in ("status", "explain"):
        answer = await institution(verb, planned.name, "-n", planned.namespace, code=0)
        said = " ".join(answer.out.partition("Web services")[2].split())
        assert "Waiting (AccessNotGranted)" in said, "it may not read the holder's namespace"
        assert re.search(r"(?i)ended today, \d\d:\d\d: the grant (is being|was) deleted", said), said
