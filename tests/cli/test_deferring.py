# SPDX-License-Identifier: Apache-2.0
"""What ``defer`` says comes of a deferral, by the operator's own decision."""

from __future__ import annotations

from datetime import date

import pytest

from eservice_operator.cli.deferring import outlook
from eservice_operator.cli.world import Live
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from tests.core.test_unpublication import FOUR, KNOWN
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE

PLACE = (NAMESPACE, NAME)
UNTIL = date(2027, 8, 31)


@pytest.fixture
def cluster() -> PureCluster:
    """Public on 3.0.0, and off from 2027-06-01 by a decision."""
    made = PureCluster()
    made.put(worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification())
    made.put(worlds.eservice())
    made.advance(worlds.NOW, KNOWN)
    return made


def said(cluster: PureCluster) -> list[str]:
    store = Store(INDEXES)
    for number, body in enumerate(cluster.objects.values()):
        metadata = {"uid": f"uid-{number}"} | body["metadata"] | {"resourceVersion": str(number + 1)}
        store.upsert(slim(body | {"metadata": metadata}))
    live = Live(store, Observer(store, worlds.POLICY), worlds.POLICY, KNOWN + 4 * DAY)
    return outlook(live, PLACE, worlds.deferral(str(UNTIL)), UNTIL)


def test_what_is_public_is_so_longer(cluster: PureCluster) -> None:
    (line,) = said(cluster)
    assert line.startswith("public until 2027-08-31, off the public route 2027-09-01")
    assert "instead of 2027-06-01" in line


def test_what_was_created_again_may_be_public_longer(cluster: PureCluster) -> None:
    cluster.remove(cluster.service_place)
    cluster.settle(KNOWN + DAY)
    cluster.put(worlds.eservice(metadata={"uid": "again"}))
    (line,) = said(cluster)
    assert line.startswith("not public now; may be public until 2027-08-31, off the public route 2027-09-01")
    assert "instead of 2027-06-01" in line


def test_where_nothing_is_decided_it_waits(cluster: PureCluster) -> None:
    cluster.remove(("UnpublishDecision", "", f"{NAME}-production-001"))
    assert said(cluster) == ["no unpublication is decided about it: the deferral waits for one"]
