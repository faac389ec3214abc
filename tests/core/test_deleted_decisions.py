# SPDX-License-Identifier: Apache-2.0
"""R8: somebody deletes an open decision. What it announced, or took off the public route, goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.core.actions import Create
from eservice_operator.core.decide import decide
from eservice_operator.core.repairs import ROUTES
from eservice_operator.core.replay import replay
from tests.core.test_unpublication import (
    AT_DECISION,
    AT_TEMPLATE,
    FIRST,
    FOUR,
    KNOWN,
    LATE,
    defer,
    renew,
    set_policy,
)
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, at

SECOND = f"{NAME}-production-002"
DAY = timedelta(days=1)
AT_SECOND = ("UnpublishDecision", "", SECOND)
DUE = at("2027-06-01", "00:00")
LATER = LATE + 5 * DAY
FIVE = worlds.version("5.0.0", "2030-01-01", "2030-02-01")


POLICIES_OF_ROUTES = {"Gateway": worlds.POLICY, "Ingress": worlds.BY_INGRESS}


@pytest.fixture(params=list(POLICIES_OF_ROUTES.values()), ids=list(POLICIES_OF_ROUTES))
def public(request: pytest.FixtureRequest) -> PureCluster:
    """An e-service that is public, by whatever publishes."""
    cluster = PureCluster(policy=request.param)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    cluster.forget()
    return cluster


@pytest.fixture
def scheduled(public: PureCluster) -> PureCluster:
    """4.0.0 is announced, and the first decision is made: due on 2027-06-01."""
    public.put(worlds.template(FOUR))
    public.settle(KNOWN)
    public.forget()
    return public


@pytest.fixture
def unpublished(scheduled: PureCluster) -> PureCluster:
    """The first decision has taken effect."""
    scheduled.advance(KNOWN, LATE)
    assert not scheduled.routed()
    scheduled.forget()
    return scheduled


def the_only(cluster: PureCluster) -> UnpublishDecision:
    (decision,) = cluster.decisions
    return decision


def trust(cluster: PureCluster, *, clock: bool) -> None:
    cluster.policy = replace(cluster.policy, clock_trusted=clock)


def was_put_up(cluster: PureCluster) -> bool:
    """Whether the public route was there for as much as a moment."""
    return any(isinstance(one, Create) and one.manifest["kind"] in ROUTES for one in cluster.log)


def assert_goes_on(cluster: PureCluster, name: str = SECOND) -> None:
    decision = the_only(cluster)
    assert (decision.metadata.name, decision.status.state) == (name, DecisionState.EFFECTIVE)
    assert decision.status.effective_since == decision.spec.effective_at == DUE
    assert decision.spec.replaces is not None
    assert f"in the place of {decision.spec.replaces.name}, which was deleted" in decision.status.message
    assert not was_put_up(cluster)
    assert all(fact.reproduced for fact in replay(decision.spec)), replay(decision.spec)


# in effect


EDITS: dict[str, Callable[[PureCluster], object]] = {
    "nothing else": lambda _: None,
    "Warn": lambda cluster: set_policy(cluster, enforcement="Warn"),
    "Observe": lambda cluster: set_policy(cluster, enforcement="Observe"),
    "enforced later": lambda cluster: set_policy(cluster, enforceFrom="2029-01-01"),
    "no longer overdue": lambda cluster: set_policy(cluster, maximumLag="P9Y"),
    "a long notice": lambda cluster: set_policy(cluster, noticePeriod="P1Y"),
    "paused": lambda cluster: cluster.edit_service(publication={"paused": {"reason": "works"}}),
    "another release named": lambda cluster: cluster.edit_service(release={"image": worlds.image("b")}),
    "a spec that cannot be read": lambda cluster: cluster.edit_service(workload={"port": "none"}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_what_was_off_stays_off_by_a_decision_in_its_place(
    unpublished: PureCluster, edit: Callable[[PureCluster], object]
) -> None:
    edit(unpublished)
    unpublished.remove(AT_DECISION)
    unpublished.advance(LATER, LATER + 60 * DAY)
    assert_goes_on(unpublished)
    assert not unpublished.told or {note.reason for note in unpublished.told} <= {"Paused", "InvalidSpec"}


def test_nobody_is_told_anything_and_nothing_changes(unpublished: PureCluster) -> None:
    before = unpublished.status
    unpublished.remove(AT_DECISION)
    unpublished.policy = replace(unpublished.policy, channels=((Channel.EMAIL, ""),))
    unpublished.advance(LATER, LATER + 60 * DAY)
    assert_goes_on(unpublished)
    assert not unpublished.told
    assert not the_only(unpublished).status.notices
    assert not unpublished.status.notices
    assert unpublished.status.phase is Phase.UNPUBLISHED
    assert unpublished.status.history == before.history
    published = ConditionType.PUBLISHED
    assert unpublished.reason(published) == ("False", Reason.TEMPLATE_OVERDUE)
    assert unpublished.status.template.decision == SECOND
    assert unpublished.status.template.unpublish_at == before.template.unpublish_at


def test_deleted_again_and_again_it_goes_on_under_a_number_of_its_own(unpublished: PureCluster) -> None:
    for number in range(2, 6):
        unpublished.remove(("UnpublishDecision", "", the_only(unpublished).metadata.name))
        unpublished.settle(LATER + number * DAY)
        assert_goes_on(unpublished, f"{NAME}-production-{number:03d}")


def test_its_facts_are_recorded_anew(unpublished: PureCluster) -> None:
    old = the_only(unpublished).spec
    unpublished.put(worlds.template((*FOUR, worlds.version("4.1.0", "2027-05-01", "2027-06-10"))))
    unpublished.remove(AT_DECISION)
    unpublished.settle(LATER)
    spec = the_only(unpublished).spec
    assert (old.current_version, spec.current_version) == ("3.0.0", "4.1.0")
    assert (spec.decided_at, spec.overdue_since) == (LATER, old.overdue_since)
    assert spec.inputs is not None
    assert "4.1.0" in {version.version for version in spec.inputs.versions}


def no_template(cluster: PureCluster) -> Callable[[], object]:
    body = worlds.template(FOUR)
    cluster.remove(AT_TEMPLATE)
    return lambda: cluster.put(body)


def no_version(cluster: PureCluster) -> Callable[[], object]:
    cluster.put(worlds.template([worlds.NEXT_VERSION]))
    return lambda: cluster.put(worlds.template(FOUR))


def no_clock(cluster: PureCluster) -> Callable[[], object]:
    trust(cluster, clock=False)
    return lambda: trust(cluster, clock=True)


@pytest.mark.parametrize(
    "lose, waits_for",
    [
        (no_template, "once viss-2020 3.0.0 is known"),
        (no_version, "once viss-2020 3.0.0 is known"),
        (no_clock, "once the operator's clock is trusted"),
    ],
    ids=["template", "version", "clock"],
)
def test_where_none_can_be_made_it_stays_off_and_says_why(
    unpublished: PureCluster, lose: Callable[[PureCluster], Callable[[], object]], waits_for: str
) -> None:
    find_again = lose(unpublished)
    unpublished.remove(AT_DECISION)
    unpublished.advance(LATER, LATER + 60 * DAY)
    assert not unpublished.decisions
    assert not unpublished.routed()
    (gate,) = (one for one in unpublished.status.gates if one.gate is Gate.TEMPLATE_WITHIN_LIMIT)
    assert (gate.reason, gate.owner) == (Reason.DECISION_MISSING, GateOwner.AGENCY)
    assert FIRST in gate.message
    assert waits_for in gate.message
    assert unpublished.reason(ConditionType.PUBLISHED) == ("False", Reason.TEMPLATE_OVERDUE)
    assert unpublished.phase() is Phase.UNPUBLISHED
    find_again()
    unpublished.settle(LATER + 61 * DAY)
    assert_goes_on(unpublished)
    assert "Unpublished" not in {note.reason for note in unpublished.told}


def test_renewed_while_no_decision_is_there_it_is_public_and_nothing_goes_on(
    unpublished: PureCluster,
) -> None:
    trust(unpublished, clock=False)
    unpublished.remove(AT_DECISION)
    unpublished.settle(LATE)
    renew(unpublished, "2027-07-01")
    assert unpublished.public_letter() == "d"
    assert unpublished.phase() is Phase.PUBLISHED
    trust(unpublished, clock=True)
    unpublished.advance(at("2027-07-03"), at("2027-09-01"))
    assert not unpublished.decisions
    assert unpublished.phase() is Phase.PUBLISHED


def test_the_agency_brings_it_back_by_revoking_the_one_in_its_place(unpublished: PureCluster) -> None:
    set_policy(unpublished, enforcement="Warn")
    unpublished.remove(AT_DECISION)
    unpublished.settle(LATER)
    unpublished.edit(AT_SECOND, spec={"revoked": {"at": "2027-06-26", "reason": "deleted on purpose"}})
    set_policy(unpublished, enforcement="Enforce")
    unpublished.advance(LATER + DAY, LATER + 60 * DAY)
    assert unpublished.routed()
    assert (the_only(unpublished).metadata.name, the_only(unpublished).status.state) == (
        SECOND,
        DecisionState.CLOSED,
    )
    assert [note.reason for note in unpublished.told] == ["Republished"]


def test_a_deferral_of_the_one_in_its_place_is_honoured(unpublished: PureCluster) -> None:
    unpublished.remove(AT_DECISION)
    defer(unpublished, "2027-08-31")
    unpublished.settle(LATER)
    assert unpublished.routed()
    assert the_only(unpublished).status.reason == Reason.DEFERRED
    unpublished.advance(LATER, at("2027-09-01"))
    assert not unpublished.routed()


def test_deleted_before_the_e_service_remembers_the_effect_it_is_off_all_the_same(
    scheduled: PureCluster,
) -> None:
    """The operator stops between the writes: the route is gone, and the EService's status is of yesterday."""
    taken = decide(scheduled.world(), LATE, scheduled.policy)
    scheduled.run(taken.actions, LATE)
    assert not scheduled.routed()
    scheduled.forget()
    scheduled.remove(AT_DECISION)
    scheduled.settle(LATE)
    assert the_only(scheduled).metadata.name == SECOND
    assert the_only(scheduled).status.state is DecisionState.EFFECTIVE
    assert not was_put_up(scheduled)


