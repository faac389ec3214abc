# SPDX-License-Identifier: Apache-2.0
"""What holds in every world: total, within bounds, in any order, idempotent, monotone, on time."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.actions import Action, Create, Delete, Outcome, Update, target_of
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.policy import Policy
from eservice_operator.core.report import report, report_invalid
from eservice_operator.core.unpublication import judge
from eservice_operator.core.world import World
from tests.core.strategies_worlds import clusters, good_clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import POLICY

few = settings(max_examples=max(1, settings().max_examples // 3))
"""For what takes a whole life in each example."""
any_clusters = st.one_of(clusters(), good_clusters())
NOTHING_DONE = Outcome(())
EVER = timedelta(days=20_000)
"""Beyond every date of these worlds."""


def told(world: World, now: datetime, policy: Policy) -> tuple[Decision, dict[str, object]]:
    decision = decide(world, now, policy)
    return decision, status_body(report(decision, NOTHING_DONE))


# total


@given(st.one_of(clusters(odd=True), good_clusters()), instants())
def test_every_world_has_a_decision_and_a_sound_status(cluster: PureCluster, now: datetime) -> None:
    world = cluster.world()
    decision = decide(world, now, cluster.policy)
    body = copy.deepcopy(cluster.objects[cluster.service_place])
    outcomes = [NOTHING_DONE]
    if decision.actions:
        last = decision.actions[-1]
        outcomes += [
            Outcome((), worlds.failure(last, reason, "", transient=transient))
            for reason, transient in (("Timeout", True), ("NameCollision", False), ("Invalid", False))
        ]
    for outcome in outcomes:
        body["status"] = status_body(report(decision, outcome))
        assert_status_sound(body, before=world.service.status)
    invalid = report_invalid(world.service.status, world.service.metadata.generation, ("x: wrong",), now)
    body["status"] = status_body(invalid)
    assert_status_sound(body, before=world.service.status)


@given(st.one_of(clusters(odd=True), good_clusters()), instants())
def test_a_decision_keeps_to_its_own(cluster: PureCluster, now: datetime) -> None:
    world = cluster.world()
    metadata = world.service.metadata
    decision = decide(world, now, cluster.policy)
    assert decision.next_at is None or decision.next_at > now
    for action in decision.actions:
        assert action.reason
        _assert_within_bounds(action, metadata.namespace, metadata.name)
        if isinstance(action, Delete | Update):
            assert action.uid, "never an object that was not seen"


def _assert_within_bounds(action: Action, namespace: str, name: str) -> None:
    """In the e-service's namespace, or its route in the Agency's, or a decision about it."""
    target = target_of(action)
    if target.kind == "HTTPRoute":
        assert target.namespace == POLICY.routes_namespace
        assert target.name in (f"{namespace}.{name}", f"{namespace}.{name}.preview")
    elif target.kind == "UnpublishDecision":
        assert not target.namespace
    else:
        assert target.namespace == namespace
    if isinstance(action, Create | Update) and target.kind != "UnpublishDecision":
        assert action.manifest["metadata"]["labels"][names.OWNER_UID_LABEL]
        owned = bool(action.manifest["metadata"].get("ownerReferences"))
        assert owned is (target.kind != "HTTPRoute"), "the garbage collector works within a namespace"


# deterministic, and in any order


@given(any_clusters, instants(), st.randoms(use_true_random=False))
def test_the_order_of_objects_changes_nothing(cluster: PureCluster, now: datetime, random: Random) -> None:
    world = cluster.world()
    first, status = told(world, now, cluster.policy)
    assert told(world, now, cluster.policy)[0].actions == first.actions

    items = list(cluster.objects.items())
    random.shuffle(items)
    shuffled = PureCluster(policy=cluster.policy, objects=copy.deepcopy(dict(items)))
    for body in shuffled.of_kind("EServiceTemplate").values():
        random.shuffle(body["spec"]["versions"])
    other = replace(
        shuffled.world(),
        senior=world.senior,
        claims=tuple(random.sample(world.claims, len(world.claims))),
        contenders=tuple(random.sample(world.contenders, len(world.contenders))),
        decisions=tuple(random.sample(world.decisions, len(world.decisions))),
    )
    again, other_status = told(other, now, cluster.policy)
    assert again.actions == first.actions
    assert again.next_at == first.next_at
    assert other_status == status


# idempotent


@few
@given(any_clusters, instants())
def test_the_state_that_a_decision_leads_to_is_quiet(cluster: PureCluster, now: datetime) -> None:
    decision = cluster.settle(now)
    assume(decision is not None)
    assert decision is not None
    assert all(isinstance(action, Create) for action in decision.actions), "but for a name that is taken"
    cluster.forget()
    again = cluster.settle(now)
    assert not cluster.log
    assert not cluster.statuses
    assert again is not None
    assert report(again, NOTHING_DONE) == report(decision, NOTHING_DONE)


@few
@given(any_clusters, instants())
def test_a_fresh_start_reads_the_same_from_what_is_remembered(cluster: PureCluster, now: datetime) -> None:
    """Nothing is remembered but in objects: a status that was lost comes back, conditions' times apart."""
    assume(cluster.settle(now) is not None)
    before = cluster.status
    service = cluster.objects[cluster.service_place]
    known = service["status"].get("release", {})
    service["status"] = {"observedGeneration": -1, "release": known}
    cluster.forget()
    cluster.settle(now)
    assert not cluster.log
    after = cluster.status
    verdicts = [
        [(c.type, c.status, c.reason, c.message) for c in status.conditions] for status in (before, after)
    ]
    assert verdicts[0] == verdicts[1]
    assert (after.phase, after.template, after.next) == (before.phase, before.template, before.next)


