# SPDX-License-Identifier: Apache-2.0
"""Whom a life tells what, by every channel: each once, at its time, and nothing of the past."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.notices import Audience, Channel, NoticeKind, NoticeState
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate, HeldSet
from eservice_operator.core.actions import Outcome
from eservice_operator.core.addressees import Recipient, entries, recipients, told_before
from eservice_operator.core.decide import decide
from eservice_operator.core.drafting import registration_letters, service_letters, template_letters
from eservice_operator.core.held_tidings import template_notices
from eservice_operator.core.ledger import MOST_ON_THEIR_WAY
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.core.registering import decide_registration, registration_status
from eservice_operator.core.tidings import Tiding
from eservice_operator.core.world import RegistrationWorld
from eservice_operator.notify.message import mail_of
from tests.notify import ics
from tests.notify.letters import OPERATOR
from tests.support import worlds
from tests.support.postal import BOTH, SINK, PostalCluster, is_silent, postal, refuses
from tests.support.pure_cluster import status_body
from tests.support.worlds import DAY, NAME, NOW, SECOND, at

POLICY = replace(worlds.POLICY, channels=BOTH)
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
DECIDED = at("2027-02-01")
EFFECT = at("2027-06-01", "00:00")
EVERYBODY = ["a@pmlp.example", "j@agency.example", SINK]


@pytest.fixture
def told() -> PostalCluster:
    return postal()


@pytest.fixture
def announced(told: PostalCluster) -> PostalCluster:
    """The same, with a decision for 2027-06-01 that everybody knows of."""
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    return told


def decided(cluster: PostalCluster) -> UnpublishDecisionStatus:
    (decision,) = cluster.decisions
    return decision.status


def kinds(cluster: PostalCluster) -> list[str]:
    """The notices to the contact about R8, in their order."""
    return [kind for kind in cluster.told_of() if kind.startswith("Unpub") or kind == "Republished"]


def refused_for_good(letter: Letter, now: datetime) -> Delivery | None:
    accepted = letter.channel is Channel.CLOUD_EVENTS
    return Delivery(accepted=accepted, at=now, error="550 nobody", permanent=True)


# who


def test_the_contacts_the_agency_and_the_sink_once() -> None:
    contacts = [{"name": "B", "email": "b@pmlp.example"}, {"name": "A", "email": "j@agency.example"}]
    body = worlds.registration(spec={"institution": {"contacts": contacts}})
    institution, agency, email = Audience.INSTITUTION, Audience.AGENCY, Channel.EMAIL
    registration = EServiceRegistration.model_validate(body)
    assert recipients(POLICY, registration) == (
        Recipient(email, "b@pmlp.example", institution),
        Recipient(email, "j@agency.example", institution),
        Recipient(Channel.CLOUD_EVENTS, SINK, agency),
    )
    alone = replace(POLICY, channels=BOTH[1:])
    assert recipients(alone, registration) == (Recipient(Channel.CLOUD_EVENTS, SINK, institution),)
    assert recipients(alone, None) == (Recipient(Channel.CLOUD_EVENTS, SINK, agency),)
    assert recipients(POLICY, None) == (Recipient(Channel.CLOUD_EVENTS, SINK, agency),)
    assert recipients(worlds.POLICY, registration) == ()


def test_everybody_is_told_once_by_each_channel(announced: PostalCluster) -> None:
    scheduled = [letter for letter in announced.sent if letter.kind is NoticeKind.UNPUBLISH_SCHEDULED]
    assert [letter.recipient for letter in scheduled] == EVERYBODY
    announced.advance(DECIDED, EFFECT + 3 * DAY)
    assert max(Counter(letter.id for letter in announced.sent).values()) == 1


# decisions


def test_a_ladder_from_the_decision_to_the_end(announced: PostalCluster) -> None:
    assert decided(announced).informed_at == DECIDED
    assert decided(announced).warned_at == DECIDED
    announced.advance(DECIDED, EFFECT)
    warned = [letter.at for letter in announced.sent if letter.kind is NoticeKind.UNPUBLISH_WARNING]
    days = ["2027-03-01", "2027-05-01", "2027-05-25"]
    assert warned == [at(day, "00:00") for day in days for _ in EVERYBODY]
    assert kinds(announced) == ["UnpublishScheduled", *["UnpublishWarning"] * 3, "Unpublished"]
    assert announced.sent[-1].due == date(2027, 6, 1)


def test_of_several_missed_steps_only_the_latest_is_told(announced: PostalCluster) -> None:
    announced.settle(at("2027-05-26"))
    assert kinds(announced) == ["UnpublishScheduled", "UnpublishWarning"]
    announced.settle(at("2027-05-27"))
    assert kinds(announced) == ["UnpublishScheduled", "UnpublishWarning"]


def test_down_over_the_day_itself_nothing_is_announced_afterwards(announced: PostalCluster) -> None:
    announced.settle(EFFECT + DAY)
    assert kinds(announced) == ["UnpublishScheduled", "Unpublished"]


def test_a_deferral_is_told_with_its_day_and_has_steps_of_its_own(announced: PostalCluster) -> None:
    announced.put(worlds.deferral("2027-07-31"))
    announced.settle(at("2027-05-28"))
    moved = [letter for letter in announced.sent if letter.kind is NoticeKind.UNPUBLISH_MOVED]
    assert [letter.due for letter in moved] == [date(2027, 8, 1)] * 3
    assert "deferred until 2027-07-31" in moved[0].facts["reason"]
    assert kinds(announced)[-1] == "UnpublishMoved", "and no warning of the step that it went past"
    announced.advance(at("2027-05-28"), at("2027-07-28"))
    assert kinds(announced)[-2:] == ["UnpublishWarning"] * 2


def test_a_day_that_moves_to_and_fro_is_told_each_time(announced: PostalCluster) -> None:
    deferral = ("UnpublishDeferral", "", "deferral-1")
    for day in ("2027-03-10", "2027-03-11"):
        announced.put(worlds.deferral("2027-07-31"))
        announced.settle(at(day))
        announced.remove(deferral)
        announced.settle(at(day, "18:00"))
    assert kinds(announced).count("UnpublishMoved") == 4


def test_who_was_informed_once_is_so_for_good(told: PostalCluster) -> None:
    told.policy = replace(POLICY, channels=BOTH[:1])
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    for day in range(10, 16):
        told.put(worlds.deferral("2027-07-31"))
        told.settle(at(f"2027-03-{day}"))
        told.remove(("UnpublishDeferral", "", "deferral-1"))
        told.settle(at(f"2027-03-{day}", "18:00"))
    scheduled = [one for one in decided(told).notices if one.kind is NoticeKind.UNPUBLISH_SCHEDULED]
    assert [one.audience for one in scheduled] == [Audience.AGENCY], "the contact's entry is long gone"
    assert decided(told).informed_at == DECIDED


def test_a_renewal_or_a_revocation_cancels_what_was_announced(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.settle(at("2027-05-01", "00:00"))
    name = announced.decisions[0].metadata.name
    revoked = {"at": "2027-05-02", "reason": "it ends in autumn"}
    announced.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    announced.channel = is_silent
    announced.settle(at("2027-05-02"))
    assert kinds(announced)[-1] == "UnpublishCancelled"
    assert "it ends in autumn" in announced.sent[-1].facts["reason"]
    assert announced.sent[-1].due == date(2027, 6, 1), "the day that was told"
    states = Counter((notice.kind.value, notice.state.value) for notice in decided(announced).notices)
    assert states["UnpublishWarning", "Superseded"] == 3, "a warning of what does not come is not tried again"
    assert states["UnpublishCancelled", "Sending"] == 3


def test_what_a_crash_left_unanswered_is_not_sent_once_it_is_revoked(told: PostalCluster) -> None:
    told.channel = is_silent
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    told.crash()
    told.channel = PostalCluster.channel
    revoked = {"at": "2027-02-02", "reason": "an error"}
    name = told.decisions[0].metadata.name
    told.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    told.forget()
    told.settle(at("2027-02-02"))
    assert kinds(told) == ["UnpublishCancelled"]
    states = {one.state.value for one in decided(told).notices if one.kind is NoticeKind.UNPUBLISH_SCHEDULED}
    assert states == {"Superseded"}


def test_what_is_under_way_is_waited_for(told: PostalCluster) -> None:
    told.channel = is_silent
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    revoked = {"at": "2027-02-02", "reason": "an error"}
    name = told.decisions[0].metadata.name
    told.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    told.settle(at("2027-02-02"))
    told.channel = PostalCluster.channel
    told.settle(at("2027-02-02"))
    assert {one.state.value for one in decided(told).notices} == {"Sent"}


def test_what_nobody_was_told_of_needs_no_cancelling(told: PostalCluster) -> None:
    told.policy = worlds.POLICY
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    told.policy = POLICY
    revoked = {"at": "2027-02-02", "reason": "an error"}
    told.edit(("UnpublishDecision", "", told.decisions[0].metadata.name), spec={"revoked": revoked})
    told.settle(at("2027-02-02"))
    assert kinds(told) == []


def test_what_nobody_heard_of_needs_no_cancelling(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    told.advance(DECIDED, DECIDED + DAY)
    told.channel = PostalCluster.channel
    told.forget()
    revoked = {"at": "2027-02-02", "reason": "an error"}
    told.edit(("UnpublishDecision", "", told.decisions[0].metadata.name), spec={"revoked": revoked})
    told.advance(DECIDED + DAY, DECIDED + 3 * DAY)
    assert kinds(told) == []


def test_channels_that_come_later_announce_what_is_to_come(told: PostalCluster) -> None:
    told.policy = worlds.POLICY
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    assert (kinds(told), decided(told).notices) == ([], ())
    assert decided(told).warned_at == DECIDED, "Events have told so much"
    told.policy = POLICY
    told.settle(at("2027-02-03"))
    assert kinds(told) == ["UnpublishScheduled"]


def test_a_contact_that_comes_later_is_told_while_nobody_is_informed(told: PostalCluster) -> None:
    told.policy = replace(POLICY, channels=BOTH[:1])
    told.channel = refused_for_good
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    assert decided(told).informed_at is None
    contacts = [{"name": "N", "email": "new@pmlp.example"}]
    told.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
    told.forget()
    told.channel = PostalCluster.channel
    told.settle(at("2027-02-02"))
    assert [letter.recipient for letter in told.sent] == ["new@pmlp.example"]
    assert decided(told).informed_at == at("2027-02-02")


def test_a_contact_that_comes_once_somebody_is_informed_is_told_the_next_thing(
    announced: PostalCluster,
) -> None:
    contacts = [{"name": "N", "email": "new@pmlp.example"}]
    announced.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
    announced.forget()
    announced.settle(at("2027-02-02"))
    assert announced.sent == []
    announced.settle(at("2027-03-01"))
    assert [letter.recipient for letter in announced.sent] == ["new@pmlp.example", *EVERYBODY[1:]]


def test_a_contact_that_comes_after_the_end_is_told_of_no_day_to_come(told: PostalCluster) -> None:
    told.policy = replace(POLICY, channels=BOTH[:1])
    told.channel = refused_for_good
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    revoked = {"at": "2027-02-02", "reason": "an error"}
    told.edit(("UnpublishDecision", "", told.decisions[0].metadata.name), spec={"revoked": revoked})
    contacts = [{"name": "N", "email": "new@pmlp.example"}]
    told.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
    told.settle(at("2027-02-02"))
    assert (decided(told).state, decided(told).informed_at) == ("Closed", None)
    assert [one.recipient for one in decided(told).notices] == EVERYBODY[:2]


def test_a_clock_that_is_not_trusted_warns_of_no_day_and_still_tells_an_end(announced: PostalCluster) -> None:
    announced.policy = replace(POLICY, clock_trusted=False)
    announced.settle(at("2027-03-01", "00:00"))
    assert kinds(announced) == ["UnpublishScheduled"]
    revoked = {"at": "2027-03-01", "reason": "an error"}
    name = announced.decisions[0].metadata.name
    announced.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    announced.settle(at("2027-03-01"))
    assert kinds(announced) == ["UnpublishScheduled", "UnpublishCancelled"]


def test_an_end_is_told_also_where_a_policy_only_observes_since(announced: PostalCluster) -> None:
    announced.put(worlds.template(FOUR, lifecycle={"enforcement": "Observe"}))
    revoked = {"at": "2027-02-02", "reason": "an error"}
    name = announced.decisions[0].metadata.name
    announced.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    announced.settle(at("2027-02-02"))
    assert kinds(announced)[-1] == "UnpublishCancelled"


def test_one_that_fails_never_sends_to_the_others_again(told: PostalCluster) -> None:
    told.channel = lambda letter, now: Delivery(
        accepted=letter.recipient != "a@pmlp.example", at=now, error="450 later"
    )
    told.put(worlds.template(FOUR))
    told.advance(DECIDED, DECIDED + 2 * DAY)
    told.forget()
    told.advance(DECIDED + 2 * DAY, DECIDED + 3 * DAY)
    assert {letter.recipient for letter in told.sent} == {"a@pmlp.example"}
    assert len({letter.id for letter in told.sent}) == 2, "the decision, and the duty to migrate"


def test_nobody_is_told_while_a_policy_only_observes(announced: PostalCluster) -> None:
    announced.put(worlds.template(FOUR, lifecycle={"enforcement": "Observe"}))
    announced.forget()
    announced.advance(DECIDED, at("2028-07-01"))
    assert announced.told_of() == []


def test_under_such_a_policy_no_duty_is_told_either(told: PostalCluster) -> None:
    told.put(worlds.template(FOUR, lifecycle={"enforcement": "Observe"}))
    told.advance(DECIDED, at("2028-07-01"))
    assert (told.told_of(), told.decisions) == ([], ())


def test_addresses_that_nobody_has_are_not_tried_over_and_over(told: PostalCluster) -> None:
    told.policy = replace(POLICY, channels=BOTH[:1])
    contacts = [{"name": "N", "email": f"{number}@pmlp.example"} for number in range(16)]
    told.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
    told.channel = refused_for_good
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    for day, fresh in enumerate((16, 20, 24), start=1):
        numbers = (*range(12), *range(fresh, fresh + 4))
        contacts = [{"name": "N", "email": f"{number}@pmlp.example"} for number in numbers]
        told.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
        told.settle(DECIDED + day * DAY)
    once = Counter(one.recipient for one in told.sent if one.kind is NoticeKind.UNPUBLISH_SCHEDULED)
    assert once == {"j@agency.example": 1, **{f"{number}@pmlp.example": 1 for number in range(28)}}
    told.forget()
    told.advance(DECIDED + 4 * DAY, EFFECT - DAY)
    sent = Counter((letter.kind, letter.recipient) for letter in told.sent)
    assert {kind.value for kind, _ in sent} == {"UnpublishWarning"}
    assert set(sent.values()) == {3}


def test_who_comes_later_waits_for_room_in_a_full_ledger_without_a_write(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    for round_ in range(6):
        contacts = [{"name": "N", "email": f"{round_}-{number}@pmlp.example"} for number in range(16)]
        told.edit(("EServiceRegistration", "", NAME), spec={"institution": {"contacts": contacts}})
        told.settle(DECIDED + timedelta(seconds=round_))
    states = Counter(notice.state for notice in decided(told).notices)
    assert states == {NoticeState.RETRYING: MOST_ON_THEIR_WAY}, "nobody failed who was never tried"
    told.forget()
    told.settle(DECIDED + timedelta(seconds=6))
    assert (told.log, told.statuses, told.sent) == ([], [], [])
    told.channel = PostalCluster.channel
    told.advance(DECIDED + timedelta(seconds=6), DECIDED + DAY)
    assert decided(told).informed_at is not None


def test_a_letter_keeps_its_date_however_often_it_is_tried(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    told.settle(DECIDED + timedelta(minutes=1))
    told.settle(DECIDED + timedelta(minutes=3))
    letters = [letter for letter in told.sent if letter.kind is NoticeKind.UNPUBLISH_SCHEDULED]
    assert Counter(letter.recipient for letter in letters) == dict.fromkeys(EVERYBODY, 3)
    assert {letter.at for letter in letters} == {DECIDED}
    noted = [one for one in decided(told).notices if one.kind is NoticeKind.UNPUBLISH_SCHEDULED]
    assert {(one.entered, one.at) for one in noted} == {(DECIDED, DECIDED + timedelta(minutes=3))}


def test_a_refusal_is_looked_at_again_after_its_pause(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    decision = told.settle(DECIDED)
    assert decision is not None
    assert decision.next_at == DECIDED + 60 * SECOND


def test_the_effect_waits_until_somebody_is_informed(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    told.advance(at("2027-05-31"), EFFECT + DAY)
    assert (decided(told).state, decided(told).reason) == ("Held", "NoticeUndelivered")
    told.channel = PostalCluster.channel
    told.advance(EFFECT + DAY, EFFECT + DAY + DAY / 2)
    assert decided(told).state == "Effective"
    assert kinds(told)[-1] == "Unpublished"


def test_who_could_not_be_told_before_the_effect_is_a_failure_that_somebody_looks_at(
    told: PostalCluster,
) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    told.advance(at("2027-05-31"), EFFECT + 5 * DAY)
    assert decided(told).state == "Effective", "holdUninformed is over"
    announcements = [one for one in decided(told).notices if one.kind is NoticeKind.UNPUBLISH_SCHEDULED]
    assert {one.state.value for one in announcements} == {"Failed"}


@pytest.mark.parametrize("channels, reason", [(BOTH, "NoticeUndelivered"), (BOTH[1:], "Effective")])
def test_a_sink_informs_only_where_it_is_the_only_way(
    told: PostalCluster, channels: tuple[tuple[Channel, str], ...], reason: str
) -> None:
    told.policy = replace(POLICY, channels=channels)
    told.channel = refused_for_good
    told.put(worlds.template(FOUR))
    told.advance(at("2027-05-31"), EFFECT)
    assert decided(told).reason == reason
    assert (decided(told).informed_at is None) == (channels == BOTH)


def test_a_cancelled_day_is_cancelled_in_the_calendar(announced: PostalCluster) -> None:
    first = mail_of(by_mail(announced, NoticeKind.UNPUBLISH_SCHEDULED), OPERATOR).content
    revoked = {"at": "2027-02-02", "reason": "an error"}
    name = announced.decisions[0].metadata.name
    announced.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    announced.settle(at("2027-02-02"))
    last = mail_of(by_mail(announced, NoticeKind.UNPUBLISH_CANCELLED), OPERATOR).content
    first_entry, last_entry = (read_entry(mail) for mail in (first, last))
    assert (first_entry["METHOD"], last_entry["METHOD"]) == ("PUBLISH", "CANCEL")
    assert (first_entry["STATUS"], last_entry["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert first_entry["UID"] == last_entry["UID"]
    assert int(first_entry["SEQUENCE"]) < int(last_entry["SEQUENCE"])
    assert first_entry["DTSTART"] == last_entry["DTSTART"] == "20270601"


def by_mail(cluster: PostalCluster, kind: NoticeKind) -> Letter:
    """The letter of that kind to the contact."""
    return next(one for one in cluster.sent if one.kind is kind and one.recipient == EVERYBODY[0])


def read_entry(mail: bytes) -> dict[str, str]:
    """The entry for the calendar in a mail, as a calendar reads it."""
    message = message_from_bytes(mail, policy=policy.default)
    (shown,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    lines = str(shown.get_content()).splitlines()
    calendar = ics.read("".join(f"{line}\r\n" for line in lines).encode())
    (event,) = calendar.parts
    assert shown.get_param("method") == calendar.properties["METHOD"]
    return calendar.properties | event.properties


def test_what_nobody_heard_of_is_announced_and_not_moved(told: PostalCluster) -> None:
    told.channel = refuses
    told.put(worlds.template(FOUR))
    told.settle(DECIDED)
    told.put(worlds.template(FOUR, lifecycle={"enforcement": "Warn"}))
    told.settle(EFFECT + DAY)
    told.channel = PostalCluster.channel
    told.forget()
    told.put(worlds.template(FOUR))
    told.settle(EFFECT + 2 * DAY)
    assert kinds(told) == ["UnpublishScheduled"]
    assert "reason" not in last_of(told, NoticeKind.UNPUBLISH_SCHEDULED).facts


def test_only_a_deferral_is_the_reason_of_a_move(announced: PostalCluster) -> None:
    announced.put(worlds.template(FOUR, lifecycle={"enforceFrom": "2027-12-01"}))
    announced.settle(DECIDED + DAY)
    assert "reason" not in last_of(announced, NoticeKind.UNPUBLISH_MOVED).facts


# e-services


def test_at_rest_nothing_is_told_and_nothing_is_computed_anew(announced: PostalCluster) -> None:
    announced.forget()
    decision = announced.settle(DECIDED + SECOND)
    assert decision is not None
    assert (announced.sent, announced.statuses, decision.actions) == ([], [], ())
    assert decision.next_at == at("2027-03-01", "00:00"), "the next step"


def test_the_way_back_is_told(announced: PostalCluster) -> None:
    announced.advance(DECIDED, EFFECT)
    announced.forget()
    announced.put(worlds.deferral("2027-07-31"))
    announced.settle(at("2027-06-03"))
    assert sorted(kinds(announced)) == ["Republished", "UnpublishMoved"]
    announced.advance(at("2027-06-03"), at("2027-08-02"))
    assert kinds(announced)[-1] == "Unpublished", "and again, once more"


def test_a_first_look_tells_nothing_of_what_is_already_so() -> None:
    cluster = PostalCluster()
    cluster.put(
        worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.pods_start = False
    cluster.settle(at("2026-11-20"))
    assert cluster.status.installation.overdue_since == date(2026, 10, 20)
    assert cluster.sent == []


def test_a_term_that_nobody_heard_of_is_not_told_once_it_is_installed(told: PostalCluster) -> None:
    told.channel = refuses
    holder = {"namespace": "ur-production", "name": "population-register"}
    told.put(worlds.act("act-2", spec={"image": worlds.image("b")}))
    told.edit_service(
        release={"image": worlds.image("b")},
        uses=[{"name": "persons", "webService": holder}],
        productionRequest={"requestedAt": "2026-10-13", "requestedBy": "A. Bērziņa"},
    )
    told.settle(NOW + DAY)
    assert told.told_of() == ["InstallationDue"]
    told.edit_service(uses=[])
    told.settle(NOW + DAY)
    assert told.status.installation.installed_at is not None
    told.forget()
    told.channel = PostalCluster.channel
    told.settle(NOW + 2 * DAY)
    assert "InstallationDue" not in told.told_of()
    states = {one.state.value for one in told.status.notices if one.kind is NoticeKind.INSTALLATION_DUE}
    assert states == {"Superseded"}


def test_a_verification_is_wanted_once_however_the_pods_flap(told: PostalCluster) -> None:
    told.remove(("ProductionVerification", worlds.NAMESPACE, "verified-1"))
    renewed = {"release": {"image": worlds.image("b")}}
    told.put(worlds.act("act-2", spec={"image": worlds.image("b")}))
    told.edit_service(**renewed)
    told.settle(NOW + DAY)
    assert told.told_of() == ["VerificationWanted"]
    place = next(
        place for place in told.objects if place[0] == "Deployment" and "b" in str(told.objects[place])
    )
    for _ in range(3):
        status = told.objects[place]["status"]
        for condition in status["conditions"]:
            condition["status"] = "False" if condition["type"] == "Available" else condition["status"]
        told.reconcile(NOW + DAY)
        told.settle(NOW + 2 * DAY)
    assert told.told_of() == ["VerificationWanted"]


def test_what_was_told_to_some_is_told_to_nobody_anew() -> None:
    tiding = Tiding(NoticeKind.VERIFICATION_WANTED, "4f1c")
    (first, *_) = entries(tiding, "uid", NOW, recipients(POLICY, None))
    assert told_before((first,), tiding, "uid")
    assert not told_before((first,), Tiding(NoticeKind.VERIFICATION_WANTED, "5e2d"), "uid")
    assert not told_before((first,), Tiding(NoticeKind.REPUBLISHED, "4f1c"), "uid")
    assert not told_before((first,), tiding, "another")


def test_other_environments_are_told_nothing() -> None:
    cluster = PostalCluster()
    cluster.put(worlds.template(), worlds.registration(), worlds.eservice_in_test())
    cluster.settle(NOW)
    cluster.put(worlds.template(FOUR))
    cluster.advance(NOW, at("2027-06-05"))
    assert cluster.sent == []


def test_a_ledger_with_an_unknown_template_still_tries_again(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.settle(at("2027-05-01", "00:00"))
    announced.remove(("EServiceTemplate", "", worlds.TEMPLATE))
    announced.channel = PostalCluster.channel
    announced.settle(at("2027-05-01", "00:02"))
    assert {notice.state for notice in decided(announced).notices} == {NoticeState.SENT}


# what letters say


def test_a_letter_has_the_facts(announced: PostalCluster) -> None:
    letter = announced.sent[0]
    assert letter.source == f"EService {worlds.NAMESPACE}/{NAME}"
    assert (letter.institution, letter.identifier) == ("PMLP", "EP-000007")
    assert (letter.contacts, letter.agency_contact) == (("a@pmlp.example",), "j@agency.example")
    assert letter.title.lv == "Dzīvesvietas deklarēšana"
    scheduled = next(one for one in announced.sent if one.kind is NoticeKind.UNPUBLISH_SCHEDULED)
    assert scheduled.due == date(2027, 6, 1)
    assert dict(scheduled.facts) == {
        "template": worlds.TEMPLATE,
        "version": "3.0.0",
        "current": "3.0.0",
        "instruction": "https://docs.example/3.0.0",
        "catalogue": "https://latvija.example/p1",
        "publicURL": "https://address.latvija.example/",
        "decision": f"{NAME}-production-001",
        "overdueSince": "2027-06-01",
        "migrateBy": "2028-06-01",
        "dueBy": "2026-10-19",
        "released": "2025-10-01",
        "cause": "4.0.0",
        "causeReleased": "2027-05-01",
        "causePublished": "2027-06-01",
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
    }


def test_a_letter_says_when_its_day_has_come_already(told: PostalCluster) -> None:
    told.put(worlds.template(FOUR))
    told.settle(at("2027-06-02"))
    scheduled = next(one for one in told.sent if one.kind is NoticeKind.UNPUBLISH_SCHEDULED)
    assert scheduled.facts["late"] == "yes"


DISTANCE = {"released", "cause", "causeReleased", "causePublished", "maximumLag", "lagMeasure"}
RECALL = {"withdrawnOn", "replaceBy", "recallReason"}


def grounds_of(letter: Letter) -> dict[str, str]:
    """What it says of why the e-service is overdue."""
    return {name: value for name, value in letter.facts.items() if name in DISTANCE | RECALL}


def last_of(cluster: PostalCluster, kind: NoticeKind) -> Letter:
    return next(letter for letter in reversed(cluster.sent) if letter.kind is kind)


def test_a_letter_gives_the_reasons_that_the_decision_recorded(announced: PostalCluster) -> None:
    before = grounds_of(last_of(announced, NoticeKind.UNPUBLISH_SCHEDULED))
    assert set(before) == DISTANCE
    announced.put(worlds.template(FOUR, lifecycle={"maximumLag": "P13M"}))
    announced.settle(at("2027-05-25", "00:00"))
    assert grounds_of(last_of(announced, NoticeKind.UNPUBLISH_WARNING)) == before
    announced.settle(EFFECT)
    assert grounds_of(last_of(announced, NoticeKind.UNPUBLISHED)) == before | {"maximumLag": "P13M"}


def test_a_recall_is_told_with_its_days_and_its_reason(told: PostalCluster) -> None:
    recalled = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at="2027-01-15", replaceBy="2027-05-31")
    told.put(worlds.template((worlds.VERSIONS[0], recalled)))
    told.settle(DECIDED)
    recall = {"withdrawnOn": "2027-01-15", "replaceBy": "2027-05-31", "recallReason": "a fault"}
    assert grounds_of(last_of(told, NoticeKind.UNPUBLISH_SCHEDULED)) == recall
    told.settle(EFFECT)
    assert grounds_of(last_of(told, NoticeKind.UNPUBLISHED)) == recall


def test_a_term_speaks_of_the_release_that_is_wanted_and_says_when_it_is_over(told: PostalCluster) -> None:
    holder = {"namespace": "ur-production", "name": "population-register"}
    newer = (*worlds.VERSIONS, worlds.version("4.0.0", "2026-09-01", "2026-10-01"))
    wanted = {"name": worlds.TEMPLATE, "version": "4.0.0"}
    act = worlds.act("act-2", spec={"image": worlds.image("b"), "template": wanted})
    told.put(worlds.template(newer), act)
    told.edit_service(
        template=wanted,
        release={"image": worlds.image("b")},
        uses=[{"name": "persons", "webService": holder}],
        productionRequest={"requestedAt": "2026-10-13", "requestedBy": "A. Bērziņa"},
    )
    told.settle(NOW + DAY)
    told.settle(NOW + 30 * DAY)
    said = {letter.kind.value: (letter.facts["version"], letter.facts.get("late")) for letter in told.sent}
    assert said == {
        "InstallationDue": ("4.0.0", None),
        "MigrationDue": ("3.0.0", None),
        "InstallationOverdue": ("4.0.0", "yes"),
    }


OPEN_ENDED = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at="2027-02-15")


def test_a_recall_without_a_last_day_is_told_too(told: PostalCluster) -> None:
    told.put(worlds.template((worlds.VERSIONS[0], OPEN_ENDED)))
    told.settle(DECIDED)
    told.settle(at("2027-02-16"))
    assert told.told_of() == ["VersionWithdrawn"]
    facts = last_of(told, NoticeKind.VERSION_WITHDRAWN).facts
    assert (facts["withdrawnOn"], facts["recallReason"]) == ("2027-02-15", "a fault")
    assert [note.reason for note in told.told] == ["VersionWithdrawn"]


def test_of_a_recall_nobody_is_told_twice_nor_under_a_policy_that_only_observes(told: PostalCluster) -> None:
    recalled = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at="2027-01-15", replaceBy="2027-05-31")
    told.put(worlds.template((worlds.VERSIONS[0], recalled)))
    told.settle(DECIDED)
    assert "VersionWithdrawn" not in told.told_of()
    told.put(worlds.template((worlds.VERSIONS[0], OPEN_ENDED), lifecycle={"enforcement": "Observe"}))
    told.settle(DECIDED + DAY)
    assert "VersionWithdrawn" not in told.told_of()


def test_under_warn_the_reasons_are_those_of_the_lag(told: PostalCluster) -> None:
    told.put(worlds.template(FOUR, lifecycle={"enforcement": "Warn", "lagMeasure": "SinceSuperseded"}))
    told.settle(DECIDED)
    warned = last_of(told, NoticeKind.OVERDUE_EXPECTED)
    assert (warned.due, warned.facts["lagMeasure"]) == (date(2028, 12, 2), "SinceSuperseded")
    assert (warned.facts["cause"], warned.facts["causePublished"]) == ("4.0.0", "2027-06-01")


def test_without_its_registration_a_letter_still_says_what_it_can(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.settle(at("2027-05-01", "00:00"))
    announced.remove(("EServiceRegistration", "", NAME))
    world = announced.world()
    again = at("2027-05-01", "00:01")
    decision = decide(world, again, POLICY)
    letters = service_letters(decision.facts, world.service.status)
    assert [letter.recipient for letter in letters] == EVERYBODY
    assert {(letter.identifier, letter.contacts) for letter in letters} == {("EP-000007", ())}


# registrations


def registered(*, allocated: bool = True, status: object = None) -> RegistrationWorld:
    body = worlds.registration(status=status)
    registration = EServiceRegistration.model_validate(body)
    owner = registration.metadata.uid if allocated else "uid-before-the-restore"
    record = {
        "metadata": {"name": "ep-000007", "labels": {"eservice.dev/owner-uid": owner}},
        "spec": {"identifier": "EP-000007", "registration": NAME},
    }
    return RegistrationWorld(registration, identifiers=(EServiceIdentifier.model_validate(record),))


def test_a_number_that_was_allocated_is_told_once() -> None:
    world = registered()
    decision = decide_registration(world)
    status = registration_status(decision, Outcome(()), NOW, POLICY)
    assert [notice.recipient for notice in status.notices] == EVERYBODY
    (first, *_) = registration_letters(world.registration, status, NOW)
    assert (first.kind, first.identifier) == (NoticeKind.IDENTIFIER_ASSIGNED, "EP-000007")
    assert first.source == f"EServiceRegistration {NAME}"
    answers = {notice.id: Delivery(accepted=True, at=NOW) for notice in status.notices}
    later = replace(registered(status=status_body(status)), deliveries=answers)
    again = registration_status(decide_registration(later), Outcome(()), NOW + DAY, POLICY)
    assert {notice.state for notice in again.notices} == {NoticeState.SENT}
    assert len(again.notices) == 3


@pytest.mark.parametrize(
    "world", [registered(allocated=False), registered(status=worlds.registration()["status"])]
)
def test_a_number_that_was_there_is_not_told(world: RegistrationWorld) -> None:
    assert registration_status(decide_registration(world), Outcome(()), NOW, POLICY).notices == ()


# templates


def test_a_brake_is_told_to_the_owner_and_the_sinks_once_for_each_set() -> None:
    template = EServiceTemplate.model_validate(worlds.template())
    held = (HeldSet(token="a1", since=NOW, count=12, decisions=("p1", "p2"), caused_by=("4.0.0",)),)  # noqa: S106 - of a held set
    notices = template_notices(template, held, {}, NOW, POLICY)
    assert [notice.recipient for notice in notices] == ["platform@agency.example", SINK]
    status = template.status.model_copy(update={"held": held, "notices": notices})
    (first, _) = template_letters(template, status, NOW)
    assert dict(first.facts) == {
        "template": worlds.TEMPLATE,
        "token": "a1",
        "count": "12",
        "cause": "4.0.0",
        "decisions": "p1, p2",
    }
    assert first.agency_contact == "platform@agency.example"
    braked = template.model_copy(update={"status": status})
    assert template_notices(braked, held, {}, NOW, POLICY) == notices
    before_channels = braked.model_copy(update={"status": status.model_copy(update={"notices": ()})})
    assert template_notices(before_channels, held, {}, NOW, POLICY) == ()
    both = (*held, HeldSet(token="b2", since=NOW, count=7))  # noqa: S106 - of a held set
    notices = template_notices(braked, both, {}, NOW, POLICY)
    letters = template_letters(braked, status.model_copy(update={"held": both, "notices": notices}), NOW)
    assert [letter.facts["token"] for letter in letters] == ["a1", "a1", "b2", "b2"], "each of its own set"
