# SPDX-License-Identifier: Apache-2.0
"""A web service that a consumer may not know of reads as one that does not exist, wherever it looks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.access.people import person_of
from tests.access.stage import requests
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.register import NAME, Register
from tests.support.site import gates, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

OWN = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z|EP-\d{6}")
"""Instants, and the number of a registration."""


async def seen_of(register: Register, planned: Planned, target: str) -> str:
    """All that an e-service's people read: status and Events, without names, numbers and times."""
    status = (await register.site.see(planned.ref))["status"]
    events = sorted(await register.site.events(planned.ref))
    text = json.dumps({"status": status, "events": events}, sort_keys=True)
    for named in (target, planned.name):
        text = text.replace(named, "NAME")
    return OWN.sub("OWN", text)


async def test_unknown_and_forbidden_read_the_same(
    register: Register, operator: OperatorProcess, cluster: Cluster, tmp_path: Path
) -> None:
    site = register.site
    targets = {
        "known": (register.namespace, NAME),
        "other": (register.namespace, "trade-register-of-ur"),
        "empty": (f"no-{site.mark}", NAME),
    }
    read: dict[str, str] = {}
    for name, (place, web_service) in targets.items():
        planned = site.planned(name)
        use = {
            "name": "persons",
            "webService": {"namespace": place, "name": web_service},
            "contractVersion": "v5",
        }
        await site.apply(planned.registration())
        await site.until(planned.registered, lambda obj: says(obj, "Ready", "True"), "it is registered")
        await site.apply(planned.eservice(spec={"uses": [use]}))
        await site.until(planned.ref, lambda obj: "AccessGranted" in gates(obj), "it waits")
    await operator.at_rest()
    for name, (place, web_service) in targets.items():
        read[name] = await seen_of(register, site.planned(name), f"{place}/{web_service}")
    assert read["known"] == read["other"] == read["empty"]
    assert "api@ur.example" not in read["known"]
    assert "AccessNotGranted" in read["known"]
    asks = requests(await site.until(register.ref, requests, "its holder sees it"))
    assert list(asks) == [site.planned("known").name]

    consumer = await person_of(site, cluster, site.namespace, tmp_path)
    for web_service in (NAME, "trade-register-of-ur"):
        asked = ("get", "webservices", web_service, f"--namespace={register.namespace}")
        done = await consumer.terminal.kubectl(*asked)
        assert "is forbidden" in done.err