def test_it_is_in_effect_before_anybody_has_written_its_status() -> None:
    """So the brake, which reads it too, never takes it for one that is about to take effect."""
    remembered = {"name": FIRST, "template": {"name": "viss-2020", "version": "2.0.0"}}
    in_effect = remembered | {"effectiveSince": "2026-10-31T22:00:00Z"}
    for replaces, state in ((None, "Scheduled"), (remembered, "Scheduled"), (in_effect, "Effective")):
        body = worlds.decision(2, spec={"replaces": replaces}, status={"observedGeneration": -1})
        assert UnpublishDecision.model_validate(body).status.state == state
    written = {"observedGeneration": 1, "state": "Closed", "reason": "Revoked"}
    body = worlds.decision(2, spec={"replaces": in_effect}, status=written)
    assert UnpublishDecision.model_validate(body).status.state == "Closed"


# announced


def test_what_the_brake_holds_stays_in_its_set(scheduled: PureCluster) -> None:
    held = {"holdToken": "abcdef0123", "heldSince": "2027-05-31T10:00:00Z"}
    scheduled.objects[AT_DECISION]["status"] |= held
    scheduled.advance(KNOWN, LATE)
    assert the_only(scheduled).status.reason == Reason.BRAKE
    scheduled.remove(AT_DECISION)
    scheduled.advance(LATER, LATER + 60 * DAY)
    decision = the_only(scheduled)
    assert (decision.metadata.name, decision.status.reason) == (SECOND, Reason.BRAKE)
    assert (decision.status.hold_token, decision.status.held_since) == (
        "abcdef0123",
        at("2027-05-31", "13:00"),
    )
    assert scheduled.routed()
    set_policy(scheduled, brake={"release": "abcdef0123"})
    scheduled.settle(LATER + 61 * DAY)
    assert not scheduled.routed()
    scheduled.remove(AT_SECOND)
    scheduled.settle(LATER + 62 * DAY)
    assert the_only(scheduled).status.effective_since == LATER + 61 * DAY
    assert not scheduled.routed()


