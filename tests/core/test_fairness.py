# SPDX-License-Identifier: Apache-2.0
"""R8: who has done its part of a renewal is not taken off for what others owe; once, and not for longer.

The e-service is public on 3.0.0 and overdue since 2027-06-01, a Tuesday. A wait that begins then ends on
2027-06-22: ten working days until the installation is due, five more for verifying it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.ground import Fairness
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Manifest
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, SECOND, at, image

KNOWN = at("2027-02-01")
DUE = at("2027-06-01", "00:00")
LAST = date(2027, 6, 22)
AFTER = at("2027-06-23", "00:00")
FIVE = worlds.version("5.0.0", "2027-05-02", "2027-06-01")
VERSIONS = (*worlds.VERSIONS, worlds.NEXT_VERSION, FIVE)
REQUEST = {"productionRequest": {"requestedAt": "2027-05-20"}}


@pytest.fixture
def scheduled(public: PureCluster) -> PureCluster:
    return announce(public)


def announce(public: PureCluster) -> PureCluster:
    """4.0.0 and 5.0.0 are announced, and the decision is made."""
    public.put(worlds.template(VERSIONS))
    public.settle(KNOWN)
    return public


def renewal(version: str = "4.0.0", letter: str = "d") -> Manifest:
    return {"image": image(letter), "template": {"version": version}}


def deliver(cluster: PureCluster, version: str = "4.0.0", letter: str = "d", **spec: Any) -> None:
    """The institution names the new release and requests its installation."""
    release = {"release": {"image": image(letter)}, "template": {"version": version}}
    cluster.edit_service(**(release | REQUEST | spec))


def sign(cluster: PureCluster, signed: str, letter: str = "d", version: str = "4.0.0") -> None:
    """The Agency signs the act of the new release."""
    cluster.put(worlds.act(f"act-{letter}", spec=renewal(version, letter) | {"signedAt": signed}))


def verify(cluster: PureCluster, day: str, outcome: str = "Passed") -> None:
    created = {"creationTimestamp": f"{day}T07:00:00Z"}
    spec = renewal() | {"verifiedAt": f"{day}T07:00:00Z", "outcome": outcome}
    cluster.put(worlds.verification(f"checked-{day}", metadata=created, spec=spec))


def said(cluster: PureCluster) -> tuple[DecisionState, str | None]:
    (decision,) = cluster.decisions
    return decision.status.state, decision.status.reason


def wait(cluster: PureCluster) -> Fairness | None:
    return cluster.decisions[0].status.fairness


UNDER_WAY = (DecisionState.HELD, Reason.RENEWAL_UNDER_WAY)
GONE = (DecisionState.EFFECTIVE, Reason.EFFECTIVE)


# who is waited for


def test_an_act_that_is_missing_is_waited_for_and_no_longer_than_promised(scheduled: PureCluster) -> None:
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    assert said(scheduled) == UNDER_WAY
    assert scheduled.routed()
    granted = wait(scheduled)
    assert granted is not None
    assert (granted.since, granted.until) == (date(2027, 6, 1), LAST)
    assert "until 2027-06-22, that day included" in scheduled.decisions[0].status.message
    scheduled.advance(DUE, AFTER - SECOND)
    scheduled.settle(AFTER - SECOND)
    assert said(scheduled) == UNDER_WAY
    assert scheduled.routed()
    scheduled.advance(AFTER - SECOND, AFTER)
    assert said(scheduled) == GONE
    assert not scheduled.routed()
    assert wait(scheduled) == granted, "it is remembered: there is no second one"


def missing_grant(cluster: PureCluster) -> None:
    holder = {"namespace": "ur-production", "name": "register"}
    deliver(cluster, uses=[{"name": "persons", "webService": holder}])
    sign(cluster, "2027-05-20")


def missing_host(cluster: PureCluster) -> None:
    deliver(cluster, publication={"hosts": ["another.latvija.example"]})
    sign(cluster, "2027-05-20")
    verify(cluster, "2027-05-25")


def missing_registration(cluster: PureCluster) -> None:
    deliver(cluster)
    sign(cluster, "2027-05-20")
    cluster.remove(("EServiceRegistration", "", worlds.NAME))


def pods_not_up(cluster: PureCluster) -> None:
    deliver(cluster)
    sign(cluster, "2027-05-20")
    cluster.broken.add(image("d"))


def request_waits_for_the_act(cluster: PureCluster) -> None:
    deliver(cluster, productionRequest=None)


def to_another_template(cluster: PureCluster) -> None:
    cluster.put(worlds.template(metadata={"name": "other", "uid": "uid-other"}))
    deliver(cluster, template={"name": "other", "version": "3.0.0"})


@pytest.mark.parametrize(
    "do",
    [
        missing_grant,
        missing_host,
        missing_registration,
        pods_not_up,
        request_waits_for_the_act,
        to_another_template,
    ],
)
def test_these_are_others_to_supply(scheduled: PureCluster, do: Any) -> None:
    do(scheduled)
    scheduled.advance(KNOWN, DUE)
    assert said(scheduled) == UNDER_WAY
    assert scheduled.routed()


def nothing(cluster: PureCluster) -> None:
    """It has not begun."""


def incomplete(cluster: PureCluster) -> None:
    deliver(cluster, release={"image": image("d"), "documents": []})


def not_catalogued(cluster: PureCluster) -> None:
    deliver(cluster, publication={"catalogue": {"url": None}})


def not_requested(cluster: PureCluster) -> None:
    deliver(cluster, productionRequest=None)
    sign(cluster, "2027-05-20")


def requested_too_early(cluster: PureCluster) -> None:
    deliver(cluster)
    sign(cluster, "2027-05-31")


def not_verified(cluster: PureCluster) -> None:
    deliver(cluster)
    sign(cluster, "2027-05-20")


def failed(cluster: PureCluster) -> None:
    not_verified(cluster)
    verify(cluster, "2027-05-30", "Failed")


def same_version(cluster: PureCluster) -> None:
    deliver(cluster, version="3.0.0")


def unknown_version(cluster: PureCluster) -> None:
    deliver(cluster, version="9.0.0")


def overdue_version(cluster: PureCluster) -> None:
    deliver(cluster, version="2.0.0")


def pre_release(cluster: PureCluster) -> None:
    cluster.put(worlds.template((*VERSIONS, worlds.version("6.0.0-rc.1", "2027-05-01"))))
    deliver(cluster, version="6.0.0-rc.1")


def withdrawn(cluster: PureCluster) -> None:
    recalled = worlds.version("4.0.0", "2027-05-01", "2027-06-01", at="2027-05-30")
    cluster.put(worlds.template((*worlds.VERSIONS, recalled, FIVE)))
    deliver(cluster)


@pytest.mark.parametrize(
    "do",
    [
        nothing,
        incomplete,
        not_catalogued,
        not_requested,
        requested_too_early,
        not_verified,
        failed,
        same_version,
        unknown_version,
        overdue_version,
        pre_release,
        withdrawn,
    ],
)
def test_these_are_the_institution_s_own_to_do(scheduled: PureCluster, do: Any) -> None:
    do(scheduled)
    scheduled.advance(KNOWN, at("2027-05-31"))
    scheduled.advance(at("2027-05-31"), DUE)
    assert said(scheduled) == GONE
    assert not scheduled.routed()
    assert wait(scheduled) is None


def test_a_switch_that_is_under_way_at_the_instant_is_not_overtaken(scheduled: PureCluster) -> None:
    """Every gate is passed in the very moment; what is left is the operator's own."""
    deliver(scheduled)
    sign(scheduled, "2027-05-20")
    scheduled.settle(at("2027-05-31"))
    verify(scheduled, "2027-05-31")
    scheduled.forget()
    scheduled.advance(DUE, DUE + DAY)
    assert "Delete HTTPRoute" not in scheduled.writes()
    assert said(scheduled) == (DecisionState.CLOSED, Reason.RENEWED)


