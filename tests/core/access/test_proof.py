# SPDX-License-Identifier: Apache-2.0
"""R10: what proves that a connection was tested, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.proof import record_name, record_of
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Standing, Times
from tests.support import access, worlds
from tests.support.worlds import NOW, RIGA

TIMES = Times(NOW, RIGA)
OBSERVED = {"namespace": access.HOLDER, "grant": worlds.NAME}


def stand(case: GrantCase) -> Standing:
    (found,) = standings(case, TIMES)
    return found


def proven_by(*others: GrantCase) -> GrantCase:
    """The grant in Production without any ConnectionTest."""
    return access.case(tests=(), tested=others)


def in_test(grant: dict[str, Any] | None = None, **service: Any) -> GrantCase:
    offer = access.offer(access.web_service_in_test(**service))
    return access.case_in_test(access.grant_in_test(**(grant or {})), offered=offer)


def of_another_registration() -> GrantCase:
    service = worlds.eservice_in_test(spec={"registration": "other"})
    registered = worlds.registration(metadata={"name": "other"})
    use = access.use("v5", namespace=access.HOLDER_IN_TEST)
    return access.case_in_test(consumed=access.consumer(use, service=service, registered=registered))


PROVES: dict[str, Callable[[], GrantCase]] = {
    "a grant at testedAs": lambda: proven_by(access.case_in_test()),
    "one of two": lambda: proven_by(in_test({"spec": {"refused": {"reason": "no"}}}), access.case_in_test()),
    "a web service in Acceptance": lambda: proven_by(
        access.case_in_test(
            offered=access.offer(access.web_service_in_test(spec={"environment": "Acceptance"})),
            consumed=access.consumer(
                access.use("v5", namespace=access.HOLDER_IN_TEST),
                service=worlds.eservice_in_test(spec={"environment": "Acceptance"}),
                registered=worlds.registration(
                    spec={"namespaces": [{"environment": "Acceptance", "name": "pmlp-test"}]},
                    status={
                        "namespaces": [{"environment": "Acceptance", "name": "pmlp-test", "state": "Ready"}]
                    },
                ),
            ),
        )
    ),
    "a ConnectionTest": access.case,
    "a ConnectionTest that is to be revoked": lambda: access.case(
        tests=[access.connection_test(spec={"revoked": {"at": "2026-10-14", "reason": "a mistake"}})]
    ),
    "a record of the operator's own, dated by a clock that is ahead": lambda: access.case(
        tests=[
            access.connection_test(
                spec={"passedAt": "2026-10-13T09:04:00Z", "report": None, "observed": OBSERVED}
            )
        ]
    ),
}

PROVES_NOTHING: dict[str, Callable[[], GrantCase]] = {
    "nothing at all": proven_by,
    "a refused grant": lambda: proven_by(in_test({"spec": {"refused": {"reason": "no"}}})),
    "an ended grant": lambda: proven_by(in_test({"spec": {"validUntil": "2026-10-12"}})),
    "another version": lambda: proven_by(in_test({"spec": {"contractVersions": [{"version": "v4"}]}})),
    "a version that is retired in Test": lambda: proven_by(
        in_test(spec={"contracts": [{"version": "v5", "endOfLife": "2026-10-12"}]})
    ),
    "another's web service": lambda: proven_by(in_test(spec={"holder": {"code": "90000000001"}})),
    "another web service than testedAs": lambda: proven_by(in_test(metadata={"name": "other"})),
    "REST": lambda: proven_by(
        access.case_in_test(
            access.grant_in_test(spec={"contractVersions": None}),
            offered=access.offer(access.web_service_in_test(spec={"protocol": "REST"})),
        )
    ),
    "another registration": lambda: proven_by(of_another_registration()),
    "a namespace that is not the holder's": lambda: proven_by(
        access.case_in_test(offered=access.offer(access.web_service_in_test(), namespace_labels={}))
    ),
    "itself": lambda: access.case(
        offered=access.offer(
            access.web_service(spec={"testedAs": {"namespace": access.HOLDER, "name": access.REGISTER}})
        ),
        tests=(),
        tested=(access.case(),),
    ),
    "a revoked ConnectionTest": lambda: access.case(
        tests=[access.connection_test(spec={"revoked": {"at": "2026-10-13", "reason": "a mistake"}})]
    ),
    "a ConnectionTest of tomorrow": lambda: access.case(
        tests=[access.connection_test(spec={"passedAt": "2026-10-14T00:00:00Z"})]
    ),
    "a ConnectionTest of the next minutes": lambda: access.case(
        tests=[access.connection_test(spec={"passedAt": "2026-10-13T09:04:00Z"})]
    ),
    "a ConnectionTest of another version": lambda: access.case(
        tests=[access.connection_test(spec={"contractVersion": "v4"})]
    ),
    "a ConnectionTest of another registration": lambda: access.case(
        tests=[access.connection_test(spec={"registration": "other"})]
    ),
    "a ConnectionTest for another web service": lambda: access.case(
        tests=[access.connection_test(spec={"webService": {"name": "other"}})]
    ),
    "a ConnectionTest for another namespace": lambda: access.case(
        tests=[access.connection_test(spec={"webService": {"namespace": access.HOLDER_IN_TEST}})]
    ),
}


@pytest.mark.parametrize("name", PROVES)
def test_a_test_that_counts(name: str) -> None:
    found = stand(PROVES[name]())
    assert found.allowed, found


@pytest.mark.parametrize("name", PROVES_NOTHING)
def test_a_test_that_does_not_count(name: str) -> None:
    found = stand(PROVES_NOTHING[name]())
    assert (found.allowed, found.reason) == (False, "TestMissing")


def test_what_is_opened_by_a_test_grant_is_put_on_record() -> None:
    case = proven_by(access.case_in_test())
    record = record_of(case, "v5", TIMES)
    assert record is not None
    assert record["spec"] == {
        "webService": {"namespace": access.HOLDER, "name": access.REGISTER},
        "registration": "address-declaration",
        "contractVersion": "v5",
        "passedAt": "2026-10-13T09:00:00Z",
        "observed": {"namespace": access.HOLDER, "grant": "address-declaration"},
    }
    name, spec = record["metadata"]["name"], record["spec"] | {"report": None}
    after = access.case(tests=[access.connection_test(name, spec=spec)])
    found = stand(after)
    assert found.allowed
    assert found.message == f"granted; its test grant is closed, which {name} makes up for"
    assert record_of(after, "v5", TIMES) is None


def test_a_record_that_was_revoked_is_not_made_anew() -> None:
    name = record_name(access.case(), "v5")
    revoked = access.connection_test(name, spec={"revoked": {"at": "2026-10-01", "reason": "a mistake"}})
    case = access.case(tests=[revoked], tested=[access.case_in_test()])
    found, said = stand(case), f"granted; ConnectionTest {name} is revoked: the connection is shown by"
    assert (found.allowed, found.message) == (True, f"{said} an open test grant")
    assert record_of(case, "v5", TIMES) is None
    another = access.case(tests=[revoked, access.connection_test("second")])
    assert stand(another).message == f"{said} ConnectionTest second"
    of_v4 = access.connection_test("v4", "v4", spec={"revoked": {"at": "2026-10-01", "reason": "a mistake"}})
    assert stand(access.case(tests=[of_v4], tested=[access.case_in_test()])).message == "granted"


def test_the_agencys_word_is_not_doubled() -> None:
    assert record_of(access.case(tested=[access.case_in_test()]), "v5", TIMES) is None


def test_records_differ_by_what_they_are_about() -> None:
    case = access.case()
    other = access.case(access.grant(spec={"webService": "other"}))
    names = {record_name(case, "v4"), record_name(case, "v5"), record_name(other, "v5")}
    assert len(names) == 3
    assert record_name(access.case(access.grant("second")), "v5") == record_name(case, "v5")


def test_a_proof_that_ends_is_the_end_of_the_access() -> None:
    revoked = access.connection_test(spec={"revoked": {"at": "2026-10-20", "reason": "a mistake"}})
    assert str(stand(access.case(tests=[revoked])).ends_on) == "2026-10-19"
    ending = in_test({"spec": {"validUntil": "2026-11-01"}})
    assert str(stand(access.case(tests=[revoked], tested=[ending])).ends_on) == "2026-11-01"
    assert stand(access.case(tests=[revoked, access.connection_test("second")])).ends_on is None
