# SPDX-License-Identifier: Apache-2.0
"""What an institution is told of the web services that its e-service uses, when, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eservice_operator.api.notices import Audience
from eservice_operator.api.used import UseStatus
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import instant
from eservice_operator.core.facts import Facts
from eservice_operator.core.heard import AGAIN, LASTS, NEWS
from eservice_operator.core.posting import next_notice
from eservice_operator.core.use_tidings import OF_USES
from tests.support import access, holders, worlds
from tests.support.asking import (
    ADDRESS_USE,
    OGRE,
    AskingCluster,
    agent_in_order,
    holder_in_order,
    rest_grant,
    rest_service,
    through,
)
from tests.support.postal import BOTH, PostalCluster, is_silent
from tests.support.worlds import DAY, NAME, NOW, at

MINUTE = timedelta(minutes=1)
EVENTS = {kind.value for kind in OF_USES}
BEFORE = NOW - 8 * DAY
"""When people wrote what the operator has long known."""
V4 = {"name": "persons-v4", "webService": holders.USE["webService"], "contractVersion": "v4"}


@dataclass(repr=False)
class HeardCluster(AskingCluster, PostalCluster):
    """The e-service of `worlds` among holders, whose institution is written to."""

    def hears(self, now: datetime) -> list[str]:
        """What the institution is told at an instant, as Events and as letters, which agree."""
        self.forget()
        self.settle(now)
        letters = [one for one in self.sent if one.kind in OF_USES and one.recipient == "a@pmlp.example"]
        said = sorted(one.reason for one in self.told if one.reason in EVENTS)
        assert said == sorted(letter.kind.value for letter in letters)
        about = {one.id: one.about for one in self.status.notices}
        days = {letter.id: f" {letter.due}" if letter.due else "" for letter in letters}
        return sorted(f"{one.kind.value} {about[one.id]}{days[one.id]}" for one in letters)

    def facts_of(self, kind: str) -> dict[str, str]:
        """The facts of the one letter of a kind that the institution got last."""
        letters = [one for one in self.sent if one.kind.value == kind and one.recipient == "a@pmlp.example"]
        return dict(letters[-1].facts)

    def use(self, name: str = "persons") -> UseStatus:
        return next(one for one in self.status.uses if one.name == name)

    def wakes(self, now: datetime) -> datetime | None:
        return next_notice(Facts(self.world(), now, self.policy))


def heard(*uses: Manifest, created: datetime = NOW) -> HeardCluster:
    """An e-service that asks for these, made at an instant, before its holders have said anything."""
    cluster = HeardCluster(policy=replace(worlds.POLICY, channels=BOTH))
    cluster.put(worlds.template(), worlds.registration(), worlds.act(), worlds.verification())
    cluster.put(
        worlds.eservice(
            metadata={"creationTimestamp": instant(created)}, spec={"uses": list(uses or (holders.USE,))}
        )
    )
    return cluster


@pytest.fixture
def cluster() -> HeardCluster:
    """Granted, told of it, and at rest."""
    cluster = heard()
    assert cluster.hears(NOW) == []
    cluster.answer(*holder_in_order())
    assert cluster.hears(NOW) == ["AccessGranted persons"]
    return cluster


def grant(cluster: HeardCluster, **spec: Any) -> None:
    cluster.answer(holders.grant(spec=spec))


# granted and refused


def test_the_institution_the_agency_and_the_sink_are_told_that_it_is_granted(cluster: HeardCluster) -> None:
    assert [(one.kind.value, one.audience, one.recipient) for one in cluster.sent if one.kind in OF_USES] == [
        ("AccessGranted", Audience.INSTITUTION, "a@pmlp.example"),
        ("AccessGranted", Audience.AGENCY, "j@agency.example"),
        ("AccessGranted", Audience.AGENCY, "events.agency.example"),
    ]
    letter = next(one for one in cluster.sent if one.kind in OF_USES)
    assert letter.source == f"EService {worlds.NAMESPACE}/{NAME}"
    assert (letter.institution, letter.agency_contact) == ("PMLP", "j@agency.example")
    assert dict(letter.facts) == {
        "webService": "ur-production/population-register",
        "contractVersion": "v5",
        "consumer": "pmlp-production/address-declaration",
        "holder": "UR",
        "holderContact": "api@ur.example",
    }


def test_what_is_granted_is_told_when_it_is_open() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order(), holders.grant(status={"state": "Pending"}))
    assert cluster.hears(NOW) == [], "it was written a moment ago"
    cluster.answer(not_yet("Opening"))
    assert cluster.hears(NOW) == []
    assert (cluster.use().state.value, cluster.use().reason) == ("Pending", "Opening")
    cluster.answer(holders.grant())
    assert cluster.hears(NOW + MINUTE) == ["AccessGranted persons"]
    cluster.answer(not_yet("NameCollision"))
    assert cluster.hears(NOW + DAY) == []
    assert (cluster.use().reason, cluster.use().ended) == ("NameCollision", None), "that is no end"
    cluster.take_back("WebServiceGrant", holders.HOLDER, "address")
    assert cluster.hears(NOW + 2 * DAY) == ["AccessEnded persons 2026-10-15"]


def test_a_use_without_its_credentials_is_granted_and_says_so(cluster: HeardCluster) -> None:
    keyed = access.opened(holders.grant(spec={"credentials": {"secretName": "key"}}))
    missing: Manifest = {"type": "CredentialsCopied", "status": "False", "reason": "CredentialsMissing"}
    missing |= {"message": "no key", "lastTransitionTime": instant(NOW), "observedGeneration": 1}
    cluster.answer(keyed | {"status": keyed["status"] | {"conditions": [missing]}})
    assert cluster.hears(NOW + DAY) == []
    use = cluster.use()
    assert (use.state.value, use.reason) == ("Granted", "CredentialsMissing")
    assert use.message == "granted; without its credentials: no key"


def not_yet(reason: str) -> Manifest:
    """The grant, allowed and not open, as its status says."""
    entry = {"version": "v5", "state": "Pending", "reason": reason, "message": "granted, and not yet open"}
    return holders.grant(status={"observedGeneration": 1, "contractVersions": [entry]})


def test_each_use_says_how_it_stands_since_when_and_what_was_told(cluster: HeardCluster) -> None:
    assert cluster.use().model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        "name": "persons",
        "webService": "ur-production/population-register v5",
        "holder": "UR",
        "contact": "api@ur.example",
        "state": "Granted",
        "reason": "Active",
        "message": "granted",
        "since": instant(NOW),
        "told": "Granted",
        "toldAt": instant(NOW),
    }


def test_rest_is_quiet(cluster: HeardCluster) -> None:
    for minutes in range(1, 90, 7):
        assert cluster.hears(NOW + minutes * MINUTE) == []
        assert not cluster.statuses, "nothing is written"


def test_without_channels_events_tell(cluster: HeardCluster) -> None:
    cluster.policy = worlds.POLICY
    grant(cluster, validUntil="2026-11-01")
    cluster.forget()
    cluster.settle(NOW)
    assert [(one.type, one.reason, one.text) for one in cluster.told if one.reason in EVENTS] == [
        (
            "Warning",
            "AccessEnding",
            "the last day of ur-production/population-register v5 (persons) is 2026-11-01",
        )
    ]
    assert not cluster.sent


@pytest.mark.parametrize("age, news", [(NEWS + DAY, []), (NEWS - DAY, ["AccessGranted persons"])])
def test_a_first_status_tells_nothing_of_an_old_e_service(age: timedelta, news: list[str]) -> None:
    cluster = heard(created=NOW - age)
    cluster.answer(*holder_in_order())
    assert cluster.hears(NOW) == news
    assert cluster.use().told is RequestState.GRANTED
    cluster.take_back("WebServiceGrant", holders.HOLDER, "address")
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"], "which it does hear of"


def test_what_an_earlier_operator_had_no_word_for_is_no_news(cluster: HeardCluster) -> None:
    status = cluster.objects[cluster.service_place]["status"]
    del status["uses"]
    assert cluster.hears(NOW + DAY) == []
    assert cluster.use().told is RequestState.GRANTED


def test_a_use_that_is_added_is_told_when_it_is_granted(cluster: HeardCluster) -> None:
    cluster.edit_service(uses=[holders.USE, ADDRESS_USE])
    assert cluster.hears(NOW + DAY) == ["AccessGranted addresses"], "its grant was there before"


def test_what_a_use_asks_for_now_is_another_matter_than_what_it_asked_for(cluster: HeardCluster) -> None:
    cluster.edit_service(uses=[V4 | {"name": "persons"}])
    assert cluster.hears(NOW + DAY) == []
    assert (cluster.use().state.value, cluster.use().ended) == ("Waiting", None), "nobody took that from it"
    grant(cluster, contractVersions=[{"version": "v4", "evidence": holders.EVIDENCE}])
    cluster.answer(
        holders.connection_test("passed-v4", contractVersion="v4", registration=worlds.NAME),
    )
    assert cluster.hears(NOW + 2 * DAY) == ["AccessGranted persons"]


def test_a_refusal_is_told_with_its_reason_to_who_asked() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    grant(cluster, refused={"reason": "no legal basis"})
    assert cluster.hears(NOW) == ["AccessRefused persons"]
    assert cluster.facts_of("AccessRefused")["reason"] == "no legal basis"
    assert cluster.hears(NOW + DAY) == []


@pytest.mark.parametrize("why", ["did not ask", "not placed", "holder not confirmed"])
def test_nobody_writes_to_strangers_by_a_refusal(why: str) -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    if why == "did not ask":
        cluster.edit_service(uses=[])
    elif why == "not placed":
        cluster.edit(("EServiceRegistration", "", NAME), spec={"namespaces": []}, status={"namespaces": []})
    else:
        cluster.answer(holders.namespace(metadata={"labels": None}))
    grant(cluster, refused={"reason": "buy from us instead"})
    assert cluster.hears(NOW) == []
    assert not [one for one in cluster.sent if one.kind in OF_USES]


def test_whoever_only_claims_a_registration_brings_its_contacts_no_letter(cluster: HeardCluster) -> None:
    cluster.edit(("EServiceRegistration", "", NAME), spec={"namespaces": []}, status={"namespaces": []})
    assert cluster.hears(NOW + DAY) == []
    assert cluster.use().state.value == "Pending"


# the end


def test_what_is_refused_after_it_was_granted_has_ended(cluster: HeardCluster) -> None:
    grant(cluster, refused={"reason": "the agreement ended"})
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"]
    facts = cluster.facts_of("AccessEnded")
    assert (facts["ended"], facts["reason"]) == ("Refused", "the agreement ended")
    assert cluster.hears(NOW + 2 * DAY) == []


def test_an_end_within_the_second_of_the_grant_is_told(cluster: HeardCluster) -> None:
    grant(cluster, refused={"reason": "a mistake"})
    assert cluster.hears(NOW) == ["AccessEnded persons 2026-10-13"]


def test_the_last_day_over_it_has_ended() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    grant(cluster, validUntil="2026-10-20")
    assert cluster.hears(NOW) == ["AccessGranted persons"], "which says until when: no warning besides"
    assert cluster.facts_of("AccessGranted")["until"] == "2026-10-20"
    assert cluster.hears(at("2026-10-20", "23:59")) == []
    assert cluster.hears(at("2026-10-21", "00:00")) == ["AccessEnded persons 2026-10-21"]
    assert cluster.hears(at("2026-10-22")) == []


def lost(cluster: HeardCluster) -> str:
    """What the public release runs without, in words."""
    found = next(one for one in cluster.status.conditions if one.type == "AccessGranted")
    assert found.reason == "AccessLost"
    return found.message


def test_a_grant_that_is_deleted_is_remembered_with_its_reason(cluster: HeardCluster) -> None:
    cluster.answer(holders.grant(metadata={"deletionTimestamp": instant(NOW + DAY)}))
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"], "it closes for good"
    cluster.take_back("WebServiceGrant", holders.HOLDER, "address")
    assert cluster.hears(NOW + DAY + MINUTE) == []
    assert "(it ended on 2026-10-14: the grant is being deleted)" in lost(cluster)
    cluster.answer(holders.grant())
    assert cluster.hears(NOW + 2 * DAY) == ["AccessGranted persons"]
    assert cluster.use().ended is None


def test_a_grant_that_was_gone_before_anybody_looked_is_told_of_at_once(cluster: HeardCluster) -> None:
    cluster.take_back("WebServiceGrant", holders.HOLDER, "address")
    cluster.take_back("WebService", holders.HOLDER, holders.REGISTER)
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"]
    assert "(it ended on 2026-10-14: the grant was deleted)" in lost(cluster)
    facts = cluster.facts_of("AccessEnded")
    assert (facts["ended"], facts["holder"], facts["holderContact"]) == ("Closing", "UR", "api@ur.example")


def test_a_version_that_leaves_the_grant_has_ended(cluster: HeardCluster) -> None:
    grant(cluster, contractVersions=[{"version": "v4", "evidence": holders.EVIDENCE}])
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"]
    assert cluster.facts_of("AccessEnded")["ended"] == "VersionNotGranted"


def test_what_could_come_back_is_told_only_if_it_lasts(cluster: HeardCluster) -> None:
    unconfirmed, confirmed = holders.namespace(metadata={"labels": None}), holders.namespace()
    cluster.answer(unconfirmed)
    assert cluster.hears(NOW + MINUTE) == []
    cluster.answer(confirmed)
    assert cluster.hears(NOW + 2 * MINUTE) == [], "nobody knew"
    cluster.answer(unconfirmed)
    gone = NOW + 10 * MINUTE
    assert cluster.hears(gone) == []
    assert cluster.wakes(gone) == gone + LASTS
    assert cluster.hears(gone + LASTS - MINUTE) == []
    assert cluster.hears(gone + LASTS) == ["AccessEnded persons 2026-10-13"]
    assert cluster.hears(gone + 10 * LASTS) == []
    cluster.answer(confirmed)
    assert cluster.hears(gone + 11 * LASTS) == ["AccessGranted persons"], "who was told the end is told this"


def test_a_holder_that_turns_about_sends_two_letters_an_hour(cluster: HeardCluster) -> None:
    told = []
    for minutes in range(1, 240, 5):
        refused = {"reason": f"at {minutes}"} if minutes % 2 else None
        grant(cluster, refused=refused)
        told += cluster.hears(NOW + minutes * MINUTE)
    assert 4 <= len(told) <= 8
    grant(cluster)
    ended = cluster.use().told_at
    assert ended is not None
    if cluster.use().told is not RequestState.GRANTED:
        cluster.hears(NOW + 241 * MINUTE)
        assert cluster.wakes(NOW + 241 * MINUTE) == ended + AGAIN
        assert cluster.hears(ended + AGAIN) == ["AccessGranted persons"]


def test_what_is_still_on_its_way_is_taken_back_by_what_is_newer() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    cluster.channel = is_silent
    cluster.hears(NOW)
    cluster.crash()
    grant(cluster, refused={"reason": "a mistake"})
    cluster.settle(NOW + MINUTE)
    assert {(one.kind.value, one.state.value) for one in cluster.status.notices if one.kind in OF_USES} == {
        ("AccessGranted", "Superseded"),
        ("AccessEnded", "Sending"),
    }


def silent(cluster: HeardCluster, now: datetime) -> set[tuple[str, str]]:
    """What stands in the ledger about uses where no channel ever answers."""
    cluster.channel = is_silent
    cluster.settle(now)
    cluster.crash()
    return {(one.kind.value, one.state.value) for one in cluster.status.notices if one.kind in OF_USES}


def test_what_a_use_asked_for_before_is_not_told_of_what_it_asks_for_now() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    assert silent(cluster, NOW) == {("AccessGranted", "Sending")}
    cluster.edit_service(uses=[V4 | {"name": "persons"}])
    assert silent(cluster, NOW + MINUTE) == {("AccessGranted", "Superseded")}


def test_nobody_is_told_that_it_is_granted_once_it_is_not() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    silent(cluster, NOW)
    cluster.answer(holders.namespace(metadata={"labels": None}))
    assert silent(cluster, NOW + MINUTE) == {("AccessGranted", "Superseded")}


def test_more_news_than_the_ledger_has_room_for_waits_for_room() -> None:
    many = [ADDRESS_USE | {"name": f"addresses-{number}"} for number in range(40)]
    cluster = heard(*many)
    cluster.answer(*holder_in_order())
    cluster.settle(NOW)
    letters = [one for one in cluster.sent if one.kind in OF_USES and one.recipient == "a@pmlp.example"]
    assert len(letters) == len({one.id for one in letters}) == len(many)
    assert not [one for one in cluster.status.notices if one.state.value == "Failed"]
    assert all(one.told is RequestState.GRANTED for one in cluster.status.uses)


def test_without_room_nothing_is_marked_as_told() -> None:
    many = [ADDRESS_USE | {"name": f"addresses-{number}"} for number in range(40)]
    cluster = heard(*many)
    cluster.answer(*holder_in_order())
    silent(cluster, NOW)
    told = {one.name for one in cluster.status.uses if one.told is not None}
    assert told == {one.about for one in cluster.status.notices}
    assert 1 <= len(told) < len(many)


def clock(cluster: HeardCluster, *, trusted: bool) -> None:
    cluster.policy = replace(cluster.policy, clock_trusted=trusted)


def test_a_clock_that_is_not_trusted_tells_nothing_and_what_it_wrote_silences_nobody(
    cluster: HeardCluster,
) -> None:
    grant(cluster, refused={"reason": "a mistake"})
    clock(cluster, trusted=False)
    assert cluster.hears(NOW + 3650 * DAY) == []
    clock(cluster, trusted=True)
    assert cluster.hears(NOW + DAY) == ["AccessEnded persons 2026-10-14"]
    grant(cluster)
    cluster.hears(NOW + 2 * DAY)
    cluster.answer(holders.namespace(metadata={"labels": None}))
    clock(cluster, trusted=False)
    cluster.hears(NOW + 3650 * DAY)
    clock(cluster, trusted=True)
    assert cluster.hears(NOW + 3 * DAY) == ["AccessEnded persons 2026-10-16"], "it was lost by then"


def test_a_clock_that_was_ahead_unnoticed_silences_nobody(cluster: HeardCluster) -> None:
    grant(cluster, refused={"reason": "a mistake"})
    cluster.hears(NOW + 3650 * DAY)
    grant(cluster)
    assert cluster.hears(NOW + DAY) == ["AccessGranted persons"]


def test_a_use_that_is_taken_back_is_nobodys_news(cluster: HeardCluster) -> None:
    cluster.edit_service(uses=[])
    assert cluster.hears(NOW + DAY) == []
    assert cluster.status.uses == ()


def test_who_is_being_deleted_loses_nothing(cluster: HeardCluster) -> None:
    cluster.edit(
        cluster.service_place,
        metadata={"deletionTimestamp": instant(NOW + DAY), "finalizers": ["somebody.example/keeps"]},
    )
    assert cluster.hears(NOW + DAY) == []
    assert cluster.hears(NOW + DAY + LASTS) == []


# through an agent


def test_a_customer_is_told_when_the_agents_connection_opens_and_ends() -> None:
    cluster = heard(through())
    cluster.answer(*holder_in_order(), *agent_in_order())
    assert cluster.hears(NOW) == []
    mine = {"name": "PMLP", "code": "90000054163", "since": "2026-09-01"}
    listed = [{"name": "Ogre", "code": OGRE, "since": "2026-09-01"}, mine]
    cluster.answer(holders.assignment(spec={"customers": listed}))
    assert cluster.hears(NOW + DAY) == ["AccessGranted persons"]
    assert cluster.facts_of("AccessGranted")["agent"] == "Evry"
    cluster.answer(
        holders.assignment(spec={"customers": listed, "ended": {"at": "2026-10-15", "reason": "over"}})
    )
    assert cluster.hears(at("2026-10-16")) == ["AccessEnded persons 2026-10-16"]
    assert cluster.facts_of("AccessEnded")["ended"] == "AssignmentEnded"


# the ladder


def test_the_end_of_a_grant_is_told_on_the_ladder() -> None:
    cluster = heard()
    cluster.answer(*holder_in_order())
    grant(cluster, validUntil="2027-08-31")
    cluster.hears(NOW)
    assert cluster.wakes(NOW) == at("2027-02-28", "00:00")
    around = ("2027-02-28", "2027-05-31", "2027-07-31", "2027-08-24", "2027-08-31", "2027-12-31")
    days = [at(day) + number * DAY for day in around for number in (-9, -1, 0, 1, 2)]
    heard_on = {str(day.date()): news for day in days if (news := cluster.hears(day))}
    ending = ["AccessEnding persons 2027-08-31"]
    assert heard_on == {
        "2027-02-28": ending,
        "2027-05-31": ending,
        "2027-07-31": ending,
        "2027-08-24": ending,
        "2027-09-01": ["AccessEnded persons 2027-09-01"],
    }


def test_a_day_that_is_set_late_is_told_once_not_four_times(cluster: HeardCluster) -> None:
    grant(cluster, validUntil="2026-11-01")
    assert cluster.hears(NOW + DAY) == ["AccessEnding persons 2026-11-01"]
    assert cluster.hears(at("2026-10-24")) == []
    assert cluster.hears(at("2026-10-25")) == ["AccessEnding persons 2026-11-01"], "a week before"


def test_another_day_is_told_anew_and_the_old_one_taken_back(cluster: HeardCluster) -> None:
    cluster.channel = is_silent
    grant(cluster, validUntil="2026-11-01")
    cluster.settle(NOW + DAY)
    cluster.crash()
    grant(cluster, validUntil="2026-12-01")
    cluster.settle(NOW + 2 * DAY)
    cluster.crash()
    dated = {(str(one.due), one.state.value) for one in cluster.status.notices if one.due}
    assert dated == {("2026-11-01", "Superseded"), ("2026-12-01", "Sending")}
    grant(cluster, validUntil=None)
    cluster.settle(NOW + 3 * DAY)
    assert {one.state.value for one in cluster.status.notices if one.due} == {"Superseded"}


def test_a_contract_version_that_retires_is_told_to_who_may_call_it(cluster: HeardCluster) -> None:
    cluster.answer(holders.web_service(spec={"contracts": [{"version": "v5", "endOfLife": "2026-12-31"}]}))
    assert cluster.hears(NOW + DAY) == ["ContractRetiring persons 2026-12-31"]
    grant(cluster, validUntil="2026-12-01")
    assert cluster.hears(NOW + 2 * DAY) == ["AccessEnding persons 2026-12-01"], "the earlier day counts"


def test_of_rest_each_contract_version_is_told_that_retires() -> None:
    cluster = heard(ADDRESS_USE)
    cluster.answer(*holder_in_order(), rest_grant())
    assert cluster.hears(NOW) == ["AccessGranted addresses"]
    contracts = [{"version": "v1", "endOfLife": "2026-12-31"}, {"version": "v2"}]
    cluster.answer(rest_service(spec={"contracts": contracts}))
    assert cluster.hears(NOW + DAY) == ["ContractRetiring addresses v1 2026-12-31"]
    assert cluster.facts_of("ContractRetiring")["contractVersion"] == "v1"


def test_days_to_come_are_not_told_by_a_clock_that_is_not_trusted(cluster: HeardCluster) -> None:

    grant(cluster, validUntil="2026-11-01")
    clock(cluster, trusted=False)
    assert cluster.hears(NOW + DAY) == []
    clock(cluster, trusted=True)
    assert cluster.hears(NOW + 2 * DAY) == ["AccessEnding persons 2026-11-01"]
