# SPDX-License-Identifier: Apache-2.0
"""The acts: AcceptanceAct (R2), ProductionVerification (R6), UnpublishDeferral and UnpublishDecision (R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import (
    Environment,
    EServiceRef,
    Model,
    ObjectMeta,
    SetOnceRevocation,
    SignedDocument,
    Status,
    TemplateRef,
)
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Date,
    DateTime,
    Day,
    DigestImage,
    Duration,
    Image,
    Instant,
    Message,
    Name,
    ObjectName,
    SemVer,
    Short,
    Text,
    cel,
    rules,
    text,
)
from eservice_operator.api.notices import Notices
from eservice_operator.api.template import LagMeasure


def immutable_but_revoked(what: str, *fields: str) -> list[dict[str, object]]:
    """CEL rules for a record (``what``, in messages) of which only ``revoked`` may be set, once."""
    same = " && ".join(
        f"has(self.{field}) == has(oldSelf.{field})"
        f" && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in fields
    )
    return [
        cel(same, f"{what} never changes: set revoked, and write a new one instead"),
        cel(
            "!has(oldSelf.revoked) || (has(self.revoked) && self.revoked == oldSelf.revoked)",
            f"revoked is set once and stays: write a new {what.rsplit(maxsplit=1)[-1]} instead",
            fieldPath=".revoked",
        ),
    ]


class TestPeriod(Model):
    """The period of the acceptance test, both days included."""

    __test__ = False
    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.from <= self.to",
                "testPeriod.to must not be before testPeriod.from: write a later day",
                fieldPath=".to",
            )
        )
    )

    from_: Annotated[Day, Field(alias="from")]
    """The first day of the test."""
    to: Day
    """The last day of the test."""


class Signatory(Model):
    """Who signed, and for whom."""

    organisation: Short
    """For whom the person signed: Agency, or the institution."""
    name: Short
    """Name of the person."""


class AcceptanceActSpec(Model):
    """The acceptance act of a release (R2)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "an acceptance act",
                "eService",
                "template",
                "image",
                "testPeriod",
                "demonstratedAt",
                "report",
                "document",
                "signedAt",
                "signatories",
            ),
            cel(
                "self.testPeriod.to <= self.signedAt",
                "signedAt must not be before testPeriod.to: an act is signed after the test",
                fieldPath=".signedAt",
            ),
            cel(
                "self.signatories.exists(s, self.signatories.exists(t, s.organisation != t.organisation))",
                "both sides sign: name a signatory of the Agency and one of the institution",
                fieldPath=".signatories",
            ),
        )
    )

    e_service: EServiceRef
    """The EService in Production that is accepted."""
    template: TemplateRef
    """The template version of the accepted release."""
    image: DigestImage
    """The image of the accepted release; compared by digest."""
    test_period: TestPeriod
    """When the institution did its acceptance test."""
    demonstrated_at: Day | None = None
    """The day on which it was shown to the Agency's support staff."""
    report: SignedDocument
    """The Agency's report on compliance."""
    document: SignedDocument
    """The signed act."""
    signed_at: Day
    """The day of the last signature."""
    signatories: Annotated[
        tuple[Signatory, ...], Field(min_length=2, max_length=16, json_schema_extra=LIST_ATOMIC)
    ]
    """Who signed: at least one of each side."""
    revoked: SetOnceRevocation | None = None
    """Ends the act; set once. It takes nothing down, and blocks the next publication."""


class AcceptanceAct(Model):
    """The signed acceptance of one release of an e-service (R2); immutable but for its revocation."""

    metadata: ObjectMeta
    spec: AcceptanceActSpec
    status: Status = Status()


class VerificationOutcome(StrEnum):
    """Result of a verification in production."""

    PASSED = "Passed"
    FAILED = "Failed"


