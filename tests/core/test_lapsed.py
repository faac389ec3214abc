# SPDX-License-Identifier: Apache-2.0
"""R8: a decision whose day passed without a ground is announced anew before it takes effect.

The e-services are public on 3.0.0; 4.0.0, known since February, makes them overdue on 2027-06-01.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.forecast import forecast
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.postal import PostalCluster, postal, refuses
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, TEMPLATE, at

KNOWN = at("2027-02-01")
AGAIN = at("2027-11-29")
A_WEEK_ON = at("2027-12-07", "00:00")
"""The shortest step of warnBefore after that day, and to its end."""
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
RECALLED = worlds.version("4.0.0", "2027-05-01", "2027-06-01", at="2027-02-09")
SILENT = {"warnBefore": [], "noticePeriod": "P0D"}
EIGHT = "abcdefgh"


def policy(cluster: PostalCluster, **lifecycle: Any) -> None:
    cluster.put(worlds.template(FOUR, lifecycle=lifecycle))


def lapsed(**lifecycle: Any) -> PostalCluster:
    """Announced for June, and held since then because the policy was turned to Warn."""
    cluster = postal()
    policy(cluster, **lifecycle)
    cluster.advance(KNOWN, KNOWN + 9 * DAY)
    policy(cluster, **lifecycle, enforcement="Warn")
    cluster.advance(KNOWN + 9 * DAY, AGAIN)
    assert said(cluster) == (DecisionState.HELD, Reason.NOT_ENFORCED)
    return cluster


def status(cluster: PostalCluster) -> UnpublishDecisionStatus:
    return cluster.decisions[0].status


def said(cluster: PostalCluster) -> tuple[DecisionState, str | None]:
    return status(cluster).state, status(cluster).reason


def told_after(cluster: PostalCluster, when: datetime) -> list[tuple[str, str]]:
    """What the first contact was told of R8 since an instant, and of which day."""
    return [
        (letter.kind.value, str(letter.due))
        for letter in cluster.sent
        if letter.recipient == "a@pmlp.example" and letter.at >= when and letter.kind.value.startswith("Unp")
    ]


# announced anew


def test_what_is_enforced_again_is_announced_anew_and_then_takes_effect() -> None:
    cluster = lapsed()
    policy(cluster)
    cluster.settle(AGAIN)
    assert said(cluster) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert status(cluster).effective_at == A_WEEK_ON
    assert told_after(cluster, AGAIN) == [("UnpublishMoved", "2027-12-07")]
    cluster.advance(AGAIN, A_WEEK_ON - timedelta(seconds=1))
    assert cluster.routed()
    cluster.settle(A_WEEK_ON)
    assert said(cluster) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    assert [kind for kind, _ in told_after(cluster, AGAIN)] == [
        "UnpublishMoved",
        "UnpublishWarning",
        "Unpublished",
    ]


def test_the_notice_period_is_given_again_when_it_is_longer() -> None:
    cluster = lapsed(noticePeriod="P30D")
    policy(cluster, noticePeriod="P30D")
    cluster.settle(AGAIN)
    assert status(cluster).effective_at == at("2027-12-30", "00:00")
    policy(cluster, noticePeriod="P1D", warnBefore=["P1D"])
    cluster.settle(AGAIN + DAY)
    assert status(cluster).effective_at == at("2027-12-30", "00:00"), "never earlier"


def test_a_policy_that_gives_nobody_notice_takes_effect_at_once() -> None:
    cluster = lapsed(**SILENT)
    policy(cluster, **SILENT)
    cluster.settle(AGAIN)
    assert said(cluster) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)


def test_a_template_that_is_put_back_is_a_ground_again() -> None:
    cluster = postal()
    policy(cluster)
    cluster.advance(KNOWN, at("2027-05-31"))
    cluster.remove(("EServiceTemplate", "", TEMPLATE))
    cluster.advance(at("2027-05-31"), at("2027-06-02"))
    assert said(cluster) == (DecisionState.HELD, Reason.TEMPLATE_UNKNOWN)
    policy(cluster)
    cluster.settle(at("2027-06-02"))
    assert status(cluster).effective_at == at("2027-06-10", "00:00")


def test_only_a_notice_of_the_new_announcement_informs() -> None:
    cluster = lapsed()
    assert status(cluster).informed_at is not None
    cluster.channel = refuses
    policy(cluster)
    cluster.settle(AGAIN)
    assert status(cluster).informed_at is None
    cluster.advance(AGAIN, A_WEEK_ON)
    assert said(cluster) == (DecisionState.HELD, Reason.NOTICE_UNDELIVERED)
    cluster.advance(A_WEEK_ON, A_WEEK_ON + 5 * DAY)
    assert said(cluster) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE), "holdUninformed is over"


def test_accepted_late_the_notice_period_counts_from_then() -> None:
    cluster = lapsed(noticePeriod="P7D")
    cluster.channel = refuses
    policy(cluster, noticePeriod="P7D")
    cluster.settle(AGAIN)
    later = postal().channel
    cluster.channel = later
    cluster.advance(AGAIN + 3 * DAY, AGAIN + 4 * DAY)
    informed = status(cluster).informed_at
    assert informed is not None
    assert informed >= AGAIN + 3 * DAY
    assert status(cluster).effective_at == at("2027-12-10", "00:00")


def test_a_clock_that_is_not_trusted_announces_nothing() -> None:
    cluster = lapsed()
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    policy(cluster)
    decision = cluster.settle(AGAIN)
    assert said(cluster) == (DecisionState.HELD, Reason.NOT_ENFORCED)
    assert "announced anew once the operator's clock is trusted" in status(cluster).message
    assert decision is not None
    assert decision.next_at is not None
    assert decision.next_at <= AGAIN + timedelta(minutes=1)
    cluster.policy = replace(cluster.policy, clock_trusted=True)
    cluster.settle(AGAIN + DAY)
    assert status(cluster).effective_at == A_WEEK_ON + DAY


def test_a_new_cause_is_the_one_that_is_named() -> None:
    cluster = postal()
    policy(cluster)
    cluster.settle(KNOWN)
    cluster.put(worlds.template((*worlds.VERSIONS, RECALLED)))
    cluster.advance(KNOWN + 9 * DAY, AGAIN)
    assert said(cluster) == (DecisionState.HELD, Reason.NO_LONGER_OVERDUE)
    five = worlds.version("5.0.0", "2028-01-01", "2028-06-01")
    cluster.put(worlds.template((*worlds.VERSIONS, RECALLED, five)))
    cluster.settle(AGAIN)
    assert status(cluster).effective_at == at("2028-06-01", "00:00"), "the day is known already"
    assert told_after(cluster, AGAIN) == [("UnpublishMoved", "2028-06-01")]
    cluster.advance(AGAIN, at("2028-06-01"))
    assert "lags behind 5.0.0 by more than P18M" in status(cluster).message


@pytest.mark.parametrize("lead, day", [("2027-12-01", "2027-12-07"), ("2028-01-10", "2028-01-10")])
def test_a_ground_that_is_known_to_come_waits_for_its_day_and_for_a_warning(lead: str, day: str) -> None:
    cluster = lapsed()
    policy(cluster, enforceFrom=lead)
    cluster.settle(AGAIN)
    assert said(cluster) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert status(cluster).effective_at == at(day, "00:00")


def test_a_later_enforcement_moves_what_is_announced_and_the_ladder() -> None:
    cluster = postal()
    policy(cluster)
    cluster.settle(KNOWN)
    policy(cluster, enforceFrom="2027-12-01")
    cluster.settle(KNOWN + DAY)
    cluster.advance(KNOWN + DAY, at("2027-12-01"))
    due = {day for kind, day in told_after(cluster, KNOWN + DAY) if kind != "Unpublished"}
    assert due == {"2027-12-01"}
    assert not cluster.routed()


# the brake


@pytest.fixture
def released() -> PureFleet:
    """A wrong version was held by the brake and recalled, and its set released to end the alert."""
    fleet = PureFleet.of(EIGHT, worlds.template())
    fleet.put_template(worlds.template(FOUR))
    fleet.advance(KNOWN, at("2027-06-02"))
    fleet.put_template(worlds.template((*worlds.VERSIONS, RECALLED)))
    fleet.advance(at("2027-06-02"), at("2027-07-05"))
    fleet.release(next(iter(fleet.tokens())))
    fleet.settle(at("2027-07-05"))
    assert {one.status.reason for one in fleet.decisions().values()} == {Reason.NO_LONGER_OVERDUE}
    return fleet


@pytest.mark.parametrize("lifecycle", [{}, SILENT])
def test_a_release_of_an_earlier_wave_does_not_pass_the_brake(
    released: PureFleet, lifecycle: dict[str, Any]
) -> None:
    (token,) = released.tokens()
    five = worlds.version("5.0.0", "2027-07-01", "2027-07-06")
    released.put_template(
        worlds.template(
            (*worlds.VERSIONS, RECALLED, five), lifecycle={"brake": {"release": token}} | lifecycle
        )
    )
    released.advance(at("2027-07-06"), at("2027-08-06"))
    assert released.served() == list(EIGHT)
    assert {one.status.reason for one in released.decisions().values()} == {Reason.BRAKE}
    (anew,) = released.tokens()
    assert anew != token
    released.release(anew)
    released.settle(at("2027-08-06"))
    assert released.served() == []


def test_what_is_announced_anew_is_counted_on_its_new_day(released: PureFleet) -> None:
    five = worlds.version("5.0.0", "2027-07-01", "2027-07-06")
    released.put_template(worlds.template((*worlds.VERSIONS, RECALLED, five)))
    released.settle(at("2027-07-06"))
    assert {one.status.state for one in released.decisions().values()} == {DecisionState.SCHEDULED}
    assert not released.tokens()


# the forecast


def foreseen(cluster: PostalCluster, start: datetime, until: datetime) -> list[tuple[str, str]]:
    read = EServiceTemplate.model_validate(cluster.objects["EServiceTemplate", "", TEMPLATE])
    scene = Scene((cluster.world(),), (TemplateWorld(read, catalogue_of(read)),))
    made = forecast(scene, start, until, cluster.policy)
    zone = cluster.policy.zone
    return [(str(item.at.astimezone(zone).date()), item.action.value) for item in made.foreseen]


def test_the_forecast_agrees_with_what_is_announced_anew() -> None:
    cluster = lapsed()
    policy(cluster)
    assert foreseen(cluster, AGAIN, AGAIN + 30 * DAY) == [
        ("2027-11-29", "Warn"),
        ("2027-11-30", "Warn"),
        ("2027-12-07", "Unpublish"),
    ]


def test_the_forecast_tells_that_the_day_has_moved_and_has_its_ladder_from_then_on() -> None:
    cluster = postal()
    policy(cluster)
    cluster.settle(KNOWN)
    policy(cluster, enforceFrom="2027-12-01")
    told = foreseen(cluster, at("2027-10-15"), at("2027-12-05"))
    assert told == [
        ("2027-10-15", "Warn"),
        ("2027-11-01", "Warn"),
        ("2027-11-24", "Warn"),
        ("2027-12-01", "Unpublish"),
    ]


# what is known not to come


def test_nobody_is_warned_of_a_day_on_which_it_will_be_held() -> None:
    cluster = lapsed()
    assert told_after(cluster, KNOWN + 10 * DAY) == [("UnpublishHeld", "2027-06-01")]
    assert status(cluster).warned_at == KNOWN


def test_the_warning_that_was_left_out_is_given_once_it_is_going_to_happen_again() -> None:
    cluster = postal()
    policy(cluster)
    cluster.settle(KNOWN)
    policy(cluster, enforcement="Warn")
    cluster.advance(KNOWN + DAY, at("2027-05-28"))
    assert told_after(cluster, KNOWN + DAY) == []
    policy(cluster)
    cluster.settle(at("2027-05-28"))
    assert told_after(cluster, KNOWN + DAY) == [("UnpublishWarning", "2027-06-01")]


def test_the_forecast_does_not_warn_of_it_either() -> None:
    cluster = postal()
    policy(cluster)
    cluster.settle(KNOWN)
    policy(cluster, enforcement="Warn")
    told = foreseen(cluster, KNOWN + DAY, at("2027-07-01"))
    assert told == [("2027-06-01", "Hold")]
