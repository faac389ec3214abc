# SPDX-License-Identifier: Apache-2.0
"""Status of the records: acts, verifications, deferrals, connection tests, identifiers and decisions.

A record says of itself whether it is in force and whether what it names exists; that is all it needs
for ``kubectl get`` and for a GitOps wait.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Status, revoked_by
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDecisionStatus, UnpublishDeferral
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.actions import Basis, Ref, SetStatus
from eservice_operator.core.conditions import Verdict, merge, true
from eservice_operator.core.dates import Period, add_period, local_day, start_of_day
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import release_name
from eservice_operator.core.world import RecordWorld

KNOWN_REASONS = frozenset(Reason)


def record_status(world: RecordWorld, now: datetime, policy: Policy) -> Status:
    """The status of an act, a verification, a deferral, a connection test or an identifier.

    Ready is True for every record that the operator has read: that it names an e-service which does not
    exist (yet) is no failure of the record, and is said in the reason.
    """
    today = local_day(now, policy.zone)
    record = world.record
    generation = record.metadata.generation
    verdict = _verdict(world, now, today)
    return Status(
        observed_generation=generation,
        conditions=merge(record.status.conditions, (verdict,), generation, now),
    )


def _verdict(world: RecordWorld, now: datetime, today: date) -> Verdict:
    match world.record:
        case AcceptanceAct() as act:
            return _act(act, world, today)
        case ProductionVerification() as verification:
            return _verification(verification, world, now)
        case UnpublishDeferral() as deferral:
            return _deferral(deferral, world, today)
        case ConnectionTest() as test:
            return _connection_test(test, world, now, today)
        case EServiceIdentifier() as identifier:
            text = f"belongs to {identifier.spec.registration} for good"
            return true(ConditionType.READY, Reason.ALLOCATED, text)


def next_change(world: RecordWorld, now: datetime, policy: Policy) -> datetime | None:
    """The next instant at which the status of a record changes by itself: most do with a local day."""
    record = world.record
    days: list[date] = []
    if (
        isinstance(record, AcceptanceAct | UnpublishDeferral | ConnectionTest)
        and record.spec.revoked is not None
    ):
        days.append(record.spec.revoked.at)
    if isinstance(record, UnpublishDeferral):
        days.append(add_period(record.spec.until, Period(months=0, days=1)))
    if isinstance(record, ConnectionTest) and not record.spec.passed_by(now):
        days.append(local_day(record.spec.passed_at, policy.zone) + timedelta(days=1))
    instants = [start_of_day(day, policy.zone) for day in days]
    if isinstance(record, ProductionVerification):
        instants.append(record.spec.verified_at)
    return min((instant for instant in instants if instant > now), default=None)


def _act(act: AcceptanceAct, world: RecordWorld, today: date) -> Verdict:
    revoked = revoked_by(today, act.spec.revoked)
    if revoked is not None:
        return true(ConditionType.READY, Reason.REVOKED, f"revoked on {revoked.at}: {revoked.reason}")
    where = f"{act.spec.e_service.namespace}/{act.spec.e_service.name}"
    if world.service is None:
        return true(ConditionType.READY, Reason.UNKNOWN_E_SERVICE, f"EService {where} does not exist")
    spec = world.service.spec
    named = release_name(spec.release.image, spec.template) == release_name(act.spec.image, act.spec.template)
    public = world.service.status.release.public
    if not named and (public is None or public.name != release_name(act.spec.image, act.spec.template)):
        text = f"EService {where} names another release than the one accepted"
        return true(ConditionType.READY, Reason.UNKNOWN_RELEASE, text)
    return true(ConditionType.READY, Reason.IN_FORCE, f"accepted on {act.spec.signed_at}")


def _verification(verification: ProductionVerification, world: RecordWorld, now: datetime) -> Verdict:
    spec = verification.spec
    if world.service is None:
        text = f"EService {verification.metadata.namespace}/{spec.e_service} does not exist"
        return true(ConditionType.READY, Reason.UNKNOWN_E_SERVICE, text)
    if spec.verified_at > now:
        return true(ConditionType.READY, Reason.VERIFICATION_NOT_VALID, "verifiedAt lies in the future")
    if not world.newest:
        return true(ConditionType.READY, Reason.SUPERSEDED, "a newer verification of this release counts")
    return true(ConditionType.READY, Reason.IN_FORCE, f"{spec.outcome.value} by {spec.verified_by}")


def _deferral(deferral: UnpublishDeferral, world: RecordWorld, today: date) -> Verdict:
    revoked, where = revoked_by(today, deferral.spec.revoked), deferral.spec.e_service
    if revoked is not None:
        return true(ConditionType.READY, Reason.REVOKED, f"revoked on {revoked.at}: {revoked.reason}")
    if deferral.spec.until < today:
        return true(ConditionType.READY, Reason.EXPIRED, f"ended with {deferral.spec.until}")
    if world.service is None:
        text = f"EService {where.namespace}/{where.name} does not exist"
        return true(ConditionType.READY, Reason.UNKNOWN_E_SERVICE, text)
    return true(
        ConditionType.READY,
        Reason.IN_FORCE,
        f"until {deferral.spec.until}, that day included, or the template's cap",
    )


def _connection_test(test: ConnectionTest, world: RecordWorld, now: datetime, today: date) -> Verdict:
    spec, revoked = test.spec, revoked_by(today, test.spec.revoked)
    if revoked is not None:
        rest = "a grant stays open where an open test grant or another ConnectionTest shows the connection"
        return true(ConditionType.READY, Reason.REVOKED, f"revoked on {revoked.at}: {revoked.reason}; {rest}")
    if not spec.passed_by(now):
        return true(ConditionType.READY, Reason.TEST_NOT_VALID, "passedAt lies in the future")
    where = f"{spec.web_service.namespace}/{spec.web_service.name}"
    if world.web_service is None:
        return true(ConditionType.READY, Reason.WEB_SERVICE_UNKNOWN, f"WebService {where} does not exist")
    if world.web_service.contract(spec.contract_version) is None:
        text = f"WebService {where} has no contract version {spec.contract_version}"
        return true(ConditionType.READY, Reason.CONTRACT_UNKNOWN, text)
    shown = "by what was opened" if spec.report is None else "by a report"
    text = f"{spec.registration} passed the test for {where} {spec.contract_version}, shown {shown}"
    return true(ConditionType.READY, Reason.IN_FORCE, text)


def revised(status: UnpublishDecisionStatus, **said: object) -> UnpublishDecisionStatus:
    """The status with these fields; the very same if that is what it says."""
    for field, value in said.items():
        if getattr(status, field) != value:
            return status.model_copy(update=said)
    return status


def decision_status(
    decision: UnpublishDecision, judged: UnpublishDecisionStatus, now: datetime
) -> UnpublishDecisionStatus:
    """The judged status with its generation and conditions."""
    reason = Reason(judged.reason) if judged.reason in KNOWN_REASONS else Reason.SUCCEEDED
    verdict = true(ConditionType.READY, reason, judged.message)
    generation = decision.metadata.generation
    return revised(
        judged,
        observed_generation=generation,
        conditions=merge(decision.status.conditions, (verdict,), generation, now),
    )


def status_write(decision: UnpublishDecision, status: UnpublishDecisionStatus, reason: str) -> SetStatus:
    """The write of a decision's status, onto the very version that it was decided on."""
    return SetStatus(
        Ref(names.API_VERSION, UnpublishDecision.__name__, "", decision.metadata.name),
        decision.metadata.uid,
        status.model_dump(mode="json", by_alias=True, exclude_none=True),
        reason,
        basis=Basis(decision.metadata.resource_version),
    )