# how long


def test_an_act_at_the_last_minute_gives_its_own_time(scheduled: PureCluster) -> None:
    """Signed and requested anew on the last day: until that installation is due, and five days more."""
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    assert wait(scheduled) is not None
    scheduled.pods_start = False
    sign(scheduled, "2027-06-22")
    deliver(scheduled, productionRequest={"requestedAt": "2027-06-22"})
    scheduled.advance(DUE, at("2027-06-22"))
    granted = wait(scheduled)
    assert granted is not None
    assert (granted.since, granted.until) == (date(2027, 6, 1), date(2027, 7, 13))
    scheduled.advance(at("2027-06-22"), at("2027-07-13", "23:59"))
    assert scheduled.routed()
    scheduled.advance(at("2027-07-13", "23:59"), at("2027-07-14", "00:00"))
    assert not scheduled.routed()


def test_an_act_signed_long_before_began_the_clock(scheduled: PureCluster) -> None:
    """R5: signed on 05-10 and requested on 05-12, due on 05-26; five working days more end on 06-02."""
    deliver(scheduled, productionRequest={"requestedAt": "2027-05-12"})
    sign(scheduled, "2027-05-10")
    scheduled.pods_start = False
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == date(2027, 6, 2)
    scheduled.advance(DUE, at("2027-06-03", "00:00"))
    assert not scheduled.routed()


