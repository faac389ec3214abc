# SPDX-License-Identifier: Apache-2.0
"""R8: what was promised and announced never moves earlier, whatever is edited; and who is told first.

The e-service is public on 3.0.0; 4.0.0, known since February, makes it overdue on 2027-06-01.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import instant
from eservice_operator.core.replay import replay
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, SECOND, TEMPLATE, at, image

KNOWN = at("2027-02-01")
DUE = at("2027-06-01", "00:00")
AT_TEMPLATE = ("EServiceTemplate", "", TEMPLATE)
AT_DECISION = ("UnpublishDecision", "", f"{NAME}-production-001")
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
CHANNELS = ((Channel.EMAIL, ""),)


def new() -> PureCluster:
    cluster = PureCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    return cluster


def announced(cluster: PureCluster, now: datetime = KNOWN, **lifecycle: Any) -> PureCluster:
    cluster.put(worlds.template(FOUR, lifecycle=lifecycle))
    cluster.settle(now)
    return cluster


@pytest.fixture
def scheduled(public: PureCluster) -> PureCluster:
    return announced(public)


@pytest.fixture
def told_first(public: PureCluster) -> PureCluster:
    """With a channel that has accepted nothing yet."""
    public.policy = replace(public.policy, channels=CHANNELS)
    return announced(public)


def status(cluster: PureCluster) -> UnpublishDecisionStatus:
    (decision,) = cluster.decisions
    return decision.status


def said(cluster: PureCluster) -> tuple[DecisionState, str | None]:
    return status(cluster).state, status(cluster).reason


def set_policy(cluster: PureCluster, **lifecycle: Any) -> None:
    cluster.edit(AT_TEMPLATE, spec={"lifecycle": lifecycle})


def accepted(cluster: PureCluster, when: datetime) -> None:
    """A channel has accepted a notice to the institution."""
    cluster.objects[AT_DECISION]["status"]["informedAt"] = instant(when)


# told first


def test_without_a_channel_nothing_is_waited_for(scheduled: PureCluster) -> None:
    scheduled.settle(DUE)
    assert said(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)


def test_once_told_it_goes_on_its_day(told_first: PureCluster) -> None:
    accepted(told_first, KNOWN + DAY)
    told_first.advance(KNOWN + DAY, DUE)
    assert not told_first.routed()
    assert status(told_first).effective_at == DUE


def test_not_told_it_is_held_for_three_days_and_no_longer(told_first: PureCluster) -> None:
    told_first.advance(KNOWN, DUE)
    assert said(told_first) == (DecisionState.HELD, Reason.NOTICE_UNDELIVERED)
    assert "2027-06-05 00:00" in status(told_first).message
    last = at("2027-06-05", "00:00")
    told_first.advance(DUE, last - SECOND)
    assert told_first.routed()
    told_first.advance(last - SECOND, last)
    assert said(told_first) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    assert status(told_first).informed_at is None


def test_told_while_it_is_held_it_goes(told_first: PureCluster) -> None:
    told_first.advance(KNOWN, DUE)
    accepted(told_first, DUE + DAY)
    told_first.settle(DUE + DAY)
    assert said(told_first) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)


@pytest.mark.parametrize("hold, last", [("P0D", "2027-06-02"), ("P1M", "2027-07-02"), ("P10D", "2027-06-12")])
def test_the_hold_is_the_policy_s(public: PureCluster, hold: str, last: str) -> None:
    public.policy = replace(public.policy, channels=CHANNELS)
    announced(public, holdUninformed=hold)
    public.advance(KNOWN, at(last, "00:00") - SECOND)
    assert public.routed()
    public.advance(at(last, "00:00") - SECOND, at(last, "00:00"))
    assert not public.routed()


def test_a_notice_period_counts_from_being_told_and_only_moves_it_later(public: PureCluster) -> None:
    """Decided on 05-20 with a month's notice: until 06-20. Told on 05-25: until 06-25."""
    public.policy = replace(public.policy, channels=CHANNELS)
    announced(public, at("2027-05-20"), noticePeriod="P1M")
    assert status(public).effective_at == at("2027-06-21", "00:00")
    accepted(public, at("2027-05-25"))
    public.settle(at("2027-05-25"))
    assert status(public).effective_at == at("2027-06-26", "00:00")
    public.advance(at("2027-05-25"), at("2027-06-26", "00:00") - SECOND)
    assert public.routed()
    public.advance(at("2027-06-26", "00:00") - SECOND, at("2027-06-26", "00:00"))
    assert not public.routed()


