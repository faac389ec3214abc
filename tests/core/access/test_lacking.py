# SPDX-License-Identifier: Apache-2.0
"""R3: what a use that is allowed lacks all the same: both sides read it, and nothing is judged by it."""

from __future__ import annotations

import pytest

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.grant import GrantState, WebServiceGrant, WebServiceGrantStatus
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.access.lacking import (
    HINDRANCES,
    doing_without,
    fallen_short,
    is_seen_open,
    lack_of,
)
from eservice_operator.core.access.requesting import request_state
from eservice_operator.core.access.using import UseStanding
from tests.core.access.register import (
    NOT_OPEN,
    Register,
    agents_register,
    consumer,
    customer_place,
    granted,
    not_open,
    passed,
)
from tests.support import access
from tests.support.worlds import NAME, NAMESPACE, NOW

PLACE = (NAMESPACE, NAME)
KEY = {"secretName": "persons-key"}


def register(grant: WebServiceGrant) -> Register:
    return Register(
        offers=(access.offer(),),
        grants=(grant,),
        consumers=(consumer(PLACE, access.use("v5")),),
        tests=passed(access.connection_test()),
    )


def grant(**spec: object) -> WebServiceGrant:
    (made,) = granted(access.grant(spec=spec))
    return made


def standing(found: WebServiceGrant) -> UseStanding:
    return register(found).standing(PLACE)


def told(found: WebServiceGrant) -> tuple[str, str] | None:
    lack = lack_of(standing(found))
    return None if lack is None else (lack.reason.value, lack.message)


def with_credentials(status: str, reason: str, message: str = "there is no Secret") -> WebServiceGrant:
    found = grant(credentials=KEY, validUntil="2028-12-31")
    condition = Condition(
        type="CredentialsCopied",
        status=ConditionStatus(status),
        reason=reason,
        message=message,
        last_transition_time=NOW,
    )
    return found.model_copy(update={"status": found.status.model_copy(update={"conditions": (condition,)})})


@pytest.mark.parametrize("reason", sorted(HINDRANCES))
def test_an_allowed_version_that_is_not_open_says_why(reason: str) -> None:
    found = not_open(grant(), "v5", reason=reason)
    assert told(found) == (reason, NOT_OPEN)
    (short,) = fallen_short([standing(found)])
    assert (short.reason, short.message, short.grant) == (reason, NOT_OPEN, standing(found).grant)
    assert standing(found).allowed, "what may be called hangs on no status"


def test_what_the_operators_settings_close_is_read_where_these_are_not_known() -> None:
    found = not_open(grant(), "v5", reason="BackendNotAllowed")
    (entry,) = found.status.contract_versions
    for state in (GrantState.PENDING, GrantState.REVOKED):
        entries = (entry.model_copy(update={"state": state}),)
        status = found.status.model_copy(update={"contract_versions": entries})
        assert told(found.model_copy(update={"status": status})) == ("BackendNotAllowed", NOT_OPEN)


def test_what_is_open_lacks_nothing() -> None:
    assert told(grant()) is None
    assert told(not_open(grant(), "v4")) is None, "that is another version"
    assert list(fallen_short([standing(grant())])) == []


def test_what_nobody_has_seen_open_is_not_open() -> None:
    opening = ("Opening", "granted, and not yet open: it is being opened")
    assert told(grant().model_copy(update={"status": WebServiceGrantStatus()})) == opening
    assert told(not_open(grant(), "v5", reason="EvidenceMissing")) == opening, "of a moment ago"


def edited(found: WebServiceGrant) -> WebServiceGrant:
    """A grant whose spec was written to since its status was."""
    later = found.metadata.model_copy(update={"generation": found.metadata.generation + 1})
    return found.model_copy(update={"metadata": later})


def test_what_was_open_stays_so_while_its_grant_is_edited() -> None:
    assert told(edited(grant())) is None
    assert is_seen_open(standing(edited(grant())))


def test_why_another_spec_was_not_open_counts_for_nothing() -> None:
    found = edited(not_open(grant(), "v5"))
    assert told(found) == ("Opening", "granted, and not yet open: it is being opened")
    assert not is_seen_open(standing(found))


def test_what_is_not_allowed_lacks_nothing_beside_that() -> None:
    assert told(not_open(grant(refused={"reason": "no law"}), "v5")) is None


def test_what_is_open_without_its_credentials_is_open() -> None:
    found = standing(with_credentials("False", "CredentialsMissing"))
    assert list(fallen_short([found])) == []
    assert [one.reason.value for one in doing_without([found])] == ["CredentialsMissing"]
    assert list(doing_without([standing(not_open(grant(), "v5"))])) == []
    assert request_state(found) is RequestState.GRANTED


def test_credentials_that_are_not_copied_are_told_with_what_is_granted() -> None:
    assert told(with_credentials("False", "CredentialsMissing")) == (
        "CredentialsMissing",
        "granted until 2028-12-31, that day included; without its credentials: there is no Secret",
    )
    assert told(with_credentials("True", "CredentialsCopied")) is None
    assert told(with_credentials("Unknown", "Progressing")) is None, "not yet"
    assert told(with_credentials("False", "Whatever")) is None, "no operator has written that"


def test_a_customer_reads_what_keeps_its_agent_from_calling() -> None:
    there = agents_register()
    (connected,) = there.grants
    cut_off = there.but(grants=(not_open(connected, "v5"),)).standing(customer_place("Ogre"))
    lack = lack_of(cut_off)
    assert cut_off.allowed
    assert lack is not None
    assert (lack.reason, lack.message) == ("NameCollision", NOT_OPEN)


def test_an_agent_that_calls_another_version_serves_its_customers() -> None:
    versions = granted(access.grant("evry", spec={"contractVersions": access.granted("v5", "v6")}))
    there = agents_register()
    (connected,) = there.grants
    spec = connected.spec.model_copy(update={"contract_versions": versions[0].spec.contract_versions})
    there = there.but(grants=(not_open(connected.model_copy(update={"spec": spec}), "v6"),))
    assert lack_of(there.standing(customer_place("Ogre"))) is None


def test_the_credentials_of_an_agent_are_no_customers_affair() -> None:
    there = agents_register()
    (connected,) = there.grants
    bare = with_credentials("False", "CredentialsMissing")
    spec = connected.spec.model_copy(update={"credentials": bare.spec.credentials})
    there = there.but(grants=(connected.model_copy(update={"spec": spec, "status": bare.status}),))
    assert lack_of(there.standing(customer_place("Ogre"))) is None
    application = next(one for one in there.standings(("evry-production", "gateway")) if one.allowed)
    assert lack_of(application) is not None
