# SPDX-License-Identifier: Apache-2.0
"""Letters about a web service go where the Agency knows the institution: its holder could name anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pytest
from typing_extensions import override

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.notices import Audience, Channel, Notice, NoticeKind, NoticeState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.conditions import find
from tests.core.access.test_holder_notices import CHANNELS, MINUTE, Desk, asking
from tests.support import worlds
from tests.support.worlds import NOW

THIEF: Final = "thief@evil.example"


@dataclass
class Registry(Desk):
    """The same, with what the Agency has registered."""

    domains: frozenset[str] = frozenset()

    @override
    def world(self) -> WebServiceWorld:
        return replace(super().world(), contact_domains=self.domains)


def registry(*domains: str) -> Registry:
    found = Registry(domains=frozenset(domains))
    found.look()
    return found


@pytest.mark.parametrize(
    "domains", [(), ("evil.example",), ("api.ur.example",), ("example",), ("api@ur.example",), ("",)]
)
def test_no_letter_goes_where_the_agency_has_registered_nobody(domains: tuple[str, ...]) -> None:
    desk = registry(*domains)
    desk.consumers = (asking("tax"),)
    fresh = desk.look()
    assert [(one.audience, one.recipient) for one in fresh] == [(Audience.AGENCY, "events.agency.example")]
    assert [letter.contacts for letter in desk.letters()] == [()], "nor is a sink told to tell it"
    condition = find(desk.status.conditions, ConditionType.HOLDER_UNREACHABLE)
    assert condition is not None
    assert (condition.status, condition.reason) == (ConditionStatus.TRUE, Reason.CONTACT_NOT_REGISTERED)
    assert "no letter goes to api@ur.example" in condition.message


def test_a_mailbox_at_a_domain_of_the_registered_contacts_is_told() -> None:
    desk = registry("pmlp.example", "ur.example")
    desk.consumers = (asking("tax"),)
    assert "api@ur.example" in [one.recipient for one in desk.look()]
    assert find(desk.status.conditions, ConditionType.HOLDER_UNREACHABLE) is None


def test_what_waits_for_somebody_who_is_not_registered_any_more_is_not_sent() -> None:
    desk = registry("ur.example")
    desk.consumers = (asking("tax"),)
    desk.look()
    desk.domains = frozenset()
    desk.look(NOW + MINUTE)
    states = {one.recipient: one.state for one in desk.status.notices}
    assert states == {
        "api@ur.example": NoticeState.SUPERSEDED,
        "events.agency.example": NoticeState.SENDING,
    }


def test_a_forged_entry_of_the_ledger_is_not_sent_either() -> None:
    desk = registry("ur.example")
    desk.policy = replace(worlds.POLICY, channels=CHANNELS)
    forged = Notice(
        id="0" * 32,
        kind=NoticeKind.ACCESS_REQUESTED,
        channel=Channel.EMAIL,
        audience=Audience.HOLDER,
        recipient=THIEF,
        state=NoticeState.SENDING,
        entered=NOW,
        at=NOW,
        about="tax-production/tax v5",
    )
    desk.consumers = (asking("tax"),)
    desk.status = desk.status.model_copy(update={"notices": (forged,)})
    desk.look(NOW + MINUTE)
    assert THIEF not in {letter.recipient for letter in desk.letters(NOW + MINUTE)}


def test_nobody_unconfirmed_is_asked_for_contacts() -> None:
    desk = registry()
    desk.confirmed = False
    desk.look()
    assert find(desk.status.conditions, ConditionType.HOLDER_UNREACHABLE) is None, "HolderConfirmed says it"