def test_told_on_the_last_day_of_the_hold_the_notice_period_is_kept(public: PureCluster) -> None:
    public.policy = replace(public.policy, channels=CHANNELS)
    announced(public, at("2027-05-20"), noticePeriod="P1M")
    public.advance(at("2027-05-20"), at("2027-06-23"))
    assert said(public) == (DecisionState.HELD, Reason.NOTICE_UNDELIVERED)
    accepted(public, at("2027-06-23"))
    public.settle(at("2027-06-23"))
    assert said(public) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert status(public).effective_at == at("2027-07-24", "00:00")


def test_never_told_a_notice_period_is_no_way_out(public: PureCluster) -> None:
    public.policy = replace(public.policy, channels=CHANNELS)
    announced(public, at("2027-05-20"), noticePeriod="P1M")
    public.advance(at("2027-05-20"), at("2027-06-25", "00:00"))
    assert not public.routed()


def test_without_a_channel_the_notice_period_counts_from_the_decision(public: PureCluster) -> None:
    announced(public, at("2027-05-20"), noticePeriod="P1M")
    public.advance(at("2027-05-20"), at("2027-06-21", "00:00") - SECOND)
    assert public.routed()
    public.advance(at("2027-06-21", "00:00") - SECOND, at("2027-06-21", "00:00"))
    assert not public.routed()


# limits that are shortened, and lengthened


def test_a_notice_period_that_was_lengthened_and_shortened_again_keeps_the_later_day(
    scheduled: PureCluster,
) -> None:
    set_policy(scheduled, noticePeriod="P6M")
    scheduled.settle(KNOWN + DAY)
    assert status(scheduled).effective_at == at("2027-08-02", "00:00")
    set_policy(scheduled, noticePeriod="P0D")
    scheduled.advance(KNOWN + 2 * DAY, at("2027-08-01"))
    assert scheduled.routed()
    scheduled.advance(at("2027-08-01"), at("2027-08-02", "00:00"))
    assert not scheduled.routed()


def test_the_end_of_a_deferral_takes_back_what_the_deferral_gave_and_no_more(scheduled: PureCluster) -> None:
    set_policy(scheduled, noticePeriod="P5M")
    scheduled.settle(KNOWN + DAY)
    assert status(scheduled).effective_at == at("2027-07-02", "00:00")
    scheduled.put(worlds.deferral("2027-09-30"))
    scheduled.settle(KNOWN + 2 * DAY)
    revoke(scheduled)
    scheduled.settle(at("2027-03-02"))
    assert status(scheduled).effective_at == at("2027-07-02", "00:00")


def revoke(cluster: PureCluster, name: str = "deferral-1", on: str = "2027-03-01") -> None:
    spec = {"revoked": {"at": on, "reason": "given up"}}
    cluster.edit(("UnpublishDeferral", "", name), spec=spec)


@pytest.mark.parametrize("until", ["2027-06-30", "2027-08-01", "2027-11-30"])
def test_a_day_that_was_announced_survives_a_deferral_that_covers_it(
    scheduled: PureCluster, until: str
) -> None:
    set_policy(scheduled, noticePeriod="P6M")
    scheduled.settle(KNOWN + DAY)
    announced_for = status(scheduled).effective_at
    assert announced_for == at("2027-08-02", "00:00")
    scheduled.put(worlds.deferral(until))
    scheduled.settle(KNOWN + 2 * DAY)
    set_policy(scheduled, noticePeriod="P0D")
    scheduled.settle(KNOWN + 3 * DAY)
    revoke(scheduled)
    scheduled.settle(at("2027-03-02"))
    assert status(scheduled).effective_at == announced_for