class ProductionVerificationSpec(Model):
    """The institution's verification of an installed release (R6)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self == oldSelf",
                "a verification never changes: write a new one instead, the newest one counts",
            )
        )
    )

    e_service: Name
    """Name of the EService, in the same namespace."""
    image: DigestImage
    """The image that was verified; compared by digest."""
    template: TemplateRef
    """The template version that was verified."""
    outcome: VerificationOutcome
    """Passed: the public may be served. Failed: it may not; the release in public use stays."""
    verified_at: Instant
    """When it was done; not before the request for production."""
    verified_by: Short
    """Who of the institution did it."""
    notes: Text | None = None
    """What was found, for people."""


class ProductionVerification(Model):
    """The verification of one release in production, before the public sees it (R6); immutable."""

    metadata: ObjectMeta
    spec: ProductionVerificationSpec
    status: Status = Status()


class UnpublishDeferralSpec(Model):
    """A time-limited, reasoned exception to R8."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked("a deferral", "eService", "until", "reason", "ticket", "approvedBy")
        )
    )

    e_service: EServiceRef
    """The EService whose unpublication is deferred."""
    until: Day
    """The last day with the public route; the template's maximumDeferral is the most."""
    reason: Text
    """Why the exception is made."""
    ticket: Short | None = None
    """Where the exception is recorded."""
    approved_by: Short
    """Who at the Agency approved it."""
    revoked: SetOnceRevocation | None = None
    """Ends the deferral before its day; set once."""


class UnpublishDeferral(Model):
    """Defers the unpublication of one e-service until a day (R8)."""

    metadata: ObjectMeta
    spec: UnpublishDeferralSpec
    status: Status = Status()


class DecidedRelease(Model):
    """The release that the decision is about."""

    image: Image
    """The image of the release."""
    template: TemplateRef
    """The template version of the release."""


class DecisionState(StrEnum):
    """How far a decision has got."""

    SCHEDULED = "Scheduled"
    HELD = "Held"
    EFFECTIVE = "Effective"
    CLOSED = "Closed"


class UnpublishDecisionSpec(Model):
    """The facts of one decision under R8; only ``revoked`` may be set, by the Agency."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *immutable_but_revoked(
                "a decision",
                "eService",
                "registration",
                "environment",
                "release",
                "currentVersion",
                "causedBy",
                "maximumLag",
                "lagMeasure",
                "overdueSince",
                "effectiveAt",
                "decidedAt",
                "inputsHash",
            )
        )
    )

    e_service: EServiceRef
    """The EService that was public."""
    registration: ObjectName
    """With the environment the key of the decision: re-creating the EService escapes nothing."""
    environment: Environment
    """The environment; today it is always Production, never Test or Acceptance."""
    release: DecidedRelease
    """The release that was public."""
    current_version: SemVer | None = None
    """The template version that was the current one when it was decided."""
    caused_by: SemVer | None = None
    """The template version that made the release overdue; absent when its own recall did."""
    maximum_lag: Duration
    """The template's maximumLag when it was decided."""
    lag_measure: LagMeasure
    """The template's lagMeasure when it was decided: ReleaseGap or SinceSuperseded."""
    overdue_since: Date
    """The first day on which the release is overdue."""
    effective_at: DateTime
    """The promise: the instant of the unpublication, which is never moved earlier."""
    decided_at: DateTime
    """When the operator decided."""
    inputs_hash: Annotated[str, text(r"^[0-9a-f]{16}$", "write 16 hexadecimal digits", most=16)]
    """Hash of the facts that led to the decision."""
    revoked: SetOnceRevocation | None = None
    """The Agency takes the decision back; set once."""


class UnpublishDecisionStatus(Status):
    """What became of a decision."""

    state: DecisionState = DecisionState.SCHEDULED
    """Scheduled: it takes effect at effectiveAt. Held: something holds it up, see reason. Effective: the
    e-service is off the public route. Closed: renewed or revoked."""
    reason: Short | None = None
    """Why it is in this state, in one word."""
    message: Message = ""
    """Why it is in this state, for people."""
    effective_at: DateTime | None = None
    """When it takes effect or took effect, deferrals included."""
    deferred_until: Date | None = None
    """The last day of a deferral that is honoured."""
    effective_since: DateTime | None = None
    """When it took effect."""
    closed_at: DateTime | None = None
    """When it was closed."""
    hold_token: Short | None = None
    """The token that releases the set of decisions held by the brake."""
    notices: Notices = ()
    """Whom the operator told, the last 20."""


class UnpublishDecision(Model):
    """The record of one decision to unpublish an e-service (R8); the Agency may revoke it."""

    metadata: ObjectMeta
    spec: UnpublishDecisionSpec
    status: UnpublishDecisionStatus = UnpublishDecisionStatus()
