# SPDX-License-Identifier: Apache-2.0
"""A newer notice overtakes an older one that was not accepted yet: after an outage people hear what is true.

The e-service is public on 3.0.0; 4.0.0 makes it overdue on 2027-06-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import Audience, Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core.addressees import Recipient, entries, recipients, told_before
from eservice_operator.core.ledger import enter
from eservice_operator.core.overtaken import overtaken, overtaken_by_newer, overtaken_of_service
from eservice_operator.core.tidings import Tiding
from tests.support import worlds
from tests.support.postal import BOTH, PostalCluster, accepts, is_silent, postal, refuses
from tests.support.worlds import DAY, NOW, at

FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
KNOWN, EVE, DUE = at("2027-02-01"), at("2027-05-31", "00:00"), at("2027-06-01", "00:00")
HOURS = timedelta(hours=20)
DEFERRAL = ("UnpublishDeferral", "", "deferral-1")


@pytest.fixture
def announced() -> PostalCluster:
    """Everybody was told the first of June."""
    cluster = postal()
    cluster.put(worlds.template(FOUR, lifecycle={"warnBefore": ["P1M", "P1D"]}))
    cluster.settle(KNOWN)
    return cluster


def heard(cluster: PostalCluster, since: datetime, until: datetime) -> Iterator[tuple[str, date | None]]:
    """What the contact hears when the channel is in order again."""
    cluster.forget()
    cluster.channel = accepts
    cluster.advance(since, until)
    for letter in cluster.sent:
        if letter.recipient == "a@pmlp.example":
            yield letter.kind.value, letter.due


def policy(cluster: PostalCluster, **lifecycle: object) -> None:
    cluster.put(worlds.template(FOUR, lifecycle={"warnBefore": ["P1M", "P1D"]} | lifecycle))


def revoke(cluster: PostalCluster) -> None:
    name = cluster.decisions[0].metadata.name
    cluster.edit(
        ("UnpublishDecision", "", name), spec={"revoked": {"at": "2027-06-01", "reason": "an error"}}
    )


def test_of_two_moves_the_later_one_is_told(announced: PostalCluster) -> None:
    announced.channel = refuses
    moved = at("2027-03-02")
    announced.put(worlds.deferral("2027-08-31"))
    announced.advance(moved, moved + HOURS)
    announced.remove(DEFERRAL)
    announced.put(worlds.deferral("2027-07-15", "deferral-2"))
    told = list(heard(announced, moved + HOURS, moved + 2 * DAY))
    assert told == [("UnpublishMoved", date(2027, 7, 16))]


def test_a_move_ends_a_warning_of_the_old_day(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.advance(EVE, EVE + HOURS)
    announced.put(worlds.deferral("2027-08-31"))
    told = list(heard(announced, EVE + HOURS, EVE + 2 * DAY))
    assert told == [("UnpublishMoved", date(2027, 9, 1))]


def test_a_move_ends_what_was_under_way_and_is_refused_afterwards(announced: PostalCluster) -> None:
    announced.channel = is_silent
    announced.settle(EVE)
    announced.put(worlds.deferral("2027-08-31"))
    announced.settle(EVE + HOURS)
    announced.channel = refuses
    announced.settle(EVE + HOURS)
    told = list(heard(announced, EVE + HOURS, EVE + 2 * DAY))
    assert told == [("UnpublishMoved", date(2027, 9, 1))]


def test_a_hold_ends_a_warning_of_the_day(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.advance(EVE, EVE + HOURS)
    policy(announced, enforcement="Warn")
    told = list(heard(announced, DUE, DUE + 2 * DAY))
    assert told == [("UnpublishHeld", date(2027, 6, 1))]


def test_of_two_reasons_of_a_hold_the_later_one_is_told_once(announced: PostalCluster) -> None:
    announced.advance(KNOWN, EVE)
    announced.channel = refuses
    policy(announced, enforcement="Warn")
    announced.advance(EVE, DUE + HOURS)
    policy(announced, enforcement="Enforce", maximumLag="P9Y")
    told = list(heard(announced, DUE + HOURS, DUE + 2 * DAY))
    assert told == [("UnpublishHeld", date(2027, 6, 1))]


def test_a_hold_that_comes_back_before_anybody_heard_of_it_is_told(announced: PostalCluster) -> None:
    announced.advance(KNOWN, EVE)
    announced.channel = refuses
    for lifecycle in ({"enforcement": "Warn"}, {"maximumLag": "P9Y"}):
        policy(announced, **lifecycle)
        announced.settle(DUE)
    policy(announced, enforcement="Warn")
    told = list(heard(announced, DUE + HOURS, DUE + 2 * DAY))
    assert told == [("UnpublishHeld", date(2027, 6, 1))]


def test_who_is_back_is_not_told_afterwards_that_it_went(announced: PostalCluster) -> None:
    announced.advance(KNOWN, EVE + HOURS)
    announced.channel = refuses
    announced.advance(DUE, DUE + HOURS)
    assert not announced.routed()
    revoke(announced)
    told = list(heard(announced, DUE + HOURS, DUE + 2 * DAY))
    assert announced.routed()
    assert told == [("Republished", date(2027, 6, 1))]


def entered(notices: tuple[Notice, ...], tiding: Tiding) -> tuple[Notice, ...]:
    everybody = recipients(replace(worlds.POLICY, channels=BOTH[1:]), None)
    notices = overtaken_by_newer(notices, (), tiding)
    return enter(notices, entries(tiding, "uid", NOW, everybody))


@pytest.mark.parametrize("kind", [NoticeKind.MIGRATION_DUE, NoticeKind.INSTALLATION_DUE])
def test_a_term_of_another_day_ends_the_one_before(kind: NoticeKind) -> None:
    first, second = Tiding(kind, "1", date(2028, 6, 1)), Tiding(kind, "2", date(2028, 9, 1))
    notices = entered(entered((), first), second)
    assert [one.state for one in notices] == [NoticeState.SUPERSEDED, NoticeState.SENDING]
    assert notices[0].channel is Channel.CLOUD_EVENTS
    assert not told_before(notices, first, "uid"), "it never was"
    again = entered(notices, first)
    assert [(one.due, one.state) for one in again] == [
        (second.due, NoticeState.SUPERSEDED),
        (first.due, NoticeState.SENDING),
    ]


SENDING, SUPERSEDED, FAILED = NoticeState.SENDING, NoticeState.SUPERSEDED, NoticeState.FAILED


@pytest.mark.parametrize(
    "judged, announcement, hold",
    [
        ({"state": "Scheduled"}, (SENDING, ""), (SUPERSEDED, "not held any more")),
        ({"state": "Held", "reason": "Brake"}, (SENDING, ""), (SENDING, "")),
        (
            {"state": "Held", "reason": "NoticeUndelivered"},
            (SENDING, ""),
            (SUPERSEDED, "not held any more"),
        ),
        (
            {"state": "Held", "reason": "Brake", "announcedAt": NOW},
            (SUPERSEDED, "announced anew for another day"),
            (SENDING, ""),
        ),
        ({"state": "Effective"}, (FAILED, "it took effect before"), (SUPERSEDED, "not held any more")),
        ({"state": "Closed"}, (SUPERSEDED, "no longer to come"), (SUPERSEDED, "not held any more")),
    ],
)
def test_what_becomes_of_what_was_to_be_told_of_a_decision(
    judged: dict[str, object], announcement: tuple[NoticeState, str], hold: tuple[NoticeState, str]
) -> None:
    one, other = (Recipient(Channel.EMAIL, f"{name}@pmlp.example", Audience.INSTITUTION) for name in "ab")
    warning, held = Tiding(NoticeKind.UNPUBLISH_WARNING, "1"), Tiding(NoticeKind.UNPUBLISH_HELD, "Brake")
    told = (*entries(warning, "uid", NOW, [one]), *entries(held, "uid", NOW, [other]))
    new = UnpublishDecisionStatus.model_validate(judged)
    old = UnpublishDecisionStatus()
    found = overtaken(told, old, new, ())
    assert [(notice.state, notice.error) for notice in found] == [announcement, hold]
    assert overtaken(told, old, new, {notice.id for notice in told}) is told


def test_other_matters_and_the_same_day_are_left_alone() -> None:
    duty, term = (NoticeKind.MIGRATION_DUE, NoticeKind.INSTALLATION_DUE)
    notices = entered((), Tiding(duty, "1", date(2028, 6, 1)))
    notices = entered(notices, Tiding(duty, "2", date(2028, 6, 1)))
    notices = entered(notices, Tiding(term, "1", date(2028, 9, 1)))
    assert {one.state for one in notices} == {NoticeState.SENDING}
    assert overtaken_by_newer(notices, ()) is notices


def test_notices_that_share_no_matter_overtake_nothing() -> None:
    kinds = (NoticeKind.VERSION_WITHDRAWN, NoticeKind.VERIFICATION_WANTED, NoticeKind.MIGRATION_OVERDUE)
    notices: tuple[Notice, ...] = ()
    for kind in kinds:
        notices = entered(notices, Tiding(kind, "1", date(2028, 6, 1)))
    assert [(one.kind, one.state) for one in notices] == [(kind, SENDING) for kind in kinds]
    assert overtaken_by_newer(notices, ()) is notices


@pytest.mark.parametrize("installed, found", [(None, SENDING), (NOW, SUPERSEDED)])
def test_a_term_ends_with_the_installation(installed: datetime | None, found: NoticeState) -> None:
    kinds = (NoticeKind.INSTALLATION_DUE, NoticeKind.INSTALLATION_OVERDUE)
    notices: tuple[Notice, ...] = ()
    for kind in kinds:
        notices = entered(notices, Tiding(kind, "1", date(2026, 10, 19)))
    status = EServiceStatus.model_validate({"installation": {"installedAt": installed}})
    assert [one.state for one in overtaken_of_service(notices, status, ())] == [found, found]
