# SPDX-License-Identifier: Apache-2.0
"""R10: a testedAs at which nobody can test is said at once, to the holder and to who waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.access.case import Offer
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.conditions import find
from tests.core.access.register import Register, consumer, granted
from tests.core.access.test_holding import said, status, walled
from tests.support import access
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY

NOT_FOUND, UNUSABLE = Reason.TESTED_AS_NOT_FOUND, Reason.TESTED_AS_UNUSABLE
ITSELF = {"testedAs": {"namespace": access.HOLDER, "name": access.REGISTER}}


def trying_at(trial: Offer | None, **parts: Any) -> Offer:
    return access.offer(access.web_service(spec=parts), trial=trial)


def there(**spec: Any) -> Offer:
    return access.offer(access.web_service_in_test(spec=spec))


@pytest.mark.parametrize(
    "offer,reason,why",
    [
        (trying_at(None), NOT_FOUND, "UR has no WebService there that can be read"),
        (trying_at(there(holder={"code": "90000000001"})), NOT_FOUND, "UR has no WebService there"),
        (trying_at(access.offer(access.web_service()), **ITSELF), UNUSABLE, "is the web service itself"),
        (trying_at(there(environment="Production")), UNUSABLE, "is of Production, where nobody tests"),
        (trying_at(there(protocol="REST")), UNUSABLE, "is REST"),
        (
            trying_at(access.offer(access.web_service_in_test(), namespace_labels={})),
            UNUSABLE,
            "opens nothing yet: see its condition HolderConfirmed",
        ),
    ],
)
def test_the_holder_and_who_waits_are_told(offer: Offer, reason: Reason, why: str) -> None:
    register = Register(
        offers=(offer,),
        grants=granted(access.grant()),
        consumers=(consumer((NAMESPACE, NAME), access.use("v5")),),
    )
    found = status(walled(register.web_service()))
    condition = find(found.conditions, ConditionType.TESTED_AS_USABLE)
    assert condition is not None
    assert (condition.status.value, condition.reason) == ("False", reason)
    assert why in condition.message
    assert said(found, ConditionType.READY) == ("True", reason)

    asked = register.standing((NAMESPACE, NAME))
    assert asked.reason is Reason.TEST_MISSING
    assert f"needs a ConnectionTest of the Agency, as {condition.message}" in asked.message


def test_it_says_the_same_of_anothers_and_of_none() -> None:
    none = status(Register(offers=(trying_at(None),)).web_service())
    anothers = status(Register(offers=(trying_at(there(holder={"code": "90000000001"})),)).web_service())
    assert none == anothers


def test_who_only_claims_to_be_the_holder_is_told_nothing() -> None:
    claimed = access.offer(access.web_service(), namespace_labels={}, trial=None)
    assert said(status(Register(offers=(claimed,)).web_service()), ConditionType.TESTED_AS_USABLE) is None


def test_acceptance_is_a_place_for_tests() -> None:
    found = status(Register(offers=(trying_at(there(environment="Acceptance")),)).web_service())
    condition = find(found.conditions, ConditionType.TESTED_AS_USABLE)
    assert condition is not None
    assert condition.reason == Reason.TESTED_AS_USABLE


def test_where_nothing_is_named_nothing_is_said() -> None:
    found = status(Register(offers=(trying_at(None, testedAs=None),)).web_service())
    assert said(found, ConditionType.TESTED_AS_USABLE) is None


def test_a_connection_on_record_stays_open() -> None:
    (standing,) = standings(access.case(offered=trying_at(None)), Times(NOW, POLICY.zone))
    assert standing.allowed