@pytest.mark.parametrize("without", ["clock", "template"])
def test_a_deferral_that_ends_while_nothing_can_be_announced_stands_until_it_can(
    scheduled: PureCluster, without: str
) -> None:
    """People reckon with 2027-09-01; the day that follows from the end of the deferral was in June."""
    set_policy(scheduled, warnBefore=["P7D"])
    scheduled.put(worlds.deferral("2027-08-31"))
    scheduled.settle(KNOWN + DAY)
    now, template = at("2027-07-01"), scheduled.objects[AT_TEMPLATE]
    scheduled.advance(KNOWN + DAY, now)
    if without == "clock":
        scheduled.policy = replace(scheduled.policy, clock_trusted=False)
    else:
        del scheduled.objects[AT_TEMPLATE]
    scheduled.settle(now)
    del scheduled.objects["UnpublishDeferral", "", "deferral-1"]
    scheduled.settle(now + SECOND)
    assert said(scheduled) == (DecisionState.SCHEDULED, Reason.DEFERRED)
    assert status(scheduled).effective_at == at("2027-09-01", "00:00")
    scheduled.policy = replace(scheduled.policy, clock_trusted=True)
    scheduled.objects[AT_TEMPLATE] = template
    scheduled.settle(now + 2 * SECOND)
    assert said(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert status(scheduled).effective_at == at("2027-07-09", "00:00")
    assert scheduled.routed()


def test_a_deferral_is_no_reason_for_a_day_that_it_does_not_make(scheduled: PureCluster) -> None:
    scheduled.put(worlds.deferral("2027-06-30"))
    scheduled.settle(KNOWN + DAY)
    assert said(scheduled) == (DecisionState.SCHEDULED, Reason.DEFERRED)
    set_policy(scheduled, noticePeriod="P6M")
    scheduled.settle(KNOWN + 2 * DAY)
    assert status(scheduled).effective_at == at("2027-08-02", "00:00")
    assert said(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)


def test_a_new_deferral_has_the_cap_of_today_and_not_that_of_one_that_was_revoked(
    scheduled: PureCluster,
) -> None:
    scheduled.put(worlds.deferral("2027-11-30"))
    scheduled.settle(KNOWN + DAY)
    assert status(scheduled).deferred_until == date(2027, 11, 30)
    set_policy(scheduled, maximumDeferral="P1M")
    scheduled.settle(KNOWN + 2 * DAY)
    assert status(scheduled).deferred_until == date(2027, 11, 30), "what was honoured stays so"
    revoke(scheduled)
    scheduled.put(worlds.deferral("2027-11-30", "deferral-2"))
    scheduled.settle(at("2027-03-02"))
    assert status(scheduled).deferred_until == date(2027, 7, 1)
    assert status(scheduled).deferral == "deferral-2"


def test_a_longer_notice_period_brings_nobody_back(scheduled: PureCluster) -> None:
    scheduled.settle(DUE)
    set_policy(scheduled, noticePeriod="P12M")
    scheduled.settle(DUE + DAY)
    assert said(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    assert status(scheduled).effective_at == DUE
    assert not scheduled.routed()


# migrated and back again, before the day


def renewed(cluster: PureCluster, day: str) -> None:
    """The e-service is public on 4.0.0."""
    release = {"image": image("d"), "template": {"version": "4.0.0"}}
    named = {"release": {"image": image("d")}, "template": {"version": "4.0.0"}}
    cluster.edit_service(**named, productionRequest={"requestedAt": day})
    cluster.put(worlds.act("act-d", spec=release | {"signedAt": day}))
    created = {"creationTimestamp": f"{day}T07:00:00Z"}
    spec = release | {"verifiedAt": f"{day}T07:00:00Z"}
    cluster.put(worlds.verification("passed-d", metadata=created, spec=spec))
    cluster.settle(at(day))
    cluster.advance(at(day), at(day) + DAY)
    assert cluster.decisions[-1].status.reason == Reason.RENEWED


def back(cluster: PureCluster, now: datetime) -> None:
    """And on 3.0.0 again, as it was accepted and verified before."""
    cluster.edit_service(
        release={"image": image("a")},
        template={"version": "3.0.0"},
        productionRequest={"requestedAt": "2026-10-05"},
    )
    cluster.advance(now - DAY, now)
    public = cluster.status.release.public
    assert public is not None
    assert public.template.version == "3.0.0"


def test_who_goes_there_and_back_keeps_the_day_that_was_announced(public: PureCluster) -> None:
    """With half a year's notice it was 2027-08-02; with none by now it would be 2027-06-01."""
    announced(public, noticePeriod="P6M")
    day = at("2027-08-02", "00:00")
    renewed(public, "2027-03-01")
    set_policy(public, noticePeriod="P0D")
    back(public, at("2027-03-04"))
    first, second = public.decisions
    assert (first.spec.effective_at, second.spec.effective_at) == (day, day)
    assert second.spec.replaces is not None
    assert second.spec.replaces.name == first.metadata.name
    assert all(fact.reproduced for fact in replay(second.spec)), "the record says why"
    public.advance(at("2027-03-04"), day - SECOND)
    assert public.routed()
    public.advance(day - SECOND, day)
    assert not public.routed()


def test_there_and_back_twice_it_is_still_the_first_day(public: PureCluster) -> None:
    announced(public, noticePeriod="P6M")
    renewed(public, "2027-03-01")
    set_policy(public, noticePeriod="P0D")
    back(public, at("2027-03-04"))
    renewed(public, "2027-03-10")
    back(public, at("2027-03-14"))
    assert [one.spec.effective_at for one in public.decisions] == [at("2027-08-02", "00:00")] * 3


def test_there_and_back_no_day_is_made_later_than_its_own(scheduled: PureCluster) -> None:
    renewed(scheduled, "2027-03-01")
    back(scheduled, at("2027-03-04"))
    first, second = scheduled.decisions
    assert first.spec.effective_at == second.spec.effective_at == DUE
    assert second.spec.replaces is None, "nothing is taken over where nothing would be earlier"


POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "maximumLag": st.sampled_from(["P0D", "P1M", "P18M", "P24M"]),
        "lagMeasure": st.sampled_from(["ReleaseGap", "SinceSuperseded"]),
        "noticePeriod": st.sampled_from(["P0D", "P7D", "P3M", "P6M"]),
        "warnBefore": st.sampled_from([[], ["P1D"], ["P6M"]]),
        "maximumDeferral": st.sampled_from(["P0D", "P1M", "P6M"]),
        "enforceFrom": st.sampled_from([None, "2027-01-01", "2027-09-01"]),
        "enforcement": st.sampled_from(["Enforce", "Enforce", "Warn"]),
        "holdUninformed": st.sampled_from(["P0D", "P3D", "P20D"]),
    },
)
CURRENT_DATES = st.sampled_from(["2027-03-01", "2027-05-01", "2027-06-01", "2027-09-01"])
STEPS = st.one_of(
    st.tuples(st.just("policy"), POLICIES),
    st.tuples(st.just("published"), CURRENT_DATES),
    st.tuples(st.just("defer"), st.sampled_from(["2027-06-30", "2027-08-31", "2028-01-01"])),
    st.tuples(st.just("informed"), st.none()),
    st.tuples(st.just("withdraw"), st.sampled_from(["2027-03-01", "2027-07-01"])),
)


