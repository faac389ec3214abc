# SPDX-License-Identifier: Apache-2.0
"""What is said of the mails and of the log of an operator that was killed."""

from __future__ import annotations

from collections import Counter

from eservice_operator.core.actions import Manifest
from tests.faults.endings import (
    Ending,
    entered,
    once_each,
    resent,
    seen_alike,
    told_alike,
    told_more_often,
    told_twice,
    unlike,
)
from tests.support.mailserver import Received

BORN = {"msg": "answering probes and scrapes on 127.0.0.1:8080"}


def letter(identifier: str, recipient: str = "a@pmlp.example") -> Received:
    content = f"Message-ID: <{identifier}@agency.example>\n\nText\n".encode()
    return Received("e@agency.example", (recipient,), content, protected=False, user="")


def accepted(identifier: str) -> dict[str, str]:
    return {"msg": f"Published {identifier} accepted (Email)"}


def test_a_letter_may_be_handed_over_again_by_another_life_and_not_by_the_same() -> None:
    assert told_twice([BORN, accepted("1"), accepted("2"), BORN, accepted("1")]) == []
    twice = told_twice([BORN, accepted("1"), BORN, accepted("1"), accepted("2"), accepted("1")])
    assert twice == ["life 2: Published 1 accepted (Email), 2 times"]


def test_what_was_sent_before_the_story_does_not_come_in_it() -> None:
    known = once_each([letter("1"), letter("1"), letter("1", "b@pmlp.example")])
    assert len(known) == 2
    assert resent(known, [letter("2"), letter("2"), letter("2", "b@pmlp.example")]) == []
    (wrong,) = resent(known, [letter("2"), letter("1"), letter("1")])
    assert "<1@agency.example>" in wrong


def notice(identifier: str, kind: str = "Unpublished", state: str = "Sent", **fields: str) -> Manifest:
    told = {"id": identifier, "kind": kind, "state": state, "channel": "Email", "recipient": "a@pmlp.example"}
    return told | {"audience": "Institution"} | fields


def service(*notices: Manifest) -> Manifest:
    return {
        "kind": "EService",
        "status": {"phase": "Published"} | ({"notices": [*notices]} if notices else {}),
    }


def test_of_a_ledger_what_the_story_did_to_it_is_compared() -> None:
    before = service(notice("1", "MigrationDue"), notice("2", state="Sending"))
    known = entered([before, service()])
    assert told_alike(before, known) == told_alike(service(), known) == service()
    after = service(notice("1", "MigrationDue"), notice("2"), notice("3", "Republished"))
    assert told_alike(after, known) == service(notice("3", "Republished"), notice("2")), "in one order"
    assert told_alike(service(notice("4", "InstallationDue")), known) == service(), "told as it happens"


def ending(*said: str) -> Ending:
    return Ending([], Counter(), [], Counter(said), Counter(), 0, 0, [])


def test_an_event_that_is_told_again_is_wrong_and_one_that_is_lost_or_told_in_passing_is_not() -> None:
    whole = ending("EService tax Published", "EService tax Switched")
    assert told_more_often(ending("EService tax Published"), whole) == ""
    assert told_more_often(ending(*whole.events, "EService tax Installed"), whole) == ""
    (wrong,) = unlike(ending(*whole.events, "EService tax Published"), whole, "killed here")
    assert wrong == "killed here:\nEvents told more often: {'EService tax Published': 1}"


def test_the_end_of_a_grant_that_goes_is_told_once_or_passed_over() -> None:
    told = "WebServiceGrant tax AccessEnded"
    assert told_more_often(ending(told), ending()) == ""
    assert told_more_often(ending(told, told), ending()) == f"Events told more often: {{'{told}': 2}}"
    assert told_more_often(ending(told, told), ending(told)) == f"Events told more often: {{'{told}': 1}}"
    assert told_more_often(ending("EService tax AccessEnded"), ending()) != ""


def test_a_grant_may_be_seen_going_or_gone() -> None:
    assert seen_alike(["b: the grant was deleted", "a"]) == ["a", "b: the grant is being deleted"]
