# SPDX-License-Identifier: Apache-2.0
"""What the consumer of a grant is told, when, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from eservice_operator.api.grant import GrantState
from eservice_operator.api.notices import Audience, Channel, Notice, NoticeState
from eservice_operator.core.access.grant_tidings import LASTS
from eservice_operator.core.access.letters import grant_letters
from eservice_operator.core.access.notes import grant_notes
from eservice_operator.core.access.posting import FAREWELL, next_of_grant
from eservice_operator.core.dates import instant
from eservice_operator.core.letters import Delivery, Letter
from tests.core.access.grant_cluster import GRANT, GrantCluster, in_good_order
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NOW, at

REGISTRATION = ("EServiceRegistration", "", NAME)
CHANNELS = ((Channel.EMAIL, ""), (Channel.CLOUD_EVENTS, "events.agency.example"))
MINUTE = timedelta(minutes=1)
SERVICE = ("WebService", access.HOLDER, access.REGISTER)
REST = ("WebServiceGrant", access.HOLDER, "addresses")


@pytest.fixture
def cluster() -> GrantCluster:
    return made(in_good_order(), NOW)


def made(cluster: GrantCluster, when: datetime) -> GrantCluster:
    """The same with channels, where people wrote the grants at that instant."""
    cluster.policy = replace(worlds.POLICY, channels=CHANNELS)
    for body in cluster.of_kind("WebServiceGrant").values():
        body["metadata"]["creationTimestamp"] = instant(when)
    return cluster


def ledger(cluster: GrantCluster) -> tuple[Notice, ...]:
    return cluster.status(GRANT).notices


def deliver(cluster: GrantCluster, now: datetime) -> None:
    """The channels take all that is on its way."""
    for notice in ledger(cluster):
        cluster.deliveries.setdefault(notice.id, Delivery(accepted=True, at=now))
    cluster.settle(now)


def told(cluster: GrantCluster, now: datetime, *, unheard: bool = False) -> list[str]:
    """What is told at an instant, once to each recipient, and then delivered; Events tell the same.

    ``unheard``: they tell more, since nobody is written to.
    """
    before, earlier = {notice.id for notice in ledger(cluster)}, cluster.status(GRANT)
    cluster.settle(now)
    fresh = [notice for notice in ledger(cluster) if notice.id not in before]
    said = sorted(note.reason for note in grant_notes(earlier, cluster.status(GRANT)))
    assert said == sorted(kind.value for kind, _ in {(one.kind, one.about) for one in fresh}) or unheard
    assert all(notice.state is NoticeState.SENDING for notice in fresh)
    recipients = [(notice.kind, notice.about, notice.due, notice.recipient) for notice in fresh]
    assert len(set(recipients)) == len(recipients), "nobody is told twice"
    deliver(cluster, now)
    assert all(notice.state is NoticeState.SENT for notice in ledger(cluster))
    days = {notice.id: f" {notice.due}" if notice.due else "" for notice in fresh}
    return sorted({f"{one.kind.value} {one.about}{days[one.id]}" for one in fresh})


def letters(cluster: GrantCluster, now: datetime) -> tuple[Letter, ...]:
    return grant_letters(cluster.world(GRANT), cluster.status(GRANT), now, cluster.policy)


def spec(cluster: GrantCluster, **patch: Any) -> None:
    cluster.edit(GRANT, spec=patch)


# granted and refused


def test_the_institution_the_agency_and_the_sink_are_told_that_it_is_granted(cluster: GrantCluster) -> None:
    cluster.settle(NOW)
    assert [(one.kind.value, one.audience, one.recipient) for one in ledger(cluster)] == [
        ("AccessGranted", Audience.INSTITUTION, "a@pmlp.example"),
        ("AccessGranted", Audience.AGENCY, "j@agency.example"),
        ("AccessGranted", Audience.AGENCY, "events.agency.example"),
    ]
    letter, *_ = letters(cluster, NOW)
    assert letter.source == f"WebServiceGrant {access.HOLDER}/{NAME}"
    assert (letter.institution, letter.agency_contact) == ("PMLP", "j@agency.example")
    assert dict(letter.facts) == {
        "webService": "ur-production/population-register",
        "contractVersion": "v5",
        "consumer": "pmlp-production/address-declaration",
        "holder": "UR",
        "holderContact": "api@ur.example",
    }


def test_each_transition_is_told_once_and_rest_is_quiet(cluster: GrantCluster) -> None:
    assert told(cluster, NOW) == ["AccessGranted v5"]
    for minutes in range(1, 90, 7):
        assert told(cluster, NOW + minutes * MINUTE) == []


def test_without_channels_nothing_is_entered_and_events_tell(cluster: GrantCluster) -> None:
    cluster.policy = worlds.POLICY
    cluster.settle(NOW)
    before = cluster.status(GRANT)
    spec(cluster, validUntil="2026-11-01")
    cluster.settle(NOW)
    after = cluster.status(GRANT)
    assert ledger(cluster) == ()
    assert [(note.type, note.reason, note.text) for note in grant_notes(before, after)] == [
        ("Warning", "AccessEnding", "the last day of contract version v5 is 2026-11-01")
    ]


def test_a_first_status_tells_nothing_of_an_old_grant() -> None:
    assert told(made(in_good_order(), NOW - 8 * DAY), NOW, unheard=True) == []
    assert told(made(in_good_order(), NOW - 6 * DAY), NOW) == ["AccessGranted v5"], "written meanwhile"


def test_a_version_that_waits_is_told_when_it_opens(cluster: GrantCluster) -> None:
    spec(cluster, contractVersions=access.granted("v5", evidence=None))
    assert told(cluster, NOW) == []
    spec(cluster, contractVersions=access.granted("v5"))
    assert told(cluster, NOW + MINUTE) == ["AccessGranted v5"]


def test_a_refusal_is_told_with_its_reason_to_who_asked(cluster: GrantCluster) -> None:
    spec(cluster, refused={"reason": "no legal basis"})
    cluster.settle(NOW)
    letter, *_ = letters(cluster, NOW)
    assert (letter.kind.value, letter.facts["reason"]) == ("AccessRefused", "no legal basis")
    assert "contractVersion" not in letter.facts, "the answer is about all of it"
    deliver(cluster, NOW)
    assert told(cluster, NOW + DAY) == []


@pytest.mark.parametrize("why", ["did not ask", "not placed", "holder not confirmed"])
def test_nobody_writes_to_strangers_by_a_refusal(cluster: GrantCluster, why: str) -> None:
    if why == "did not ask":
        cluster.edit(("EService", worlds.NAMESPACE, NAME), spec={"uses": None})
    elif why == "not placed":
        cluster.edit(REGISTRATION, spec={"namespaces": []}, status={"namespaces": []})
    else:
        cluster.namespaces[access.HOLDER] = {}
    spec(cluster, refused={"reason": "buy from us instead"})
    assert told(cluster, NOW, unheard=True) == []
    assert not [one for one in ledger(cluster) if one.channel is Channel.EMAIL]


def test_whoever_only_claims_a_registration_brings_its_contacts_no_letter(cluster: GrantCluster) -> None:
    cluster.settle(NOW)
    deliver(cluster, NOW)
    cluster.edit(REGISTRATION, spec={"namespaces": []}, status={"namespaces": []})
    before = {one.id for one in ledger(cluster)}
    cluster.settle(NOW + DAY)
    assert cluster.status(GRANT).state is not GrantState.ACTIVE
    assert not [one for one in ledger(cluster) if one.id not in before and one.channel is Channel.EMAIL]


# the end


def test_what_is_refused_after_it_was_open_has_ended(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    spec(cluster, refused={"reason": "the agreement ended"})
    cluster.settle(NOW + DAY)
    fresh = [letter for letter in letters(cluster, NOW + DAY) if letter.kind.value == "AccessEnded"]
    assert fresh[0].facts["ended"] == "Refused"
    assert fresh[0].facts["reason"] == "the agreement ended"
    deliver(cluster, NOW + DAY)
    assert told(cluster, NOW + 2 * DAY) == [], "the answer that followed is the same news"


def test_the_last_day_over_it_has_ended(cluster: GrantCluster) -> None:
    spec(cluster, validUntil="2026-10-20")
    assert told(cluster, NOW) == ["AccessGranted v5"], "which says until when: no warning besides"
    assert told(cluster, at("2026-10-20", "23:59")) == []
    assert told(cluster, at("2026-10-21", "00:00")) == ["AccessEnded v5 2026-10-21"]
    assert told(cluster, at("2026-10-22")) == []


def test_a_version_that_leaves_the_grant_has_ended_and_the_other_has_not() -> None:
    cluster = made(in_good_order("v4", "v5"), NOW)
    assert told(cluster, NOW) == ["AccessGranted v4", "AccessGranted v5"]
    spec(cluster, contractVersions=access.granted("v5"))
    cluster.settle(NOW + DAY)
    assert {letter.facts["ended"] for letter in letters(cluster, NOW + DAY)} == {"VersionNotGranted"}
    deliver(cluster, NOW + DAY)
    assert sorted({one.kind.value for one in ledger(cluster) if one.about == "v4"}) == [
        "AccessEnded",
        "AccessGranted",
    ]


def test_what_could_come_back_is_told_only_if_it_lasts(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    labels = cluster.namespaces.pop(access.HOLDER)
    assert told(cluster, NOW + MINUTE) == [], "labels may be put back"
    cluster.namespaces[access.HOLDER] = labels
    assert told(cluster, NOW + 2 * MINUTE) == [], "nobody knew"
    del cluster.namespaces[access.HOLDER]
    lost = NOW + 10 * MINUTE
    assert told(cluster, lost) == []
    assert next_of_grant(cluster.world(GRANT), cluster.status(GRANT), lost, cluster.policy) == lost + LASTS
    assert told(cluster, lost + LASTS - MINUTE) == []
    assert told(cluster, lost + LASTS) == ["AccessEnded v5 2026-10-13"]
    assert told(cluster, lost + 10 * LASTS) == []
    cluster.namespaces[access.HOLDER] = labels
    assert told(cluster, lost + 11 * LASTS) == ["AccessGranted v5"], "who was told the end is told this"


def test_children_that_somebody_deletes_are_no_end(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    for minutes in range(1, 60, 5):
        for place in cluster.of_kind("Role"):
            del cluster.objects[place]
        cluster.report(GRANT, NOW + minutes * MINUTE)
    assert told(cluster, NOW + 60 * MINUTE) == []


def test_what_is_still_on_its_way_is_taken_back_by_what_is_newer(cluster: GrantCluster) -> None:
    cluster.settle(NOW)
    spec(cluster, refused={"reason": "a mistake"})
    cluster.settle(NOW + MINUTE)
    assert {(one.kind.value, one.state.value) for one in ledger(cluster)} == {
        ("AccessGranted", "Superseded"),
        ("AccessEnded", "Sending"),
    }


# a grant that is deleted


def delete(cluster: GrantCluster, when: datetime) -> None:
    cluster.remove(GRANT)
    cluster.objects[GRANT]["metadata"]["deletionTimestamp"] = instant(when)


def test_a_grant_stays_until_its_consumer_was_told_of_its_end(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    delete(cluster, NOW + DAY)
    cluster.settle(NOW + DAY)
    assert cluster.may_call(GRANT) == set(), "it is closed at once"
    assert {letter.facts["ended"] for letter in letters(cluster, NOW + DAY)} == {"Closing"}
    cluster.settle(NOW + DAY + MINUTE)
    for notice in ledger(cluster):
        cluster.deliveries[notice.id] = Delivery(accepted=True, at=NOW + DAY + MINUTE)
    cluster.settle(NOW + DAY + MINUTE)
    assert GRANT not in cluster.objects


def test_a_grant_does_not_go_before_its_end_is_in_the_ledger(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    delete(cluster, NOW + DAY)
    cluster.bindings_follow = False
    for place in cluster.of_kind("ConfigMap"):
        del cluster.objects[place]
    while actions := cluster.decide(GRANT, NOW + DAY).actions:
        for action in actions:
            cluster.carry_out(action, NOW + DAY)
    assert cluster.may_call(GRANT) == set()
    assert GRANT in cluster.objects, "a reconcile writes the status last"
    earlier = cluster.decide(GRANT, NOW + DAY - MINUTE)
    assert not earlier.actions, "nor by a clock that is behind the API server's"


def test_a_channel_that_is_down_keeps_a_grant_for_two_minutes(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    delete(cluster, NOW + DAY)
    cluster.settle(NOW + DAY)
    world, status = cluster.world(GRANT), cluster.status(GRANT)
    assert next_of_grant(world, status, NOW + DAY, cluster.policy) == NOW + DAY + FAREWELL
    cluster.settle(NOW + DAY + FAREWELL - MINUTE)
    assert GRANT in cluster.objects
    cluster.settle(NOW + DAY + FAREWELL)
    assert GRANT not in cluster.objects


@pytest.mark.parametrize("what", ["without channels", "never open"])
def test_a_grant_of_which_nobody_is_told_goes_at_once(cluster: GrantCluster, what: str) -> None:
    if what == "without channels":
        cluster.policy = worlds.POLICY
    else:
        spec(cluster, contractVersions=access.granted("v5", evidence=None))
    cluster.settle(NOW)
    cluster.remove(GRANT)
    cluster.settle(NOW + DAY)
    assert GRANT not in cluster.objects


# the ladder


def test_the_end_of_a_grant_is_told_on_the_ladder(cluster: GrantCluster) -> None:
    spec(cluster, validUntil="2027-08-31")
    told(cluster, NOW)
    days = [at("2026-10-14") + number * DAY for number in range(330)]
    heard = {str(day.date()): news for day in days if (news := told(cluster, day))}
    ending = ["AccessEnding v5 2027-08-31"]
    assert heard == {
        "2027-02-28": ending,
        "2027-05-31": ending,
        "2027-07-31": ending,
        "2027-08-24": ending,
        "2027-09-01": ["AccessEnded v5 2027-09-01"],
    }


def test_the_next_step_is_an_instant_to_wake_at(cluster: GrantCluster) -> None:
    spec(cluster, validUntil="2027-08-31")
    told(cluster, NOW)
    wakes = next_of_grant(cluster.world(GRANT), cluster.status(GRANT), NOW, cluster.policy)
    assert wakes == at("2027-02-28", "00:00")


def test_a_day_that_is_set_late_is_told_once_not_four_times(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    spec(cluster, validUntil="2026-11-01")
    assert told(cluster, NOW + DAY) == ["AccessEnding v5 2026-11-01"]
    assert told(cluster, at("2026-10-24")) == []
    assert told(cluster, at("2026-10-25")) == ["AccessEnding v5 2026-11-01"], "a week before"


def test_another_day_is_told_anew_and_the_old_one_taken_back(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    spec(cluster, validUntil="2026-11-01")
    cluster.settle(NOW + DAY)
    spec(cluster, validUntil="2026-12-01")
    cluster.settle(NOW + 2 * DAY)
    assert {(one.due, one.state.value) for one in ledger(cluster) if one.due} == {
        (date(2026, 11, 1), "Superseded"),
        (date(2026, 12, 1), "Sending"),
    }
    spec(cluster, validUntil=None)
    cluster.settle(NOW + 3 * DAY)
    assert {one.state.value for one in ledger(cluster) if one.due} == {"Superseded"}


def test_days_to_come_are_not_told_by_a_clock_that_is_not_trusted(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    spec(cluster, validUntil="2026-11-01")
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    assert told(cluster, NOW + DAY) == []
    cluster.policy = replace(cluster.policy, clock_trusted=True)
    assert told(cluster, NOW + 2 * DAY) == ["AccessEnding v5 2026-11-01"]


def test_a_contract_version_that_retires_is_told_to_who_may_call_it() -> None:
    cluster = made(in_good_order("v4", "v5"), NOW)
    told(cluster, NOW)
    cluster.edit(
        SERVICE, spec={"contracts": [{"version": "v4", "endOfLife": "2026-12-31"}, {"version": "v5"}]}
    )
    assert told(cluster, NOW + DAY) == ["ContractRetiring v4 2026-12-31"]
    spec(cluster, validUntil="2026-12-01")
    assert told(cluster, NOW + 2 * DAY) == [
        "AccessEnding v4 2026-12-01",
        "AccessEnding v5 2026-12-01",
    ], "the earlier day counts"


def test_of_rest_each_contract_version_is_told_that_retires(cluster: GrantCluster) -> None:
    contracts = [{"version": "v1", "endOfLife": "2026-12-31"}, {"version": "v2"}]
    uses = [
        access.use("v5", name="persons-v5"),
        access.use(None, web_service=access.ADDRESSES, name="places"),
    ]
    cluster.put(
        access.rest_service(),
        access.rest_grant("addresses", metadata={"creationTimestamp": instant(NOW)}),
    )
    cluster.edit(("EService", worlds.NAMESPACE, NAME), spec={"uses": uses})
    cluster.settle(NOW)
    cluster.edit(("WebService", access.HOLDER, access.ADDRESSES), spec={"contracts": contracts})
    cluster.settle(NOW + DAY)
    assert {(one.kind.value, one.about) for one in cluster.status(REST).notices} == {
        ("AccessGranted", "*"),
        ("ContractRetiring", "v1"),
    }


def test_only_the_ledger_of_a_grant_that_is_told_anything_is_written(cluster: GrantCluster) -> None:
    told(cluster, NOW)
    spec(cluster, validUntil="2027-08-31")
    told(cluster, NOW)
    for day in range(1, 100, 9):
        assert not cluster.report(GRANT, NOW + day * DAY)