def test_an_act_signed_too_long_before_gives_nothing(scheduled: PureCluster) -> None:
    deliver(scheduled, productionRequest={"requestedAt": "2027-04-02"})
    sign(scheduled, "2027-04-01")
    scheduled.pods_start = False
    scheduled.advance(KNOWN, DUE)
    assert said(scheduled) == GONE


def test_an_act_that_was_revoked_did_not_begin_the_clock(scheduled: PureCluster) -> None:
    """The Agency owes another one: it is waited for from the day of the unpublication on."""
    deliver(scheduled, productionRequest={"requestedAt": "2027-04-02"})
    revoked = {"signedAt": "2027-04-01", "revoked": {"at": "2027-05-01", "reason": "a mistake"}}
    scheduled.put(worlds.act("act-d", spec=renewal() | revoked))
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == LAST


def test_an_act_signed_during_the_wait_and_revoked_gives_no_time(scheduled: PureCluster) -> None:
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    revoked = {"signedAt": "2027-06-18", "revoked": {"at": "2027-06-19", "reason": "a mistake"}}
    scheduled.put(worlds.act("act-d", spec=renewal() | revoked))
    scheduled.settle(at("2027-06-20"))
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == LAST


def test_a_request_dated_ahead_begins_no_later_than_the_wait(scheduled: PureCluster) -> None:
    deliver(scheduled, productionRequest={"requestedAt": "2027-09-01"})
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == LAST


def test_holidays_are_not_working_days(scheduled: PureCluster) -> None:
    calendar = replace(scheduled.policy.calendar, holidays=frozenset({date(2027, 6, 23), date(2027, 6, 10)}))
    scheduled.policy = replace(scheduled.policy, calendar=calendar)
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == date(2027, 6, 24)


def test_once_granted_it_lasts_whatever_is_missing_then(scheduled: PureCluster) -> None:
    """The five days are for verifying: a gate of the institution does not end the wait."""
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    sign(scheduled, "2027-05-20")
    scheduled.advance(DUE, at("2027-06-10"))
    assert "Verified" in scheduled.gates()
    assert said(scheduled) == UNDER_WAY
    verify(scheduled, "2027-06-21")
    scheduled.advance(at("2027-06-21"), AFTER)
    assert said(scheduled) == (DecisionState.CLOSED, Reason.RENEWED)
    assert scheduled.routed()


def test_a_renewal_that_is_given_up_ends_it(scheduled: PureCluster) -> None:
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    scheduled.edit_service(release={"image": image("a")}, template={"version": "3.0.0"})
    scheduled.settle(DUE + DAY)
    assert said(scheduled) == GONE
    deliver(scheduled)
    scheduled.settle(DUE + 2 * DAY)
    assert said(scheduled) == GONE, "what is in effect stays so"


def no_template(cluster: PureCluster) -> None:
    """The template of the renewal is deleted; that of the public release is another one."""
    to_another_template(cluster)
    cluster.remove(("EServiceTemplate", "", "other"))


@pytest.mark.parametrize(
    "do", [same_version, unknown_version, no_template, overdue_version, pre_release, withdrawn]
)
def test_a_wait_ends_once_the_spec_names_no_renewal_that_could_come(scheduled: PureCluster, do: Any) -> None:
    """Also where the renewal was one when the wait began, and is recalled since."""
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    assert said(scheduled) == UNDER_WAY
    do(scheduled)
    scheduled.settle(DUE + DAY)
    assert said(scheduled) == GONE
    assert not scheduled.routed()


