# SPDX-License-Identifier: Apache-2.0
"""What is said of the mails and of the log of an operator that was killed."""

from __future__ import annotations

from tests.faults.endings import once_each, resent, told_twice
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
