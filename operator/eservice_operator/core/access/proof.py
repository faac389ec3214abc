# SPDX-License-Identifier: Apache-2.0
"""R10: what proves that a consumer tested its connection to a SOAP contract version.

A grant in Production needs an allowed grant of the same registration at the WebService's ``testedAs``, or a
ConnectionTest. What was opened once is recorded as a ConnectionTest of the operator's own: the proof then no
longer hangs on the test environment, and nobody in a namespace can write it.
"""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.base import Environment, revoked_by
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.terms import Finding, Times, waiting
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import instant
from eservice_operator.core.releases import short_hash

RECORD_HASH = 20


def is_tested(case: GrantCase, other: GrantCase) -> bool:
    """Whether another grant is one of the same registration at the WebService that this one is tested as.

    That has to be a SOAP service of the same holder in Test, and no other's and no Production one.
    """
    if case.offer is None or other.offer is None or case.consumer is None or other.consumer is None:
        return False
    here, there = case.offer.web_service.spec, other.offer.web_service.spec
    return (
        here.tested_as == other.offer.web_service.reference
        and there.holder.code == here.holder.code
        and there.protocol is Protocol.SOAP
        and there.environment is Environment.TEST
        and other.consumer.service.spec.registration == case.consumer.service.spec.registration
    )


def untested(case: GrantCase, version: str, times: Times) -> Finding | None:
    """What is missing where no grant at ``testedAs`` proves it; None where a ConnectionTest does."""
    if case.offer is None or case.consumer is None:
        return None
    if any(_proves(case, position, version, times) for position in range(len(case.tests))):
        return None
    registration, at = case.consumer.service.spec.registration, case.offer.web_service.spec.tested_as
    where = "the WebService names no testedAs"
    if at is not None:
        where = f"{registration} has no active grant for {version} at {at.namespace}/{at.name}"
    return waiting(Reason.TEST_MISSING, f"{version} was not tested: {where}, and there is no ConnectionTest")


def _proves(case: GrantCase, position: int, version: str, times: Times) -> bool:
    test = case.tests[position].spec
    return (
        case.offer is not None
        and case.consumer is not None
        and test.web_service == case.offer.web_service.reference
        and test.registration == case.consumer.service.spec.registration
        and test.contract_version == version
        and test.passed_at <= times.now
        and revoked_by(times.today, test.revoked) is None
    )


def record_name(case: GrantCase, version: str) -> str:
    """Name of the operator's own record of a connection that it opened."""
    grant = case.grant
    registration = "" if case.consumer is None else case.consumer.service.spec.registration
    key = [grant.metadata.namespace, grant.spec.web_service, registration, version]
    return f"activation-{short_hash(key, RECORD_HASH)}"


def record_of(case: GrantCase, version: str, now: datetime) -> Manifest | None:
    """The record to make of a version that is opened; None where it is there already."""
    name = record_name(case, version)
    if case.consumer is None or any(test.metadata.name == name for test in case.tests):
        return None
    grant = case.grant
    return {
        "apiVersion": names.API_VERSION,
        "kind": "ConnectionTest",
        "metadata": {
            "name": name,
            "labels": {names.MANAGED_BY_LABEL: names.MANAGER, names.OWNER_UID_LABEL: grant.metadata.uid},
        },
        "spec": {
            "webService": {"namespace": grant.metadata.namespace, "name": grant.spec.web_service},
            "registration": case.consumer.service.spec.registration,
            "contractVersion": version,
            "passedAt": instant(now),
            "observed": {"namespace": grant.metadata.namespace, "grant": grant.metadata.name},
        },
    }
