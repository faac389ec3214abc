# SPDX-License-Identifier: Apache-2.0
"""R8: a decision records what its dates follow from, and these can be computed again from the record."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import Facts
from eservice_operator.core.inputs import Recomputed, decided_facts, hash_of, recompute
from eservice_operator.core.scheduling import new_decision
from tests.core.strategies_worlds import templates
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import TEMPLATE, at

KNOWN = at("2027-02-01")
RECALLED = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at="2027-03-01", replaceBy="2027-04-15")
CASES: list[dict[str, Any]] = [
    {"versions": (*worlds.VERSIONS, worlds.NEXT_VERSION)},
    {"versions": (*worlds.VERSIONS, worlds.NEXT_VERSION), "lifecycle": {"noticePeriod": "P6M"}},
    {"versions": (*worlds.VERSIONS, worlds.NEXT_VERSION), "lifecycle": {"enforceFrom": "2028-01-01"}},
    {"versions": (*worlds.VERSIONS, worlds.NEXT_VERSION), "lifecycle": {"lagMeasure": "SinceSuperseded"}},
    {"versions": (worlds.VERSIONS[0], RECALLED)},
    {"versions": (*worlds.VERSIONS, worlds.version("4.0.0-rc.1", "2027-01-01"), worlds.NEXT_VERSION)},
]


@pytest.fixture(params=CASES)
def decision(public: PureCluster, request: pytest.FixtureRequest) -> UnpublishDecision:
    case = dict(request.param)
    public.put(worlds.template(case.pop("versions"), **case))
    public.settle(KNOWN)
    (made,) = public.decisions
    return made


def again(decision: UnpublishDecision) -> Recomputed:
    inputs = decision.spec.inputs
    assert inputs is not None
    return recompute(decision.spec, inputs)


def test_a_record_says_again_what_it_said(decision: UnpublishDecision) -> None:
    spec = decision.spec
    assert again(decision) == Recomputed(
        overdue_since=spec.overdue_since,
        caused_by=spec.caused_by,
        current_version=spec.current_version,
        effective_at=spec.effective_at,
        inputs_hash=spec.inputs_hash,
    )


def test_everything_that_the_dates_follow_from_is_recorded(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle={"migrateWithin": "P7M"}))
    public.settle(KNOWN)
    inputs = public.decisions[0].spec.inputs
    assert inputs is not None
    told = inputs.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert told == {
        "versions": [
            {"version": "2.0.0", "released": "2024-02-01", "published": "2024-03-01"},
            {"version": "3.0.0", "released": "2025-10-01", "published": "2025-11-01"},
            {"version": "4.0.0", "released": "2027-05-01", "published": "2027-06-01"},
        ],
        "migrateWithin": "P7M",
        "noticePeriod": "P0D",
        "timeZone": "Europe/Riga",
    }


@pytest.mark.parametrize(
    "patch",
    [
        {"maximumLag": "P17M"},
        {"causedBy": "3.1.0"},
        {"overdueSince": "2027-06-02"},
        {"registration": "another"},
        {"release": {"image": worlds.image("e")}},
        {"inputs": {"noticePeriod": "P1D"}},
        {"inputs": {"timeZone": "Europe/Vilnius"}},
    ],
)
def test_the_hash_tells_of_a_change(public: PureCluster, patch: Manifest) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    public.settle(KNOWN)
    (body,) = public.of_kind("UnpublishDecision").values()
    forged = UnpublishDecision.model_validate(worlds.merged(copy.deepcopy(body), {"spec": patch}))
    assert again(forged).inputs_hash != forged.spec.inputs_hash


def test_a_revocation_is_no_change_of_the_record(decision: UnpublishDecision) -> None:
    body = decision.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["spec"]["revoked"] = {"at": "2027-03-01", "reason": "an emergency"}
    revoked = UnpublishDecision.model_validate(body)
    assert again(revoked).inputs_hash == decision.spec.inputs_hash


@given(templates(TEMPLATE), st.integers(0, 400))
def test_whatever_is_decided_can_be_computed_again(template: Manifest, day: int) -> None:
    service = worlds.eservice(spec={"template": {"version": "2.0.0"}})
    release = {"name": "r", "image": worlds.image("a"), "template": {"name": TEMPLATE, "version": "2.0.0"}}
    service["status"] = {"observedGeneration": 1, "release": {"public": release}}
    world = worlds.world(service, templates=[template])
    made = new_decision(Facts(world, at("2026-09-25") + day * worlds.DAY, worlds.POLICY))
    if made is not None:
        spec = UnpublishDecision.model_validate(made).spec
        assert spec.inputs is not None
        found = recompute(spec, spec.inputs)
        assert found.effective_at == spec.effective_at
        assert (found.overdue_since, found.caused_by) == (spec.overdue_since, spec.caused_by)
        assert found.inputs_hash == spec.inputs_hash == hash_of(decided_facts(spec))
