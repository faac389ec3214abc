# SPDX-License-Identifier: Apache-2.0
"""R10: what proves that a consumer tested its connection to a SOAP contract version.

A grant in Production needs an allowed grant of the same registration at the WebService's ``testedAs``, or a
ConnectionTest. What was opened on the ground of the former is recorded as a ConnectionTest of the operator's
own: the proof then no longer hangs on the test environment, and nobody in a namespace can write it. What a
ConnectionTest proves needs no second one: the Agency ends it by revoking that very one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from eservice_operator.api import names
from eservice_operator.api.base import Environment, revoked_by
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.asking import unread
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.terms import Finding, Times, waiting
from eservice_operator.core.access.trial import misfit, trial_finding
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import instant
from eservice_operator.core.releases import short_hash

ONE_DAY = timedelta(days=1)
RECORD_HASH = 20


def is_tested(case: GrantCase, other: GrantCase) -> bool:
    """Whether another grant is one of the same registration at the WebService that this one is tested as.

    That has to be one at which consumers can test for it (see `trial`).
    """
    if case.offer is None or other.offer is None or case.consumer is None or other.consumer is None:
        return False
    here, there = case.offer.web_service, other.offer.web_service
    return (
        here.spec.tested_as == there.reference
        and misfit(here, there) is None
        and other.consumer.service.spec.registration == case.consumer.service.spec.registration
    )


def proofs(case: GrantCase, version: str, times: Times) -> Iterator[ConnectionTest]:
    """The ConnectionTests that prove now that the consumer tested the contract version."""
    for test in _about(case, version):
        if test.spec.passed_by(times.now) and revoked_by(times.today, test.spec.revoked) is None:
            yield test


def taken_back(case: GrantCase, version: str, times: Times) -> ConnectionTest | None:
    """A ConnectionTest of the same connection that the Agency has revoked."""
    tests = (test for test in _about(case, version) if revoked_by(times.today, test.spec.revoked) is not None)
    return next(tests, None)


def _about(case: GrantCase, version: str) -> Iterator[ConnectionTest]:
    if case.consumer is None:
        return
    about = (case.web_service, case.consumer.service.spec.registration, version)
    for test in case.tests:
        spec = test.spec
        if (spec.web_service, spec.registration, spec.contract_version) == about:
            yield test


def proven_until(test: ConnectionTest) -> date | None:
    """The last day on which a ConnectionTest proves something, where it is to be revoked."""
    revoked = test.spec.revoked
    return None if revoked is None else revoked.at - ONE_DAY


def untested(case: GrantCase, version: str) -> Finding:
    """What is to be done where nothing proves that the connection was tested."""
    consumer = case.grant.spec.consumer
    registration = "" if case.consumer is None else case.consumer.service.spec.registration
    at = None if case.offer is None else case.offer.web_service.spec.tested_as
    who = f"{registration} ({consumer.namespace}/{consumer.name})"
    where = f"{who} needs a ConnectionTest of the Agency, as the WebService names no testedAs"
    amiss = None if case.offer is None else trial_finding(case.offer)
    if amiss is not None:
        where = f"{who} needs a ConnectionTest of the Agency, as {amiss.message}"
    elif at is not None:
        where = f"{who} needs an open grant of {version} at {at.namespace}/{at.name}, or a ConnectionTest"
    if "ConnectionTest" in case.unread:
        return unread(f"a ConnectionTest of {registration}")
    return waiting(Reason.TEST_MISSING, f"the connection to {version} was not tested: {where}")


def record_name(case: GrantCase, version: str) -> str:
    """Name of the operator's own record of a connection that it opened."""
    grant = case.grant
    registration = "" if case.consumer is None else case.consumer.service.spec.registration
    key = [grant.metadata.namespace, grant.spec.web_service, registration, version]
    return f"activation-{short_hash(key, RECORD_HASH)}"


def record_of(case: GrantCase, version: str, times: Times) -> Manifest | None:
    """The record to make of a version that is opened; None where one is there, or a ConnectionTest proves it.

    Only SOAP in Production needs one. One that the Agency revoked stays as it is: it is not made anew.
    """
    if case.offer is None or case.consumer is None:
        return None
    spec, name = case.offer.web_service.spec, record_name(case, version)
    if spec.protocol is Protocol.REST or spec.environment is not Environment.PRODUCTION:
        return None
    known = any(test.metadata.name == name for test in case.tests)
    if known or any(proofs(case, version, times)):
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
            "passedAt": instant(times.now),
            "observed": {"namespace": grant.metadata.namespace, "grant": grant.metadata.name},
        },
    }
