# SPDX-License-Identifier: Apache-2.0
"""One candidate for a lease, move by move: what it believes of another's, and how long it has its own."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eservice_operator.cluster.lease import LONGEST, Candidate, Move, Terms, lease_of, ref_of_lease

WHERE = ref_of_lease("eservice-system", "eservice-operator")
TERMS = Terms(duration=15, renew_deadline=10, retry=2)
WALL = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def lease(holder: str, renewed: str = "1", **spec: Any) -> dict[str, Any]:
    """As the API has it."""
    said = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed, "leaseTransitions": 3}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": "eservice-system", "name": "eservice-operator", "resourceVersion": "7"},
        "spec": said | spec,
    }


def leader(since: float = 100.0) -> Candidate:
    """One that got the lease by a request of that instant."""
    one = Candidate("me", TERMS)
    one.seen(None, since - 1)
    one.held(one.next_version(WHERE, WALL), since)
    return one


class TestOthers:
    def test_it_looks_before_it_does_anything(self) -> None:
        assert Candidate("me", TERMS).move(0) is Move.LOOK

    def test_it_makes_the_lease_that_is_not_there(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(None, 0)
        assert me.move(0) is Move.CREATE

    @pytest.mark.parametrize(
        "found, vacant_after",
        [
            (lease("other"), 15.0),
            (lease("other", leaseDurationSeconds=40), 40.0),
            (lease("other", leaseDurationSeconds=None), 15.0),
            (lease("other", leaseDurationSeconds=0), 15.0),
            (lease("other", leaseDurationSeconds=2**31 - 1), LONGEST),
            (lease("other", renewed="1970-01-01T00:00:00.000000Z"), 15.0),
            (lease("other", renewed="2999-01-01T00:00:00.000000Z"), 15.0),
            (lease(""), 0.0),
            (lease("", leaseDurationSeconds=2**31 - 1), 0.0),
            (lease("me"), 0.0),
            ({**lease("x"), "spec": None}, 0.0),
        ],
    )
    def test_another_has_its_whole_duration_from_when_it_was_seen(
        self, found: dict[str, Any], vacant_after: float
    ) -> None:
        me = Candidate("me", TERMS)
        me.seen(found, 50)
        if vacant_after:
            assert me.move(50 + vacant_after - 0.001) is Move.WAIT
        assert me.move(50 + vacant_after) is Move.UPDATE
        assert me.time_left(50) == 0

    def test_each_change_is_a_sign_of_life(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(lease("other", "1"), 0)
        me.seen(lease("other", "2"), 14)
        assert me.move(28.9) is Move.WAIT
        me.seen(lease("third", "2"), 28.9)
        assert me.move(43.8) is Move.WAIT
        assert me.move(43.9) is Move.UPDATE

    def test_the_same_again_is_none_whatever_else_was_written_on_the_object(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(lease("other"), 0)
        labelled = lease("other")
        labelled["metadata"] |= {"resourceVersion": "8", "labels": {"a": "b"}}
        me.seen(labelled, 14)
        assert me.move(15) is Move.UPDATE
        assert me.next_version(WHERE, WALL)["metadata"]["resourceVersion"] == "8", "or it were a conflict"

    def test_who_held_one_that_was_deleted_may_still_count_on_it(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(lease("other"), 0)
        me.seen(None, 5)
        me.seen(None, 7)
        assert me.move(19.9) is Move.WAIT, "it may have been renewed in the moment before"
        assert me.move(20) is Move.CREATE

    @pytest.mark.parametrize("last", [lease("", leaseDurationSeconds=1), lease("me")])
    def test_nor_is_it_known_who_held_it_last(self, last: dict[str, Any]) -> None:
        me = Candidate("me", TERMS)
        me.seen(last, 0)
        me.seen(None, 5)
        assert me.move(19.9) is Move.WAIT
        assert me.move(20) is Move.CREATE

    def test_one_in_its_own_name_that_it_does_not_know_of_is_waited_for_once_it_was_deleted(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(lease("other"), 0)
        me.seen(None, 5)
        me.seen(lease("me"), 6)
        me.seen(lease("me"), 8)
        assert me.move(20.9) is Move.WAIT, "a late request made it, and there may have been a leader before"
        assert me.move(21) is Move.UPDATE


class TestOwn:
    def test_it_counts_from_before_the_request_was_sent(self) -> None:
        me = leader(since=100)
        assert me.time_left(100) == 15
        assert me.time_left(109.9) == pytest.approx(5.1)
        assert me.leave_at == 110

    def test_no_write_begins_after_the_deadline_and_it_leaves(self) -> None:
        me = leader(since=100)
        assert (me.time_left(110), me.move(110)) == (0, Move.LEAVE)
        assert me.move(109.9) is Move.UPDATE

    def test_a_renewal_counts_from_its_own_request(self) -> None:
        me = leader(since=100)
        me.held(me.next_version(WHERE, WALL), 108)
        assert me.time_left(117.9) == pytest.approx(5.1)
        assert me.time_left(118) == 0

    @pytest.mark.parametrize("holder", ["other", ""])
    def test_any_other_holder_ends_it_in_that_moment(self, holder: str) -> None:
        me = leader(since=100)
        me.seen(lease(holder), 101)
        assert (me.holding, me.time_left(101), me.move(101)) == (False, 0, Move.LEAVE)
        me.seen(lease("me"), 102)
        assert me.move(102) is Move.LEAVE, "nobody leads twice in one life"

    def test_one_that_somebody_deleted_is_made_again(self) -> None:
        me = leader(since=100)
        me.doubt()
        assert me.move(102) is Move.LOOK
        me.seen(None, 102)
        assert me.move(102) is Move.CREATE
        assert me.time_left(102) == 13, "the others wait as long as if it were there"

    def test_a_refused_renewal_is_looked_into(self) -> None:
        me = leader(since=100)
        me.doubt()
        me.seen(lease("me"), 102)
        assert (me.move(102), me.time_left(102)) == (Move.UPDATE, 13)

    def test_who_resigned_writes_nothing_even_if_an_answer_is_late(self) -> None:
        me = leader(since=100)
        me.resign()
        me.held(me.next_version(WHERE, WALL), 101)
        assert (me.time_left(101), me.holding, me.move(101)) == (0, False, Move.LEAVE)

    def test_one_that_holds_nothing_has_no_time(self) -> None:
        assert (Candidate("me", TERMS).time_left(0), Candidate("me", TERMS).leave_at) == (0, -math.inf)


class TestWritten:
    def test_a_new_one(self) -> None:
        me = Candidate("me", TERMS)
        me.seen(None, 0)
        assert me.next_version(WHERE, WALL) == {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": "eservice-system", "name": "eservice-operator"},
            "spec": {
                "holderIdentity": "me",
                "leaseDurationSeconds": 15,
                "acquireTime": "2026-11-23T06:00:00.000000Z",
                "renewTime": "2026-11-23T06:00:00.000000Z",
                "leaseTransitions": 0,
            },
        }

    @pytest.mark.parametrize("holder", ["other", ""])
    def test_taking_it_counts_as_a_transition_and_keeps_what_else_is_there(self, holder: str) -> None:
        me = Candidate("me", TERMS)
        me.seen(lease(holder, preferredHolder="x"), 0)
        written = me.next_version(WHERE, WALL)
        assert written["spec"]["leaseTransitions"] == 4
        assert written["spec"]["preferredHolder"] == "x"
        assert written["metadata"]["resourceVersion"] == "7"

    def test_renewing_it_does_not(self) -> None:
        me = leader()
        renewed = me.next_version(WHERE, WALL + timedelta(seconds=2))["spec"]
        assert (renewed["leaseTransitions"], renewed["acquireTime"], renewed["renewTime"]) == (
            0,
            "2026-11-23T06:00:00.000000Z",
            "2026-11-23T06:00:02.000000Z",
        )

    def test_a_renewal_is_seen_also_while_the_wall_clock_stands_still(self) -> None:
        me = leader()
        first = me.next_version(WHERE, WALL)
        assert lease_of(first) != me.lease, "the same again would change nothing on the server"

    def test_giving_it_back(self) -> None:
        spec = leader().next_version(WHERE, WALL, released=True)["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("", 1, 0)

    def test_a_part_of_a_second_is_rounded_up_for_the_others(self) -> None:
        me = Candidate("me", Terms(duration=2.5, renew_deadline=1.5, retry=0.3))
        assert me.next_version(WHERE, WALL)["spec"]["leaseDurationSeconds"] == 3