def test_a_renewal_that_becomes_overdue_itself_is_waited_for_no_longer(scheduled: PureCluster) -> None:
    """The newest version is six years younger than the renewal, and published in the middle of the wait."""
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    assert said(scheduled) == UNDER_WAY
    far_ahead = worlds.version("9.0.0", "2033-06-01", "2027-06-10")
    scheduled.put(worlds.template((*VERSIONS, far_ahead)))
    scheduled.advance(DUE, at("2027-06-10", "00:00") - SECOND)
    assert said(scheduled) == UNDER_WAY
    scheduled.advance(at("2027-06-10", "00:00") - SECOND, at("2027-06-10", "00:00"))
    assert said(scheduled) == GONE


# attempts to make it longer


def test_candidate_after_candidate_gains_nothing(scheduled: PureCluster) -> None:
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    for index, letter in enumerate("bcdebcde"):
        now = DUE + (2 + 2 * index) * DAY
        deliver(scheduled, version="5.0.0" if index % 2 else "4.0.0", letter=letter)
        scheduled.settle(now)
        assert said(scheduled) == UNDER_WAY
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == LAST
    scheduled.advance(DUE + 18 * DAY, AFTER)
    assert not scheduled.routed()


def test_another_candidate_s_act_makes_it_no_longer(scheduled: PureCluster) -> None:
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    deliver(scheduled, version="5.0.0", letter="e")
    sign(scheduled, "2027-06-20", "e", "5.0.0")
    scheduled.pods_start = False
    scheduled.settle(at("2027-06-21"))
    granted = wait(scheduled)
    assert granted is not None
    assert granted.until == LAST


@pytest.mark.parametrize("signed", [None, "2027-05-10", "2027-05-28"])
def test_a_request_edited_again_and_again_gains_nothing(scheduled: PureCluster, signed: str | None) -> None:
    deliver(scheduled, productionRequest={"requestedAt": "2027-05-28"})
    if signed is not None:
        sign(scheduled, signed)
    scheduled.pods_start = False
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    for day in ("2027-06-02", "2027-06-20", "2027-05-29", "2028-01-01"):
        scheduled.edit_service(productionRequest={"requestedAt": day})
        scheduled.settle(DUE + DAY)
        assert wait(scheduled) == granted


def test_there_and_back_and_overdue_again_the_same_release_is_not_waited_for_twice(
    scheduled: PureCluster,
) -> None:
    """A wait was granted, the renewal came; back on 3.0.0 under a longer limit, which is shortened again."""
    deliver(scheduled)
    scheduled.advance(KNOWN, DUE)
    granted = wait(scheduled)
    assert granted is not None
    sign(scheduled, "2027-05-20")
    verify(scheduled, "2027-06-02")
    scheduled.advance(DUE, at("2027-06-03"))
    assert said(scheduled) == (DecisionState.CLOSED, Reason.RENEWED)
    limit(scheduled, "P9Y")
    scheduled.edit_service(
        release={"image": image("a")},
        template={"version": "3.0.0"},
        productionRequest={"requestedAt": "2026-10-05"},
    )
    scheduled.advance(at("2027-06-03"), at("2027-07-01"))
    scheduled.remove(("AcceptanceAct", "", "act-d"))
    deliver(scheduled)
    limit(scheduled, "P18M")
    scheduled.settle(at("2027-07-02"))
    _, second = scheduled.decisions
    assert (second.status.state, second.status.reason) == GONE
    assert second.status.fairness == granted


def limit(cluster: PureCluster, maximum_lag: str) -> None:
    cluster.edit(("EServiceTemplate", "", worlds.TEMPLATE), spec={"lifecycle": {"maximumLag": maximum_lag}})


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from("bcde"),
            st.sampled_from(["4.0.0", "5.0.0", "3.0.0"]),
            st.integers(-30, 60),
        ),
        max_size=8,
    )
)
@settings(max_examples=30)
def test_whatever_the_institution_edits_it_is_off_after_the_first_wait(
    edits: list[tuple[int, str, str, int]],
) -> None:
    cluster = PureCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    announce(cluster)
    deliver(cluster)
    cluster.advance(KNOWN, DUE)
    now: datetime = DUE
    for day, letter, version, requested in sorted(edits):
        cluster.advance(now, DUE + day * DAY)
        now = DUE + day * DAY
        requested_at = str((DUE + requested * DAY).date())
        deliver(cluster, version=version, letter=letter, productionRequest={"requestedAt": requested_at})
        assert cluster.routed() <= (now < AFTER)
    cluster.advance(now, max(now, AFTER))
    assert not cluster.routed()
