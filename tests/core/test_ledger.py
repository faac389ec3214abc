# SPDX-License-Identifier: Apache-2.0
"""The ledger of notices: each recipient once, whatever happens to the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.notices import MOST_NOTICES, Audience, Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core import ledger
from eservice_operator.core.ledger import (
    MOST_ATTEMPTS,
    MOST_ON_THEIR_WAY,
    enter,
    fold,
    heard_days,
    informed_at,
    next_try,
    notice_id,
    room,
    to_send,
)
from eservice_operator.core.letters import Delivery

NOW = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SCHEDULED = NoticeKind.UNPUBLISH_SCHEDULED


def entry(
    recipient: str,
    kind: NoticeKind = SCHEDULED,
    change: str = "one",
    at: datetime = NOW,
    audience: Audience = Audience.INSTITUTION,
) -> Notice:
    return Notice(
        id=notice_id("uid", kind, change, Channel.EMAIL, recipient),
        kind=kind,
        channel=Channel.EMAIL,
        audience=audience,
        recipient=recipient,
        state=NoticeState.SENDING,
        entered=at,
        at=at,
    )


def people(count: int, change: str = "one", audience: Audience = Audience.INSTITUTION) -> list[Notice]:
    return [entry(f"{number}@pmlp.example", change=change, audience=audience) for number in range(count)]


def accepted(at: datetime = NOW) -> Delivery:
    return Delivery(accepted=True, at=at)


def refused(at: datetime = NOW, *, permanent: bool = False) -> Delivery:
    return Delivery(accepted=False, at=at, error="450 try later", permanent=permanent)


def states(notices: tuple[Notice, ...]) -> list[NoticeState]:
    return [notice.state for notice in notices]


def test_a_ledger_that_nothing_happens_to_is_the_very_same() -> None:
    notices = enter((), people(2))
    assert enter(notices, people(2)) is notices
    assert fold(notices, {}) is notices
    assert fold(notices, {"somebody else's": accepted()}) is notices


def test_each_entry_goes_its_own_way() -> None:
    first, second, third = enter((), people(3))
    at = NOW + timedelta(milliseconds=1500)
    answers = {first.id: accepted(at), second.id: refused(at), third.id: refused(at, permanent=True)}
    folded = fold((first, second, third), answers)
    assert states(folded) == [NoticeState.SENT, NoticeState.RETRYING, NoticeState.FAILED]
    assert [notice.at for notice in folded] == [NOW + SECOND] * 3, "whole seconds"
    assert [notice.attempts for notice in folded] == [0, 1, 1]
    assert [notice.error for notice in folded] == ["", "450 try later", "450 try later"]
    assert to_send(folded, NOW + SECOND + MINUTE) == (folded[1],)
    assert fold(folded, answers) is folded, "the same answer is no second attempt"


def test_the_pause_doubles_up_to_six_hours_and_ends_after_24_attempts() -> None:
    (notice,) = notices = enter((), people(1))
    at, pauses = NOW, []
    for _ in range(MOST_ATTEMPTS - 1):
        notices = fold(notices, {notice.id: refused(at)})
        again = next_try(notices)
        assert again is not None
        assert to_send(notices, again - SECOND) == ()
        assert to_send(notices, again) == notices
        pauses.append(again - at)
        at = again
    assert pauses[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert pauses[-1] == pauses[9] == 6 * HOUR
    last = fold(notices, {notice.id: refused(at)})
    assert states(last) == [NoticeState.FAILED]
    assert (next_try(last), to_send(last, at + 9 * HOUR)) == (None, ())


def test_a_success_after_failures_says_nothing_of_them_but_their_number() -> None:
    (notice,) = notices = enter((), people(1))
    (done,) = fold(fold(notices, {notice.id: refused()}), {notice.id: accepted(NOW + MINUTE)})
    assert (done.state, done.attempts, done.error) == (NoticeState.SENT, 1, "")


def test_a_clock_that_was_set_back_delays_nothing() -> None:
    (notice,) = notices = enter((), people(1))
    notices = fold(notices, {notice.id: refused(NOW)})
    earlier = NOW - 24 * HOUR
    assert to_send(notices, earlier) == notices
    assert states(fold(notices, {notice.id: accepted(earlier)})) == [NoticeState.SENT]


@pytest.mark.parametrize("late", [SECOND, ledger.CLOCK_TOLERANCE])
def test_an_answer_of_the_next_moment_waits_for_its_pause(late: timedelta) -> None:
    (notice,) = notices = enter((), people(1))
    notices = fold(notices, {notice.id: refused(NOW + late)})
    assert to_send(notices, NOW) == ()
    assert to_send(notices, NOW + late + MINUTE) == notices


def test_what_is_done_is_kept_to_the_last_20_and_the_last_of_each_kind() -> None:
    old = entry("old@pmlp.example", NoticeKind.UNPUBLISHED)
    older = entry("older@pmlp.example", NoticeKind.UNPUBLISHED)
    others = [entry(f"{number}@pmlp.example", NoticeKind.MIGRATION_DUE) for number in range(30)]
    notices = enter((), [older, old, *others])
    notices = fold(notices, {notice.id: accepted() for notice in notices})
    assert [notice.recipient for notice in notices] == [
        "old@pmlp.example",
        *(f"{number}@pmlp.example" for number in range(10, 30)),
    ]


def test_a_full_ledger_keeps_all_that_is_on_its_way_and_says_who_is_left_out() -> None:
    notices = enter((), people(MOST_ON_THEIR_WAY - 2))
    agency = people(4, "two", Audience.AGENCY)
    institution = [entry("new@pmlp.example", change="two")]
    full = enter(notices, [*agency, *institution])
    assert full[: len(notices)] == notices
    assert [notice.audience for notice in full[-3:]] == [Audience.INSTITUTION, *[Audience.AGENCY] * 2]
    assert states(full[-3:]) == [NoticeState.SENDING, NoticeState.SENDING, NoticeState.FAILED]
    assert full[-1].error == "the ledger is full: 3 recipients were not told of UnpublishScheduled"
    assert not any(notice.error for notice in full[:-1])
    fuller = enter(full, people(5, "three"))
    assert fuller[: len(full)] == full
    assert [(one.state, one.error) for one in fuller[len(full) :]] == [
        (NoticeState.FAILED, "the ledger is full: 5 recipients were not told of UnpublishScheduled")
    ]


def test_the_last_announcement_to_each_is_remembered() -> None:
    notices: tuple[Notice, ...] = ()
    for change in ("one", "two"):
        notices = enter(notices, people(30, change))
        notices = fold(notices, {notice.id: refused(permanent=True) for notice in notices})
    assert {notice.recipient for notice in notices} == {notice.recipient for notice in people(30)}
    assert [notice.id for notice in notices] == [notice.id for notice in people(30, "two")]


@pytest.mark.parametrize("kind", [SCHEDULED, NoticeKind.MIGRATION_DUE])
def test_what_is_done_gives_way_to_what_is_on_its_way_the_oldest_first(kind: NoticeKind) -> None:
    done = enter((), [entry(f"{number}@pmlp.example", kind) for number in range(19)])
    done = fold(done, {notice.id: accepted() for notice in done})
    notices = enter(done, people(MOST_ON_THEIR_WAY, "two"))
    assert len(notices) == MOST_NOTICES
    assert notices[: MOST_NOTICES - MOST_ON_THEIR_WAY] == done[MOST_ON_THEIR_WAY - MOST_NOTICES :]


def test_who_was_told_is_remembered_behind_what_was_given_up() -> None:
    notices = enter((), people(8, "first"))
    notices = fold(notices, {notice.id: accepted() for notice in notices})
    for change in ("two", "three", "four"):
        notices = enter(notices, people(8, change))
        notices = ledger.give_up(notices, ledger.ANNOUNCING, "another day", under_way=())
    notices = enter(notices, people(8, "five"))
    assert [one.id for one in notices if one.state is NoticeState.SENT] == [
        one.id for one in people(8, "first")
    ]


def test_what_just_fits_is_entered_and_nobody_is_said_to_be_left_out() -> None:
    notices = enter((), people(MOST_ON_THEIR_WAY))
    assert len(notices) == MOST_ON_THEIR_WAY
    assert not any(notice.error for notice in notices)


def test_a_ledger_with_more_on_their_way_than_there_may_be_has_no_room() -> None:
    assert room(tuple(people(MOST_ON_THEIR_WAY + 1))) == 0


def test_a_day_was_heard_from_an_announcement_that_was_not_refused() -> None:
    heard = {
        (kind, state)
        for kind in (SCHEDULED, NoticeKind.UNPUBLISH_HELD, NoticeKind.UNPUBLISH_CANCELLED)
        for state in NoticeState
        if heard_days((entry("a@pmlp.example", kind).model_copy(update={"state": state}),))
    }
    assert heard == {(SCHEDULED, NoticeState.SENT), (SCHEDULED, NoticeState.SENDING)}


def test_the_next_try_is_that_of_whoever_is_first_and_informed_since_the_first_was() -> None:
    early, late = enter((), people(2))
    tried = fold((early, late), {early.id: refused(NOW + MINUTE), late.id: refused(NOW + HOUR)})
    assert next_try(tried) == NOW + 2 * MINUTE
    told = fold((early, late), {early.id: accepted(NOW + MINUTE), late.id: accepted(NOW + HOUR)})
    assert informed_at(told) == NOW + MINUTE


def test_marks_stay_also_when_the_ledger_is_full() -> None:
    notices = enter((), [entry("a@pmlp.example", NoticeKind.UNPUBLISHED)])
    notices = fold(notices, {notices[0].id: accepted()})
    for change in ("one", "two", "three", "four"):
        notices = enter(notices, people(18, change))
    assert notices[0].kind is NoticeKind.UNPUBLISHED
    assert len(notices) <= MOST_NOTICES


OF_OTHERS = {
    NoticeKind.IDENTIFIER_ASSIGNED,
    NoticeKind.BRAKE_ENGAGED,
    NoticeKind.UNPUBLISH_HELD,
    NoticeKind.UNPUBLISH_CANCELLED,
    *ledger.ANNOUNCING,
    NoticeKind.ACCESS_REQUESTED,
    NoticeKind.ACCESS_GRANTED,
    NoticeKind.ACCESS_REFUSED,
    NoticeKind.ACCESS_ENDING,
    NoticeKind.ACCESS_ENDED,
    NoticeKind.CONTRACT_RETIRING,
}
"""What registrations, templates, decisions, grants and web services have in their ledgers."""


def test_the_mark_of_each_kind_of_an_eservice_stays_beside_a_full_ledger() -> None:
    of_service = [kind for kind in NoticeKind if kind not in OF_OTHERS]
    notices = enter((), [entry("a@pmlp.example", kind) for kind in of_service])
    marks = {notice.id for notice in notices}
    notices = fold(notices, {notice.id: accepted() for notice in notices})
    notices = enter(notices, [entry(f"{number}@pmlp.example") for number in range(MOST_ON_THEIR_WAY)])
    notices = enter(notices, people(5, "two"))
    assert notices[-1].state is NoticeState.FAILED
    assert marks <= {notice.id for notice in notices}
    assert len(notices) <= MOST_NOTICES


def test_nothing_outdated_is_tried_again() -> None:
    first, second = notices = enter((), [*people(1), entry("a@pmlp.example", NoticeKind.REPUBLISHED)])
    notices = fold(notices, {first.id: refused(), second.id: refused()})
    given_up = ledger.give_up(notices, ledger.ANNOUNCING, "renewed", under_way=())
    assert states(given_up) == [NoticeState.SUPERSEDED, NoticeState.RETRYING]
    assert given_up[0].error == "renewed"


def test_nothing_outdated_is_handed_over_after_a_crash() -> None:
    first, second = notices = enter((), people(2))
    given_up = ledger.give_up(notices, ledger.ANNOUNCING, "renewed", under_way={first.id})
    assert states(given_up) == [NoticeState.SENDING, NoticeState.SUPERSEDED]
    assert to_send(given_up, NOW) == (first,)
    assert given_up[1].id == second.id


def test_informed_is_the_institution_and_of_the_unpublication() -> None:
    agency = entry("j@agency.example", audience=Audience.AGENCY)
    other = entry("a@pmlp.example", NoticeKind.MIGRATION_DUE)
    mine = entry("a@pmlp.example")
    notices = enter((), [agency, other, mine])
    notices = fold(notices, {agency.id: accepted(), other.id: accepted(), mine.id: refused()})
    assert informed_at(notices) is None
    assert informed_at(fold(notices, {mine.id: accepted(NOW + HOUR)})) == NOW + HOUR


@pytest.mark.parametrize("since, found", [(None, True), (-SECOND, True), (0 * SECOND, True), (SECOND, False)])
def test_informed_since_an_instant_is_by_what_was_entered_from_then_on(
    since: timedelta | None, found: bool
) -> None:
    notices = enter((), people(1))
    notices = fold(notices, {notices[0].id: accepted(NOW + HOUR)})
    assert informed_at(notices, None if since is None else NOW + since) == (NOW + HOUR if found else None)


kinds = st.sampled_from([SCHEDULED, NoticeKind.UNPUBLISH_WARNING, NoticeKind.UNPUBLISHED])
entries = st.builds(
    entry,
    st.integers(0, 9).map(lambda number: f"{number}@pmlp.example"),
    kinds,
    st.sampled_from(["one", "two", "three"]),
    audience=st.sampled_from(Audience),
)
outcomes = st.sampled_from(["accepted", "transient", "permanent"])


@st.composite
def steps(draw: st.DrawFn) -> tuple[list[Notice], list[str]]:
    return draw(st.lists(entries, max_size=12)), draw(st.lists(outcomes, min_size=12, max_size=12))


@given(st.lists(steps(), min_size=1, max_size=8))
def test_nobody_is_told_again_and_nobody_on_the_way_is_lost(
    life: list[tuple[list[Notice], list[str]]],
) -> None:
    notices: tuple[Notice, ...] = ()
    now, done, waiting = NOW, set[str](), set[str]()
    for fresh, results in life:
        new = [notice.model_copy(update={"at": now}) for notice in fresh if notice.id not in done]
        notices = enter(notices, new)
        ids = [notice.id for notice in notices]
        assert len(set(ids)) == len(ids) <= MOST_NOTICES
        assert waiting <= set(ids), "what is on its way stays"
        sent = to_send(notices, now)
        assert not {notice.id for notice in sent} & done, "accepted or refused for good: never again"
        answers = {
            notice.id: accepted(now)
            if result == "accepted"
            else refused(now, permanent=result != "transient")
            for notice, result in zip(sent, results, strict=False)
        }
        others = {notice.id: notice for notice in notices if notice.id not in answers}
        notices = fold(notices, answers)
        assert fold(notices, answers) is notices, "folding again changes nothing"
        assert all(others.get(notice.id, notice) == notice for notice in notices)
        done |= {notice.id for notice in notices if not ledger.on_its_way(notice)}
        waiting = {notice.id for notice in notices if ledger.on_its_way(notice)}
        now += timedelta(hours=7)


@given(st.lists(st.tuples(kinds, st.text(), st.sampled_from(Channel), st.text()), unique=True))
def test_different_notices_have_different_ids(
    told: list[tuple[NoticeKind, str, Channel, str]],
) -> None:
    ids = [notice_id("uid", *one) for one in told]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 for one in ids)
