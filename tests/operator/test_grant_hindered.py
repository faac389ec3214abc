# SPDX-License-Identifier: Apache-2.0
"""A grant that is allowed and cannot be opened: its holder and its consumer read the same words of it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.core.actions import Manifest
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import PERSON, gates, says

pytestmark = pytest.mark.cluster
A_LOOK = 90.0
"""Seconds: what others are in the way of is looked at every minute."""


def entry(grant: Manifest) -> Manifest:
    return next(iter(grant.get("status", {}).get("contractVersions") or ()), {})


def message(obj: Manifest, kind: str) -> str:
    return str(next(one["message"] for one in obj["status"]["conditions"] if one["type"] == kind))


def asks(state: str, said: str) -> Any:
    """That the request of the only e-service has got so far, in these words."""
    read = [(state, said)]
    return lambda obj: [(one["state"], one["message"]) for one in obj["status"].get("requests") or ()] == read


async def test_what_stands_in_the_way_is_read_on_both_sides(register: Register, kubectl: Kubectl) -> None:
    site, planned = register.site, register.site.planned()
    *others, _ = planned.everything()
    service = planned.eservice(spec={"uses": [register.use()]})
    await site.apply(*others, register.tested(planned), service, register.grant(planned))
    await site.settled(planned, "Published")
    policy, *_ = register.children(planned)
    marks = [{"op": "remove", "path": f"/metadata/{field}"} for field in ("labels", "ownerReferences")]
    await site.api.json_patch(policy, marks, field_manager=PERSON)

    cut_off = await site.until(
        register.grant_ref(planned),
        lambda obj: entry(obj).get("reason") == "NameCollision",
        "its grant says so",
    )
    said = entry(cut_off)["message"]
    assert said == f"granted, and not yet open: {policy} exists and is not ours; it was left alone"
    assert entry(cut_off)["state"] == "Pending"
    assert says(cut_off, "Stalled", "True")
    await site.until(register.ref, asks("Pending", said), "the holder reads it")
    consumer = await site.until(
        planned.ref,
        lambda obj: gates(obj).get("AccessGranted") == ("NameCollision", "Holder"),
        "the consumer does",
    )
    assert said in message(consumer, "AccessGranted")
    assert consumer["status"]["phase"] == "Published", "what runs runs on"
    assert await register.may(kubectl, planned), "and nothing of it is closed for that"

    await site.delete(policy)
    await site.until(
        register.grant_ref(planned), lambda obj: entry(obj)["state"] == "Active", "it is open", A_LOOK
    )
    await site.until(register.ref, asks("Granted", "granted"), "the holder reads that, too")
    await site.until(planned.ref, lambda obj: says(obj, "AccessGranted", "True"), "and its consumer")
