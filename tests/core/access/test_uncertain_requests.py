# SPDX-License-Identifier: Apache-2.0
"""Who asks for a web service, and may turn out to be nobody: listed and told of once that is certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from eservice_operator.api.registration import EServiceRegistrationStatus
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.access.case import Consumer
from eservice_operator.core.access.notes import web_service_notes
from tests.core.access.register import consumer
from tests.core.access.test_holder_notices import MINUTE, Desk, asking
from tests.support import access
from tests.support.worlds import NAME, NAMESPACE, NOW


@pytest.fixture
def desk() -> Desk:
    """One that was looked at before anybody asked."""
    found = Desk()
    found.look()
    return found


def of_unread(known: Consumer) -> Consumer:
    """Its registration is there, and nobody can read it."""
    return replace(known, registration=None, unread=frozenset({"EServiceRegistration"}))


def of_unseen(known: Consumer) -> Consumer:
    """Nobody has looked at its registration yet: of a new one, or one restored without its status."""
    assert known.registration is not None
    unseen = known.registration.model_copy(update={"status": EServiceRegistrationStatus()})
    return replace(known, registration=unseen)


@pytest.mark.parametrize("unclear", [of_unseen, of_unread])
def test_who_may_turn_out_to_be_nobody_is_told_of_once_that_is_certain(
    desk: Desk, unclear: Callable[[Consumer], Consumer]
) -> None:
    desk.consumers = (unclear(asking("tax")),)
    before = desk.status
    assert desk.told() == []
    assert (desk.status.requests, desk.status.request_count, desk.status.waiting_count) == ((), 0, 0)
    assert web_service_notes(before, desk.status) == ()
    desk.consumers = (asking("tax"),)
    before = desk.status
    assert desk.told(NOW + MINUTE) == ["AccessRequested tax-production/tax v5"]
    assert [note.reason for note in web_service_notes(before, desk.status)] == ["AccessRequested"]


@pytest.mark.parametrize("unclear", [of_unseen, of_unread])
def test_who_is_known_stays_listed_and_is_told_once(
    desk: Desk, unclear: Callable[[Consumer], Consumer]
) -> None:
    desk.consumers = (asking("tax"),)
    assert desk.told() == ["AccessRequested tax-production/tax v5"]
    for consumers in ((unclear(asking("tax")),), (asking("tax"),)):
        desk.consumers, before = consumers, desk.status
        assert desk.told(NOW + MINUTE) == []
        (listed,) = desk.status.requests
        assert (listed.e_service, listed.institution, listed.since) == ("tax", "tax", NOW)
        assert desk.status.waiting_count == 1
        assert web_service_notes(before, desk.status) == ()


def test_where_the_list_was_lost_too_a_request_is_rather_told_twice(desk: Desk) -> None:
    desk.consumers = (asking("tax"),)
    assert desk.told() == ["AccessRequested tax-production/tax v5"]
    desk.status, desk.consumers = WebServiceStatus(), (of_unseen(asking("tax")),)
    assert desk.told(NOW + MINUTE) == []
    desk.consumers = (asking("tax"),)
    assert desk.told(NOW + 2 * MINUTE) == ["AccessRequested tax-production/tax v5"]


@pytest.mark.parametrize("unclear, institution", [(of_unseen, "address-declaration"), (of_unread, "unknown")])
def test_who_was_answered_is_listed(unclear: Callable[[Consumer], Consumer], institution: str) -> None:
    known = consumer((NAMESPACE, NAME), access.use("v5"))
    found = Desk((unclear(known),), grants=(access.grant(),))
    found.look()
    (listed,) = found.status.requests
    assert (listed.namespace, listed.e_service, listed.institution) == (NAMESPACE, NAME, institution)
    assert found.status.waiting_count == 0