def do(cluster: PureCluster, step: tuple[str, Any], now: datetime) -> None:
    match step:
        case "policy", lifecycle:
            set_policy(cluster, **lifecycle)
        case "published", day:
            earlier = worlds.version("4.0.0", "2027-02-01", day)
            cluster.edit(AT_TEMPLATE, spec={"versions": [*worlds.VERSIONS, earlier]})
        case "withdraw", day:
            recalled = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at=day, replaceBy=day)
            cluster.edit(AT_TEMPLATE, spec={"versions": [worlds.VERSIONS[0], recalled, worlds.NEXT_VERSION]})
        case "defer", until:
            cluster.put(worlds.deferral(until, f"deferral-{until}"))
        case "informed", _ if status(cluster).informed_at is None:
            accepted(cluster, now)


@given(st.booleans(), st.lists(st.tuples(st.integers(1, 60), STEPS), max_size=7))
@settings(max_examples=60)
def test_nothing_that_is_edited_moves_an_announced_instant_earlier(
    channels: bool, steps: list[tuple[int, tuple[str, Any]]]
) -> None:
    """Deferrals are never revoked here: only their end takes a date back."""
    cluster = new()
    if channels:
        cluster.policy = replace(cluster.policy, channels=CHANNELS)
    announced(cluster)
    now, shown = KNOWN, status(cluster).effective_at
    for days, step in steps:
        was_served = cluster.routed()
        cluster.advance(now, now + days * DAY)
        now += days * DAY
        assert_gone_by_right(cluster, now, was_served=was_served)
        was_served = cluster.routed()
        do(cluster, step, now)
        cluster.settle(now)
        assert_gone_by_right(cluster, now, was_served=was_served)
        (decision,) = cluster.decisions
        assert decision.status.effective_at is not None
        assert shown is not None
        assert decision.status.effective_at >= max(shown, decision.spec.effective_at)
        shown = decision.status.effective_at


def assert_gone_by_right(cluster: PureCluster, now: datetime, *, was_served: bool) -> None:
    """Who lost the route lost it by a decision in effect, whose instant has come."""
    if was_served and not cluster.routed():
        at_last = status(cluster).effective_at
        assert at_last is not None
        assert now >= at_last
        assert status(cluster).state is DecisionState.EFFECTIVE


# what will not be


@pytest.mark.parametrize(
    "lifecycle",
    [
        {"enforcement": "Warn"},
        {"enforcement": "Observe"},
        {"maximumLag": "P9Y"},
    ],
)
def test_a_decision_that_would_be_held_says_so_and_is_not_foretold(
    scheduled: PureCluster, lifecycle: dict[str, str]
) -> None:
    set_policy(scheduled, **lifecycle)
    scheduled.settle(KNOWN + DAY)
    assert said(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert "it would be held" in status(scheduled).message
    following = scheduled.status.next
    assert following is None or following.action != "Unpublish"


def test_enforcement_that_begins_before_its_day_lets_it_be_foretold(scheduled: PureCluster) -> None:
    set_policy(scheduled, enforceFrom="2027-06-01")
    scheduled.settle(KNOWN + DAY)
    assert "would be held" not in status(scheduled).message
    assert scheduled.status.next is not None
    assert scheduled.status.next.action == "Unpublish"
