# SPDX-License-Identifier: Apache-2.0
"""Objects that are nested deeper than Python reads: one institution makes them, and stops nobody else.

One list has them all, and one watch brings them all.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eservice_operator.api.names import MANAGED_BY_LABEL, MANAGER
from eservice_operator.core.actions import Manifest, ref_of
from tests.adversarial.cast import Cast, Part
from tests.support.deep import HERE, create_deep, with_deep_fields
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import gates, up_to_date
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

AGAIN = re.compile("(trying|started) again")
FIGURE = "eservice_operator_objects_too_deep"


async def test_what_is_nested_too_deeply_stops_nothing(
    register: Register, cast: Cast, operator: OperatorProcess, tmp_path: Path
) -> None:
    """A remembered release, an e-service and a Service; then the operator starts with them there."""
    site, admin = register.site, cast[Part.ADMIN]
    odd, other, later = (site.planned(name) for name in ("odd", "other", "later"))
    revision: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": "deep",
            "namespace": odd.namespace,
            "labels": {MANAGED_BY_LABEL: MANAGER},
        },
        "revision": 1,
        "data": HERE,
    }
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "deep", "namespace": odd.namespace},
        "spec": {"ports": [{"port": 80}]},
    }
    before = len(operator.records())
    await site.apply(odd.registration(), later.registration())
    for manifest in (revision, with_deep_fields(service), with_deep_fields(odd.eservice())):
        await create_deep(admin.kubeconfig, manifest, tmp_path)

    decided = await site.until(odd.ref, up_to_date, "an e-service that says odd things of who wrote it")
    assert {"Accepted", "Verified"} <= set(gates(decided))
    await site.published(other)
    await eventually(lambda: operator.metrics()[FIGURE] == 1, "the one that is kept without a part of it")
    named = [one["msg"] for one in operator.records() if "levels deep" in one["msg"]]
    assert [f"{odd.namespace}/deep" in text for text in named] == [True], named

    assert await operator.terminate() == 0
    await operator.start()
    await site.apply(later.eservice())
    await site.until(later.ref, up_to_date, "an e-service after a start with all of them there")
    await operator.at_rest()
    assert operator.metrics()[FIGURE] == 1
    failed = [one["msg"] for one in operator.records()[before:] if AGAIN.search(one["msg"])]
    assert not failed, "no list and no watch broke off"
    await site.delete(ref_of(revision))
    await eventually(lambda: operator.metrics()[FIGURE] == 0, "once it is gone")
