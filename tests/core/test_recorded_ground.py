# SPDX-License-Identifier: Apache-2.0
"""R8: a decision that goes on, or takes effect, on another ground than it recorded; and what is said then.

The e-service is public on 3.0.0; 4.0.0 makes it overdue on 2027-06-01, and proves to be a mistake.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.ground import Ground
from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import local_day
from eservice_operator.core.replay import replay, replay_ground
from tests.core.test_unpublication import AT_DECISION, FOUR, KNOWN, defer, set_policy
from tests.support import worlds
from tests.support.postal import PostalCluster, postal
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, at

WITHDRAWN = worlds.merged(worlds.NEXT_VERSION, {"withdrawn": {"at": "2027-02-09", "reason": "a mistake"}})
MENDED = worlds.version("4.0.1", "2027-05-01", "2027-05-20")
LATER = worlds.version("4.0.1", "2027-05-01", "2027-09-01")
HIGHER = worlds.version("4.1.0", "2027-05-15", "2027-05-20")
EVEN_LATER = worlds.version("5.0.0", "2028-01-01", "2028-02-01")
LATE = at("2027-06-20")


def publish(cluster: PureCluster, *versions: dict[str, Any], **lifecycle: Any) -> None:
    cluster.put(worlds.template((*worlds.VERSIONS, *versions), lifecycle=lifecycle))


@pytest.fixture
def cluster() -> PostalCluster:
    """The decision is made for 4.0.0, and the institution was told so."""
    cluster = postal()
    cluster.put(worlds.template(FOUR))
    cluster.settle(KNOWN)
    return cluster


def the_only(cluster: PureCluster) -> UnpublishDecision:
    (decision,) = cluster.decisions
    return decision


def ground(cluster: PureCluster) -> Ground:
    found = the_only(cluster).status.ground
    assert found is not None
    return found


def causes_told(cluster: PostalCluster) -> list[str]:
    """The version that each notice of R8 to the first contact named, in order."""
    return [
        letter.facts.get("cause", "")
        for letter in cluster.sent
        if letter.recipient == "a@pmlp.example" and letter.kind.value.startswith("Unp")
    ]


def assert_replayed(cluster: PureCluster) -> None:
    decision = the_only(cluster)
    facts = list(replay(decision.spec))
    if decision.status.ground is not None:
        facts += replay_ground(decision.spec, decision.status.ground)
    assert all(fact.reproduced for fact in facts), facts


def test_nothing_is_recorded_while_the_ground_is_the_one_of_the_spec(cluster: PostalCluster) -> None:
    publish(cluster, worlds.NEXT_VERSION, EVEN_LATER)
    cluster.advance(KNOWN + DAY, at("2028-03-01"))
    assert the_only(cluster).status.state is DecisionState.EFFECTIVE
    assert the_only(cluster).status.ground is None
    assert set(causes_told(cluster)) == {"4.0.0"}


def test_announced_anew_for_another_version_it_records_and_says_that_one(cluster: PostalCluster) -> None:
    publish(cluster, WITHDRAWN)
    cluster.advance(KNOWN + 9 * DAY, LATE)
    assert the_only(cluster).status.reason == Reason.NO_LONGER_OVERDUE
    assert the_only(cluster).status.ground is None, "there is no other one yet"
    told = len(cluster.sent)
    publish(cluster, WITHDRAWN, LATER)
    cluster.settle(LATE)
    recorded = ground(cluster)
    assert (recorded.since, recorded.caused_by) == (LATE, "4.0.1")
    assert str(recorded.overdue_since) == "2027-09-01"
    assert recorded.current_version == "3.0.0"
    assert the_only(cluster).spec.caused_by == "4.0.0"
    assert the_only(cluster).status.message == "overdue since 2027-09-01: renew before this takes effect"
    cluster.advance(LATE, at("2027-09-02"))
    letters = cluster.sent[told:]
    assert {letter.facts["cause"] for letter in letters} == {"4.0.1"}
    assert {letter.facts["overdueSince"] for letter in letters} == {"2027-09-01"}
    assert ground(cluster) == recorded
    assert_replayed(cluster)


def test_a_cause_that_is_replaced_before_the_day_is_the_one_that_warnings_name(
    cluster: PostalCluster,
) -> None:
    publish(cluster, WITHDRAWN, MENDED)
    cluster.advance(KNOWN + 9 * DAY, LATE)
    assert the_only(cluster).status.effective_at == at("2027-06-01", "00:00")
    assert causes_told(cluster)[0] == "4.0.0"
    assert set(causes_told(cluster)[1:]) == {"4.0.1"}
    assert ground(cluster).since == KNOWN + 9 * DAY
    assert_replayed(cluster)


def test_it_takes_effect_on_the_dates_of_its_day(cluster: PostalCluster) -> None:
    """The day stays as announced, so nobody was told anything; what it rests on has changed all the same."""
    set_policy(cluster, maximumLag="P17M")
    cluster.settle(KNOWN + DAY)
    assert the_only(cluster).status.ground is None
    cluster.advance(KNOWN + DAY, LATE)
    assert ground(cluster).since == at("2027-06-01", "00:00")
    assert ground(cluster).maximum_lag == "P17M"
    assert the_only(cluster).status.message.startswith("viss-2020 3.0.0 lags behind 4.0.0 by more than P17M:")
    assert_replayed(cluster)


def test_a_recall_becomes_the_ground(cluster: PostalCluster) -> None:
    cluster.put(worlds.template((*worlds.recalled("2027-02-15", "2027-03-31"), worlds.NEXT_VERSION)))
    cluster.advance(KNOWN + 14 * DAY, LATE)
    assert ground(cluster).caused_by is None
    assert str(ground(cluster).overdue_since) == "2027-04-01"
    assert the_only(cluster).status.effective_since == at("2027-06-01", "00:00"), "as promised"
    assert "3.0.0 was withdrawn" in the_only(cluster).status.message
    assert cluster.sent[-1].facts["recallReason"] == "a hole"
    assert "cause" not in cluster.sent[-1].facts
    assert_replayed(cluster)


def test_what_is_in_effect_keeps_its_ground_and_its_message(cluster: PostalCluster) -> None:
    cluster.advance(KNOWN, LATE)
    before = the_only(cluster).status
    publish(cluster, WITHDRAWN, LATER, maximumLag="P1M")
    cluster.advance(LATE, at("2028-01-01"))
    after = the_only(cluster).status
    assert (after.ground, after.message) == (None, before.message)
    assert "lags behind 4.0.0 by more than P18M" in after.message


def test_deferred_after_it_took_effect_it_takes_effect_on_the_ground_of_then(cluster: PostalCluster) -> None:
    cluster.advance(KNOWN, LATE)
    publish(cluster, WITHDRAWN, LATER)
    defer(cluster, "2027-10-31")
    cluster.advance(LATE, at("2027-11-02"))
    assert the_only(cluster).status.state is DecisionState.EFFECTIVE
    assert ground(cluster).caused_by == "4.0.1"
    assert "lags behind 4.0.1" in the_only(cluster).status.message
    assert_replayed(cluster)


def test_a_clock_that_is_not_trusted_records_nothing(cluster: PostalCluster) -> None:
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    publish(cluster, WITHDRAWN, MENDED)
    cluster.settle(KNOWN + 9 * DAY)
    assert the_only(cluster).status.ground is None
    cluster.policy = replace(cluster.policy, clock_trusted=True)
    cluster.settle(KNOWN + 10 * DAY)
    assert ground(cluster).caused_by == "4.0.1"


def test_a_policy_that_only_warns_is_no_ground(cluster: PostalCluster) -> None:
    publish(cluster, WITHDRAWN, MENDED, enforcement="Warn")
    cluster.advance(KNOWN + 9 * DAY, LATE)
    assert the_only(cluster).status.ground is None


def test_revoked_it_is_forgiven_for_the_cause_that_it_recorded_last(cluster: PostalCluster) -> None:
    publish(cluster, WITHDRAWN, MENDED)
    cluster.settle(KNOWN + 9 * DAY)
    cluster.edit(AT_DECISION, spec={"revoked": {"at": "2027-02-11", "reason": "an emergency"}})
    cluster.advance(KNOWN + 10 * DAY, LATE)
    assert the_only(cluster).status.state is DecisionState.CLOSED
    assert cluster.routed()


def test_the_one_in_its_place_takes_over_the_ground_recorded_last(cluster: PostalCluster) -> None:
    publish(cluster, WITHDRAWN, MENDED)
    cluster.advance(KNOWN + 9 * DAY, LATE)
    set_policy(cluster, maximumLag="P9Y")
    cluster.remove(AT_DECISION)
    cluster.settle(LATE + DAY)
    spec = the_only(cluster).spec
    assert (spec.caused_by, str(spec.overdue_since)) == ("4.0.1", "2027-05-20")
    assert "lags behind 4.0.1" in the_only(cluster).status.message
    assert_replayed(cluster)


def test_the_gate_and_the_condition_say_since_when_by_the_same_ground(cluster: PostalCluster) -> None:
    publish(cluster, WITHDRAWN)
    cluster.advance(KNOWN + 9 * DAY, LATE)
    publish(cluster, WITHDRAWN, LATER)
    cluster.advance(LATE, at("2027-09-02"))
    (gate,) = cluster.status.gates
    assert "overdue since 2027-09-01" in gate.message
    published = next(one for one in cluster.status.conditions if one.type == "Published")
    assert "overdue since 2027-09-01" in published.message


@pytest.mark.parametrize(
    "changed, found",
    [
        ({"overdueSince": "2027-05-31"}, {"overdueSince", "inputsHash"}),
        ({"causedBy": "4.0.0"}, {"causedBy", "inputsHash"}),
        ({"currentVersion": "2.0.0"}, {"currentVersion", "inputsHash"}),
        ({"maximumLag": "P24M"}, {"overdueSince", "causedBy", "inputsHash"}),
        ({"inputsHash": "0" * 16}, {"inputsHash"}),
    ],
)
def test_a_tampered_ground_is_found(cluster: PostalCluster, changed: dict[str, Any], found: set[str]) -> None:
    publish(cluster, WITHDRAWN, MENDED)
    cluster.settle(KNOWN + 9 * DAY)
    body = ground(cluster).model_dump(mode="json", by_alias=True, exclude_none=True)
    facts = replay_ground(the_only(cluster).spec, Ground.model_validate(worlds.merged(body, changed)))
    assert {fact.name for fact in facts if not fact.reproduced} == {f"status.ground.{one}" for one in found}


EDITS: list[tuple[dict[str, Any], ...]] = [
    (worlds.NEXT_VERSION,),
    (WITHDRAWN,),
    (WITHDRAWN, MENDED),
    (WITHDRAWN, LATER),
    (worlds.NEXT_VERSION, HIGHER),
    (worlds.NEXT_VERSION, EVEN_LATER),
]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(EDITS), st.sampled_from(["P18M", "P17M", "P9Y"]), st.integers(0, 60)),
        max_size=6,
    )
)
def test_whatever_is_recorded_is_replayed_never_hastens_and_stays_once_in_effect(
    edits: list[tuple[tuple[dict[str, Any], ...], str, int]],
) -> None:
    cluster = PureCluster()
    cluster.put(worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification())
    cluster.put(worlds.eservice())
    cluster.advance(worlds.NOW, KNOWN)
    now, kept = KNOWN, None
    for versions, lag, days in [*edits, ((worlds.NEXT_VERSION,), "P18M", 400)]:
        publish(cluster, *versions, maximumLag=lag)
        cluster.advance(now, now + days * DAY)
        now += days * DAY
        assert_replayed(cluster)
        status = the_only(cluster).status
        if status.state is DecisionState.EFFECTIVE:
            assert kept in {None, (status.ground, status.message)}
            kept = status.ground, status.message
            recorded = status.ground or the_only(cluster).spec
            assert recorded.overdue_since <= local_day(status.effective_since or now, worlds.RIGA)
    assert kept is not None