# monotone


@given(any_clusters, instants(), st.integers(0, 40 * 86_400))
def test_time_alone_never_makes_a_release_less_overdue(
    cluster: PureCluster, now: datetime, later: int
) -> None:
    world = cluster.world()
    then = now + timedelta(seconds=later)
    sooner, after = decide(world, now, cluster.policy), decide(world, then, cluster.policy)
    before = find(report(sooner, NOTHING_DONE).conditions, ConditionType.TEMPLATE_CURRENT)
    current = find(report(after, NOTHING_DONE).conditions, ConditionType.TEMPLATE_CURRENT)
    assert before is not None
    assert current is not None
    if before.status is ConditionStatus.FALSE and before.reason == Reason.TEMPLATE_OVERDUE:
        assert current.reason == Reason.TEMPLATE_OVERDUE
    for decision in sooner.facts.decisions:
        if judge(sooner.facts, decision).state is DecisionState.EFFECTIVE:
            judged = judge(after.facts, decision)
            revoked = judged.state is DecisionState.CLOSED and judged.reason == Reason.REVOKED
            assert revoked or judged.state is DecisionState.EFFECTIVE


# on time


@few
@given(any_clusters, instants(), st.floats(0, 1))
def test_nothing_happens_before_the_next_instant_that_a_decision_names(
    cluster: PureCluster, now: datetime, part: float
) -> None:
    decision = cluster.settle(now)
    assume(decision is not None)
    assert decision is not None
    world, status = cluster.world(), report(decision, NOTHING_DONE)
    end = decision.next_at or now + EVER
    seconds = int((end - now).total_seconds())
    for offset in {1, int(part * seconds), seconds - 1} - {0, -1, seconds}:
        between = decide(world, now + timedelta(seconds=offset), cluster.policy)
        assert between.actions == decision.actions
        assert report(between, NOTHING_DONE) == status
        assert between.next_at == decision.next_at


@few
@given(any_clusters, instants())
def test_a_late_start_gives_no_more_than_an_early_one(cluster: PureCluster, now: datetime) -> None:
    """The other way round it may: what was public in time stays when a gate closes, and comes not late."""
    end = now + timedelta(days=60)
    late = PureCluster(
        policy=cluster.policy,
        objects=copy.deepcopy(cluster.objects),
        senior=cluster.senior,
        claims=cluster.claims,
        gateway_refuses=cluster.gateway_refuses,
    )
    assume(cluster.settle(now) is not None)
    assume(late.settle(now) is not None)
    cluster.advance(now, end)
    late.settle(end)
    assert cluster.routed() or not late.routed()
