# SPDX-License-Identifier: Apache-2.0
"""A recorded decision computed again: reproduced as it was made, found out once it was changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.replay import NotReplayableError, replay
from tests.core.strategies_worlds import clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NOW


def made(**lifecycle: Any) -> UnpublishDecision:
    """A decision as the operator makes it."""
    cluster = PureCluster()
    cluster.put(
        worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle=lifecycle),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(),
    )
    cluster.settle(NOW)
    (decision,) = cluster.decisions
    return decision


def not_reproduced(decision: UnpublishDecision, **spec: Any) -> set[str]:
    """The facts that do not come out again once the spec was changed."""
    body = worlds.merged(decision.model_dump(mode="json", by_alias=True), {"spec": spec})
    changed = UnpublishDecision.model_validate(body)
    return {fact.name for fact in replay(changed.spec) if not fact.reproduced}


@pytest.mark.parametrize(
    "lifecycle",
    [
        {},
        {"lagMeasure": "SinceSuperseded", "maximumLag": "P2M"},
        {"noticePeriod": "P1Y"},
        {"enforceFrom": "2028-01-01"},
        {"maximumLag": "P17M"},
    ],
    ids=str,
)
def test_a_decision_comes_out_again_fact_by_fact(lifecycle: dict[str, Any]) -> None:
    decision = made(**lifecycle)
    facts = replay(decision.spec)
    assert [fact.name for fact in facts] == [
        "currentVersion",
        "overdueSince",
        "causedBy",
        "effectiveAt",
        "inputsHash",
    ]
    assert all(fact.reproduced for fact in facts)
    assert all(fact.recorded == fact.computed for fact in facts)


@pytest.mark.parametrize(
    "changed,found",
    [
        ({"overdueSince": "2027-05-31"}, {"overdueSince", "inputsHash"}),
        ({"effectiveAt": "2027-05-30T21:00:00Z"}, {"effectiveAt"}),
        ({"decidedAt": "2027-09-01T10:00:00Z"}, {"currentVersion", "effectiveAt"}),
        ({"causedBy": "3.0.0"}, {"causedBy", "inputsHash"}),
        ({"currentVersion": "2.0.0"}, {"currentVersion", "inputsHash"}),
        ({"maximumLag": "P24M"}, {"overdueSince", "causedBy", "effectiveAt", "inputsHash"}),
        (
            {"release": {"template": {"version": "2.0.0"}}},
            {"overdueSince", "causedBy", "effectiveAt", "inputsHash"},
        ),
        ({"release": {"image": worlds.image("b")}}, {"inputsHash"}),
        ({"registration": "another"}, {"inputsHash"}),
        ({"inputs": {"noticePeriod": "P2Y"}}, {"effectiveAt", "inputsHash"}),
        ({"inputs": {"timeZone": "Asia/Tokyo"}}, {"effectiveAt", "inputsHash"}),
        ({"inputsHash": "0" * 16}, {"inputsHash"}),
    ],
)
def test_a_tampered_copy_is_found(changed: dict[str, Any], found: set[str]) -> None:
    assert found <= not_reproduced(made(), **changed)


def test_a_revocation_is_no_tampering() -> None:
    assert not not_reproduced(made(), revoked={"at": "2027-01-01", "reason": "a mistake"})


def test_a_decision_without_inputs_is_not_replayable() -> None:
    decision = UnpublishDecision.model_validate(worlds.decision())
    with pytest.raises(NotReplayableError, match="did not record its inputs"):
        replay(decision.spec)


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "Europe", ".", "../etc/passwd", "/etc", "x" * 128, "zone.tab"]
)
def test_an_unknown_time_zone_is_said(zone: str) -> None:
    """A folder of zones, a file that is none, and what leads out of them."""
    body = worlds.merged(
        made().model_dump(mode="json", by_alias=True), {"spec": {"inputs": {"timeZone": zone}}}
    )
    with pytest.raises(NotReplayableError, match=r"there is no time zone .* on this machine"):
        replay(UnpublishDecision.model_validate(body).spec)


@settings(max_examples=60)
@given(cluster=clusters(), now=instants())
def test_whatever_is_decided_comes_out_again(cluster: PureCluster, now: datetime) -> None:
    before = {decision.metadata.name for decision in cluster.decisions}
    cluster.settle(now)
    for decision in cluster.decisions:
        if decision.metadata.name not in before:
            assert all(fact.reproduced for fact in replay(decision.spec))