def leave_as_it_is(cluster: PureCluster) -> None:
    """The spec cannot be read any more, so that the children stay as they are."""
    cluster.edit_service(workload={"port": "none"})


def lose_the_snapshot(cluster: PureCluster) -> None:
    """Nobody remembers how the public release runs: its route stays as it is."""
    cluster.edit_service(release={"image": worlds.image("b")})
    for place in [place for place in cluster.objects if place[0] == "ControllerRevision"]:
        del cluster.objects[place]


def spec_of_route(cluster: PureCluster) -> Any:
    route = cluster.public_route()
    assert route is not None
    return route["spec"]


@pytest.mark.parametrize("left", [leave_as_it_is, lose_the_snapshot])
def test_a_promise_is_kept_also_where_the_route_is_left_as_it_is(
    public: PureCluster, left: Callable[[PureCluster], None]
) -> None:
    """What was decided since then is recorded on it all the same."""
    left(public)
    public.settle(worlds.NOW)
    before = spec_of_route(public)
    public.put(worlds.template(FOUR))
    public.settle(KNOWN)
    assert the_only(public).spec.effective_at == DUE
    assert spec_of_route(public) == before
    set_policy(public, maximumLag="P1M")
    public.remove(AT_DECISION)
    public.settle(KNOWN + DAY)
    decision = the_only(public)
    assert (decision.metadata.name, decision.spec.effective_at) == (SECOND, DUE)
    assert decision.spec.replaces is not None


@pytest.mark.parametrize("deferral_goes", [False, True])
def test_the_promise_outlives_the_record_of_it(scheduled: PureCluster, deferral_goes: bool) -> None:
    defer(scheduled, "2027-07-31")
    scheduled.settle(at("2027-05-01"))
    scheduled.forget()
    scheduled.remove(AT_DECISION)
    if deferral_goes:
        scheduled.remove(("UnpublishDeferral", "", "deferral-1"))
    set_policy(scheduled, maximumLag="P1M")
    scheduled.settle(at("2027-05-02"))
    decision, due = the_only(scheduled), DUE if deferral_goes else at("2027-08-01", "00:00")
    assert (decision.metadata.name, decision.status.effective_at) == (SECOND, due)
    assert decision.spec.effective_at == decision.status.undeferred_at == DUE
    assert all(fact.reproduced for fact in replay(decision.spec))
    last = scheduled.advance(at("2027-05-02"), due - timedelta(minutes=1))
    assert scheduled.routed()
    assert last is not None
    assert last.next_at == due
    scheduled.settle(last.next_at)
    assert not scheduled.routed()


@pytest.mark.parametrize(
    "day, without",
    [("2027-05-02", DUE), ("2027-07-15", at("2027-07-25", "00:00"))],
    ids=["before the promise", "after it"],
)
def test_a_deferral_does_not_become_the_promise(scheduled: PureCluster, day: str, without: datetime) -> None:
    """What is capped is the same as ever, and taking the deferral back leaves time for the last warning."""
    set_policy(scheduled, maximumDeferral="P3M")
    defer(scheduled, "2027-07-31")
    scheduled.advance(KNOWN + DAY, at(day))
    scheduled.remove(AT_DECISION)
    scheduled.settle(at(day))
    decision = the_only(scheduled)
    assert (decision.metadata.name, decision.spec.effective_at) == (SECOND, DUE)
    assert (decision.status.reason, decision.status.deferral) == (Reason.DEFERRED, "deferral-1")
    assert all(fact.reproduced for fact in replay(decision.spec))
    defer(scheduled, "2027-11-30", "deferral-2")
    scheduled.settle(at(day) + DAY)
    assert str(the_only(scheduled).status.deferred_until) == "2027-09-01"
    for name in ("deferral-1", "deferral-2"):
        scheduled.remove(("UnpublishDeferral", "", name))
    scheduled.settle(at(day) + 2 * DAY)
    assert the_only(scheduled).status.effective_at == without


def test_a_deferral_taken_back_with_the_record_leaves_time_for_the_last_warning(
    scheduled: PureCluster,
) -> None:
    defer(scheduled, "2027-08-31")
    scheduled.advance(KNOWN + DAY, at("2027-07-15"))
    scheduled.remove(AT_DECISION)
    scheduled.remove(("UnpublishDeferral", "", "deferral-1"))
    scheduled.settle(at("2027-07-15"))
    assert the_only(scheduled).status.effective_at == at("2027-07-23", "00:00")


def test_a_deferral_that_was_honoured_stays_so_whatever_the_cap_says_by_now(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-08-31")
    scheduled.advance(KNOWN + DAY, at("2027-07-15"))
    scheduled.remove(AT_DECISION)
    set_policy(scheduled, maximumDeferral="P1M")
    scheduled.settle(at("2027-07-15"))
    assert str(the_only(scheduled).status.deferred_until) == "2027-08-31"


@pytest.mark.parametrize("lose", [no_template, no_clock], ids=["template", "clock"])
def test_a_promise_is_remembered_while_no_decision_can_be_made(
    scheduled: PureCluster, lose: Callable[[PureCluster], Callable[[], object]]
) -> None:
    find_again = lose(scheduled)
    scheduled.remove(AT_DECISION)
    scheduled.settle(at("2027-05-01"))
    assert not scheduled.decisions
    assert scheduled.routed()
    assert "UnpublishCancelled" not in {note.reason for note in scheduled.told}
    set_policy(scheduled, maximumLag="P1M") if lose is no_clock else None
    find_again()
    scheduled.settle(at("2027-05-02"))
    assert (the_only(scheduled).metadata.name, the_only(scheduled).spec.effective_at) == (SECOND, DUE)


def test_a_policy_that_only_warns_makes_none_in_the_place_of_an_announced_one(scheduled: PureCluster) -> None:
    set_policy(scheduled, enforcement="Warn")
    scheduled.remove(AT_DECISION)
    scheduled.advance(at("2027-05-01"), LATE)
    assert not scheduled.decisions
    assert scheduled.routed()


@pytest.mark.parametrize("day", ["2027-05-20", "2027-06-10"], ids=["before its day", "after it"])
@pytest.mark.parametrize("steps", [["P30D", "P7D"], []], ids=["with a warning", "with none"])
def test_what_lapsed_is_announced_anew_as_if_nobody_had_deleted_it(
    scheduled: PureCluster, day: str, steps: list[str]
) -> None:
    set_policy(scheduled, enforcement="Warn", warnBefore=steps)
    scheduled.advance(KNOWN + DAY, at(day))
    scheduled.remove(AT_DECISION)
    scheduled.advance(at(day), at("2027-07-03"))
    assert not scheduled.decisions
    set_policy(scheduled, enforcement="Enforce")
    scheduled.settle(at("2027-07-04"))
    decision = the_only(scheduled)
    due = at("2027-07-12", "00:00") if steps else at("2027-07-04")
    assert decision.spec.effective_at == decision.status.effective_at == due
    assert decision.spec.replaces is not None
    assert decision.spec.replaces.lapsed == Reason.NOT_ENFORCED
    assert scheduled.routed() == bool(steps)
    assert all(fact.reproduced for fact in replay(decision.spec)), replay(decision.spec)


def test_a_number_is_not_given_again_after_a_closed_decision_is_deleted(unpublished: PureCluster) -> None:
    renew(unpublished, "2027-07-01")
    assert the_only(unpublished).status.state is DecisionState.CLOSED
    unpublished.remove(AT_DECISION)
    unpublished.settle(at("2027-07-10"))
    assert not unpublished.decisions
    unpublished.put(worlds.template((*FOUR, FIVE)))
    unpublished.settle(at("2030-03-01"))
    assert the_only(unpublished).metadata.name == SECOND
    assert the_only(unpublished).spec.replaces is None


# whatever happens


STEPS = st.sampled_from(
    [
        *["delete"] * 3,
        *["warn", "enforce", "shorter", "longer", "notice", "no template", "template"],
        *["pause", "unpause"],
    ]
)
POLICIES: dict[str, dict[str, Any]] = {
    "warn": {"enforcement": "Warn"},
    "enforce": {"enforcement": "Enforce"},
    "shorter": {"maximumLag": "P1M"},
    "longer": {"maximumLag": "P5Y"},
    "notice": {"noticePeriod": "P1M"},
}


def do(cluster: PureCluster, step: str) -> None:
    there = AT_TEMPLATE in cluster.objects
    match step:
        case "delete":
            for decision in cluster.decisions:
                cluster.remove(("UnpublishDecision", "", decision.metadata.name))
        case "no template" if there:
            cluster.remove(AT_TEMPLATE)
        case "template" if not there:
            cluster.put(worlds.template(FOUR))
        case "pause":
            cluster.edit_service(publication={"paused": {"reason": "works"}})
        case "unpause":
            cluster.edit_service(publication={"paused": None})
        case policy if there and policy in POLICIES:
            set_policy(cluster, **POLICIES[policy])


def in_effect_since(cluster: PureCluster) -> datetime:
    """Since when the only decision is in effect; the end of time while it is not."""
    end = at("2099-01-01")
    return min((one.status.effective_since or end for one in cluster.decisions), default=end)


def made(cluster: PureCluster) -> list[str]:
    return [
        one.manifest["metadata"]["name"]
        for one in cluster.log
        if isinstance(one, Create) and one.manifest["kind"] == "UnpublishDecision"
    ]


@given(st.lists(st.tuples(st.integers(0, 50), STEPS), max_size=8), st.sampled_from(list(POLICIES_OF_ROUTES)))
@example([(0, "pause"), (0, "warn"), (42, "delete"), (0, "enforce")], "Gateway")
@settings(max_examples=40)
def test_no_deletion_brings_back_hastens_or_gives_a_number_again(
    steps: list[tuple[int, str]], routes: str
) -> None:
    policy = POLICIES_OF_ROUTES[routes]
    cluster, kept = PureCluster(policy=policy), PureCluster(policy=policy)
    for one in (cluster, kept):
        one.put(worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification())
        one.put(worlds.eservice())
        one.advance(worlds.NOW, at("2027-04-20"))
    now, off, announced, lost = at("2027-04-20"), False, DUE, False
    for days, step in [*steps, (90, "nothing")]:
        already, names = off, len(made(cluster))
        # a promise that was recorded nowhere, as there was no route, goes with its decision (ADR 0038)
        lost = lost or (step == "delete" and routes == "Gateway" and not off and not cluster.routed())
        before = len(cluster.log)
        do(cluster, step)
        do(kept, step) if step != "delete" else None
        for one in (cluster, kept):
            one.advance(now, now + timedelta(days=days))
        assert lost or in_effect_since(cluster) >= in_effect_since(kept), f"hastened by {step}"
        now += timedelta(days=days)
        put_up = [
            one for one in cluster.log[before:] if isinstance(one, Create) and one.manifest["kind"] in ROUTES
        ]
        assert not (already and put_up), f"brought back by {step}"
        assert len(made(cluster)) - names <= 1
        for status in (one.status for one in cluster.decisions):
            assert lost or status.effective_since is None or status.effective_since >= announced
            if status.effective_at is not None and status.state is not DecisionState.EFFECTIVE:
                announced = max(announced, status.effective_at)
        off = off or any(one.status.state is DecisionState.EFFECTIVE for one in cluster.decisions)
    assert len(made(cluster)) == len(set(made(cluster)))
